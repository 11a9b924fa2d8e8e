// A program that the system gives less than its settings ask for, and a client that leaves before its response: each is
// in the log, in words that an operator can act on.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { begin } from '../support/fastcgi.js';
import { build, pause, startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

const request = (path) => ({ REQUEST_METHOD: 'GET', SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1' });

// A program beside the instance's, at a socket of its own, behind the shell's ulimit.
async function program(name, limit, env) {
  const socket = stack.path('run', `limits-${name}-${Date.now()}.sock`);
  const child = spawn('sh', ['-c', `${limit}; exec spawn-fcgi -n -s "$1" -- "$2"`, 'sh', socket, join(build, name)], {
    env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.replace('cgi-', '')}.env`), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => { stderr += text; });
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  while ((await begin(socket, request('/healthz')).finish()).cut) {
    assert.equal(child.exitCode, null, stderr);
    await pause(20);
  }
  const lines = () => stderr.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return { socket, child, ended, lines };
}

async function stop({ child, ended }) {
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
}

describe('THREADS beyond what the system allows', () => {
  for (const name of ['cgi-gateway', 'cgi-auth']) {
    test(`${name} serves with the threads that it has, and logs how many and what to do`, async () => {
      const under = await program(name, 'ulimit -v 300000', { THREADS: '1024' });
      const line = under.lines().find(({ event, level }) => event === 'start' && level === 'error');
      assert.ok(line, JSON.stringify(under.lines()));
      assert.match(line.detail, /^only \d+ of 1024 threads \(THREADS\) could be started: .+; lower THREADS, or raise/);
      await stop(under);
    });
  }

  test('cgi-gateway logs no error if all threads were started', async () => {
    const under = await program('cgi-gateway', 'true', { THREADS: '1024' });
    assert.deepEqual(under.lines().filter(({ level }) => level === 'error'), []);
    await stop(under);
  });
});

describe('clients that disconnect before the response', () => {
  test('a client that disconnects before its response is logged with the status that it did not receive', async () => {
    const under = await program('cgi-gateway', 'true', {});
    under.child.kill('SIGSTOP');
    const leaving = begin(under.socket, { ...request('/healthz'), HTTP_X_REQUEST_ID: 'leaving' });
    leaving.finish();
    await leaving.disconnectAfterSending();
    under.child.kill('SIGCONT');
    let line;
    while (!(line = under.lines().find(({ request_id: id }) => id === 'leaving'))) await pause(10);
    assert.equal(line.status, 200);
    assert.equal(line.error, 'connection closed', JSON.stringify(line));
    await stop(under);
  });
});
