// scripts/run and scripts/stop: an instance from its first start to a crash of everything
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { commandsOf } from '../support/manual.js';
import { build, untilExit, repository, run, startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const PROCESSES = ['mariadbd', 'lighttpd', 'cgi-auth', 'cgi-gateway'];
const scriptsRun = (...args) => run(join(repository, 'scripts', 'run'), ['--detach', '--build', build, ...args]);

test('the line that scripts/run prints, followed by the lines of README.md, works as pasted', async () => {
  await stack.halt();
  const lines = (await stack.start()).split('\n').filter((line) => /^ +URL=\S+ EMAIL=\S+ PASSWORD=\S+$/.test(line));
  assert.equal(lines.length, 1, 'one line to paste is printed');
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-paste-'));
  try {
    const { code, stdout, stderr } = await run('bash', ['-e'], { input: [...lines, ...commandsOf('README.md')].join('\n'), cwd: folder });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /"name":"hello.txt"/);
    assert.match(stdout, /hello\n/);
    assert.doesNotMatch(stdout, /urn:gatehouse/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a second scripts/run of a running instance changes nothing and prints its URL', async () => {
  const url = stack.url;
  const { code, stdout } = await scriptsRun('--port', '0', '--state', stack.state);
  assert.equal(code, 0);
  assert.equal(stdout.trim().split('\n').at(-1), url);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('a port in use is reported in one line', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.on('listening', done));
  const { port } = server.address();
  const other = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  try {
    const { code, stderr } = await scriptsRun('--port', String(port), '--state', other);
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`^run: .*\\b${port}\\b.*$`, 'm'));
  } finally {
    server.close();
    await run(join(repository, 'scripts', 'stop'), ['--state', other]);
    rmSync(other, { recursive: true });
  }
});

test('an instance starts again with its users and files after kill -9 of everything', async () => {
  const ann = await stack.person();
  const record = await uploadFile(stack, ann, 'kept', 'x');
  const pids = PROCESSES.flatMap((name) => stack.processes(name));
  assert.ok(pids.length >= 4);
  for (const pid of [...stack.processes('run'), ...pids]) process.kill(pid, 'SIGKILL');
  await Promise.all(pids.map(untilExit));
  await stack.start();
  assertStatus(await stack.call('POST', '/login', { basic: [ann.email, ann.password] }), 200);
  assert.deepEqual(await allFiles(stack, ann), [record]);
  assert.equal((await stack.call('GET', record.url, { token: ann.token })).text, 'x');
});

test('scripts/stop leaves no process, and may be repeated', async () => {
  await stack.halt();
  await stack.halt();
  assert.deepEqual(PROCESSES.flatMap((name) => stack.processes(name)), []);
  await stack.start();
});
