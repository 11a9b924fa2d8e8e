// A web server that reads an answer late, or still sends a body when it gets one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { begin } from '../support/fastcgi.js';
import { uploadFile } from '../support/files.js';
import { freePort } from '../support/ports.js';
import { build, pause, startStack } from '../support/stack.js';
import { newUpload, TUS } from '../support/tus.js';

const LARGE = 4_000_000; // more than the buffers of a connection
const stack = await startStack();
after(() => stack.stop());

let ann, large;
before(async () => {
  ann = await stack.person();
  large = await uploadFile(stack, ann, 'large', Buffer.alloc(LARGE, 'x'));
});

const variables = (method, path, more) => ({
  REQUEST_METHOD: method, SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', REQUEST_URI: path, SERVER_PROTOCOL: 'HTTP/1.1', GATEWAY_INTERFACE: 'CGI/1.1',
  HTTP_AUTHORIZATION: `Bearer ${ann.token}`, ...more,
});

// Start cgi-gateway with a socket of its own, beside that of the instance.
async function gateway(how, settings) {
  const socket = how === 'TCP' ? { host: '127.0.0.1', port: await freePort() } : stack.path('run', `late-${Date.now()}.sock`);
  const at = how === 'TCP' ? ['-a', socket.host, '-p', socket.port] : ['-s', socket];
  const child = spawn('spawn-fcgi', ['-n', ...at, '--', join(build, 'cgi-gateway')],
    { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), SENDFILE: 'none', ...settings }, stdio: 'ignore' });
  const ended = new Promise((done) => child.on('exit', done));
  while ((await begin(socket, variables('GET', '/healthz')).finish()).cut) await pause(10);
  return { socket, stop: () => (child.kill(), ended) };
}

for (const how of ['a Unix socket', 'TCP']) {
  describe(`a web server at ${how}`, () => {
    test('that does not read an answer holds no slot', async () => {
      const { socket, stop } = await gateway(how, { THREADS: '1' });
      const downloads = Array.from({ length: 3 }, () => begin(socket, variables('GET', `/download/${large.id}`), { late: true }));
      for (const download of downloads) download.finish();
      // Without a slot, a request works after 10 seconds (WORKER_PATIENCE), one after another.
      const others = (async () => {
        for (let i = 0; i < 10; i++) assert.equal((await begin(socket, variables('GET', '/files')).finish()).status, 200);
        return 'served';
      })();
      assert.equal(await Promise.race([others, pause(9000)]), 'served');
      for (const download of downloads) {
        download.read();
        const { cut, text } = await download.answer;
        assert.equal(cut, false);
        assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, LARGE);
      }
      await stop();
    });

    test('that reads a little late gets the whole answer, although the user has no place left', async () => {
      const { socket, stop } = await gateway(how, { CONNECTIONS: '2' }); // one place
      const path = await newUpload(stack, ann, 1000);
      const slow = begin(socket, variables('PATCH', path, {
        CONTENT_LENGTH: 1000, CONTENT_TYPE: 'application/offset+octet-stream', HTTP_TUS_RESUMABLE: TUS['Tus-Resumable'], HTTP_UPLOAD_OFFSET: 0 }));
      slow.send(Buffer.from('x'));
      await pause(300);
      const download = begin(socket, variables('GET', `/download/${large.id}`), { late: true });
      download.finish();
      await pause(500);
      download.read();
      const { cut, text } = await download.answer;
      assert.equal(cut, false);
      assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, LARGE);
      slow.send(Buffer.alloc(999, 'x'));
      assert.equal((await slow.finish()).status, 204);
      await stop();
    });

    test('that still sends a body when it gets the refusal is not reset', async () => {
      const { socket, stop } = await gateway(how, { BODY_RATE_BYTES: '500', BODY_RATE_SECONDS: '1' });
      const upload = begin(socket, variables('PUT', '/upload/slow', { CONTENT_LENGTH: 50_000 }), { stays: true });
      upload.send(Buffer.from('x'));
      assert.equal((await upload.answer).status, 408);
      for (let i = 0; i < 3; i++) {
        upload.send(Buffer.from('late'));
        await pause(50);
      }
      assert.equal(upload.broken, undefined);
      upload.disconnect();
      await stop();
    });
  });
}
