// Settings of an operator: limits, no CORS, a short life of tokens, an audience, a plain secret.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { jwtVerify } from 'jose';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { startStack } from '../support/stack.js';
import { claimsFor, mint, secretKey } from '../support/tokens.js';

const MAX = 100_000;
const secret = randomBytes(24).toString('base64');
const stack = await startStack({ settings: {
  MAX_UPLOAD: MAX, MAX_FILES: 3, CORS_ORIGINS: null, TOKEN_LIFE: 60, JWT_KEYRING: null, JWT_SECRET: secret, JWT_ISSUER: 'the-issuer', JWT_AUDIENCE: 'the-audience',
} });
after(() => stack.stop());

let ann;
before(async () => {
  ann = await stack.person();
});

const put = (body, options) => stack.call('PUT', '/upload/x', { token: ann.token, body, ...options });
const post = (...parts) => stack.call('POST', '/upload', { token: ann.token, body: form(...parts), headers: { 'Content-Type': formType() } });

describe('MAX_UPLOAD', () => {
  test('a file of MAX_UPLOAD bytes is accepted', async () => {
    assertStatus(await put(Buffer.alloc(MAX)), 201);
    assertStatus(await post(filePart('a', Buffer.alloc(MAX))), 201);
    assertStatus(await stack.call('POST', '/upload?name=x', { token: ann.token, body: Buffer.alloc(MAX), headers: { 'Content-Type': 'text/plain' } }), 201);
  });

  test('MAX_UPLOAD limits each file, not the form', async () => {
    assertStatus(await post(filePart('a', Buffer.alloc(MAX)), filePart('b', Buffer.alloc(MAX))), 201);
  });

  test('a file one byte over MAX_UPLOAD is refused, and nothing is stored', async () => {
    const bob = await stack.person();
    assertProblem(await put(Buffer.alloc(MAX + 1), { token: bob.token }), 413, 'too-large');
    const answer = await stack.call('POST', '/upload', { token: bob.token, headers: { 'Content-Type': formType() },
      body: form(filePart('a', 'fits'), filePart('b', Buffer.alloc(MAX + 1))) });
    assertProblem(answer, 413, 'too-large');
    const raw = await stack.call('POST', '/upload?name=x', { token: bob.token, body: Buffer.alloc(MAX + 1), headers: { 'Content-Type': 'text/plain' } });
    assertProblem(raw, 413, 'too-large');
    assert.deepEqual(await allFiles(stack, bob), []);
  });
});

test('a form of MAX_FILES files is accepted, one with another file is refused', async () => {
  const parts = Array.from({ length: 4 }, (_, i) => filePart(`f${i}`, 'x'));
  assertStatus(await post(...parts.slice(1)), 201);
  assertProblem(await post(...parts), 413, 'too-large');
});

test('every origin is refused without CORS_ORIGINS', async () => {
  const headers = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'authorization' };
  for (const answer of [await stack.call('OPTIONS', '/me', { headers }), await stack.call('GET', '/me', { token: ann.token, headers })])
    for (const [name] of answer.headers) assert.doesNotMatch(name, /^access-control/);
});

describe('JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE and TOKEN_LIFE', () => {
  test('access tokens verify in jose with JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE and TOKEN_LIFE', async () => {
    const { json } = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    assert.equal(json.expires_in, 60);
    const { payload, protectedHeader } = await jwtVerify(json.access_token, Buffer.from(secret), { issuer: 'the-issuer', audience: 'the-audience' });
    assert.equal(payload.exp - payload.iat, 60);
    assert.equal(protectedHeader.kid, secretKey(secret).kid);
  });

  test('access tokens made by jose with these settings are accepted', async () => {
    const claims = claimsFor(ann, { iss: 'the-issuer', aud: 'the-audience' });
    for (const route of ['/me', '/files']) assertStatus(await stack.call('GET', route, { token: await mint(secretKey(secret), claims) }), 200);
  });

  test('access tokens for another audience or issuer are refused', async () => {
    for (const changes of [{ aud: 'the-audience' }, { iss: 'the-issuer' }, { iss: 'the-issuer', aud: 'other' }, { iss: 'the-issuer', aud: ['other'] }, { iss: 'the-issuer', aud: 1 }, { iss: 'the-issuer', aud: '' }])
      for (const route of ['/me', '/files'])
        assertProblem(await stack.call('GET', route, { token: await mint(secretKey(secret), claimsFor(ann, changes)) }), 401, 'invalid-token');
  });
});
