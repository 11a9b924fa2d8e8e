// GET, POST /tokens and DELETE /tokens/{id}: API tokens for scripts
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { now } from '../support/tokens.js';

const stack = await useStack();
const postToken = (token, json = {}) => stack.call('POST', '/tokens', { token, json: { name: 'a script', ...json } });
const newToken = async (token, json) => {
  const answer = await postToken(token, json);
  assertStatus(answer, 201);
  return answer.json;
};
const list = async (token) => (await stack.call('GET', '/tokens', { token })).json.tokens;
const revoke = (token, id) => stack.call('DELETE', `/tokens/${id}`, { token });
const files = (token) => stack.call('GET', '/files', { token });

let ann;
before(async () => {
  ann = await stack.person();
});

describe('an API token', () => {
  test('an API token has a name and is shown once', async () => {
    const bob = await stack.person();
    const { token, ...rest } = await newToken(bob.token, { name: 'Zoë’s backup 密' });
    const { created_at: created, ...fixed } = rest;
    assert.match(token, /^gh_[\w-]{22}_[\w-]{43}$/);
    assert.deepEqual(fixed, { id: token.slice(3, 25), name: 'Zoë’s backup 密', scope: 'files:read files:write', expires_at: null, last_used_at: null });
    assert.ok(Math.abs(Date.parse(created) - Date.now()) < 60_000);
    assert.deepEqual(await list(bob.token), [rest]);
  });

  test('an API token is stored as a hash', async () => {
    const { token, id } = await newToken(ann.token);
    const secret = token.slice(26);
    const [row] = await stack.sql('auth', `SELECT LOWER(HEX(secret)), kind, name FROM session WHERE id='${id}'`);
    assert.deepEqual(row, [createHash('sha256').update(secret).digest('hex'), 'api', 'a script']);
    assert.ok(!stack.logs.includes(secret));
  });

  test('an API token works wherever an access token does', async () => {
    const { token } = await newToken(ann.token);
    assert.equal((await stack.call('GET', '/me', { token })).json.email, ann.email);
    const put = await stack.call('PUT', '/upload/note.txt', { token, body: 'hello' });
    assertStatus(put, 201);
    const { id } = put.json.files[0];
    assert.equal((await stack.call('GET', `/download/${id}`, { token })).text, 'hello');
    assertStatus(await stack.call('DELETE', `/files/${id}`, { token }), 204);
    assertStatus(await stack.callInternal('GET', '/validate', { token }), 200);
  });

  test('an API token may have fewer scopes than its user', async () => {
    const { token, scope } = await newToken(ann.token, { scope: 'files:read' });
    assert.equal(scope, 'files:read');
    assertStatus(await files(token), 200);
    assertProblem(await stack.call('PUT', '/upload/x.txt', { token, body: 'x' }), 403, 'insufficient-scope');
    const none = await newToken(ann.token, { scope: '' });
    assertProblem(await files(none.token), 403, 'insufficient-scope');
  });

  test('an API token cannot have more scopes than the token that creates it', async () => {
    for (const scope of ['admin', 'files:read admin', 'files:reads', 'files', 'files:read  files:write', ' files:read', 'files:read ', 'FILES:READ', 'a"b', 'x'.repeat(300), 7, null, ['files:read']])
      assertProblem(await postToken(ann.token, { scope }), 422, 'invalid-value');
    const root = await stack.person({ admin: true });
    assertStatus(await postToken(root.token, { scope: 'files:read admin' }), 201);
  });

  test('an API token cannot have a scope that its user has lost, even if the access token still has it', async () => {
    const bob = await stack.person();
    await stack.sql('auth', `UPDATE user SET scope='files:read' WHERE id=${bob.id}`);
    assertProblem(await postToken(bob.token, { scope: 'files:write' }), 422, 'invalid-value');
  });

  test('an admin\'s API token without the scope admin has no admin rights', async () => {
    const root = await stack.person({ admin: true });
    const { token } = await newToken(root.token, { scope: 'files:read' });
    assertStatus(await stack.call('GET', `/files?owner=${ann.id}`, { token: root.token }), 200);
    assertProblem(await stack.call('GET', `/files?owner=${ann.id}`, { token }), 403, 'insufficient-scope');
  });

  test('an API token is refused from its expiry on', async () => {
    const { token, id, created_at: from, expires_at: to } = await newToken(ann.token, { expires_in: 100 });
    assert.equal(Date.parse(to) - Date.parse(from), 100_000);
    assertStatus(await files(token), 200);
    await stack.sql('auth', `UPDATE session SET expires_at=${now()} WHERE id='${id}'`);
    for (const route of ['/files', '/me']) assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token');
    assertProblem(await stack.callInternal('GET', '/validate', { token }), 401, 'invalid-token');
  });

  test('a revoked API token is refused at once, by the gateway too', async () => {
    const [one, other] = [await newToken(ann.token), await newToken(ann.token)];
    assertStatus(await files(one.token), 200);
    assertStatus(await revoke(ann.token, one.id), 204);
    for (const route of ['/files', '/me']) assertProblem(await stack.call('GET', route, { token: one.token }), 401, 'invalid-token');
    assertStatus(await files(other.token), 200);
    assert.ok(!(await list(ann.token)).some((t) => t.id === one.id));
    assertProblem(await revoke(ann.token, one.id), 404, 'not-found');
  });

  test('an API token outlives the login that created it', async () => {
    const { json } = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    const { token } = await newToken(json.access_token);
    assertStatus(await stack.call('POST', '/logout', { token: json.access_token, body: '' }), 204);
    assertStatus(await files(token), 200);
  });

  test('last_used_at of an API token is updated at most every 300 seconds', async () => {
    const { token, id } = await newToken(ann.token);
    const used = async () => (await list(ann.token)).find((t) => t.id === id).last_used_at;
    assert.equal(await used(), null);
    assertStatus(await stack.call('GET', '/me', { token }), 200);
    assert.ok(Math.abs(Date.parse(await used()) - Date.now()) < 60_000);
    const at = now() - 200;
    await stack.sql('auth', `UPDATE session SET last_used_at=${at} WHERE id='${id}'`);
    assertStatus(await stack.call('GET', '/me', { token }), 200);
    assert.equal(Date.parse(await used()), at * 1000);
    await stack.sql('auth', `UPDATE session SET last_used_at=${now() - 301} WHERE id='${id}'`);
    assertStatus(await stack.call('GET', '/me', { token }), 200);
    assert.ok(Date.parse(await used()) > at * 1000);
  });
});

describe('invalid API tokens', () => {
  test('an API token with a changed, missing or extra character is refused', async () => {
    const { token } = await newToken(ann.token);
    const other = (c) => (c === 'A' ? 'B' : 'A');
    const wrong = [token.slice(0, -1), `${token}A`, token.slice(0, 25), `${token.slice(0, 25)}_`, token.toLowerCase(), token.replace('gh_', 'GH_'), token.replace('gh_', ''), `${token.slice(0, 25)}-${token.slice(26)}`];
    for (const at of [3, 24, 26, 40, 67]) wrong.push(token.slice(0, at) + other(token[at]) + token.slice(at + 1));
    for (const each of wrong)
      for (const route of ['/me', '/files']) assertProblem(await stack.call('GET', route, { token: each }), 401, 'invalid-token');
    assertStatus(await files(token), 200);
  });

  test('an API token with the secret of another token, or of a session, is refused', async () => {
    const [one, two] = [await newToken(ann.token), await newToken(ann.token)];
    assertProblem(await files(one.token.slice(0, 26) + two.token.slice(26)), 401, 'invalid-token');
    const sid = JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url')).sid;
    assertProblem(await files(`gh_${sid}_${randomBytes(32).toString('base64url')}`), 401, 'invalid-token');
  });

  test('an API token is refused for operations on the account', async () => {
    const { token, id } = await newToken(ann.token);
    for (const [method, route, json] of [['GET', '/tokens'], ['POST', '/tokens', { name: 'x' }], ['DELETE', `/tokens/${id}`], ['GET', '/sessions'], ['POST', '/password', { current: ann.password, new: 'a better password' }], ['POST', '/logout', {}]])
      assertProblem(await stack.call(method, route, { token, json }), 403, 'insufficient-scope');
    assertStatus(await files(token), 200);
  });
});

describe('creating an API token', () => {
  test('an API token with an invalid name is refused', async () => {
    for (const name of ['', '   ', 'x'.repeat(101), '密'.repeat(101), 'a\nb', 7, null, undefined])
      assertProblem(await postToken(ann.token, { name }), 422, 'invalid-value');
    for (const name of ['密'.repeat(100), "'; DROP TABLE session; --"]) assert.equal((await newToken(ann.token, { name })).name, name);
  });

  test('an API token with an invalid lifetime is refused', async () => {
    for (const life of [0, -1, 1.5, '60', 316224001, 1e300, [], true]) assertProblem(await postToken(ann.token, { expires_in: life }), 422, 'invalid-value');
    assert.equal((await newToken(ann.token, { expires_in: null })).expires_at, null);
  });

  test('a request for an API token in another format is refused', async () => {
    const send = (body, type) => stack.call('POST', '/tokens', { token: ann.token, body, headers: { 'Content-Type': type } });
    assertProblem(await send('{"name":"x"', 'application/json'), 400, 'bad-request');
    assertProblem(await send('name=x', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type');
    assertProblem(await send(JSON.stringify({ name: 'x'.repeat(20000) }), 'application/json'), 413, 'too-large');
  });

  test('a user can have a hundred API tokens, and another only after one is revoked', async () => {
    const bob = await stack.person();
    const { id } = await newToken(bob.token);
    const rows = Array.from({ length: 99 }, (_, i) => `('${`t${bob.id}-${i}`.padEnd(22, 'A')}', ${bob.id}, 'api', 's', 1)`);
    await stack.sql('auth', `INSERT INTO session (id, user_id, kind, scope, created_at) VALUES ${rows}`);
    assertProblem(await postToken(bob.token), 409, 'conflict');
    assertStatus(await revoke(bob.token, id), 204);
    await newToken(bob.token);
    assertProblem(await postToken(bob.token), 409, 'conflict');
  });
});

test('the API tokens of another user can be neither listed nor revoked', async () => {
  const bob = await stack.person();
  const { token, id } = await newToken(ann.token);
  assert.deepEqual(await list(bob.token), []);
  for (const each of [id, 'x', 'A'.repeat(22), JSON.parse(Buffer.from(bob.token.split('.')[1], 'base64url')).sid]) assertProblem(await revoke(bob.token, each), 404, 'not-found');
  assertStatus(await files(token), 200);
  assertStatus(await files(bob.token), 200);
});

test('every operation on API tokens needs an access token', async () => {
  for (const [method, route, json] of [['GET', '/tokens'], ['POST', '/tokens', { name: 'x' }], ['DELETE', `/tokens/${'A'.repeat(22)}`]]) {
    assertProblem(await stack.call(method, route, { json }), 401, 'missing-token');
    assertProblem(await stack.call(method, route, { json, headers: { Authorization: 'Bearer ,' } }), 400, 'invalid-request');
  }
  assertProblem(await stack.call('PUT', '/tokens', { token: ann.token, body: '' }), 405, 'method-not-allowed');
  assertProblem(await stack.call('GET', `/tokens/${'A'.repeat(22)}`, { token: ann.token }), 405, 'method-not-allowed');
});
