// The internal listener: /validate for other servers, health for the operator.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { useStack } from '../support/stack.js';
import { claimsFor, forge, mint, now } from '../support/tokens.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const validate = (options, method = 'GET') => stack.callInternal(method, '/validate', options);

describe('/validate', () => {
  for (const method of ['GET', 'POST'])
    test(`/validate by ${method} answers a valid token with its claims`, async () => {
      const answer = await validate({ token: ann.token }, method);
      assertStatus(answer, 200);
      assert.deepEqual(answer.json, JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url')));
      assert.equal(answer.headers.get('x-auth-user'), ann.email);
      assert.equal(answer.headers.get('x-auth-id'), String(ann.id));
      assert.equal(answer.headers.get('x-auth-scope'), 'files:read files:write');
    });

  test('/validate answers as nginx auth_request expects, whatever the original method and body', async () => {
    assertStatus(await validate({ token: ann.token, headers: { 'X-Original-URI': '/x', 'X-Original-Method': 'DELETE' } }), 200);
    assertStatus(await validate({ token: ann.token, body: 'a body', headers: { 'Content-Type': 'text/plain' } }, 'POST'), 200);
    assertStatus(await validate({ token: ann.token }, 'HEAD'), 200);
  });

  for (const method of ['GET', 'POST'])
    test(`/validate by ${method} refuses invalid tokens as every route does`, async () => {
      assertProblem(await validate({}, method), 401, 'missing-token');
      assertProblem(await validate({ token: 'a.b.c' }, method), 401, 'invalid-token');
      assertProblem(await validate({ token: 'a b' }, method), 400, 'invalid-request');
      assertProblem(await validate({ token: await mint(stack.signingKey(), claimsFor(ann, { exp: now() - 1 })) }, method), 401, 'invalid-token');
    });

  test('/validate refuses a username that would end a header', async () => {
    const key = stack.signingKey();
    const token = forge(key.secret, { alg: 'HS256', kid: key.kid }, claimsFor(ann, { username: 'a\r\nX-Auth-Id: 1' }));
    assertProblem(await validate({ token }), 401, 'invalid-token');
  });

  test('/validate refuses other methods', async () => {
    assertProblem(await validate({ token: ann.token }, 'DELETE'), 405, 'method-not-allowed');
  });
});

// What a gateway of another project does: it has one address for both, posts Basic credentials without a body,
// and puts the text of the answer into a header
describe('/login', () => {
  const login = (headers) => stack.callInternal('POST', '/login', { basic: [ann.email, ann.password], headers });

  test('/login answers on the internal listener as outside', async () => {
    const answer = await login();
    assertStatus(answer, 200);
    assertStatus(await validate({ token: answer.json.access_token }, 'POST'), 200);
    assertProblem(await stack.callInternal('POST', '/login', { basic: [ann.email, 'wrong'] }), 401, 'invalid-credentials');
    assertProblem(await stack.callInternal('POST', '/login', {}), 401, 'missing-credentials');
  });

  test('no other route of users is on the internal listener', async () => {
    for (const path of ['/me', '/refresh', '/logout', '/password', '/tokens', '/files', '/cgi-auth/login', '/login/x', '/LOGIN'])
      assertStatus(await stack.callInternal('GET', path, { token: ann.token }), 404);
  });

  test('the answer as text is the token on a line', async () => {
    const answer = await login({ Accept: 'text/plain' });
    assert.match(answer.text, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });
});

describe('health', () => {
  test('both programs are alive and ready', async () => {
    for (const program of ['cgi-auth', 'cgi-gateway']) {
      assert.deepEqual((await stack.callInternal('GET', `/${program}/healthz`)).json, { status: 'ok' });
      assert.deepEqual((await stack.callInternal('GET', `/${program}/readyz`)).json, { status: 'ready' });
    }
  });

  test('/healthz of the gateway is public', async () => {
    assert.deepEqual((await stack.call('GET', '/healthz')).json, { status: 'ok' });
    assertStatus(await stack.call('HEAD', '/healthz'), 200);
    assertProblem(await stack.call('POST', '/healthz'), 405, 'method-not-allowed');
  });
});

test('the internal listener serves none of the public routes but /login', async () => {
  for (const path of ['/me', '/files', '/upload', '/healthz', '/readyz', '/cgi-auth/login', '/cgi-gateway/files', '/cgi-gateway/upload', '/']) {
    const { status } = await fetch(stack.internalUrl + path, { headers: { Authorization: `Bearer ${ann.token}` } });
    assert.equal(status, 404, path);
  }
});

test('the internal listener has no other path, however it is spelt', async () => {
  for (const path of ['/..%2Fcgi-auth%2Fme', '/x/..%2F..%2Fcgi-gateway%2Ffiles', '/cgi-auth%2Flogin'])
    assertStatus(await sendRaw(stack.internalUrl, requestHead('GET', path, { Authorization: `Bearer ${ann.token}` })), 404);
});

test('two spellings of X-Forwarded-For are refused as ambiguous', { skip: stack.front && 'it does not pass on the odd one' }, async () => {
  const headers = { 'X.Forwarded.For': '203.0.113.99', 'X-Forwarded-For': '198.51.100.7' };
  assertStatus(await sendRaw(stack.url, requestHead('GET', '/me', { ...headers, Authorization: `Bearer ${ann.token}` })), 400);
});
