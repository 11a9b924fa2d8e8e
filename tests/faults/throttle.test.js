// kill -9 of cgi-auth during logins: the places that they had reserved against guessing become free again, so
// right passwords do not meet 429
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { pause, startStack, untilExit } from '../support/stack.js';

// 37 attempts of an account may be under way. A hash takes long here, so most of them are when the process is killed.
const stack = await startStack({
  settings: { THROTTLE_FAILURES: null, THROTTLE_ADDRESS: null, THREADS: 64, PASSWORD_HASHERS: 1, PASSWORD_PASSES: 32 },
});
after(() => stack.stop());

let ann;
before(async () => {
  ann = await stack.person();
  await stack.sql('auth', 'DELETE FROM throttle; DELETE FROM known_address');
});

const login = () => fetch(`${stack.url}/login`, { method: 'POST', headers: { Authorization: `Basic ${Buffer.from(`${ann.email}:${ann.password}`).toString('base64')}` } })
  .then(async (response) => (await response.text(), response.status), () => 0);
// The places of the account, elsewhere and at the address that the first login makes a known one
const taken = async () => Number((await stack.sql('auth', "SELECT COALESCE(SUM(pending + pending_before), 0) FROM throttle WHERE LEFT(bucket, 1) IN ('a', 'b')"))[0][0]);

test('right passwords are accepted after cgi-auth was killed during logins, once its places have expired', async () => {
  const under = Array.from({ length: 40 }, login);
  while ((await taken()) < 25) await pause(20);
  const pids = stack.processes('cgi-auth');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all(pids.map(untilExit));
  await Promise.all(under);
  assert.ok((await taken()) >= 20, 'the killed process has left its places');
  // as if the last place were among them: what one kill leaves, several fill up
  await stack.sql('auth', 'UPDATE throttle SET pending = pending + 100 WHERE pending > 0');
  assert.ok([429, 503].includes(await login()));
  // half a minute passes, in which others came
  await stack.sql('auth', 'UPDATE throttle SET slot = slot - 2, updated_at = updated_at + 60');
  assert.deepEqual(await Promise.all(Array.from({ length: 4 }, login)), [200, 200, 200, 200]);
});
