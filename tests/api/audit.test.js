// The table audit, auth-admin audit, and the audit lines of the log
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { userInfo } from 'node:os';
import { randomBytes } from 'node:crypto';
import { assertProblem, assertStatus } from '../support/client.js';
import { run, useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();

async function audit(...args) {
  const { code, stdout, stderr } = await stack.authAdmin(['audit', '--json', '--last', '1000', ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}
const of = async (person) => (await audit('--user', person.email)).map((row) => `${row.event} ${row.outcome}`);
const lines = (id) => stack.logs.split('\n').filter((l) => l.includes('"audit"') && l.includes(id)).map((l) => JSON.parse(l));

describe('audit records', () => {
  test('each login is recorded with outcome, user, address and request id', async () => {
    const ann = await stack.person();
    const id = `audit-${randomBytes(6).toString('hex')}`;
    const answer = await stack.call('POST', '/login', { basic: [ann.email, 'wrong'], headers: { 'X-Request-ID': id } });
    assertProblem(answer, 401, 'invalid-credentials');

    const row = (await audit('--user', ann.email)).at(-1);
    assert.equal(row.event, 'login');
    assert.equal(row.outcome, 'wrong-password');
    assert.equal(row.email, ann.email);
    assert.equal(row.address, '127.0.0.1');
    assert.equal(row.request_id, id);
    assert.ok(Math.abs(Date.parse(row.at) - Date.now()) < 60000, row.at);

    const [line, ...more] = lines(id);
    assert.equal(more.length, 0, 'one log line an event');
    assert.equal(line.what, 'login');
    assert.equal(line.outcome, 'wrong-password');
    assert.equal(line.user, ann.email);
    assert.equal(line.client, '127.0.0.1');
  });

  test('a login of an unknown user is recorded with the email that was sent', async () => {
    const ghost = { email: `n${randomBytes(6).toString('hex')}@example.org` };
    assertProblem(await stack.call('POST', '/login', { basic: [ghost.email, 'x'] }), 401, 'invalid-credentials');
    const [row] = await audit('--user', ghost.email);
    assert.equal(row.outcome, 'unknown-user');
    assert.equal(row.user_id, undefined);
  });

  test('all events of a user are recorded in order', async () => {
    const ann = await stack.person();
    const { secret } = (await stack.call('POST', '/otp', { token: ann.token })).json;
    await stack.call('POST', '/otp/confirm', { token: ann.token, json: { code: '000000' } });
    assertStatus(await stack.call('POST', '/otp/confirm', { token: ann.token, json: { code: totp(secret) } }), 200);
    assertProblem(await stack.call('POST', '/login', { basic: [ann.email, ann.password] }), 401, 'otp-required');
    assert.equal((await stack.authAdmin(['user', 'totp', 'reset', ann.email])).code, 0);
    const changed = await stack.call('POST', '/password', { token: ann.token, json: { current: ann.password, new: 'a new password' } });
    assertStatus(changed, 204);
    const token = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'script' } })).json;
    assertStatus(await stack.call('DELETE', `/tokens/${token.id}`, { token: ann.token }), 204);
    assertStatus(await stack.call('POST', '/logout', { token: ann.token }), 204);
    for (const what of ['disable', 'enable']) assert.equal((await stack.authAdmin(['user', what, ann.email])).code, 0);

    const seen = await of(ann);
    const events = seen.map((e) => e.split(' ')[0]);
    assert.deepEqual(events, ['user-add', 'login', 'otp-enrol', 'otp-confirm', 'otp-confirm', 'login', 'otp-remove',
      'password', 'token-new', 'token-end', 'logout', 'user-disable', 'user-enable'], seen.join('\n'));
    assert.equal(seen[1], 'login ok');
    assert.equal(seen[3], 'otp-confirm invalid-otp');
    assert.equal(seen[5], 'login otp-required');
  });

  test('the reuse of a refresh token is recorded', async () => {
    const ann = await stack.person();
    const first = (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json.refresh_token;
    const refresh = (token) => stack.call('POST', '/refresh', { json: { refresh_token: token } });
    assertStatus(await refresh(first), 200);
    await stack.sql('auth', 'UPDATE refresh SET spent_at = spent_at - 1000 WHERE spent_at IS NOT NULL');
    assertStatus(await refresh(first), 401);
    assert.ok((await of(ann)).some((e) => e.startsWith('refresh-reuse')));
  });

  test('changes by auth-admin are recorded with the name of the operator', async () => {
    const ann = await stack.person();
    const [row] = await audit('--user', ann.email);
    assert.equal(row.event, 'user-add');
    assert.equal(row.address, 'auth-admin');
    assert.equal(row.request_id, userInfo().username);
  });

  test('an attempt that the throttle refuses is logged but adds no row', async () => {
    const ann = await stack.person();
    await stack.call('POST', '/login', { basic: [ann.email, 'wrong'] });
    const before = (await of(ann)).length;
    await stack.sql('auth', 'UPDATE throttle SET blocked_until = blocked_until + 100000000000 WHERE failures = 1');
    const id = `audit-${randomBytes(6).toString('hex')}`;
    const answer = await stack.call('POST', '/login', { basic: [ann.email, 'wrong'], headers: { 'X-Request-ID': id } });
    await stack.sql('auth', 'UPDATE throttle SET blocked_until = 0 WHERE blocked_until > 90000000000');
    assertProblem(answer, 429, 'too-many-attempts');
    assert.equal((await of(ann)).length, before);
    assert.equal(lines(id).length, 1);
  });

  test('audit records contain no secret', async () => {
    const ann = await stack.person();
    const text = JSON.stringify(await audit('--user', ann.email));
    assert.ok(!text.includes(ann.password));
    assert.ok(!text.includes(ann.token.split('.')[2]));
  });
});

describe('auth-admin audit', () => {
  test('auth-admin audit prints the last rows, the newest at the end', async () => {
    const ann = await stack.person();
    const shown = await stack.authAdmin(['audit', '--last', '2', '--user', ann.email]);
    assert.equal(shown.code, 0, shown.stderr);
    const rows = shown.stdout.trim().split('\n').slice(1);
    assert.equal(rows.length, 2);
    assert.match(rows[0], /^\S+Z {2}user-add/);
    assert.match(rows[1], /^\S+Z {2}login +ok/);
    assert.equal((await audit('--user', 'nobody-at-all@example.org')).length, 0);
  });

  test('auth-admin audit keeps control characters in an email as data', async () => {
    const email = `\u202e<b>${randomBytes(4).toString('hex')}@x`;
    await stack.call('POST', '/login', { basic: [email, 'x'] });
    const [row] = await audit('--user', email);
    assert.equal(row.email, email);
  });

  test('auth-admin audit refuses an invalid --last', async () => {
    for (const last of ['0', '-1', 'x', '1000001']) assert.equal((await stack.authAdmin(['audit', '--last', last])).code, 64);
  });
});

test('rows older than AUDIT_DAYS are removed', async () => {
  const ann = await stack.person();
  await stack.sql('auth', `UPDATE audit SET at = at - 91 * 86400 WHERE email = '${ann.email}'`);
  // One row in sixteen, on average, removes old rows
  for (let i = 0; i < 40 && (await of(ann)).length > 0; i++)
    await Promise.all(Array.from({ length: 8 }, () => stack.call('POST', '/login', { basic: [`n${i}@example.org`, 'x'] })));
  assert.deepEqual(await of(ann), []);
});

test('an audit row that cannot be written does not fail the request and is logged', async () => {
  const ann = await stack.person();
  const asRoot = (sql) => run('mariadb', ['--no-defaults', '-S', stack.settings('auth').MYSQL_SOCKET, '-u', 'root', '-e', sql, stack.settings('auth').MYSQL_DB]);
  const renamed = await asRoot('RENAME TABLE audit TO audit_away');
  assert.equal(renamed.code, 0, renamed.stderr);
  try {
    const id = `audit-${randomBytes(6).toString('hex')}`;
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { 'X-Request-ID': id } }), 200);
    assert.equal(lines(id).length, 1);
    assert.ok(stack.logs.split('\n').some((l) => l.includes('"audit-failed"') && l.includes(id)));
    const disabled = await stack.authAdmin(['user', 'disable', ann.email]);
    assert.equal(disabled.code, 0);
    assert.match(disabled.stderr, /not recorded/);
  } finally {
    await asRoot('RENAME TABLE audit_away TO audit');
  }
});
