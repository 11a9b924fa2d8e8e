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
const taken = async () => Number((await stack.sql('auth', "SELECT COALESCE(SUM(pending), 0) FROM throttle WHERE bucket LIKE 'a%'"))[0][0]);

test('right passwords are accepted after cgi-auth was killed during logins, once its places have expired', async () => {
  for (let kills = 0; kills < 2; kills++) {
    const under = Array.from({ length: 40 }, login);
    while ((await taken()) < 25 * (kills + 1)) await pause(20);
    const pids = stack.processes('cgi-auth');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(pids.map(untilExit));
    await Promise.all(under);
  }
  await stack.sql('auth', 'DELETE FROM known_address');
  assert.ok((await taken()) >= 37, 'the killed processes have left their places');
  // other attempts in the meantime do not keep them
  for (const status of await Promise.all(Array.from({ length: 3 }, login))) assert.ok([200, 429, 503].includes(status), String(status));
  // half a minute passes
  await stack.sql('auth', 'UPDATE throttle SET slot = slot - 2; DELETE FROM known_address');
  assert.deepEqual(await Promise.all(Array.from({ length: 4 }, login)), [200, 200, 200, 200]);
});
