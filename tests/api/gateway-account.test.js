// What the gateway's database account can read of the users: the views that it needs, and nothing beside them; and how
// the database finds a session and a file.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { run, useStack } from '../support/stack.js';

describe("the gateway's database account", () => {
  let stack;
  before(async () => { stack = await useStack(); });

  const gateway = async (statement, database = 'gateway') => {
    const { MYSQL_SOCKET, MYSQL_USER, MYSQL_PASSWORD } = stack.settings('gateway');
    return run('mariadb', ['--no-defaults', '-N', '-B', '-S', MYSQL_SOCKET, '-u', MYSQL_USER, '-e', statement, database], { env: { MYSQL_PWD: MYSQL_PASSWORD } });
  };

  test('reads valid sessions and users who are not disabled', async () => {
    for (const view of ['live_session', 'live_user']) assert.equal((await gateway(`SELECT COUNT(*) FROM ${view}`)).code, 0);
  });

  test('reads no password hash, second factor, refresh token or ended session', async () => {
    for (const table of ['user', 'session', 'refresh', 'otp', 'otp_recovery', 'audit', 'throttle', 'known_address'])
      for (const what of ['*', 'COUNT(*)', '1']) {
        const { code, stderr } = await gateway(`SELECT ${what} FROM auth.${table} LIMIT 1`);
        assert.notEqual(code, 0, `${what} of ${table}`);
        assert.match(stderr, /command denied/);
      }
    const columns = (await gateway("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'auth'")).stdout;
    assert.equal(columns, '');
    assert.doesNotMatch((await gateway('SHOW COLUMNS FROM live_session; SHOW COLUMNS FROM live_user')).stdout, /password|revoked|disabled/);
  });

  test('changes the time of the last use of a session, and nothing else in auth', async () => {
    assert.equal((await gateway("UPDATE session_use SET last_used_at = 1 WHERE id = ''")).code, 0);
    for (const change of ["UPDATE session_use SET id = 'x' WHERE id = ''", "UPDATE live_session SET scope = 'admin' WHERE id = ''",
      "UPDATE live_session SET admin = 1 WHERE id = ''", "UPDATE live_user SET email = '' WHERE id = 0", 'DELETE FROM session_use', 'DELETE FROM live_session'])
      assert.match((await gateway(change)).stderr, /command denied/, change);
  });

  test('finds a session, its user and a file each by the primary key', async () => {
    const ann = await stack.person();
    const { sid } = JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url'));
    const answer = await stack.call('PUT', '/upload/a', { token: ann.token, body: 'x' });
    // Only an account that may see the tables may see how they are read
    const { stdout } = await run('mariadb', ['--no-defaults', '-N', '-B', '-S', stack.path('mysql', 'sock'), '-u', 'root', '-e',
      `EXPLAIN SELECT l.user_id, f.id FROM live_session l LEFT JOIN file f ON f.id = '${answer.json.files[0].id}' WHERE l.id = '${sid}'`, 'gateway']);
    const rows = stdout.split('\n').filter(Boolean).map((line) => line.split('\t'));
    assert.equal(rows.length, 3);
    for (const [, , , type, , key] of rows) {
      assert.match(type, /^(const|eq_ref)$/);
      assert.equal(key, 'PRIMARY');
    }
  });
});
