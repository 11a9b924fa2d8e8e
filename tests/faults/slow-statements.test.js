// Statements that take long: the server ends them, and no user's take all connections.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { assertProblem } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { pause, run, startStack } from '../support/stack.js';
import { transport } from '../support/transport.js';

const stack = await startStack({ settings: { DB_TIMEOUT: 2, DB_POOL: 8 } });
after(() => stack.stop());

const asRoot = ['--no-defaults', '-N', '-S', stack.path('mysql', 'sock'), '-u', 'root', 'gateway'];

// Lock the index of names, so that every search waits, until the function that this returns is called.
async function lockSearches() {
  const child = spawn('mariadb', [...asRoot, '--unbuffered'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((done) => child.on('exit', done));
  const locked = new Promise((done) => child.stdout.once('data', done));
  child.stdin.write("LOCK TABLES file_gram WRITE; SELECT 'locked';\n");
  await locked;
  return async () => {
    child.stdin.end();
    await ended;
  };
}

const statements = async () => {
  const { code, stdout, stderr } = await run('mariadb', [...asRoot, '-e',
    "SELECT info FROM information_schema.processlist WHERE user = 'gatehouse_gateway' AND command <> 'Sleep' AND info LIKE '%file_gram%'"]);
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean);
};

let ann, bob, script, record;
before(async () => {
  [ann, bob] = await Promise.all([stack.person(), stack.person()]);
  record = await uploadFile(stack, bob, 'kept', 'bytes');
  script = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'script', scope: 'files:read' } })).json.token;
});

const search = (token) => stack.call('GET', '/files?q=nothing', { token });
const assertEnded = (answer) => {
  assertProblem(answer, 503, 'unavailable');
  assert.ok(Number(answer.headers.get('retry-after')) > 0);
  assert.match(answer.json.detail, /too busy for this request; nothing was changed/);
};

describe('searches that wait for a lock', () => {
  test('are 503 after DB_TIMEOUT, and leave no statement in the server', async () => {
    const unlock = await lockSearches();
    try {
      assertEnded(await search(ann.token));
      assert.deepEqual(await statements(), []);
      assert.match(await stack.logLine('MySQL 1969'), /"status":503/);
    } finally {
      await unlock();
    }
    assert.equal((await search(ann.token)).status, 200);
  });

  for (const [what, token] of [['a login', () => ann.token], ['an API token', () => script]])
    test(`of one user with ${what} leave the other connections to others`, { skip: transport === 'cgi' && 'no pool' }, async () => {
      const unlock = await lockSearches();
      let searches = [];
      try {
        searches = Array.from({ length: 16 }, () => search(token()));
        while ((await statements()).length < 4) await pause(5);
        for (let i = 0; i < 20; i++) {
          const { status, text } = await stack.call('GET', `/download/${record.id}`, { token: bob.token });
          assert.equal(status, 200, text);
          assert.equal(text, 'bytes');
          assert.ok((await statements()).length <= 4);
        }
        for (const answer of await Promise.all(searches)) assertEnded(answer);
        assert.deepEqual(await statements(), []);
      } finally {
        await unlock();
        await Promise.all(searches);
      }
      assert.equal((await search(token())).status, 200);
    });
});
