// The end of a session: POST /logout, GET /sessions, DELETE /sessions/{id}, disabling a user, auth-admin
// session. Each takes effect at both programs with the next request.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { now } from '../support/tokens.js';

const stack = await useStack();
const sid = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sid;
const refresh = (token) => stack.call('POST', '/refresh', { json: { refresh_token: token } });
const logout = (token, query = '') => stack.call('POST', `/logout${query}`, { token, body: '' });
const sessions = async (token) => (await stack.call('GET', '/sessions', { token })).json.sessions;
const login = async (person) => {
  const answer = await stack.call('POST', '/login', { basic: [person.email, person.password] });
  assertStatus(answer, 200);
  return answer.json;
};
const apiToken = async (token) => {
  const answer = await stack.call('POST', '/tokens', { token, json: { name: 'a script' } });
  assertStatus(answer, 201);
  return answer.json.token;
};

async function assertDead({ access_token: token, refresh_token: refreshToken }) {
  for (const route of ['/me', '/files', '/sessions']) assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token');
  assertProblem(await stack.call('PUT', '/upload/x.txt', { token, body: 'x' }), 401, 'invalid-token');
  assertProblem(await stack.callInternal('GET', '/validate', { token }), 401, 'invalid-token');
  assertProblem(await refresh(refreshToken), 401, 'invalid-token');
}

async function assertAlive({ access_token: token }) {
  for (const route of ['/me', '/files']) assertStatus(await stack.call('GET', route, { token }), 200);
}

let ann;
before(async () => {
  ann = await stack.person();
});

describe('logout', () => {
  test('a logout ends its session at once, at the gateway too, and no other', async () => {
    const [mine, other] = [await login(ann), await login(ann)];
    const answer = await logout(mine.access_token);
    assertStatus(answer, 204);
    await assertDead(mine);
    await assertAlive(other);
    assertStatus(await refresh(other.refresh_token), 200);
  });

  test('a logout removes the cookie', async () => {
    const answer = await logout((await login(ann)).access_token);
    assert.match(answer.headers.get('set-cookie'), /^gatehouse_refresh=; HttpOnly; Secure; SameSite=Strict; Path=\/refresh; Max-Age=0$/);
  });

  test('a logout ends the refreshed tokens of the session as well', async () => {
    const first = await login(ann);
    const second = (await refresh(first.refresh_token)).json;
    await logout(first.access_token);
    await assertDead(second);
  });

  test('a second logout is refused with an invalid token', async () => {
    const { access_token: token } = await login(ann);
    assertStatus(await logout(token), 204);
    assertProblem(await logout(token), 401, 'invalid-token');
  });

  test('a logout with all=1 ends every login of the user, and no API token', async () => {
    const bob = await stack.person();
    const logins = [await login(bob), await login(bob), await login(bob)];
    const script = await apiToken(logins[0].access_token);
    assertStatus(await logout(logins[1].access_token, '?all=1'), 204);
    for (const each of logins) await assertDead(each);
    assertProblem(await stack.call('GET', '/me', { token: bob.token }), 401, 'invalid-token');
    assertStatus(await stack.call('GET', '/files', { token: script }), 200);
    assertStatus(await stack.call('GET', '/me', { token: ann.token }), 200);
  });

  test('a logout with an invalid all is refused', async () => {
    const mine = await login(ann);
    assertProblem(await logout(mine.access_token, '?all=yes'), 422, 'invalid-value');
    await assertAlive(mine);
    assertStatus(await logout(mine.access_token, '?all=0'), 204);
  });

  test('a logout needs the token of a login', async () => {
    assertProblem(await stack.call('POST', '/logout', { body: '' }), 401, 'missing-token');
    assertProblem(await stack.call('POST', '/logout', { body: '', headers: { Authorization: 'Bearer' } }), 400, 'invalid-request');
    const mine = await login(ann);
    assertProblem(await logout(await apiToken(mine.access_token)), 403, 'insufficient-scope');
    assertProblem(await stack.call('GET', '/logout', { token: mine.access_token }), 405, 'method-not-allowed');
    await assertAlive(mine);
  });

  test('a logout during a refresh leaves no valid token', async () => {
    for (let i = 0; i < 5; i++) {
      const first = await login(ann);
      const [answer] = await Promise.all([refresh(first.refresh_token), logout(first.access_token)]);
      if (answer.status === 200) await assertDead(answer.json);
      await assertDead(first);
    }
  });
});

describe('the list of sessions', () => {
  test('the list of sessions is sorted, newest first, and marks the current one', async () => {
    const bob = await stack.person();
    const first = await login(bob);
    await stack.sql('auth', `UPDATE session SET created_at=created_at-10 WHERE id='${sid(first.access_token)}'`);
    await stack.sql('auth', `UPDATE session SET created_at=created_at-20 WHERE id='${sid(bob.token)}'`);
    const second = await login(bob);
    const list = await sessions(first.access_token);
    assert.deepEqual(list.map((s) => s.id), [second.access_token, first.access_token, bob.token].map(sid));
    assert.deepEqual(list.map((s) => s.current), [false, true, false]);
    assert.equal(list[0].address, '127.0.0.1');
    assert.ok(Math.abs(Date.parse(list[0].created_at) - Date.now()) < 60_000);
    assert.equal(Date.parse(list[0].expires_at) - Date.parse(list[0].created_at), 2592000_000);
  });

  test('the list of sessions shows the last refresh of each', async () => {
    const bob = await stack.person();
    const first = await login(bob);
    await stack.sql('auth', `UPDATE refresh SET created_at=created_at-500 WHERE session_id='${sid(first.access_token)}'`);
    const find = async () => (await sessions(first.access_token)).find((s) => s.current);
    const before = Date.parse((await find()).last_used_at);
    await refresh(first.refresh_token);
    assert.ok(Date.parse((await find()).last_used_at) - before >= 499_000);
  });

  test('the list of sessions has no ended or expired ones, no API tokens and none of others', async () => {
    const bob = await stack.person();
    const [mine, ended, expired] = [await login(bob), await login(bob), await login(bob)];
    await logout(ended.access_token);
    await stack.sql('auth', `UPDATE session SET expires_at=${now()} WHERE id='${sid(expired.access_token)}'`);
    await apiToken(mine.access_token);
    const ids = (await sessions(mine.access_token)).map((s) => s.id);
    assert.deepEqual(ids.sort(), [sid(mine.access_token), sid(bob.token)].sort());
  });

  test('a session can be ended from another session', async () => {
    const [mine, other] = [await login(ann), await login(ann)];
    assertStatus(await stack.call('DELETE', `/sessions/${sid(other.access_token)}`, { token: mine.access_token }), 204);
    await assertDead(other);
    await assertAlive(mine);
    assertProblem(await stack.call('DELETE', `/sessions/${sid(other.access_token)}`, { token: mine.access_token }), 404, 'not-found');
  });

  test('a session can end itself', async () => {
    const mine = await login(ann);
    assertStatus(await stack.call('DELETE', `/sessions/${sid(mine.access_token)}`, { token: mine.access_token }), 204);
    await assertDead(mine);
  });

  test('a session of another user, or an unknown one, cannot be ended', async () => {
    const bob = await stack.person();
    const [mine, theirs] = [await login(ann), await login(bob)];
    const script = await apiToken(mine.access_token);
    for (const id of [sid(theirs.access_token), script.slice(3, 25), 'x', 'A'.repeat(22), 'A'.repeat(1000), "' OR 1=1 -- ", encodeURIComponent('ż'.repeat(22))])
      assertProblem(await stack.call('DELETE', `/sessions/${id}`, { token: mine.access_token }), 404, 'not-found');
    await assertAlive(theirs);
    assertStatus(await stack.call('GET', '/files', { token: script }), 200);
  });

  test('the list of sessions needs the token of a login', async () => {
    const mine = await login(ann);
    const script = await apiToken(mine.access_token);
    for (const [method, route] of [['GET', '/sessions'], ['DELETE', `/sessions/${sid(mine.access_token)}`]]) {
      assertProblem(await stack.call(method, route), 401, 'missing-token');
      assertProblem(await stack.call(method, route, { headers: { Authorization: 'Bearer ,' } }), 400, 'invalid-request');
      assertProblem(await stack.call(method, route, { token: script }), 403, 'insufficient-scope');
    }
    await assertAlive(mine);
  });
});

test('the 201st login of a user ends the oldest session', async () => {
  const bob = await stack.person();
  const [oldest] = await sessions(bob.token);
  await stack.sql('auth', `UPDATE session SET created_at=created_at-1000 WHERE id='${oldest.id}'`);
  const rows = Array.from({ length: 199 }, (_, i) =>
    `('${`s${bob.id}-${i}`.padEnd(22, 'A')}', ${bob.id}, 'login', 'files:read', ${now() - 500 + i}, ${now() + 1000})`);
  await stack.sql('auth', `INSERT INTO session (id, user_id, kind, scope, created_at, expires_at) VALUES ${rows}`);
  assertStatus(await stack.call('GET', '/me', { token: bob.token }), 200);
  const newest = await login(bob);
  assertProblem(await stack.call('GET', '/me', { token: bob.token }), 401, 'invalid-token');
  await assertAlive(newest);
  assert.equal((await sessions(newest.access_token)).length, 200);
});

describe('operators', () => {
  test('disabling a user ends all sessions and tokens for good', async () => {
    const bob = await stack.person();
    const mine = await login(bob);
    const script = await apiToken(mine.access_token);
    for (const state of ['disable', 'enable']) {
      assert.equal((await stack.authAdmin(['user', state, bob.email])).code, 0);
      await assertDead(mine);
      for (const route of ['/me', '/files']) assertProblem(await stack.call('GET', route, { token: script }), 401, 'invalid-token');
    }
    await assertAlive(await login(bob));
  });

  test('a new password by an operator ends all sessions and tokens', async () => {
    const bob = await stack.person();
    const mine = await login(bob);
    const script = await apiToken(mine.access_token);
    assert.equal((await stack.authAdmin(['user', 'passwd', bob.email, '--password-stdin'], 'another good one\n')).code, 0);
    await assertDead(mine);
    assertProblem(await stack.call('GET', '/files', { token: script }), 401, 'invalid-token');
  });

  test('deleting a user removes all rows of their sessions', async () => {
    const bob = await stack.person();
    const mine = await login(bob);
    await apiToken(mine.access_token);
    assert.equal((await stack.authAdmin(['user', 'delete', bob.email, '--yes'])).code, 0);
    await assertDead(mine);
    assert.deepEqual(await stack.sql('auth', `SELECT id FROM session WHERE user_id=${bob.id}`), []);
    assert.deepEqual(await stack.sql('auth', `SELECT session_id FROM refresh WHERE session_id='${sid(mine.access_token)}'`), []);
  });

  test('session list prints a table or JSON', async () => {
    const bob = await stack.person();
    const script = await apiToken(bob.token);
    const table = await stack.authAdmin(['session', 'list', bob.email]);
    assert.equal(table.code, 0, table.stderr);
    assert.match(table.stdout, new RegExp(`^${sid(bob.token)} login .*127\\.0\\.0\\.1$`, 'm'));
    assert.match(table.stdout, new RegExp(`^${script.slice(3, 25)} api .*never .*a script$`, 'm'));
    const { stdout } = await stack.authAdmin(['session', 'list', bob.email, '--json']);
    assert.deepEqual(JSON.parse(stdout).map((s) => [s.id, s.kind]), [[sid(bob.token), 'login'], [script.slice(3, 25), 'api']]);
    assert.ok(!stdout.includes(script.slice(26)));
    assert.equal((await stack.authAdmin(['session', 'list', 'nobody@example.org'])).code, 1);
  });

  test('session end ends one session, or all of a user', async () => {
    const bob = await stack.person();
    const [one, two] = [await login(bob), await login(bob)];
    const script = await apiToken(two.access_token);
    assert.equal((await stack.authAdmin(['session', 'end', sid(one.access_token)])).code, 0);
    await assertDead(one);
    await assertAlive(two);
    assert.equal((await stack.authAdmin(['session', 'end', sid(one.access_token)])).code, 1);
    assert.equal((await stack.authAdmin(['session', 'end', bob.email])).code, 0);
    await assertDead(two);
    assertProblem(await stack.call('GET', '/files', { token: script }), 401, 'invalid-token');
    assert.equal((await stack.authAdmin(['session', 'end', 'nobody@example.org'])).code, 1);
    assert.equal((await stack.authAdmin(['session', 'end'])).code, 64);
  });

  test('auth-admin gc removes sessions that ended a month ago, and no others', async () => {
    const bob = await stack.person();
    const script = await apiToken(bob.token);
    const old = now() - 31 * 86400, young = now() - 29 * 86400;
    const row = (id, kind, expires, revoked) => `('${id.padEnd(22, 'A')}', ${bob.id}, '${kind}', 's', 1, ${expires}, ${revoked})`;
    await stack.sql('auth', `INSERT INTO session (id, user_id, kind, scope, created_at, expires_at, revoked_at) VALUES
      ${row(`o${bob.id}a`, 'login', old, 'NULL')}, ${row(`o${bob.id}b`, 'api', 'NULL', old)}, ${row(`y${bob.id}c`, 'login', young, 'NULL')}, ${row(`y${bob.id}d`, 'api', 'NULL', young)}`);
    await stack.sql('auth', `INSERT INTO refresh (hash, session_id, created_at, expires_at) VALUES
      (UNHEX(SHA2('o${bob.id}', 256)), '${`o${bob.id}a`.padEnd(22, 'A')}', 1, ${old}), (UNHEX(SHA2('y${bob.id}', 256)), '${`y${bob.id}c`.padEnd(22, 'A')}', 1, ${young})`);
    const ids = async () => (await stack.sql('auth', `SELECT id FROM session WHERE user_id=${bob.id}`)).flat().sort();
    const rest = [`y${bob.id}c`.padEnd(22, 'A'), `y${bob.id}d`.padEnd(22, 'A'), sid(bob.token), script.slice(3, 25)].sort();
    for (let i = 0; i < 2; i++) {
      const removed = await stack.authAdmin(['gc']);
      assert.equal(removed.code, 0, removed.stderr);
      assert.deepEqual(await ids(), rest);
    }
    const left = await stack.sql('auth', `SELECT COUNT(*) FROM refresh WHERE hash IN (UNHEX(SHA2('o${bob.id}', 256)), UNHEX(SHA2('y${bob.id}', 256)))`);
    assert.deepEqual(left, [['1']]);
    assertStatus(await stack.call('GET', '/me', { token: bob.token }), 200);
  });
});
