// A program that ends under a request, programs that are not running, a full spool, and no free descriptor: what the
// client gets says whether another attempt may succeed.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus, basic } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { allFiles } from '../support/files.js';
import { build, pause, repository, run, running, startStack, untilExit } from '../support/stack.js';
import { transport } from '../support/transport.js';

const skip = transport !== 'fastcgi' && 'lighttpd starts the programs only as FastCGI';

describe('a program that ends under a request', { skip }, async () => {
  if (skip) return;
  const stack = await startStack({ how: 'fastcgi' });
  after(() => stack.stop());
  let ann;
  before(async () => {
    ann = await stack.person();
  });

  // The answer to a request whose program is killed before it reads it
  async function killedUnder(program, method, target, options) {
    const [pid] = stack.processes(program);
    process.kill(pid, 'SIGSTOP');
    while (!hasStopped(pid)) await pause(1);
    const answer = stack.call(method, target, { token: ann.token, ...options });
    await connected(pid);
    process.kill(pid, 'SIGKILL');
    const result = await answer;
    await untilExit(pid);
    while (stack.processes(program).length === 0 || (await alive(program)).status !== 200) await pause(20);
    return result;
  }
  // A thread that has not stopped yet could accept the connection
  const hasStopped = (pid) => readdirSync(`/proc/${pid}/task`).every((task) => / T /.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8').split(')').at(-1)));
  const alive = (program) => fetch(`${stack.internalUrl}/${program}/healthz`);

  // lighttpd has connected to the program's socket: it waits in the queue
  async function connected(pid) {
    const queued = () => execFileSync('ss', ['-xlH'], { encoding: 'utf8' }).split('\n').some((line) => line.includes(stack.state) && / [1-9]\d* +\d+ .*cgi-/.test(line));
    while (!queued() && running(pid)) await pause(10);
  }

  for (const [program, method, target, options] of [
    ['cgi-gateway', 'GET', '/files'],
    ['cgi-gateway', 'PUT', '/upload/x', { body: 'some bytes' }],
    ['cgi-gateway', 'DELETE', '/files/01a22235-8b38-7303-a0f2-f7a085d96eac'],
    ['cgi-auth', 'GET', '/me'],
    ['cgi-auth', 'POST', '/login', { token: undefined, body: '' }],
  ])
    test(`${program} under ${method} ${target}: 503, a request id, and Retry-After`, async () => {
      const answer = await killedUnder(program, method, target, options);
      assertProblem(answer, 503, 'unavailable');
      assert.equal(answer.headers.get('retry-after'), '1');
      assert.match(answer.headers.get('x-request-id'), /^[\w-]{22}$/);
      assert.match(answer.json.detail, /may have taken effect/);
    });

  test('cgi-gateway under the HEAD of a resumable upload: 423, which tells a client to ask again', async () => {
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' };
    const created = await stack.call('POST', '/tus/', { token: ann.token, headers, body: '' });
    const target = new URL(created.headers.get('location'), stack.url).pathname;
    const answer = await killedUnder('cgi-gateway', 'HEAD', target, { headers });
    assert.equal(answer.status, 423);
    assert.equal(answer.headers.get('retry-after'), '1');
    assertStatus(await stack.call('HEAD', target, { token: ann.token, headers }), 200);
  });
});

describe('programs that are not running', async () => {
  if (skip) return;
  const stack = await startStack({ how: 'spawn-fcgi' });
  // scripts/run would start them again
  const supervisor = Number(readFileSync(stack.path('run', 'lock'), 'utf8'));
  after(async () => {
    process.kill(supervisor, 'SIGCONT');
    await stack.stop();
  });
  before(async () => {
    process.kill(supervisor, 'SIGSTOP');
    const pids = ['cgi-auth', 'cgi-gateway'].flatMap((program) => stack.processes(program));
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await Promise.all(pids.map(untilExit));
  });

  for (const target of ['/files', '/me', '/tus/x', '/healthz'])
    test(`${target} is 503 with Retry-After, as a problem`, { skip }, async () => {
      const answer = await fetch(stack.url + target);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '1');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal((await answer.json()).type, 'urn:gatehouse:unavailable');
    });

  test('an unknown address is a problem, too', { skip }, async () => {
    const answer = await fetch(`${stack.url}/nothing`);
    assert.equal(answer.status, 404);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });
});

describe('a spool that is full', async () => {
  const possible = !skip && spawnSync('unshare', ['--user', '--map-root-user', '--mount', 'true']).status === 0;
  if (!possible) return;
  const stack = await startStack({ how: 'fastcgi' });
  await stack.halt();
  // The same instance again, with a spool of its own size
  const spool = stack.path('spool');
  mkdirSync(spool, { recursive: true });
  const { code, stderr } = await run('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c',
    'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" --detach --port 0 --state "$3" --build "$4"', 'sh', spool, join(repository, 'scripts', 'run'), stack.state, build]);
  assert.equal(code, 0, stderr);
  after(() => stack.stop());
  let ann;
  before(async () => {
    ann = await stack.person();
  });

  test('an upload over its size is 507, and nothing of it is left', async () => {
    const answer = await stack.call('PUT', '/upload/x', { token: ann.token, body: randomBytes(4 << 20) });
    assertProblem(answer, 507, 'storage-full');
    assert.match(answer.headers.get('x-request-id'), /^[\w-]{22}$/);
    assert.equal(answer.headers.has('retry-after'), false);
    assert.deepEqual(await allFiles(stack, ann), []);
  });

  test('one that fits is stored after it', async () => {
    assertStatus(await stack.call('PUT', '/upload/x', { token: ann.token, body: randomBytes(1 << 20) }), 201);
  });
});

describe('no free descriptor', { skip }, async () => {
  if (skip) return;
  const stack = await startStack({ how: 'fastcgi' });
  after(() => stack.stop());
  let ann;
  before(async () => {
    ann = await stack.person();
  });

  // Leave a program `free` descriptors for one call
  async function withFree(program, free, ask) {
    const [pid] = stack.processes(program);
    const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
    const soft = (n) => execFileSync('prlimit', ['--pid', pid, `--nofile=${n}:`]);
    let limit = 0;
    for (let left = free; left > 0 || used.has(limit); limit++) if (!used.has(limit)) left--;
    soft(limit);
    try {
      return await ask();
    } finally {
      soft(1024);
    }
  }
  const request = (method, path, more) => ({ REQUEST_METHOD: method, SCRIPT_NAME: path, REQUEST_URI: path, SERVER_PROTOCOL: 'HTTP/1.1', ...more });

  test('an upload is 503 with Retry-After, and nothing of it is left', async () => {
    const answer = await withFree('cgi-gateway', 1, () => {
      const exchange = begin(stack.fcgiAddress('cgi-gateway'), request('PUT', '/upload/x', { HTTP_AUTHORIZATION: `Bearer ${ann.token}`, CONTENT_LENGTH: '5' }));
      exchange.send(Buffer.from('bytes'));
      exchange.finish();
      return exchange.answer;
    });
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.text, /^Retry-After: 1\r$/m);
    assert.deepEqual(await allFiles(stack, ann), []);
  });

  test('a login that needs a connection to the database is 503 with Retry-After', async () => {
    const [old] = stack.processes('cgi-auth');
    process.kill(old, 'SIGKILL');
    await untilExit(old);
    while (stack.processes('cgi-auth').length === 0 || (await fetch(`${stack.internalUrl}/cgi-auth/healthz`)).status !== 200) await pause(20);
    const answer = await withFree('cgi-auth', 1, () => {
      const exchange = begin(stack.fcgiAddress('cgi-auth'), request('POST', '/login', { HTTP_AUTHORIZATION: basic(ann.email, ann.password), CONTENT_LENGTH: '0' }));
      exchange.finish();
      return exchange.answer;
    });
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.text, /^Retry-After: 1\r$/m);
  });
});
