// lighttpd/examples/guard.conf: cgi-auth as FastCGI Authorizer in front of a folder of files and a third program.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { Stack } from '../support/stack.js';
import { claimsFor, forge, mint, now } from '../support/tokens.js';
import { front, transport } from '../support/transport.js';

// CGI has no such role. Other servers use /validate: servers/other-servers.test.js.
const skip = transport === 'cgi' || front !== undefined;

const files = mkdtempSync(join(tmpdir(), 'gatehouse-guarded-'));
const stack = new Stack(mkdtempSync(join(tmpdir(), 'gatehouse-test-')));
after(async () => {
  await stack.stop();
  rmSync(files, { recursive: true });
});

const page = 'what only some may read\n'.repeat(1000);
let ann;

before(async () => {
  if (skip) return;
  mkdirSync(join(files, 'deep'));
  writeFileSync(join(files, 'page.txt'), page);
  writeFileSync(join(files, 'deep', 'page.txt'), 'deep');
  writeFileSync(join(files, 'env.cgi'), `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
env
printf 'BODY=%s\\n' "$(head -c "\${CONTENT_LENGTH:-0}" | wc -c)"
`);
  chmodSync(join(files, 'env.cgi'), 0o755);
  mkdirSync(stack.path('conf'));
  const guard = (url, scope) => `
    var.gatehouse.guard_url := "${url}"
    var.gatehouse.guard_files := "${files}"
    var.gatehouse.guard_scope := "${scope}"
    include var.gatehouse.lighttpd + "/examples/guard.conf"\n`;
  writeFileSync(stack.path('conf', 'lighttpd.local.conf'), guard('/private', '') + guard('/admins', 'admin'));
  await stack.start();
  ann = await stack.person();
});

// The environment that env.cgi prints: {AUTHUSER: …, BODY: "0"}
async function environment(options, method = 'GET', place = '/private') {
  const answer = await stack.call(method, `${place}/env.cgi`, { token: ann.token, ...options });
  assertStatus(answer, 200);
  return Object.fromEntries(answer.text.split('\n').filter(Boolean).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
}

describe('a guarded folder', { skip }, () => {
  test('a guarded folder is served with a token', async () => {
    const answer = await stack.call('GET', '/private/page.txt', { token: ann.token });
    assertStatus(answer, 200);
    assert.equal(answer.text, page);
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.match(answer.headers.get('cache-control'), /private/);
    assert.equal((await stack.call('GET', '/private/deep/page.txt', { token: ann.token })).text, 'deep');
  });

  test('headers of the authorizer\'s answer do not reach the client', async () => {
    const { headers } = await stack.call('GET', '/private/page.txt', { token: ann.token });
    for (const [name] of headers) assert.ok(!/^variable-|^x-request-id$|^www-/i.test(name), name);
  });

  test('a guarded folder refuses a request as every route does', async () => {
    const get = (options) => stack.call('GET', '/private/page.txt', options);
    const refused = await get({});
    assertProblem(refused, 401, 'missing-token');
    assert.equal(refused.headers.get('www-authenticate'), 'Bearer realm="gatehouse"');
    assertProblem(await get({ basic: [ann.email, ann.password] }), 401, 'missing-token');
    assertProblem(await get({ token: 'a b' }), 400, 'invalid-request');
    assertProblem(await get({ token: 'a.b.c' }), 401, 'invalid-token');
  });

  test('a guarded folder refuses a request before it reveals what exists', async () => {
    for (const path of ['', '/', '/page.txt', '/deep', '/no-such-file', '/env.cgi', '/env.cgi/more', '/healthz', '/metrics', '/login'])
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND'])
        assertStatus(await stack.call(method, '/private' + path), 401);
    assertStatus(await stack.call('GET', '/private/no-such-file', { token: ann.token }), 404);
  });

  test('a guarded folder is guarded under every spelling of its path', async () => {
    for (const path of ['/%70rivate/page.txt', '//private/page.txt', '/./private/page.txt', '/x/../private/page.txt', '/private//page.txt', '/private/deep/../page.txt', '/private%2Fpage.txt']) {
      const { status, bytes } = await sendRaw(stack.url, requestHead('GET', path));
      assert.ok([400, 401, 404].includes(status), `${path}: ${status}`);
      assert.ok(!bytes.includes('what only some'), path);
    }
  });

  test('a guarded folder answers ranges, HEAD and conditions', async () => {
    const range = await stack.call('GET', '/private/page.txt', { token: ann.token, headers: { Range: 'bytes=5-8' } });
    assertStatus(range, 206);
    assert.equal(range.text, 'only');
    const head = await stack.call('HEAD', '/private/page.txt', { token: ann.token });
    assertStatus(head, 200);
    assert.equal(head.headers.get('content-length'), String(page.length));
    const again = await stack.call('GET', '/private/page.txt', { token: ann.token, headers: { 'If-None-Match': head.headers.get('etag') } });
    assertStatus(again, 304);
  });

  test('a guarded folder answers 503 while cgi-auth is unavailable', { skip: transport === 'tcp' && 'a port cannot be moved away' }, async () => {
    const socket = stack.fcgiAddress('cgi-auth');
    renameSync(socket, stack.path('run', 'away'));
    try {
      assertStatus(await stack.call('GET', '/private/page.txt', { token: ann.token }), 503);
    } finally {
      renameSync(stack.path('run', 'away'), socket);
    }
    for (let i = 0; i < 40 && (await stack.call('GET', '/private/page.txt', { token: ann.token })).status !== 200; i++)
      await new Promise((done) => setTimeout(done, 100));
    assertStatus(await stack.call('GET', '/private/page.txt', { token: ann.token }), 200);
  });
});

describe('a guarded program', { skip }, () => {
  test('a guarded program gets the user in AUTHUSER, REMOTE_USER, AUTHID and AUTHSCOPE', async () => {
    const env = await environment();
    assert.equal(env.AUTHUSER, ann.email);
    assert.equal(env.REMOTE_USER, ann.email);
    assert.equal(env.AUTHID, String(ann.id));
    assert.equal(env.AUTHSCOPE, ann.scope);
  });

  test('a client cannot set the user\'s variables of a guarded program', async () => {
    const names = ['AUTHUSER', 'AuthId', 'AUTHSCOPE', 'Auth-User', 'Auth_User', 'Remote-User', 'Remote_User',
      'X-Auth-User', 'X_Auth_User', 'x-auth_user', 'X_AUTH-USER', 'X-Auth-Id', 'X_Auth_Id', 'X-Auth-Scope', 'X_Auth_Scope', 'X-Remote-User', 'X_Remote_User',
      'Variable-AUTHUSER', 'GUARD_SCOPE', 'Guard-Scope', 'FCGI_ROLE'];
    const headers = Object.fromEntries(names.map((name) => [name, 'root@example.org']));
    const answer = await sendRaw(stack.url, requestHead('GET', '/private/env.cgi', { ...headers, Authorization: `Bearer ${ann.token}` }));
    assertStatus(answer, 200);
    const lines = answer.text.split('\n');
    assert.ok(lines.includes(`AUTHUSER=${ann.email}`));
    assert.ok(lines.includes(`REMOTE_USER=${ann.email}`));
    const spoofed = lines.filter((line) => line.includes('root@example.org')).map((line) => line.split('=')[0]);
    const harmless = ['HTTP_VARIABLE_AUTHUSER', 'HTTP_GUARD_SCOPE', 'HTTP_FCGI_ROLE'];
    assert.deepEqual(spoofed.filter((name) => !harmless.includes(name)), []);
  });

  test('a header name with odd characters does not reach a guarded program', async () => {
    for (const name of ['X.Auth.User', 'X~Auth~Id', 'Remote.User', 'X-Auth.Scope']) {
      const answer = await sendRaw(stack.url, requestHead('GET', '/private/env.cgi', { [name]: 'root@example.org', Authorization: `Bearer ${ann.token}` }));
      assertStatus(answer, 400);
    }
  });

  test('headers that name a user do not replace a token', async () => {
    const headers = { AUTHUSER: ann.email, 'X-Auth-User': ann.email, 'Remote-User': ann.email, 'Variable-AUTHUSER': ann.email };
    assertProblem(await stack.call('GET', '/private/env.cgi', { headers }), 401, 'missing-token');
  });

  test('a guarded program gets the body of a POST, small or large', async () => {
    for (const size of [0, 10, 70_000, 900_000]) {
      const env = await environment({ body: Buffer.alloc(size, 'x') }, 'POST');
      assert.equal(env.BODY, String(size));
      assert.equal(env.AUTHUSER, ann.email);
    }
    assertStatus(await stack.call('POST', '/private/env.cgi', { body: Buffer.alloc(70_000) }), 401);
  });

  test('a guarded program gets chunked bodies, HEAD and other methods', async () => {
    const chunked = await sendRaw(stack.url, requestHead('POST', '/private/env.cgi', {
      Authorization: `Bearer ${ann.token}`, 'Transfer-Encoding': 'chunked' }) + '5\r\nhello\r\n0\r\n\r\n');
    assertStatus(chunked, 200);
    assert.match(chunked.text, /^BODY=5$/m);
    assertStatus(await stack.call('HEAD', '/private/env.cgi', { token: ann.token }), 200);
    assert.equal((await environment({}, 'DELETE')).REQUEST_METHOD, 'DELETE');
  });
});

describe('tokens at the authorizer', { skip }, () => {
  const get = (token) => stack.call('GET', '/private/page.txt', { token });
  const sid = () => JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url')).sid;

  test('an expired token is refused by the authorizer', async () => {
    const key = stack.signingKey();
    assertStatus(await get(await mint(key, claimsFor(ann, { sid: sid() }))), 200);
    assertProblem(await get(await mint(key, claimsFor(ann, { sid: sid(), exp: now() - 1 }))), 401, 'invalid-token');
  });

  test('a forged token is refused by the authorizer', async () => {
    const { kid } = stack.signingKey();
    const claims = claimsFor(ann, { sid: sid() });
    assertProblem(await get(forge('guessed', { alg: 'HS256', typ: 'at+jwt', kid }, claims)), 401, 'invalid-token');
    assertProblem(await get(forge('', { alg: 'none', typ: 'at+jwt', kid }, claims)), 401, 'invalid-token');
  });

  test('a token is refused by the authorizer after logout', async () => {
    const bob = await stack.person();
    assertStatus(await get(bob.token), 200);
    assertStatus(await stack.call('POST', '/logout', { token: bob.token }), 204);
    assertProblem(await get(bob.token), 401, 'invalid-token');
  });

  test('a token is refused by the authorizer once its user is disabled', async () => {
    const eve = await stack.person();
    assertStatus(await get(eve.token), 200);
    assert.equal((await stack.authAdmin(['user', 'disable', eve.email])).code, 0);
    assertProblem(await get(eve.token), 401, 'invalid-token');
  });

  test('an API token passes the authorizer until it is revoked, with its own scope', async () => {
    const made = await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'guard', scope: 'files:read' } });
    assertStatus(made, 201);
    const secret = made.json.token ?? made.json.secret;
    assert.equal((await environment({ token: secret })).AUTHSCOPE, 'files:read');
    assertProblem(await stack.call('GET', '/admins/page.txt', { token: secret }), 403, 'insufficient-scope');
    assertStatus(await stack.call('DELETE', `/tokens/${made.json.id}`, { token: ann.token }), 204);
    assertProblem(await get(secret), 401, 'invalid-token');
  });

  test('a guarded folder can require a scope', async () => {
    const root = await stack.person({ admin: true });
    assertStatus(await stack.call('GET', '/admins/page.txt', { token: root.token }), 200);
    const refused = await stack.call('GET', '/admins/page.txt', { token: ann.token });
    assertProblem(refused, 403, 'insufficient-scope');
    assert.match(refused.headers.get('www-authenticate'), /insufficient_scope/);
  });
});

describe('the role of authorizer', { skip }, () => {
  const ask = (program, path) => begin(stack.fcgiAddress(program), {
    REQUEST_METHOD: 'GET', SCRIPT_NAME: path, REQUEST_URI: path, HTTP_AUTHORIZATION: `Bearer ${ann.token}`,
  }, { authorizer: true }).answer;

  test('cgi-auth is an authorizer, without a request body', async () => {
    const answer = await ask('cgi-auth', '/anything');
    assert.equal(answer.status, 200);
    assert.match(answer.text, new RegExp(`^Variable-AUTHUSER: ${ann.email}\r$`, 'm'));
  });

  test('cgi-gateway as an authorizer admits requests for its own routes, and does not serve them', async () => {
    for (const path of ['/healthz', '/files']) {
      const answer = await ask('cgi-gateway', path);
      assert.equal(answer.status, 200);
      assert.doesNotMatch(answer.text, /"status"|"files"/);
    }
    assert.equal((await ask('cgi-gateway', '/anything')).status, 404);
  });
});
