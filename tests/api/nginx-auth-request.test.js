// deploy/nginx/gatehouse-guard.conf: nginx asks /validate before it passes a request on.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertStatus, call } from '../support/client.js';
import { startNginx } from '../support/nginx.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { repository, useStack } from '../support/stack.js';
import { claimsFor, forge, mint, now } from '../support/tokens.js';

const stack = await useStack();
let nginx, application, ann, reached = 0;

const snippet = join(repository, 'deploy', 'nginx', 'gatehouse-guard.conf');
const guard = `
  auth_request     /.gatehouse/validate;
  auth_request_set $gatehouse_user  $upstream_http_x_auth_user;
  auth_request_set $gatehouse_id    $upstream_http_x_auth_id;
  auth_request_set $gatehouse_scope $upstream_http_x_auth_scope;
  proxy_set_header X-Auth-User  $gatehouse_user;
  proxy_set_header X-Auth-Id    $gatehouse_id;
  proxy_set_header X-Auth-Scope $gatehouse_scope;
  proxy_set_header Authorization "";
  proxy_pass http://application;`;

before(async () => {
  // Echoes each request: {method, headers, raw names, body}.
  application = createServer(async (request, response) => {
    reached++;
    const body = Buffer.concat(await request.toArray());
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, raw: request.rawHeaders, body: body.length }));
  });
  await new Promise((done) => application.listen(0, '127.0.0.1', done));
  nginx = await startNginx({
    http: `
      upstream gatehouse_internal { server ${new URL(stack.internalUrl).host}; keepalive 16; }
      upstream application { server 127.0.0.1:${application.address().port}; }
      upstream nobody { server 127.0.0.1:1; }`,
    server: `
      include ${snippet};
      location /app/ {${guard}}
      location = /.nobody { internal; proxy_pass http://nobody/validate; }
      location /shut/ { auth_request /.nobody; proxy_pass http://application; }`,
  });
  ann = await stack.person();
});
after(async () => {
  application?.closeAllConnections();
  application?.close();
  await nginx?.stop();
});

const ask = (method, target, options) => call(nginx.url, method, target, options);

describe('requests that nginx passes on', () => {
  test('nginx passes a request with a token on, with the user in headers', async () => {
    const answer = await ask('GET', '/app/x?y=1', { token: ann.token });
    assertStatus(answer, 200);
    const { headers, url } = answer.json;
    assert.equal(url, '/app/x?y=1');
    assert.equal(headers['x-auth-user'], ann.email);
    assert.equal(headers['x-auth-id'], String(ann.id));
    assert.equal(headers['x-auth-scope'], ann.scope);
    assert.equal(headers.authorization, undefined);
  });

  test('nginx passes every method on, with its body', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      for (const size of [0, 5, 300_000]) {
        const { json } = await ask(method, '/app/x', { token: ann.token, body: Buffer.alloc(size, 'x') });
        assert.deepEqual([json.method, json.body], [method, size]);
      }
    assertStatus(await ask('HEAD', '/app/x', { token: ann.token }), 200);
    assert.equal((await ask('OPTIONS', '/app/x', { token: ann.token })).json.method, 'OPTIONS');
  });

  test('nginx replaces the user headers of a client', async () => {
    const names = ['X-Auth-User', 'x-auth-user', 'X_Auth_User', 'X-Auth_User', 'X-Auth-Id', 'X_Auth_Id', 'X-Auth-Scope', 'X_AUTH_SCOPE'];
    const made = Object.fromEntries(names.map((name) => [name, 'root@example.org']));
    const answer = await sendRaw(nginx.url, requestHead('GET', '/app/x', { ...made, Authorization: `Bearer ${ann.token}` }));
    assertStatus(answer, 200);
    assert.ok(!answer.text.includes('root@example.org'), answer.text);
    const names_ = answer.json.raw.filter((_, i) => i % 2 === 0).map((n) => n.toLowerCase());
    assert.equal(names_.filter((n) => n.replaceAll('_', '-') === 'x-auth-user').length, 1);
  });
});

describe('requests that nginx refuses', () => {
  const refused = async (options, challenge) => {
    const before_ = reached;
    const answer = await ask('GET', '/app/x', options);
    assertStatus(answer, 401);
    assert.match(answer.headers.get('www-authenticate') ?? '', challenge);
    assert.equal(reached, before_, 'the request has reached the application');
  };

  test('nginx refuses a request without a valid token', async () => {
    await refused({}, /^Bearer realm="gatehouse"$/);
    await refused({ basic: [ann.email, ann.password] }, /^Bearer realm="gatehouse"$/);
    await refused({ token: 'a.b.c' }, /invalid_token/);
    await refused({ token: 'a b' }, /invalid_request/);
    await refused({ headers: { 'X-Auth-User': ann.email } }, /^Bearer/);
  });

  test('nginx refuses an expired or forged token', async () => {
    const key = stack.signingKey();
    const { sid } = JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url'));
    assertStatus(await ask('GET', '/app/x', { token: await mint(key, claimsFor(ann, { sid })) }), 200);
    await refused({ token: await mint(key, claimsFor(ann, { sid, exp: now() - 1 })) }, /expired/);
    await refused({ token: forge('guessed', { alg: 'HS256', typ: 'at+jwt', kid: key.kid }, claimsFor(ann, { sid })) }, /invalid_token/);
  });

  test('nginx refuses a token after logout', async () => {
    const bob = await stack.person();
    assertStatus(await ask('GET', '/app/x', { token: bob.token }), 200);
    assertStatus(await stack.call('POST', '/logout', { token: bob.token }), 204);
    await refused({ token: bob.token }, /invalid_token/);
  });

  test('nginx answers 500 while /validate is unavailable', async () => {
    const before_ = reached;
    assertStatus(await ask('GET', '/shut/x', { token: ann.token }), 500);
    assert.equal(reached, before_);
  });

  test('the location of the subrequest cannot be reached from outside', async () => {
    for (const path of ['/.gatehouse/validate', '/.gatehouse/malformed'])
      assertStatus(await ask('GET', path, { token: ann.token }), 404);
  });
});
