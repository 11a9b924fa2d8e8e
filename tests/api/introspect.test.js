// POST /introspect (RFC 7662), and /validate for sessions and API tokens
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { claimsFor, mint, now } from '../support/tokens.js';

const stack = await useStack();
const introspect = (form) => stack.callInternal('POST', '/introspect', { body: new URLSearchParams(form) });
const inactive = async (token) => {
  const answer = await introspect({ token });
  assertStatus(answer, 200);
  assert.equal(answer.text, '{"active":false}\n');
};
const login = async () => (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json;
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const apiToken = async (json) => (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'x', ...json } })).json;

let ann;
before(async () => {
  ann = await stack.person();
});

describe('active tokens', () => {
  test('introspection of an access token returns its claims', async () => {
    const answer = await introspect({ token: ann.token, token_type_hint: 'access_token' });
    assertStatus(answer, 200);
    assert.deepEqual(answer.json, { active: true, token_type: 'Bearer', ...claims(ann.token) });
  });

  test('introspection of an API token returns its properties', async () => {
    const { token, id } = await apiToken({ scope: 'files:read', expires_in: 100 });
    const { json } = await introspect({ token });
    const { iat, nbf, exp, ...rest } = json;
    assert.deepEqual(rest, { active: true, token_type: 'Bearer', iss: 'gatehouse', sub: String(ann.id), username: ann.email, admin: false, scope: 'files:read', sid: id });
    assert.ok(Math.abs(iat - now()) < 60);
    assert.equal(nbf, iat);
    assert.equal(exp, iat + 100);
    const endless = (await introspect({ token: (await apiToken()).token })).json;
    assert.ok(endless.active && !('exp' in endless));
  });

  test('introspection works under /cgi-auth/ as well', async () => {
    const answer = await stack.callInternal('POST', '/cgi-auth/introspect', { body: new URLSearchParams({ token: ann.token }) });
    assert.equal(answer.json.active, true);
  });
});

describe('inactive tokens', () => {
  test('introspection of a malformed token returns inactive only', async () => {
    for (const token of ['', 'x', 'a.b.c', 'gh_', `gh_${'A'.repeat(22)}_${'A'.repeat(43)}`, 'x'.repeat(5000), `${ann.token}x`, ` ${ann.token}`, "' OR 1=1 -- "]) await inactive(token);
  });

  test('introspection of an expired token, or one of another key, returns inactive only', async () => {
    const { sid } = claims(ann.token);
    const key = stack.signingKey();
    await inactive(await mint(key, claimsFor(ann, { sid, exp: now() - 1 })));
    await inactive(await mint(key, claimsFor(ann, { sid, iat: now() + 120, nbf: now() + 120 })));
    await inactive(await mint({ ...key, secret: Buffer.alloc(32, 1) }, claimsFor(ann, { sid })));
    await inactive(await mint(key, claimsFor(ann, { sid: undefined })));
  });

  test('introspection of a refresh token returns inactive only', async () => {
    await inactive((await login()).refresh_token);
  });

  test('introspection of a token of an ended session returns inactive only', async () => {
    const { access_token: token } = await login();
    assert.equal((await introspect({ token })).json.active, true);
    await stack.call('POST', '/logout', { token, body: '' });
    await inactive(token);
  });

  test('introspection of a revoked API token returns inactive only', async () => {
    const { token, id } = await apiToken();
    await stack.call('DELETE', `/tokens/${id}`, { token: ann.token });
    await inactive(token);
  });

  test('introspection of a token with another user\'s session returns inactive only', async () => {
    const bob = await stack.person();
    await inactive(await mint(stack.signingKey(), claimsFor(bob, { sid: claims(ann.token).sid })));
  });
});

test('an introspection request that is not a form with a token is refused', async () => {
  const send = (body, type) => stack.callInternal('POST', '/introspect', { body, headers: { 'Content-Type': type } });
  assertProblem(await introspect({ hint: 'x' }), 400, 'bad-request');
  assertProblem(await send('token=%zz', 'application/x-www-form-urlencoded'), 400, 'bad-request');
  assertProblem(await send('{"token":"x"}', 'application/json'), 415, 'unsupported-media-type');
  assertProblem(await send(`token=${'x'.repeat(20000)}`, 'application/x-www-form-urlencoded'), 413, 'too-large');
  assertProblem(await stack.callInternal('GET', '/introspect?token=x'), 405, 'method-not-allowed');
});

test('introspection cannot be reached from outside', async () => {
  for (const path of ['/introspect', '/cgi-auth/introspect', '/cgi-auth/metrics', '/cgi-gateway/metrics', '/tokens/..%2Fintrospect', '/tokens/../introspect'])
    assert.ok([401, 404].includes((await stack.call('POST', path, { body: new URLSearchParams({ token: ann.token }) })).status), path);
});

describe('/validate', () => {
  const validate = (token) => stack.callInternal('GET', '/validate', { token });

  test('/validate accepts API tokens', async () => {
    const { token, id } = await apiToken({ scope: 'files:read' });
    const answer = await validate(token);
    assertStatus(answer, 200);
    assert.equal(answer.headers.get('x-auth-user'), ann.email);
    assert.equal(answer.headers.get('x-auth-id'), String(ann.id));
    assert.equal(answer.headers.get('x-auth-scope'), 'files:read');
    assert.equal(answer.json.sid, id);
  });

  test('/validate refuses an ended session and does not name its user', async () => {
    const { access_token: token } = await login();
    assertStatus(await validate(token), 200);
    await stack.call('POST', '/logout', { token, body: '' });
    const answer = await validate(token);
    assertProblem(answer, 401, 'invalid-token');
    assert.equal(answer.headers.get('x-auth-user'), null);
  });
});
