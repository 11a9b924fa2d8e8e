// fcgi-probe against real programs and fake servers, at Unix sockets and TCP ports: the health check of containers.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { begin } from '../support/fastcgi.js';
import { freePort } from '../support/ports.js';
import { build, pause, repository, run, sanitizerLines, useStack } from '../support/stack.js';

const stack = await useStack();
const script = join(repository, 'scripts/fcgi-probe');
const probe = (...args) => run(script, args);

const children = [];
after(async () => {
  for (const { child, ended, said } of children) {
    child.kill('SIGCONT');
    child.kill();
    await ended;
    assert.deepEqual(sanitizerLines(said()), []);
  }
});

// Start a program under spawn-fcgi; returns {address, child}, with the address for fcgi-probe.
let serial = 0;
async function startProgram(name, how, env = {}, host = '127.0.0.1') {
  const port = await freePort();
  const path = stack.path('run', `probe-${process.pid}-${serial++}.sock`);
  const tcp = how === 'TCP';
  const child = spawn('spawn-fcgi', ['-n', ...(tcp ? ['-a', host, '-p', port] : ['-s', path]), '--', join(build, name)],
    { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.replace('cgi-', '')}.env`), ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const ended = new Promise((done) => child.on('exit', done));
  children.push({ child, ended, said: () => said });
  const alive = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/healthz', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1' };
  while ((await begin(tcp ? { host: '127.0.0.1', port } : path, alive).finish()).cut) {
    assert.equal(child.exitCode, null, said);
    await pause(10);
  }
  return { address: tcp ? `127.0.0.1:${port}` : path, child };
}
const start = async (...args) => (await startProgram(...args)).address;

// A server that sends `bytes` after the first bytes of a request, and then closes the connection or not.
// Returns {address, received, closed}: what was sent to it, and a promise that its client closed the connection.
async function pretend(bytes, close) {
  const server = net.createServer();
  const sockets = new Set();
  const pretender = { received: Buffer.alloc(0) };
  pretender.closed = new Promise((done) => server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', done);
    socket.once('data', () => {
      socket.write(bytes);
      if (close) socket.end();
    });
    socket.on('data', (data) => { pretender.received = Buffer.concat([pretender.received, data]); });
  }));
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  pretender.address = `127.0.0.1:${server.address().port}`;
  return pretender;
}
const pretender = async (...args) => (await pretend(...args)).address;

// Records of FastCGI 1.0 for request 1
const [END, OUT, ERR] = [3, 6, 7];
function record(type, content, padding = 0) {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([1, type, 0, 1, bytes.length >> 8, bytes.length & 255, padding, 0]), bytes, Buffer.alloc(padding, 1)]);
}
const end = (status = 0) => record(END, [0, 0, 0, 0, status, 0, 0, 0]);
const answer = (text) => Buffer.concat([record(OUT, text), end()]);

async function assertUnhealthy(args, why) {
  const { code, stdout, stderr } = await probe(...args);
  assert.deepEqual([code, stdout], [1, ''], stderr);
  assert.match(stderr, why);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
}

async function assertHealthy(...args) {
  assert.deepEqual(await probe(...args), { code: 0, stdout: '', stderr: '' });
}

for (const how of ['a Unix socket', 'TCP'])
  for (const name of ['cgi-auth', 'cgi-gateway'])
    describe(`${name} at ${how}`, () => {
      test(`${name} at ${how} is running and ready`, async () => {
        const address = await start(name, how);
        for (const path of ['/readyz', '/healthz']) await assertHealthy('--path', path, address);
        await assertHealthy(address);
      });

      test(`${name} at ${how} without its database is running and not ready, and the reason is printed`, async () => {
        const address = await start(name, how, { MYSQL_SOCKET: stack.path('run', 'nobody') });
        assert.equal((await probe('--path', '/healthz', address)).code, 0);
        await assertUnhealthy([address], /\/readyz at .* answers 503: \{.*"urn:gatehouse:unavailable"/);
      });

      test(`${name} at ${how} is not healthy at an unknown path`, async () => {
        await assertUnhealthy(['--path', '/nothing', await start(name, how)], /answers 404/);
      });

      test(`${name} at ${how} is not healthy while it is stopped, and the probe ends at its time limit`, async () => {
        const { address, child } = await startProgram(name, how);
        child.kill('SIGSTOP');
        await assertUnhealthy(['--timeout', '1', address], /no answer within the time limit of 1 s/);
        child.kill('SIGCONT');
        await assertHealthy(address);
      });

      test(`${name} at ${how} is healthy each of 25 times`, async () => {
        const address = await start(name, how);
        for (let i = 0; i < 25; i++) await assertHealthy('--path', '/healthz', address);
      });
    });

test('a program that listens at [::] answers at 127.0.0.1', async () => {
  await assertHealthy(await start('cgi-auth', 'TCP', {}, '::'));
});

// The functions of the image's entrypoint that turn GATEHOUSE_LISTEN into an address, with fcgi-probe printing its arguments.
for (const [listen, asked] of [['', '/run/x/cgi-auth.sock'], ['0.0.0.0:9000', '127.0.0.1:9000'], ['[::]:9000', '127.0.0.1:9000'], ['10.0.0.5:9001', '10.0.0.5:9001']])
  test(`the health check of a container asks ${asked} if GATEHOUSE_LISTEN is "${listen}"`, async () => {
    const { stdout, stderr } = await run('bash', ['-ec', `
      eval "$(sed -n '/^die()/,/^}/p; /^checked_place()/,/^}/p; /^program_answers()/,/^}/p' "$1")"
      fcgi-probe() { echo "$*"; }
      run=/run/x
      program_answers cgi-auth`, 'bash', join(repository, 'deploy/container/entrypoint')], { env: { GATEHOUSE_LISTEN: listen } });
    assert.equal(stdout, `--timeout 4 ${asked}\n`, stderr);
  });

describe('reasons', () => {
  test('a refused connection is reported', async () => {
    await assertUnhealthy([`127.0.0.1:${await freePort()}`], /Connection refused/);
  });

  test('a socket that does not exist is reported', async () => {
    await assertUnhealthy([stack.path('run', 'nobody.sock')], /No such file/);
  });

  test('a server that does not speak FastCGI is reported', async () => {
    await assertUnhealthy([await pretender('HTTP/1.1 400 Bad Request\r\n\r\n')], /does not speak FastCGI/);
  });

  test('a connection that is closed without an answer is reported', async () => {
    await assertUnhealthy([await pretender('', true)], /hung up/);
  });

  test('a connection that is closed within a record is reported', async () => {
    await assertUnhealthy([await pretender(Buffer.from([1, 6, 0, 1, 0, 9, 0, 0, 83]), true)], /hung up/);
  });

  test('a connection that is closed after an answer without its end record is reported', async () => {
    await assertUnhealthy([await pretender(record(OUT, 'Status: 200\r\n\r\nfine'), true)], /hung up/);
  });

  test('a program that refuses the request is reported', async () => {
    await assertUnhealthy([await pretender(end(2))], /refused the request/);
  });

  test('an answer without header fields is reported', async () => {
    await assertUnhealthy([await pretender(end())], /no header fields/);
    await assertUnhealthy([await pretender(answer('Status: 200 OK\r\nA: b'))], /no header fields/);
  });

  test('an answer without an end is reported', async () => {
    await assertUnhealthy(['--timeout', '1', await pretender(Buffer.from([1, 6]))], /no answer within the time/);
    await assertUnhealthy(['--timeout', '1', await pretender(record(OUT, 'Status: 200\r\n\r\nfine'))], /no answer within the time/);
  });

  for (const value of ['fine', '', '99', '1000', '2000000000000', '-200', '20x'])
    test(`the invalid Status "${value}" is reported`, async () => {
      await assertUnhealthy([await pretender(answer(`Status: ${value}\r\n\r\n`))], /no valid Status/);
    });

  test('the status and at most 300 bytes of the body are printed on one line', async () => {
    await assertUnhealthy([await pretender(answer(`Status: 500\r\n\r\n${'x'.repeat(20000)}`))], /answers 500: x{300}\n$/);
  });
});

describe('answers', () => {
  for (const [what, text] of [['without a Status is a 200', 'Content-Type: text/plain\r\n\r\nbody'], ['without header fields but with the blank line is a 200', '\r\nbody'],
    ['may have any 2xx', 'A: b\r\nstatus:204\r\n\r\n'], ['may have lines that end in a line feed only', 'A: b\nStatus:  200  OK\n\nx\n\ny']])
    test(`an answer ${what}`, async () => {
      await assertHealthy(await pretender(answer(text)));
    });

  for (const status of [100, 199, 300, 404, 500, 503])
    test(`an answer with status ${status} is not healthy`, async () => {
      await assertUnhealthy([await pretender(answer(`Status: ${status} Something\r\n\r\nwhy`))], new RegExp(`answers ${status}: why\n$`));
    });

  test('an answer has its Status in the header, not in the body', async () => {
    await assertUnhealthy([await pretender(answer('Status: 500\r\n\r\nStatus: 200\r\n\r\n'))], /answers 500/);
    await assertHealthy(await pretender(answer('A: b\r\n\r\nStatus: 500\r\n\r\n')));
  });

  test('an answer may consist of many records, with padding', async () => {
    await assertUnhealthy([await pretender(Buffer.concat([record(OUT, 'Status: 5', 3), record(OUT, '03\r\n\r\nbu'), record(OUT, 'sy', 6), record(OUT, ''), end()]))],
      /answers 503: busy\n$/);
  });

  test('standard error of a program is not part of the answer', async () => {
    await assertUnhealthy([await pretender(Buffer.concat([record(ERR, 'Status: 200\r\n\r\n'), answer('Status: 503\r\n\r\nbusy')]))], /answers 503: busy\n$/);
  });

  test('control characters of an answer are not printed', async () => {
    await assertUnhealthy([await pretender(answer('Status: 500\r\n\r\n\u001b[2Jbad\nline'))], /answers 500:  \[2Jbad line\n$/);
    await assertUnhealthy([await pretender(answer('Status: 500\r\n\r\na\0b\u009bc'))], /answers 500: a b  c\n$/);
  });
});

describe('requests', () => {
  test('the request has the variables of a web server', async () => {
    const server = await pretend(answer('Status: 200\r\n\r\n'));
    await assertHealthy('--path', '/healthz', server.address);
    for (const part of ['REQUEST_METHODGET', 'SCRIPT_NAME/healthz', 'SERVER_PROTOCOLHTTP/1.1', 'CONTENT_LENGTH0']) assert.ok(server.received.includes(part), part);
  });

  test('the request has nothing of the environment of fcgi-probe', async () => {
    const server = await pretend(answer('Status: 200\r\n\r\n'));
    assert.equal((await run(script, [server.address], { env: { MYSQL_PASSWORD: 'swordfish' } })).code, 0);
    for (const part of ['MYSQL_PASSWORD', 'swordfish', 'PATH/']) assert.ok(!server.received.includes(part), part);
  });

  test('the request ends at the time limit, and leaves no process behind', async () => {
    const server = await pretend(Buffer.from([1, 6]));
    const began = Date.now();
    await assertUnhealthy(['--timeout', '1', server.address], /no answer/);
    assert.ok(Date.now() - began < 3000);
    await server.closed;
  });
});

describe('wrong usage', () => {
  for (const [args, why] of [[[], /ADDRESS is missing/], [['127.0.0.1:1', 'more'], /"more" is one argument too many/],
    [['--timeout', '0', '127.0.0.1:1'], /1 to 3600/], [['--timeout', '3601', '127.0.0.1:1'], /1 to 3600/], [['--timeout', 'x', '127.0.0.1:1'], /1 to 3600/],
    [['--timeout', '1m', '127.0.0.1:1'], /1 to 3600/], [['--timeout'], /requires an argument/],
    [['--path', 'readyz', '127.0.0.1:1'], /begins with \//], [['--nothing', '127.0.0.1:1'], /--nothing/],
    [['[::1]:9000'], /no IPv6.*127\.0\.0\.1/], [['/run/a:1.sock'], /colon/], [[`/${'x'.repeat(107)}`], /limited to 107 bytes/],
    ...['', 'localhost:1', 'cgi-auth:9000', '127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536', '127.0.0.1:-9000', '127.0.0.1:90x', '127.1:9000',
      '1.2.3.4.5:1', '256.0.0.1:1', '::1:9000', ':9000', 'relative/path', '127.0.0.1:1\n'].map((address) => [[address], /127\.0\.0\.1:9000/])])
    test(`wrong usage exits 64 with the correct form: ${JSON.stringify(args).slice(0, 60)}`, async () => {
      const { code, stdout, stderr } = await probe(...args);
      assert.deepEqual([code, stdout], [64, ''], stderr);
      assert.match(stderr, /^fcgi-probe: .+/);
      assert.match(stderr, why);
    });

  test('a socket path of 107 bytes is the longest', async () => {
    await assertUnhealthy([`/${'x'.repeat(106)}`], /No such file/);
  });

  test('a request path of 1024 bytes is the longest', async () => {
    await assertUnhealthy(['--path', `/${'x'.repeat(2000)}`, '127.0.0.1:1'], /too long/);
    await assertUnhealthy(['--path', `/${'x'.repeat(1024)}`, '127.0.0.1:1'], /too long/);
    await assertUnhealthy(['--path', `/${'x'.repeat(1023)}`, await start('cgi-auth', 'TCP')], /answers 4/);
  });
});

test('fcgi-probe without cgi-fcgi exits 69 and names the package to install', async () => {
  const path = stack.path('run', `probe-${process.pid}-bin`);
  mkdirSync(path);
  for (const tool of ['getopt', 'sed']) symlinkSync(`/usr/bin/${tool}`, join(path, tool));
  const { code, stdout, stderr } = await run(script, ['127.0.0.1:1'], { env: { PATH: path } });
  assert.deepEqual([code, stdout], [69, ''], stderr);
  assert.match(stderr, /install libfcgi-bin/);
});

test('--help and --version print the usage and the version of this release', async () => {
  assert.match((await probe('--help')).stdout, /^usage: fcgi-probe/);
  const version = /^VERSION\s*:?=\s*(\S+)/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1];
  assert.equal((await probe('--version')).stdout, `fcgi-probe ${version}\n`);
});
