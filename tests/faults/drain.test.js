// SIGTERM: requests in progress are finished, then the program exits 0.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { basic } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { startLoad } from '../support/load.js';
import { uploadFile } from '../support/files.js';
import { freePort } from '../support/ports.js';
import { build, untilExit, pause, startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());

let ann;
before(async () => {
  ann = await stack.person();
});

// Start a program with its own socket, beside those of the instance, to see its exit status.
async function program(name, how = 'a Unix socket') {
  const path = stack.path('run', `test-${name}-${Date.now()}.sock`);
  const tcp = how === 'TCP' && { host: '127.0.0.1', port: await freePort() };
  const socket = tcp || path;
  const child = spawn('spawn-fcgi', ['-n', ...(tcp ? ['-a', tcp.host, '-p', tcp.port] : ['-s', path]), '--', join(build, name)],
    { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.replace('cgi-', '')}.env`) }, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (text) => { stderr += text; });
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  // The path exists a moment before the program listens.
  const alive = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/healthz', PATH_INFO: '', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1' };
  while ((await begin(socket, alive).finish()).cut) await pause(10);
  return { socket, child, ended, get stderr() { return stderr; } };
}

const variables = (method, path, more) => ({
  REQUEST_METHOD: method, SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', REQUEST_URI: path, SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1',
  HTTP_AUTHORIZATION: `Bearer ${ann.token}`, ...more,
});
// A body has a file there when 128 KiB of it have arrived
const incoming = () => readdirSync(join(stack.settings('gateway').DATA_DIR, 'incoming')).length;

for (const how of ['a Unix socket', 'TCP']) describe(`SIGTERM to cgi-gateway at ${how}`, () => {
  test(`cgi-gateway at ${how} finishes every upload in progress on SIGTERM and exits 0`, async () => {
    const gateway = await program('cgi-gateway', how);
    const body = Buffer.alloc(300_000, 'x');
    const before = incoming();
    const uploads = Array.from({ length: 8 }, (_, i) => {
      const request = begin(gateway.socket, variables('PUT', `/upload/drain-${i}`, { CONTENT_LENGTH: body.length }));
      request.send(body.subarray(0, 150_000));
      return request;
    });
    while (incoming() < before + uploads.length) await pause(10);

    gateway.child.kill('SIGTERM');
    while (!gateway.stderr.includes('draining')) await pause(10);
    for (const upload of uploads) upload.send(body.subarray(150_000));
    for (const upload of uploads) {
      const { status, text } = await upload.finish();
      assert.equal(status, 201, text + gateway.stderr);
    }
    assert.equal(await gateway.ended, 0, gateway.stderr);
  });

  test(`cgi-gateway at ${how} finishes requests that it has read in part on SIGTERM`, async () => {
    const gateway = await program('cgi-gateway', how);
    const requests = Array.from({ length: 8 }, () => begin(gateway.socket, variables('GET', '/files'), { half: true }));
    // The ninth is accepted last; once it is answered, the others have been accepted.
    assert.equal((await begin(gateway.socket, variables('GET', '/healthz')).finish()).status, 200);
    gateway.child.kill('SIGTERM');
    while (!gateway.stderr.includes('draining')) await pause(10);
    await pause(50); // time for wake-ups, which must not interrupt the requests
    for (const request of requests) {
      request.rest();
      assert.equal((await request.finish()).status, 200, gateway.stderr);
    }
    assert.equal(await gateway.ended, 0, gateway.stderr);
  });

  test(`cgi-gateway at ${how} without requests exits 0 at once on SIGTERM, also on a second one`, async () => {
    const gateway = await program('cgi-gateway', how);
    await begin(gateway.socket, variables('GET', '/healthz')).finish();
    gateway.child.kill('SIGTERM');
    gateway.child.kill('SIGTERM');
    assert.equal(await gateway.ended, 0, gateway.stderr);
  });

  test(`cgi-gateway at ${how} does not wait on SIGTERM for a client that has gone`, async () => {
    const gateway = await program('cgi-gateway', how);
    const before = incoming();
    const request = begin(gateway.socket, variables('PUT', '/upload/stuck', { CONTENT_LENGTH: 300_000 }));
    request.send(Buffer.alloc(200_000));
    while (incoming() === before) await pause(10);
    gateway.child.kill('SIGTERM');
    request.disconnect();
    assert.equal(await gateway.ended, 0, gateway.stderr);
  });
});

for (const how of ['a Unix socket', 'TCP']) test(`cgi-auth at ${how} answers logins in progress on SIGTERM and exits 0`, async () => {
  const auth = await program('cgi-auth', how);
  const login = variables('POST', '/login', { HTTP_AUTHORIZATION: basic(ann.email, ann.password), CONTENT_LENGTH: 0 });
  await begin(auth.socket, login).finish();
  const logins = Array.from({ length: 6 }, () => begin(auth.socket, login).finish());
  await logins[0];
  auth.child.kill('SIGTERM');
  const answers = await Promise.all(logins);
  assert.ok(answers.every(({ status, cut }) => status === 200 || cut), JSON.stringify(answers));
  assert.equal(await auth.ended, 0, auth.stderr);
});

describe('clients that disconnect', () => {
  test('a client that disconnects during an upload leaves neither bytes nor a row', async () => {
    const gateway = await program('cgi-gateway');
    const before = incoming();
    const requests = ['disconnect', 'abort', 'finish'].map((end) => {
      const request = begin(gateway.socket, variables('PUT', `/upload/${end}`, { CONTENT_LENGTH: 300_000 }));
      request.send(Buffer.alloc(200_000));
      return [request, end];
    });
    while (incoming() < before + 3) await pause(10);
    for (const [request, end] of requests) request[end]();
    const { status } = await requests[2][0].answer;
    assert.equal(status, 400);
    while (incoming() > before) await pause(10);
    assert.equal((await begin(gateway.socket, variables('GET', '/files')).finish()).status, 200);
    assert.deepEqual((await stack.call('GET', '/files?q=disconnect', { token: ann.token })).json.files, []);
    gateway.child.kill('SIGTERM');
    assert.equal(await gateway.ended, 0, gateway.stderr);
  });
});

test('lighttpd replaces a program after SIGTERM, and no answer is wrong', { skip: stack.transport !== 'fastcgi' }, async () => {
  const record = await uploadFile(stack, ann, 'load', 'x');
  const answers = [];
  const stopLoad = startLoad(stack, ann, record, (answer) => answers.push(answer));
  for (const name of ['cgi-gateway', 'cgi-auth', 'cgi-gateway']) {
    const pids = stack.processes(name);
    for (const pid of pids) process.kill(pid, 'SIGTERM');
    await Promise.all(pids.map(untilExit));
    const from = answers.length;
    while (answers.slice(from).filter((a) => a.status < 300 && a.status > 0).length < 20) await pause(10);
  }
  await stopLoad();
  const wrong = answers.filter(({ status }) => ![200, 201, 503].includes(status));
  assert.deepEqual(wrong, []);
});
