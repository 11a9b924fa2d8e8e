// GET /me
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

test('/me returns the user of the token', async () => {
  const answer = await stack.call('GET', '/me', { token: ann.token });
  assertStatus(answer, 200);
  const { created_at: created, ...rest } = answer.json;
  assert.deepEqual(rest, { id: ann.id, email: ann.email, admin: false, scope: 'files:read files:write', otp: false });
  assert.ok(Math.abs(Date.parse(created) - Date.now()) < 3600_000, created);
});

test('/me shows a second factor once it is confirmed', async () => {
  const bob = await stack.person();
  const { json: { secret } } = await stack.call('POST', '/otp', { token: bob.token });
  assert.equal((await stack.call('GET', '/me', { token: bob.token })).json.otp, false);
  assertStatus(await stack.call('POST', '/otp/confirm', { token: bob.token, json: { code: totp(secret) } }), 200);
  assert.equal((await stack.call('GET', '/me', { token: bob.token })).json.otp, true);
});

test('/me shows whether the user is an admin', async () => {
  const root = await stack.person({ admin: true });
  const { json } = await stack.call('GET', '/me', { token: root.token });
  assert.equal(json.admin, true);
  assert.deepEqual(json.scope.split(' ').sort(), ['admin', 'files:read', 'files:write']);
});

test('/me returns an email in several scripts unchanged', async () => {
  const email = `zoë-${Date.now()}@пример.example`;
  assert.equal((await stack.authAdmin(['user', 'add', email, '--password-stdin'], 'a good password\n')).code, 0);
  const { json } = await stack.call('POST', '/login', { basic: [email, 'a good password'] });
  const me = await stack.call('GET', '/me', { token: json.access_token });
  assert.equal(me.json.email, email);
});

test('/me without a token answers with a bare challenge', async () => {
  const answer = await stack.call('GET', '/me');
  assertProblem(answer, 401, 'missing-token');
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="gatehouse"');
});

test('/me refuses Basic credentials', async () => {
  const answer = await stack.call('GET', '/me', { basic: [ann.email, ann.password] });
  assertProblem(answer, 401, 'missing-token');
});

test('/me refuses the token of a deleted user', async () => {
  const bob = await stack.person();
  await stack.authAdmin(['user', 'delete', bob.email, '--yes']);
  assertProblem(await stack.call('GET', '/me', { token: bob.token }), 401, 'invalid-token');
});

test('/me refuses the token of a disabled user', async () => {
  const bob = await stack.person();
  await stack.authAdmin(['user', 'disable', bob.email]);
  assertProblem(await stack.call('GET', '/me', { token: bob.token }), 401, 'invalid-token');
});

test('HEAD /me answers like GET without a body', async () => {
  const get = await stack.call('GET', '/me', { token: ann.token });
  const head = await stack.call('HEAD', '/me', { token: ann.token });
  assertStatus(head, 200);
  assert.equal(head.text, '');
  assert.equal(head.headers.get('content-type'), get.headers.get('content-type'));
});

test('/me answers 405 to other methods', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await stack.call(method, '/me', { token: ann.token });
    assertProblem(answer, 405, 'method-not-allowed');
    assert.match(answer.headers.get('allow'), /\bGET\b/);
  }
});
