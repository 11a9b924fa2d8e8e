// scripts/run and scripts/stop: an instance from its first start to a crash of everything
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { commandsOf } from '../support/manual.js';
import { build, untilExit, pause, repository, run, startStack } from '../support/stack.js';

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

// A new state directory, removed with what runs in it. `path` is its name in a temporary folder.
async function inNewState(use, path = 'state') {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  const state = join(folder, path);
  try {
    return await use(state, folder);
  } finally {
    await run(join(repository, 'scripts', 'stop'), ['--state', state]);
    rmSync(folder, { recursive: true });
  }
}
const firstUser = (state) => readFileSync(join(state, 'first-user'), 'utf8').trim().split('\n');
const answers = async (state) => (await fetch(`${readFileSync(join(state, 'url'), 'utf8').trim()}/healthz`)).status;
// A private copy of /etc in which no name has an address
const nameless = (script) => ['unshare', ['--mount', 'bash', '-ec', `for file in hosts resolv.conf; do mount --bind /dev/null "$(realpath /etc/$file)"; done; ! getent hosts localhost; exec "$@"`, '-', ...script]];
const canUnshare = process.getuid() === 0 && (await run('unshare', ['--mount', 'true'])).code === 0;

test('scripts/run and scripts/stop find the servers without sbin in PATH', () => inNewState(async (state) => {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin' };
  const started = await run(join(repository, 'scripts/run'), ['--detach', '--build', build, '--port', '0', '--state', state], { env });
  assert.equal(started.code, 0, started.stderr);
  assert.equal(await answers(state), 200);
  const stopped = await run(join(repository, 'scripts/stop'), ['--state', state], { env });
  assert.deepEqual([stopped.code, stopped.stderr], [0, `stop: stopped; files, users and settings stay in ${state}\n`]);
}));

test('scripts/run works where not even localhost has an address', { skip: !canUnshare && 'only root can hide /etc/hosts' }, () => inNewState(async (state) => {
  const [file, args] = nameless([join(repository, 'scripts/run'), '--detach', '--build', build, '--port', '0', '--state', state]);
  const { code, stderr } = await run(file, args);
  assert.equal(code, 0, stderr);
  assert.equal(await answers(state), 200);
}));

for (const transport of ['fastcgi', 'spawn-fcgi', 'cgi'])
  test(`a clone, its programs and its state may have blanks in their paths, over ${transport}`, () => inNewState(async (state, folder) => {
    const clone = join(folder, 'my clone');
    mkdirSync(clone);
    for (const name of ['scripts', 'lighttpd', 'schema']) cpSync(join(repository, name), join(clone, name), { recursive: true });
    mkdirSync(join(clone, 'the build'));
    for (const name of ['cgi-auth', 'auth-admin', 'cgi-gateway', 'gateway-admin']) symlinkSync(join(build, name), join(clone, 'the build', name));
    const { code, stderr } = await run(join(clone, 'scripts/run'), ['--detach', '--build', join(clone, 'the build'), '--port', '0', '--state', state, '--transport', transport]);
    assert.equal(code, 0, stderr);
    const url = readFileSync(join(state, 'url'), 'utf8').trim();
    const [email, password] = firstUser(state);
    const login = await fetch(`${url}/login`, { method: 'POST', headers: { authorization: `Basic ${btoa(`${email}:${password}`)}` } });
    assert.equal(login.status, 200);
    const { access_token: token } = await login.json();
    assert.equal((await fetch(`${url}/files`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  }, 'a state'));

test('scripts/run says what it does, a line a step', () => inNewState(async (state) => {
  const { code, stderr } = await scriptsRun('--port', '0', '--state', state);
  assert.equal(code, 0);
  assert.match(stderr, /^run: starting MariaDB in .*\nrun: migrating the databases\nrun: creating a first user\nrun: starting lighttpd and the programs\n$/);
}));

test('no log has the first user\'s password, and no arguments of a process', () => inNewState(async (state, folder) => {
  const child = spawn(join(repository, 'scripts/run'), ['--detach', '--build', build, '--port', '0', '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '', seen = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { printed += text; });
  while (child.exitCode === null) {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen += readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch { /* it has ended */ }
    }
    await pause(5);
  }
  assert.equal(child.exitCode, 0);
  const [, password] = firstUser(state);
  const secrets = [password, ...readdirSync(join(state, 'keys')).map((name) => readFileSync(join(state, 'keys', name), 'utf8').trim().split(' ').at(-1))];
  assert.equal(secrets.length, 4);
  const readLogs = () => readdirSync(join(state, 'log')).map((name) => readFileSync(join(state, 'log', name), 'utf8')).join('\n');
  // What runs in the background writes it when it is ready, perhaps after --detach has returned
  for (let tries = 0; tries < 1000 && !/Gatehouse runs at/.test(readLogs()); tries++) await pause(20);
  const logs = readLogs();
  assert.match(logs, /Gatehouse runs at/);
  for (const secret of secrets) {
    assert.ok(!logs.includes(secret), 'a log has a secret');
    assert.ok(!seen.includes(secret), 'the arguments of a process have a secret');
  }
  assert.ok(printed.includes(`PASSWORD=${password}\n`));
  // Into a file, the line names where the password is, and works as pasted
  const file = join(folder, 'output');
  assert.equal((await run('bash', ['-c', '"$0" "$@" >output', join(repository, 'scripts/stop'), '--state', state], { cwd: folder })).code, 0);
  assert.equal((await run('bash', ['-c', '"$0" "$@" >output', join(repository, 'scripts/run'), '--detach', '--build', build, '--port', '0', '--state', state], { cwd: folder })).code, 0);
  const output = readFileSync(file, 'utf8');
  assert.ok(!output.includes(password));
  const pasted = await run('bash', ['-c', `${output.match(/^ +URL=.*$/m)[0]}; echo "$PASSWORD"`]);
  assert.equal(pasted.stdout.trim(), password);
}));

test('the password that an earlier version wrote into run.log is removed', () => inNewState(async (state) => {
  mkdirSync(join(state, 'log'), { recursive: true });
  const line = '  URL=http://127.0.0.1:8080 EMAIL=me@example.com PASSWORD=abcdefghij234567abcd';
  writeFileSync(join(state, 'log/run.log'), `first\n${line}\nlast\n`);
  const child = spawn(join(repository, 'scripts/run'), ['--build', build, '--port', '0', '--state', state], { stdio: 'ignore' });
  while (!existsSync(join(state, 'url'))) await pause(20);
  assert.equal(readFileSync(join(state, 'log/run.log'), 'utf8'), 'first\nlast\n');
  child.kill('SIGTERM');
  await untilExit(child.pid);
}));

for (const signal of ['SIGINT', 'SIGTERM'])
  test(`scripts/run says what ${signal} stopped, what stays, and how to start again`, () => inNewState(async (state) => {
    const child = spawn(join(repository, 'scripts/run'), ['--build', build, '--port', '0', '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '', stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { stderr += text; });
    while (!stdout.includes('Ctrl-C')) await pause(20);
    child.kill(signal);
    await new Promise((done) => child.on('close', done));
    assert.equal(child.exitCode, 0);
    assert.match(stderr, /run: stopping; requests in progress get up to 30 seconds .*\nrun: stopped lighttpd, cgi-auth, cgi-gateway and MariaDB; .* stay in .*\nrun: to start it again: .*scripts\/run .*--state .*\n$/);
    assert.ok(stderr.trim().endsWith(state));
  }));

test('scripts/run stops its servers when its terminal is gone', () => inNewState(async (state) => {
  const child = spawn(join(repository, 'scripts/run'), ['--build', build, '--port', '0', '--state', state], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { stdout += text; });
  while (!stdout.includes('Ctrl-C')) await pause(20);
  child.stdout.destroy();
  child.stderr.destroy();
  child.kill('SIGHUP');
  await untilExit(child.pid);
  assert.equal(existsSync(join(state, 'url')), false);
  const { stderr } = await run(join(repository, 'scripts/stop'), ['--state', state]);
  assert.equal(stderr, '', 'nothing was left to stop');
}));

// What is wrong is found before anything is built: a directory of programs that is missing is a later error.
const beforeBuilding = (state, ...args) => run(join(repository, 'scripts/run'), ['--detach', '--build', join(state, 'missing'), '--state', state, ...args]);

test('what would make scripts/run fail is reported before anything is built', () => inNewState(async (state, folder) => {
  assert.match((await beforeBuilding(state, '--port', '0')).stderr, /cgi-auth is missing/);
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.on('listening', done));
  const { port } = server.address();
  const taken = await beforeBuilding(state, '--port', String(port));
  server.close();
  assert.deepEqual([taken.code, taken.stderr], [1, `run: port ${port} is taken by another program; choose one with --port N, or --port 0 for any\n`]);
  writeFileSync(join(folder, 'file'), '');
  const unmade = await run(join(repository, 'scripts/run'), ['--build', '/missing', '--port', '0', '--state', join(folder, 'file', 'state')]);
  assert.equal(unmade.code, 1);
  assert.match(unmade.stderr, /run: .*file\/state cannot be made; choose another directory with --state\n$/);
}));

test('an ordinary user hears of a port and of a clone of root before anything is built', { skip: process.getuid() !== 0 && 'only root can become another user' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-test-'));
  try {
    chmodSync(folder, 0o755);
    const clone = join(folder, 'clone'), own = join(folder, 'own');
    for (const name of ['scripts', 'Makefile']) cpSync(join(repository, name), join(clone, name), { recursive: true });
    mkdirSync(own);
    chownSync(own, 65534, 65534);
    const asNobody = (...args) => run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', join(clone, 'scripts/run'), '--state', join(own, 'state'), ...args]);
    const port = await asNobody('--port', '80', '--build', '/missing');
    if (readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').trim() !== '0')
      assert.deepEqual([port.code, port.stderr], [1, 'run: only root may listen on port 80; choose one from 1024 on with --port N\n']);
    const made = await asNobody('--port', '0');
    assert.equal(made.code, 1);
    assert.match(made.stderr, /^run: you may not write to .*clone; .*\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a killed instance does not make its own port count as taken', () => inNewState(async (state) => {
  assert.equal((await scriptsRun('--port', '0', '--state', state)).code, 0);
  const port = new URL(readFileSync(join(state, 'url'), 'utf8').trim()).port;
  process.kill(Number(readFileSync(join(state, 'run/lock'), 'utf8')), 'SIGKILL');
  const { code, stderr } = await scriptsRun('--port', port, '--state', state);
  assert.equal(code, 0, stderr);
  assert.equal(await answers(state), 200);
}));

test('two scripts/run at once start one instance, and both print its URL', () => inNewState(async (state) => {
  const runs = await Promise.all([1, 2].map(() => scriptsRun('--port', '0', '--state', state)));
  assert.deepEqual(runs.map(({ code }) => code), [0, 0], runs.map(({ stderr }) => stderr).join());
  assert.equal(new Set(runs.map(({ stdout }) => stdout.trim().split('\n').at(-1))).size, 1);
}));

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
