// auth-admin and gateway-admin: what scripts and operators rely on
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { keep } from '../support/files.js';
import { build, repository, run, startStack, useStack } from '../support/stack.js';

const stack = await useStack();
const admin = (...args) => stack.authAdmin(args);
const freshEmail = () => `a${randomBytes(6).toString('hex')}@example.org`;

describe('auth-admin user', () => {
  test('add, show, list and delete tell one story, in JSON too', async () => {
    const email = freshEmail();
    assert.equal((await stack.authAdmin(['user', 'add', email, '--password-stdin', '--json'], 'a good password\n')).code, 0);
    const shown = await admin('user', 'show', email, '--json');
    assert.equal(shown.code, 0, shown.stderr);
    const user = JSON.parse(shown.stdout);
    assert.equal(user.email, email);
    assert.equal(user.admin, false);
    assert.ok(!shown.stdout.includes('$argon2id$'));
    const listed = await admin('user', 'list', '--json');
    assert.ok(listed.stdout.includes(email));
    assert.ok(!listed.stdout.includes('$argon2id$'));
    assert.equal((await admin('user', 'delete', email, '--yes')).code, 0);
    assert.notEqual((await admin('user', 'show', email)).code, 0);
  });

  test('refuses what makes no sense, on stderr, with a status that a script can use', async () => {
    const email = freshEmail();
    await stack.authAdmin(['user', 'add', email, '--password-stdin'], 'a good password\n');
    const cases = [
      [['user', 'add', email, '--password-stdin'], 'a good password\n'], [['user', 'add', email.toUpperCase(), '--password-stdin'], 'a good password\n'],
      [['user', 'add', freshEmail(), '--password-stdin'], ''], [['user', 'add', freshEmail(), '--password-stdin'], '\n'],
      [['user', 'add', 'no email', '--password-stdin'], 'a good password\n'], [['user', 'add', 'a\nb@example.org', '--password-stdin'], 'a good password\n'],
      [['user', 'add', 'a:b@example.org', '--password-stdin'], 'a good password\n'], [['user', 'add', '', '--password-stdin'], 'a good password\n'],
      [['user', 'show', freshEmail()]], [['user', 'passwd', freshEmail(), '--password-stdin'], 'a good password\n'], [['user', 'delete', freshEmail()]], [['user', 'disable', freshEmail()]],
      [['user', 'nonsense']], [['user']], [['nonsense']], [['user', 'add']], [['user', 'list', '--nonsense']],
    ];
    for (const [args, input] of cases) {
      const { code, stdout, stderr } = await stack.authAdmin(args, input);
      assert.ok(Number.isInteger(code) && code > 0 && code < 128, `${args.join(' ')}: ${code}`);
      assert.notEqual(stderr + stdout, '', args.join(' '));
      assert.doesNotMatch(stderr, /a good password/);
    }
  });

  test('takes the password up to the end of the line, and nothing of it away', async () => {
    for (const [typed, password] of [[' spaced \n', ' spaced '], ['no newline', 'no newline'], ['first line\nsecond line\n', 'first line']]) {
      const email = freshEmail();
      const { code, stderr } = await stack.authAdmin(['user', 'add', email, '--password-stdin'], typed);
      assert.equal(code, 0, `${JSON.stringify(typed)}: ${stderr}`);
      assertStatus(await stack.call('POST', '/login', { basic: [email, password] }), 200);
    }
  });
});

describe('auth-admin key', () => {
  test('list tells the kids and no secret', async () => {
    const { code, stdout } = await admin('key', 'list');
    const key = stack.signingKey();
    assert.equal(code, 0);
    assert.ok(stdout.includes(key.kid));
    assert.ok(!stdout.includes(key.secret.toString('base64url')));
  });

  test('the keyring is for its owner alone', () => {
    assert.equal(statSync(stack.settings('auth').JWT_KEYRING).mode & 0o077, 0);
  });
});

describe('an instance of its own', () => {
  let own;
  before(async () => {
    own = await startStack();
  });
  after(() => own?.stop());

  test('after a key rotation signs with the new key and still takes the tokens of the old one', async () => {
    const ann = await own.person();
    const old = own.signingKey();
    const rotated = await own.authAdmin(['key', 'rotate']);
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.notEqual(own.signingKey().kid, old.kid);
    await own.halt();
    await own.start();
    for (const route of ['/me', '/files']) assertStatus(await own.call('GET', route, { token: ann.token }), 200);
    const { json } = await own.call('POST', '/login', { basic: [ann.email, ann.password] });
    const kid = JSON.parse(Buffer.from(json.access_token.split('.')[0], 'base64url')).kid;
    assert.equal(kid, own.signingKey().kid);
    for (const route of ['/me', '/files']) assertStatus(await own.call('GET', route, { token: json.access_token }), 200);
  });

  test('keeps files with a row at gc, and verify names what is damaged or missing', async () => {
    const ann = await own.person();
    const [good, damaged, missing] = [await keep(own, ann, 'good', 'good'), await keep(own, ann, 'damaged', 'damaged'), await keep(own, ann, 'missing', 'missing')];
    assert.equal((await own.gatewayAdmin(['verify'])).code, 0);
    assert.equal((await own.gatewayAdmin(['gc'])).code, 0);
    assertStatus(await own.call('GET', good.url, { token: ann.token }), 200);

    const objects = join(own.settings('gateway').DATA_DIR, 'objects');
    const object = ({ id }) => readdirSync(objects).map((aa) => join(objects, aa, id)).find(existsSync);
    rmSync(object(missing));
    const path = object(damaged);
    rmSync(path);
    writeFileSync(path, 'DAMAGED');
    const verified = await own.gatewayAdmin(['verify']);
    assert.notEqual(verified.code, 0);
    const said = verified.stdout + verified.stderr;
    assert.ok(said.includes(damaged.id) && said.includes(missing.id) && !said.includes(good.id), said);

    // our own failure, which the document does not promise: an honest 500, and no path in it
    const response = await fetch(own.url + missing.url, { headers: { Authorization: `Bearer ${ann.token}` } });
    const text = await response.text();
    assert.equal(JSON.parse(text).type, 'urn:gatehouse:internal-error');
    assert.ok(!text.includes(own.state));
  });

  test('counts its files and bytes by stat', async () => {
    const { code, stdout } = await own.gatewayAdmin(['stat', '--json']);
    assert.equal(code, 0);
    assert.doesNotThrow(() => JSON.parse(stdout));
  });
});

describe('every program', () => {
  const programs = ['cgi-auth', 'auth-admin', 'cgi-gateway', 'gateway-admin'];
  const env = (program) => ({ GATEHOUSE_CONF: stack.path('conf', program.includes('auth') ? 'auth.env' : 'gateway.env') });

  test('has --help and --version', async () => {
    for (const program of programs)
      for (const option of ['--help', '--version']) {
        const { code, stdout } = await run(join(build, program), [option]);
        assert.equal(code, 0, `${program} ${option}`);
        assert.ok(stdout.length > 3);
      }
  });

  test('shows its configuration by --check and hides what is secret', async () => {
    for (const program of ['cgi-auth', 'cgi-gateway']) {
      const { code, stdout, stderr } = await run(join(build, program), ['--check'], { env: env(program) });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^MYSQL_DB=/m);
      assert.ok(!stdout.includes(stack.databasePassword(program.slice(4))));
    }
  });

  // Under systemd the tools run as users of their own, who may not read what signs
  test('leaves the secret that signs tokens to the programs', async () => {
    const secret = { JWT_SECRET_FILE: '/nowhere', JWT_KEYRING: '' };
    for (const program of ['cgi-auth', 'cgi-gateway']) {
      const tool = program.replace('cgi-auth', 'auth-admin').replace('cgi-gateway', 'gateway-admin');
      const checked = await run(join(build, program), ['--check'], { env: { ...env(program), ...secret } });
      assert.equal(checked.code, 78, checked.stderr);
      const done = await run(join(build, tool), ['gc'], { env: { ...env(program), ...secret } });
      assert.equal(done.code, 0, done.stderr);
    }
  });

  for (const [what, variables, name] of [
    ['a number that is none', { MYSQL_PORT: 'x' }, 'MYSQL_PORT'], ['a number out of range', { THREADS: '0' }, 'THREADS'], ['a short secret', { JWT_SECRET: 'short', JWT_KEYRING: '' }, 'JWT_SECRET'],
    ['a keyring that is not there', { JWT_KEYRING: '/nowhere' }, 'JWT_KEYRING'], ['two kinds of key', { JWT_SECRET: 'x'.repeat(40) }, 'JWT_'],
  ])
    test(`refuses ${what} with status 78 and one line that names it`, async () => {
      for (const program of ['cgi-auth', 'cgi-gateway']) {
        const { code, stderr } = await run(join(build, program), ['--check'], { env: { ...env(program), ...variables } });
        assert.equal(code, 78, `${program}: ${stderr}`);
        assert.equal(stderr.trim().split('\n').length, 1, stderr);
        assert.match(stderr, new RegExp(`^${program}: .*${name}`));
      }
    });
});

test('scripts/admin is auth-admin for an instance', async () => {
  const email = freshEmail();
  const added = await run(join(repository, 'scripts', 'admin'), ['--state', stack.state, 'user', 'add', email, '--password-stdin'], { input: 'a good password\n' });
  assert.equal(added.code, 0, added.stderr);
  assertStatus(await stack.call('POST', '/login', { basic: [email, 'a good password'] }), 200);
  assertProblem(await stack.call('POST', '/login', { basic: [email, 'another password'] }), 401, 'invalid-credentials');
});
