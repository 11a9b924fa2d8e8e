// POST /password
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { startStack, useStack } from '../support/stack.js';

const stack = await useStack();
const FRESH = 'a better password';
const login = (person, password = person.password) => stack.call('POST', '/login', { basic: [person.email, password] });
const loggedIn = async (person) => {
  const answer = await login(person);
  assertStatus(answer, 200);
  return answer.json;
};
const refresh = (token) => stack.call('POST', '/refresh', { json: { refresh_token: token } });
const change = (token, json) => stack.call('POST', '/password', { token, json });
const apiToken = async (token) => (await stack.call('POST', '/tokens', { token, json: { name: 'a script' } })).json.token;

describe('changes of the password', () => {
  test('a password change ends every other login at the next request, at the gateway too', async () => {
    const bob = await stack.person();
    const [mine, other] = [await loggedIn(bob), await loggedIn(bob)];
    assertStatus(await stack.call('GET', '/files', { token: other.access_token }), 200);
    assertStatus(await change(mine.access_token, { current: bob.password, new: FRESH }), 204);
    for (const token of [other.access_token, bob.token])
      for (const route of ['/files', '/me']) assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token');
    assertProblem(await refresh(other.refresh_token), 401, 'invalid-token');
    for (const route of ['/files', '/me']) assertStatus(await stack.call('GET', route, { token: mine.access_token }), 200);
    assertStatus(await refresh(mine.refresh_token), 200);
  });

  test('a password change makes the new password valid and the old one invalid', async () => {
    const bob = await stack.person();
    assertStatus(await change(bob.token, { current: bob.password, new: FRESH }), 204);
    assertProblem(await login(bob), 401, 'invalid-credentials');
    assertStatus(await login(bob, FRESH), 200);
    const [[stored, changed]] = await stack.sql('auth', `SELECT password, password_changed_at FROM user WHERE id=${bob.id}`);
    assert.match(stored, /^\$argon2id\$/);
    assert.ok(Math.abs(Number(changed) - Date.now() / 1000) < 60);
  });

  test('a password change does not affect API tokens and other users', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    const script = await apiToken(bob.token);
    assertStatus(await change(bob.token, { current: bob.password, new: FRESH }), 204);
    assertStatus(await stack.call('GET', '/files', { token: script }), 200);
    assertStatus(await stack.call('GET', '/files', { token: ann.token }), 200);
  });

  test('a login that began with the old password ends with the change', async () => {
    const bob = await stack.person();
    const logins = Array.from({ length: 12 }, () => login(bob));
    const [changed, ...answers] = await Promise.all([change(bob.token, { current: bob.password, new: FRESH }), ...logins]);
    assertStatus(changed, 204);
    for (const answer of answers.filter((a) => a.status === 200))
      assertProblem(await stack.call('GET', '/files', { token: answer.json.access_token }), 401, 'invalid-token');
    assertStatus(await stack.call('GET', '/files', { token: bob.token }), 200);
  });

  test('one of two simultaneous password changes succeeds', async () => {
    const bob = await stack.person();
    const words = ['the first of two', 'the second of two'];
    const answers = await Promise.all(words.map((word) => change(bob.token, { current: bob.password, new: word })));
    assert.deepEqual(answers.map((a) => a.status).sort(), [204, 422]);
    assertStatus(await login(bob, words[answers.findIndex((a) => a.status === 204)]), 200);
  });
});

describe('refused changes', () => {
  test('a password change with a wrong current password is refused', async () => {
    const bob = await stack.person();
    const other = await loggedIn(bob);
    assertProblem(await change(bob.token, { current: 'wrong', new: FRESH }), 422, 'invalid-value');
    assertStatus(await stack.call('GET', '/files', { token: other.access_token }), 200);
    assertStatus(await login(bob), 200);
  });

  test('wrong current passwords are throttled like failed logins', async () => {
    const own = await startStack({ settings: { THROTTLE_FAILURES: 3 } });
    try {
      const bob = await own.person();
      const guess = (current) => own.call('POST', '/password', { token: bob.token, json: { current, new: FRESH } });
      for (let i = 0; i < 3; i++) assertProblem(await guess(`wrong ${i}`), 422, 'invalid-value');
      await own.sql('auth', 'UPDATE throttle SET blocked_until = blocked_until + 60'); // for any duration of the test
      const answer = await guess(bob.password);
      assertProblem(answer, 429, 'too-many-attempts');
      assert.match(answer.headers.get('retry-after'), /^[1-9][0-9]*$/);
      assertProblem(await own.call('POST', '/login', { basic: [bob.email, bob.password] }), 429, 'too-many-attempts');
    } finally {
      await own.stop();
    }
  });

  for (const [what, fresh] of [['too short', 'seven77'], ['empty', ''], ['too short in letters of many bytes', '密码密码'], ['of over a thousand bytes', 'x'.repeat(1025)]])
    test(`a new password that is ${what} is refused`, async () => {
      const bob = await stack.person();
      const answer = await change(bob.token, { current: bob.password, new: fresh });
      assertStatus(answer, 422);
      assert.equal(answer.json.type, fresh.length > 1000 ? 'urn:gatehouse:invalid-value' : 'urn:gatehouse:weak-password');
      assertStatus(await login(bob), 200);
    });

  test('a new password that is the old one or the email is refused', async () => {
    const bob = await stack.person();
    for (const fresh of [bob.password, bob.email, bob.email.toUpperCase()])
      assertProblem(await change(bob.token, { current: bob.password, new: fresh }), 422, 'weak-password');
  });

  test('a password change with a missing member, or one that is not text, is refused', async () => {
    const bob = await stack.person();
    for (const json of [{}, { current: bob.password }, { new: FRESH }, { current: bob.password, new: 12345678 }, { current: null, new: FRESH }])
      assertProblem(await change(bob.token, json), 422, 'invalid-value');
  });

  test('a password change in another format is refused', async () => {
    const bob = await stack.person();
    const send = (body, type) => stack.call('POST', '/password', { token: bob.token, body, headers: { 'Content-Type': type } });
    assertProblem(await send('{', 'application/json'), 400, 'bad-request');
    assertProblem(await send('current=a&new=b', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type');
    assertProblem(await send(JSON.stringify({ current: 'x'.repeat(20000) }), 'application/json'), 413, 'too-large');
  });

  test('a password change without a token, or with an API token, is refused', async () => {
    const bob = await stack.person();
    assertProblem(await change(undefined, { current: bob.password, new: FRESH }), 401, 'missing-token');
    assertProblem(await change(await apiToken(bob.token), { current: bob.password, new: FRESH }), 403, 'insufficient-scope');
    assertStatus(await login(bob), 200);
  });
});

test('no password is in a log', async () => {
  const bob = await stack.person();
  const fresh = `${bob.password} and more`;
  await change(bob.token, { current: `not ${bob.password}`, new: fresh });
  await change(bob.token, { current: bob.password, new: fresh });
  assert.ok(!stack.logs.includes(bob.password));
});
