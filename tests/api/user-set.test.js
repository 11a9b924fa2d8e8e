// auth-admin user set: what was taken away is gone at the next request, with every token
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const set = (email, ...args) => stack.authAdmin(['user', 'set', email, ...args]);
const mustSet = async (email, ...args) => {
  const { code, stdout, stderr } = await set(email, ...args);
  assert.equal(code, 0, stderr);
  return stdout;
};
const show = async (email) => JSON.parse((await stack.authAdmin(['user', 'show', email, '--json'])).stdout);
const login = async ({ email, password }) => (await stack.call('POST', '/login', { basic: [email, password] })).json;
const apiToken = async (token, scope) => (await stack.call('POST', '/tokens', { token, json: { name: 'ci', scope } })).json;
const refresh = (refresh_token) => stack.call('POST', '/refresh', { json: { refresh_token } });
const files = (token, query = '') => stack.call('GET', `/files${query}`, { token });

describe('auth-admin user set', () => {
  test('an admin who is none any more has no right of one at the next request', async () => {
    const [root, ann] = [await stack.person({ admin: true }), await stack.person()];
    const { access_token: token, refresh_token: refreshToken } = await login(root);
    const api = await apiToken(token, 'files:read admin');
    assertStatus(await files(token, `?owner=${ann.id}`), 200);
    assertStatus(await files(api.token, `?owner=${ann.id}`), 200);
    assert.match(await mustSet(root.email, '--no-admin'), /scope "files:read files:write"\.\nEvery login of the user has ended\.\nAPI tokens: 1 lost a part/);
    for (const path of ['/me', '/files']) assertProblem(await stack.call('GET', path, { token }), 401, 'invalid-token');
    assertProblem(await refresh(refreshToken), 401, 'invalid-token');
    assertProblem(await files(api.token, `?owner=${ann.id}`), 403, 'insufficient-scope');
    assertStatus(await files(api.token), 200);
    const again = await login(root);
    assert.equal(again.scope, 'files:read files:write');
    assertProblem(await files(again.access_token, `?owner=${ann.id}`), 403, 'insufficient-scope');
  });

  test('a word of scope that was taken away is gone with logins and API tokens', async () => {
    const ann = await stack.person();
    const [both, write] = [await apiToken(ann.token, 'files:read files:write'), await apiToken(ann.token, 'files:write')];
    await mustSet(ann.email, '--scope', 'files:read');
    assertProblem(await stack.call('PUT', '/upload/x', { token: ann.token, body: 'x' }), 401, 'invalid-token');
    assertProblem(await stack.call('PUT', '/upload/x', { token: both.token, body: 'x' }), 403, 'insufficient-scope');
    assertStatus(await files(both.token), 200);
    assertProblem(await stack.call('PUT', '/upload/x', { token: write.token, body: 'x' }), 401, 'invalid-token');
    assert.equal((await login(ann)).scope, 'files:read');
  });

  test('a right that was given is in the next refresh, and the logins stay', async () => {
    const ann = await stack.person();
    const first = await login(ann);
    assert.doesNotMatch(await mustSet(ann.email, '--admin'), /has ended/);
    assertStatus(await files(first.access_token), 200);
    const { json } = await refresh(first.refresh_token);
    assert.equal(json.scope, 'files:read files:write admin');
    assertStatus(await files(json.access_token, `?owner=${ann.id}`), 200);
    assert.deepEqual(await show(ann.email).then(({ admin, scope }) => ({ admin, scope })), { admin: true, scope: 'files:read files:write admin' });
  });

  test('a user logs in with a new email, and the old one is free', async () => {
    const ann = await stack.person();
    const api = await apiToken(ann.token, 'files:read');
    const email = `Zoë${randomBytes(5).toString('hex')}@example.org`;
    await mustSet(ann.email, '--email', email.normalize('NFD'));
    assertProblem(await stack.call('GET', '/me', { token: ann.token }), 401, 'invalid-token');
    assertProblem(await stack.call('POST', '/login', { basic: [ann.email, ann.password] }), 401, 'invalid-credentials');
    const { access_token: token } = await login({ ...ann, email });
    assert.equal((await stack.call('GET', '/me', { token })).json.email, email.normalize('NFC'));
    assert.equal((await stack.callInternal('GET', '/validate', { token: api.token })).headers.get('x-auth-id'), String(ann.id));
    const { code, stderr } = await stack.authAdmin(['user', 'add', ann.email, '--password-stdin'], 'a good password\n');
    assert.equal(code, 0, stderr);
  });

  test('a user can have the same email in another case', async () => {
    const ann = await stack.person();
    await mustSet(ann.email, '--email', ann.email.toUpperCase());
    assert.equal((await show(ann.email)).email, ann.email.toUpperCase());
  });

  test('each change is in the audit, under the old email and the new', async () => {
    const ann = await stack.person();
    const email = `b${randomBytes(5).toString('hex')}@example.org`;
    const audit = async (who) => JSON.parse((await stack.authAdmin(['audit', '--user', who, '--json'])).stdout).filter((r) => r.event === 'user-set').map((r) => r.outcome);
    await mustSet(ann.email, '--scope', 'files:read');
    await mustSet(ann.email, '--email', email);
    assert.deepEqual(await audit(ann.email), ['scope files:read', `scope files:read, email ${email}`]);
    assert.deepEqual(await audit(email), [`scope files:read, was ${ann.email}`]);
  });

  test('--json prints the user as user show does', async () => {
    const ann = await stack.person();
    const printed = JSON.parse(await mustSet(ann.email, '--scope', 'files:read admin', '--json'));
    assert.deepEqual(printed, await show(ann.email));
    assert.equal(printed.admin, true);
  });

  test('--scope without the word admin makes an admin an ordinary user, with --admin not', async () => {
    const root = await stack.person({ admin: true });
    await mustSet(root.email, '--scope', 'files:read', '--admin');
    assert.deepEqual([(await show(root.email)).admin, (await show(root.email)).scope], [true, 'files:read admin']);
    await mustSet(root.email, '--scope', 'files:read');
    assert.deepEqual([(await show(root.email)).admin, (await show(root.email)).scope], [false, 'files:read']);
  });

  test('wrong usage is 64, and changes nothing', async () => {
    const ann = await stack.person();
    const before = await show(ann.email);
    for (const [args, words] of [[[], /nothing to change/], [['--admin', '--no-admin'], /contradict/], [['--no-admin', '--scope', 'admin'], /contradict/], [['--scope', 'a  b'], /one blank/],
      [['--scope', 'é'], /scope/], [['--email', 'nothing'], /name@host/], [['--email', 'a:b@c'], /colon/], [['--email', `${'a'.repeat(250)}@example.org`], /255/], [['--what'], /not an option/]]) {
      const { code, stderr } = await set(ann.email, ...args);
      assert.equal(code, 64, `${args}: ${stderr}`);
      assert.match(stderr, words);
    }
    assert.deepEqual(await show(ann.email), before);
    assertStatus(await files(ann.token), 200);
  });

  test('a word of scope that no route asks for is kept, with a warning', async () => {
    const ann = await stack.person();
    const { code, stderr } = await set(ann.email, '--scope', 'files:read file:write reports');
    assert.equal(code, 0);
    assert.deepEqual(stderr.match(/word "[^"]*"/g), ['word "file:write"', 'word "reports"']);
    assert.match(stderr, /^auth-admin user set: warning: .*files:read, files:write and admin$/m);
    assert.equal((await show(ann.email)).scope, 'files:read file:write reports');
    assert.equal((await set(ann.email, '--scope', 'files:read files:write admin')).stderr, '');
    const added = await stack.authAdmin(['user', 'add', `x${ann.email}`, '--scope', 'Files:Read', '--password-stdin'], 'a long password\n');
    assert.equal(added.code, 0);
    assert.match(added.stderr, /user add: warning: .*"Files:Read"/);
  });

  test('an email of another user is refused in any spelling', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    const { code, stderr } = await set(ann.email, '--email', bob.email.toUpperCase());
    assert.equal(code, 1, stderr);
    assert.match(stderr, /another user has the email/);
    assertStatus(await files(ann.token), 200);
    assert.equal((await set('nobody@example.org', '--admin')).code, 1);
  });
});
