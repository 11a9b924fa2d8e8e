// Change what both programs must know, as docs/upgrading.md describes: JWT_SECRET, and the passwords of the database
// accounts. lighttpd restarts the programs with the new values.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { untilExit, pause, repository, run, startStack } from '../support/stack.js';

const programs = ['auth', 'gateway'];

// Edit settings; null removes the line.
function edit(stack, program, changes) {
  const settings = { ...stack.settings(program), ...changes };
  const lines = Object.entries(settings).filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(stack.path('conf', `${program}.env`), lines.join(''));
}

async function restart(stack, program) {
  const pids = stack.processes(`cgi-${program}`);
  assert.ok(pids.length > 0);
  for (const pid of pids) process.kill(pid, 'SIGTERM');
  await Promise.all(pids.map(untilExit));
  // lighttpd has to notice the exit first
  for (let tries = 0; (await stack.call('GET', routes[program])).status === 503; tries++) {
    assert.ok(tries < 200, stack.logs.split('\n').slice(-9).join('\n'));
    await pause(50);
  }
}

const routes = { auth: '/me', gateway: '/files' };
const statuses = async (stack, token) => Promise.all(programs.map(async (name) => (await stack.call('GET', routes[name], { token })).status));

describe('a change of JWT_SECRET', () => {
  const [first, second] = [randomBytes(30), randomBytes(30)].map((bytes) => bytes.toString('base64'));
  let stack, ann, refresh;
  before(async () => {
    stack = await startStack({ settings: { JWT_SECRET: first, JWT_KEYRING: null } });
    ann = await stack.person();
    refresh = (await login()).refresh_token;
  });
  after(() => stack.stop());

  const login = async () => {
    const answer = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    assertStatus(answer, 200);
    return answer.json;
  };
  const refreshed = async () => {
    const answer = await stack.call('POST', '/refresh', { json: { refresh_token: refresh } });
    assertStatus(answer, 200);
    refresh = answer.json.refresh_token;
    return answer.json.access_token;
  };

  test('a JWT_SECRET that only one program has makes the other refuse new tokens', async () => {
    edit(stack, 'auth', { JWT_SECRET: second });
    await restart(stack, 'auth');
    assert.deepEqual(await statuses(stack, await refreshed()), [200, 401]);
    assert.deepEqual(await statuses(stack, ann.token), [401, 200]);
  });

  test('a JWT_SECRET that both programs have invalidates old tokens, and clients refresh', async () => {
    edit(stack, 'gateway', { JWT_SECRET: second });
    await restart(stack, 'gateway');
    for (const route of Object.values(routes)) assertProblem(await stack.call('GET', route, { token: ann.token }), 401, 'invalid-token');
    assert.deepEqual(await statuses(stack, await refreshed()), [200, 200]);
  });

  test('JWT_SECRET can be replaced by a keyring in the same way', async () => {
    const before = await refreshed();
    const keyring = stack.path('keys', 'moved');
    for (const program of programs) edit(stack, program, { JWT_SECRET: null, JWT_KEYRING: keyring });
    const made = await stack.authAdmin(['key', 'new']);
    assert.equal(made.code, 0, made.stderr);
    for (const program of programs) await restart(stack, program);
    assert.deepEqual(await statuses(stack, before), [401, 401]);
    assert.deepEqual(await statuses(stack, await refreshed()), [200, 200]);
    assert.equal((await stack.authAdmin(['key', 'rotate'])).code, 0);
  });
});

describe('a change of a database password', () => {
  let stack, ann;
  before(async () => {
    stack = await startStack();
    ann = await stack.person();
  });
  after(() => stack.stop());

  const file = (name) => stack.path('keys', `mysql-${name}`);
  const migrate = () => run(join(repository, 'scripts/migrate'), ['--state', stack.state, '--grants', ...programs.flatMap((name) => [`--${name}-password-file`, file(name)])]);

  test('a changed database password does not affect open connections and makes new ones fail with 503', async () => {
    assert.deepEqual(await statuses(stack, ann.token), [200, 200]);
    for (const name of programs) writeFileSync(file(name), `another password of ${name}\n`);
    const { code, stderr } = await migrate();
    assert.equal(code, 0, stderr);
    assert.deepEqual(await statuses(stack, ann.token), [200, 200], 'open connections fail');

    const account = stack.settings('gateway').MYSQL_USER;
    const connections = await run('mariadb', ['--no-defaults', '-S', stack.path('mysql', 'sock'), '-u', 'root', '-e', `KILL USER ${account}`]);
    assert.equal(connections.code, 0, connections.stderr);
    const answer = await stack.call('GET', '/files', { token: ann.token });
    assertProblem(answer, 503, 'unavailable');
    assert.match(await stack.logLine(`"request_id":"${answer.headers.get('x-request-id')}"`), /Access denied/);
  });

  test('a changed database password takes effect when each program restarts', async () => {
    for (const name of programs) {
      edit(stack, name, { MYSQL_PASSWORD: null, MYSQL_PASSWORD_FILE: file(name) });
      await restart(stack, name);
    }
    assert.deepEqual(await statuses(stack, ann.token), [200, 200]);
    assert.equal((await stack.gatewayAdmin(['quota', 'recount'])).code, 0);
  });
});
