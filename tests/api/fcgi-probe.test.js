// fcgi-probe against real programs, at Unix sockets and TCP ports: the health check of a container.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import net from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { begin } from '../support/fastcgi.js';
import { freePort } from '../support/ports.js';
import { build, pause, run, sanitizerLines, useStack } from '../support/stack.js';

const stack = await useStack();
const probe = (...args) => run(join(build, 'fcgi-probe'), args);

const children = [];
after(async () => {
  for (const { child, ended, output } of children) {
    child.kill();
    await ended;
    assert.deepEqual(sanitizerLines(output()), []);
  }
});

// Start a program under spawn-fcgi; returns its address for fcgi-probe.
let serial = 0;
async function start(name, how, env = {}) {
  const port = await freePort();
  const path = stack.path('run', `probe-${process.pid}-${serial++}.sock`);
  const tcp = how === 'TCP';
  const child = spawn('spawn-fcgi', ['-n', ...(tcp ? ['-a', '127.0.0.1', '-p', port] : ['-s', path]), '--', join(build, name)],
    { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.replace('cgi-', '')}.env`), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.on('data', (text) => (output += text));
  const ended = new Promise((done) => child.on('exit', done));
  children.push({ child, ended, output: () => output });
  const alive = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/healthz', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1' };
  while ((await begin(tcp ? { host: '127.0.0.1', port } : path, alive).finish()).cut) {
    assert.equal(child.exitCode, null, output);
    await pause(10);
  }
  return tcp ? `127.0.0.1:${port}` : path;
}

// A server that answers each connection with `bytes`, and then closes it if `hangUp` is set.
async function fakeServer(bytes, hangUp) {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(bytes);
      if (hangUp) socket.end();
    });
  });
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket));
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return `127.0.0.1:${server.address().port}`;
}

async function assertUnhealthy(args, why) {
  const { code, stdout, stderr } = await probe(...args);
  assert.deepEqual([code, stdout], [1, ''], stderr);
  assert.match(stderr, why);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
}

for (const how of ['a Unix socket', 'TCP'])
  for (const name of ['cgi-auth', 'cgi-gateway'])
    describe(`${name} at ${how}`, () => {
      test(`${name} at ${how} is alive and ready`, async () => {
        const address = await start(name, how);
        for (const path of ['/readyz', '/healthz']) assert.deepEqual(await probe('--path', path, address), { code: 0, stdout: '', stderr: '' });
        assert.equal((await probe(address)).code, 0);
      });

      test(`${name} at ${how} without its database is alive and not ready, with the reason`, async () => {
        const address = await start(name, how, { MYSQL_SOCKET: stack.path('run', 'nobody') });
        assert.equal((await probe('--path', '/healthz', address)).code, 0);
        await assertUnhealthy([address], /\/readyz at .* answers 503: \{.*"urn:gatehouse:unavailable"/);
      });

      test(`${name} at ${how} is unhealthy at an unknown path`, async () => {
        await assertUnhealthy(['--path', '/nothing', await start(name, how)], /answers 404/);
      });
    });

describe('addresses without a FastCGI program', () => {
  test('each failure at an address has a message of its own', async () => {
    await assertUnhealthy([`127.0.0.1:${await freePort()}`], /Connection refused/);
    await assertUnhealthy([stack.path('run', 'nobody.sock')], /No such file/);
    await assertUnhealthy([await fakeServer('HTTP/1.1 400 Bad Request\r\n\r\n')], /does not speak FastCGI/);
    await assertUnhealthy([await fakeServer('', true)], /hung up/);
    await assertUnhealthy([await fakeServer(Buffer.from([1, 6, 0, 1, 0, 9, 0, 0, 83]), true)], /hung up/);
    await assertUnhealthy([await fakeServer(Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]))], /takes no request \(FastCGI status 2\)/);
    await assertUnhealthy([await fakeServer(Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))], /no header fields/);
  });

  test('a server that does not answer is unhealthy after --timeout', async () => {
    await assertUnhealthy(['--timeout', '1', await fakeServer(Buffer.from([1, 6]))], /no answer within the time/);
  });

  test('control characters of an answer are not printed', async () => {
    const body = Buffer.from('Status: 500\r\n\r\n\u001b[2Jbad\nline');
    const head = Buffer.from([1, 6, 0, 1, 0, body.length, 0, 0]);
    await assertUnhealthy([await fakeServer(Buffer.concat([head, body, Buffer.from([1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])]))],
      /answers 500:  \[2Jbad line\n$/);
  });
});

test('wrong usage exits 64 with a message', async () => {
  for (const args of [[], ['localhost:1'], ['127.0.0.1:1', 'more'], ['--timeout', '0', '127.0.0.1:1'], ['--timeout', 'x', '127.0.0.1:1'],
    ['--path', 'readyz', '127.0.0.1:1'], ['--nothing', '127.0.0.1:1'], [`/${'x'.repeat(200)}`]]) {
    const { code, stdout, stderr } = await probe(...args);
    assert.deepEqual([code, stdout], [64, ''], stderr);
    assert.match(stderr, /^fcgi-probe: .+/);
  }
  await assertUnhealthy(['--path', `/${'x'.repeat(2000)}`, '127.0.0.1:1'], /too long/);
  assert.match((await probe('--help')).stdout, /^usage: fcgi-probe/);
  assert.match((await probe('--version')).stdout, /^fcgi-probe \d/);
});
