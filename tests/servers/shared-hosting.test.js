// deploy/shared-hosting as a customer sees it: one database, one account, a web root, and an Apache of the host.
// The programs come from the folder that make shared-hosting builds.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ordinaryUser, startApache } from '../support/apache.js';
import { openBrowser } from '../support/browser.js';
import { assertStatus, call } from '../support/client.js';
import { curl } from '../support/curl.js';
import { sha256 } from '../support/files.js';
import { build, repository, run, startStack } from '../support/stack.js';
import { newUpload, offsetOf, openPatch, patch } from '../support/tus.js';

const email = 'first@example.org', password = 'a long password';
const home = mkdtempSync(join(tmpdir(), 'gatehouse-hosting-'));
const at = (...steps) => join(home, ...steps);
let stack, site, secret;

// Run statements with the customer's account, from a file or a text.
const sql = (input, { user = 'hosted', database = ['hosted'] } = {}) =>
  run('mariadb', ['--no-defaults', '-S', stack.path('mysql', 'sock'), '-u', user, ...database], { input, env: { MYSQL_PWD: user === 'root' ? '' : 'hosted-password' } });

before(async () => {
  stack = await startStack({ how: 'fastcgi' });
  // A host's database is open to every customer; that of an instance is in a private folder.
  for (const folder of [stack.state, stack.path('mysql')]) chmodSync(folder, 0o711);
  const made = await sql("CREATE DATABASE hosted CHARACTER SET utf8mb4; CREATE USER hosted@localhost IDENTIFIED BY 'hosted-password'; GRANT ALL ON hosted.* TO hosted@localhost",
    { user: 'root', database: [] });
  assert.equal(made.code, 0, made.stderr);
  const folder = await run(join(repository, 'deploy', 'shared-hosting', 'build'), [build, home]);
  assert.equal(folder.code, 0, folder.stderr);
  secret = readFileSync(at('gatehouse', 'conf', 'check-secret'), 'utf8');
  if (ordinaryUser.uid) spawnSync('chown', ['-R', `${ordinaryUser.uid}:${ordinaryUser.gid}`, home]);
  site = await startApache({ root: at('public'), mpm: 'event' });
});
after(async () => {
  await site?.stop();
  await stack?.stop();
  rmSync(home, { recursive: true, force: true });
});

const check = async (more = '', body) => {
  const answer = await fetch(`${site.url}/cgi-bin/check.cgi?${secret}${more}`, { method: body ? 'POST' : 'GET', body, headers: body ? { 'Content-Type': 'text/plain' } : {} });
  const text = await answer.text();
  return { status: answer.status, text, wrong: [...text.matchAll(/class="bad">([^<]*)/g)].map(([, text]) => text) };
};
// All faults except that this machine has no certificate
const faults = async () => (await check()).wrong.filter((fault) => !fault.startsWith('This page was loaded without TLS'));
const ask = (method, target, options) => call(site.url, method, target, options);
const setSettings = (settings) => {
  const file = at('gatehouse', 'conf', 'gatehouse.env');
  let text = readFileSync(file, 'utf8');
  for (const [name, value] of Object.entries(settings)) text = text.replace(new RegExp(`^${name}=.*`, 'm'), `${name}=${value}`);
  writeFileSync(file, text);
};

describe('the check page', () => {
  test('the check page is 404 without its secret', async () => {
    for (const query of ['', '?', '?x', `?${secret.slice(1)}`, `?&${secret}`, `?x&${secret}`])
      assert.equal((await fetch(`${site.url}/cgi-bin/check.cgi${query}`)).status, 404, query);
  });

  test('the check page reports settings that reach no database', async () => {
    setSettings({ MYSQL_HOST: '127.0.0.1' });
    const text = (await faults()).join('\n');
    assert.match(text, /cgi-auth cannot serve requests\. Check that the database is reachable/);
  });

  test('the check page reports an account that the database refuses', async () => {
    setSettings({ MYSQL_HOST: `localhost\nMYSQL_SOCKET=${stack.path('mysql', 'sock')}`, PUBLIC_URL: '' });
    assert.match((await faults()).join('\n'), /The database refuses the account/);
  });

  test('the check page reports missing tables until schema.sql is imported', async () => {
    setSettings({ MYSQL_USER: 'hosted', MYSQL_PASSWORD: 'hosted-password', MYSQL_DB: 'hosted' });
    assert.deepEqual((await faults()).map((fault) => fault.slice(0, 40)), ['The tables of the database cannot be rea']);
    const imported = await sql(readFileSync(at('schema.sql'), 'utf8'));
    assert.equal(imported.code, 0, imported.stderr);
    assert.deepEqual(await faults(), []);
  });

  test('the check page reports an incomplete library', async () => {
    const library = at('gatehouse', 'lib', 'libsodium.so.23');
    renameSync(library, `${library}.whole`);
    writeFileSync(library, '');
    chmodSync(library, 0o755);
    assert.match((await faults()).join('\n'), /A library of cgi-auth is missing/);
    renameSync(`${library}.whole`, library);
    assert.deepEqual(await faults(), []);
  });

  test('the check page reports settings that others can read', async () => {
    const open = [at(), at('gatehouse'), at('gatehouse', 'conf'), at('gatehouse', 'conf', 'gatehouse.env')];
    for (const path of open) chmodSync(path, 0o755);
    assert.match((await faults()).join('\n'), /gatehouse.env can be read by other customers/);
    for (const path of open.slice(1)) chmodSync(path, 0o700);
    assert.deepEqual(await faults(), []);
  });

  test('the check page reports a data folder that is not writable', async () => {
    chmodSync(at('gatehouse', 'data'), 0o500);
    assert.match((await faults()).join('\n'), /cannot write to gatehouse\/data/);
    chmodSync(at('gatehouse', 'data'), 0o700);
  });

  test('the check page tests requests in a browser, long ones too', async () => {
    const browser = await openBrowser();
    const context = await browser.chrome.newContext();
    const seen = async () => {
      const page = await context.newPage();
      await page.goto(`${site.url}/cgi-bin/check.cgi?${secret}`);
      await page.locator('#seen[data-done]').waitFor();
      return page.locator('#seen .bad').allTextContents();
    };
    assert.deepEqual(await seen(), []);

    const access = at('public', '.htaccess');
    const whole = readFileSync(access, 'utf8');
    writeFileSync(access, whole.replace('#LimitRequestBody 0', 'LimitRequestBody 2000000'));
    assert.match((await seen()).join(), /more than 1 MiB do not reach the programs/);
    writeFileSync(access, whole.replace('- [E=HTTP_AUTHORIZATION', '- [E=NOTHING'));
    assert.match((await seen()).join(), /Authorization header does not reach/);
    writeFileSync(access, whole.replace('RewriteEngine On', 'RewriteEngine Off'));
    assert.match((await seen()).join(), /\/me does not reach the program/);
    writeFileSync(access, whole);
    await context.close();
  });

  test('the check page creates the first user, and no second', async () => {
    const made = await check('&user', `email=${email}\r\npassword=${password}\r\n`);
    assert.deepEqual(made.wrong, [], made.text);
    const second = await check('&user', `email=second@example.org\r\npassword=${password}\r\n`);
    assert.match(second.wrong.join(), /There is a user already/);
    assert.equal((await sql('SELECT COUNT(*) FROM user')).stdout.trim().split('\n').at(-1), '1');
    assert.ok(!(await check()).text.includes('The first user'));
  });
});

const person = {};

describe('shared hosting', () => {
  before(async () => {
    const login = await ask('POST', '/login', { basic: [email, password] });
    assertStatus(login, 200);
    person.token = login.json.access_token;
  });

  test('the page is served with its content policy, and no secret file is', async () => {
    const page = await fetch(`${site.url}/`);
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-security-policy'), /^default-src 'none'/);
    for (const path of ['/cgi-bin/', '/cgi-bin/cgi-auth.cgi', '/cgi-bin/cgi-auth.cgi/validate', '/cgi-bin/cgi-gateway.cgi/readyz', '/validate', '/readyz', '/metrics', '/introspect', '/gatehouse/conf/gatehouse.env', '/..%2fgatehouse/conf/keyring', '/.htaccess'])
      assert.ok([400, 403, 404].includes((await fetch(site.url + path)).status), path);
    const missing = await fetch(`${site.url}/nothing`);
    assert.deepEqual([missing.status, missing.headers.get('content-type')], [404, 'application/problem+json']);
    assert.equal((await missing.json()).request_id, missing.headers.get('x-request-id'));
    const page404 = await curl('-i', '-H', 'Accept: text/html', `${site.url}/a/nothing`);
    assert.match(page404.stdout, /^HTTP\/1.1 404 [^]*content-type: text\/html; charset=utf-8[^]*<a href="\.\/\.\.\/">/i);
    assert.equal((await fetch(`${site.url}/cgi-bin/cgi-gateway.cgi/.error/request`)).status, 404);
  });

  test('a file is uploaded, and downloaded whole and in part', async () => {
    const content = Buffer.alloc(3_000_000, 'gatehouse');
    const up = await ask('PUT', '/upload/a%3Fb%2525.bin', { token: person.token, body: content });
    assertStatus(up, 201);
    const file = up.json.files[0];
    assert.deepEqual([file.name, file.sha256], ['a?b%25.bin', sha256(content)]);
    const down = await ask('GET', file.url, { token: person.token });
    assert.equal(sha256(down.bytes), file.sha256);
    assert.equal(down.headers.get('content-length'), String(content.length));
    const part = await ask('GET', file.url, { token: person.token, headers: { Range: 'bytes=10-19' } });
    assert.deepEqual([part.status, part.text], [206, content.subarray(10, 20).toString()]);
    assert.equal((await ask('GET', '/files', { token: person.token })).json.files.length, 1);
  });

  test('a refused upload of any length gets its answer', async () => {
    for (const size of [1, 300_000, 5_000_000])
      assertStatus(await ask('PUT', '/upload/x', { token: 'x.y.z', body: Buffer.alloc(size) }), 401);
  });

  const host = { call: (...request) => ask(...request), get url() { return site.url; } };

  test('plain CGI stores the bytes of an upload that is cut off', async () => {
    const path = await newUpload(host, person, 300_000, { name: 'cut' });
    const request = await openPatch(host, person, path, 0, 300_000);
    await request.send(Buffer.alloc(200_000, 'x'));
    request.cut();
    let offset = 0;
    while (offset < 200_000) offset = await offsetOf(host, person, path);
    assertStatus(await patch(host, person, path, 200_000, Buffer.alloc(100_000, 'x')), 204);
  });

  test('mod_fcgid accepts requests up to 128 KiB by default, and stores none in part', async () => {
    const access = at('public', '.htaccess');
    const plain = readFileSync(access);
    cpSync(at('public', 'htaccess-fcgid'), access);
    assertStatus(await ask('GET', '/me', { token: person.token }), 200);
    assertStatus(await ask('PUT', '/upload/small', { token: person.token, body: Buffer.alloc(100_000) }), 201);
    assert.notEqual((await ask('PUT', '/upload/large', { token: person.token, body: Buffer.alloc(200_000) }).catch(() => ({ status: 0 }))).status, 201);
    const path = await newUpload(host, person, 100_000, { name: 'cut' });
    const request = await openPatch(host, person, path, 0, 100_000);
    await request.send(Buffer.alloc(70_000, 'x'));
    request.cut();
    // The next request finds that nothing has arrived
    assertStatus(await patch(host, person, path, 0, Buffer.alloc(100_000, 'y')), 204);
    writeFileSync(access, plain);
  });

  test('the admin tools run by a line of a cron job', async () => {
    const ran = spawnSync(at('gatehouse', 'start'), ['gateway-admin', 'verify'], { encoding: 'utf8', ...ordinaryUser });
    assert.equal(ran.status, 0, ran.stderr);
  });

  test('the check page removes itself', async () => {
    const removed = await check('&remove', 'sure=yes\r\n');
    assert.deepEqual(removed.wrong, []);
    assert.ok(!existsSync(at('public', 'cgi-bin', 'check.cgi')) && !existsSync(at('gatehouse', 'conf', 'check-secret')));
    assert.equal((await check()).status, 404);
  });
});
