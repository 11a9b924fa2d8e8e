// docs/from-the-course.md: its lines as they stand, and the course's own gateway with our auth service
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { commandsOf } from '../support/manual.js';
import { startStack, useStack } from '../support/stack.js';
import { openTerminal } from '../support/terminal.js';

describe('docs/from-the-course.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-course-'));
  const [login, others] = commandsOf('docs/from-the-course.md', '## Routes');
  let stack, ann, terminal;
  before(async () => {
    stack = await useStack();
    ann = await stack.person();
    terminal = openTerminal({ cwd: folder, set: { URL: stack.url, EMAIL: ann.email, PASSWORD: ann.password } });
  });
  after(() => {
    terminal.close();
    rmSync(folder, { recursive: true });
  });

  test('the login of the course, a POST without Content-Length, answers with a token', async () => {
    const { stdout, requests } = await terminal.paste(login);
    assert.deepEqual(requests, [{ code: 0, status: 200 }]);
    assert.match(JSON.parse(stdout).access_token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test('the upload and the download of the course give the same bytes back', async () => {
    const { requests } = await terminal.paste(others);
    assert.deepEqual(requests, [200, 201, 200, 200].map((status) => ({ code: 0, status })));
    assert.deepEqual(readFileSync(join(folder, 'downloaded.mp4')), readFileSync(join(folder, 'video.mp4')));
  });
});

// The course's gateway: it asks AUTH_SVC_ADDRESS, passes on the text of /login and reads that of /validate as JSON.
describe('a gateway like that of the course', () => {
  let stack, ann, gateway;
  before(async () => {
    stack = await startStack({ settings: { LOGIN_ANSWER: 'text' } });
    ann = await stack.person();
    const ask = (path, authorization) => new Promise((resolve, reject) => {
      const { host } = new URL(stack.internalUrl);
      const [hostname, port] = host.split(':');
      const sent = request({ hostname, port, path, method: 'POST', headers: { Authorization: authorization, 'Content-Length': 0 } }, async (response) => {
        resolve({ status: response.statusCode, text: Buffer.concat(await response.toArray()).toString() });
      });
      sent.on('error', reject).end();
    });
    gateway = createServer(async ({ url, headers }, response) => {
      const { status, text } = await ask(url === '/login' ? '/login' : '/validate', headers.authorization);
      response.writeHead(status).end(url === '/login' || status !== 200 ? text : `hello ${JSON.parse(text).username}`);
    });
    await new Promise((done) => gateway.listen(0, '127.0.0.1', done));
  });
  after(async () => {
    await new Promise((done) => gateway.close(done));
    await stack.stop();
  });
  const post = async (path, authorization) => {
    const response = await fetch(`http://127.0.0.1:${gateway.address().port}${path}`, { method: 'POST', headers: { Authorization: authorization } });
    return { status: response.status, text: await response.text() };
  };
  const basic = (password) => `Basic ${Buffer.from(`${ann.email}:${password}`).toString('base64')}`;

  test('its login answers with the bare token, which its other routes accept', async () => {
    const { status, text } = await post('/login', basic(ann.password));
    assert.equal(status, 200);
    assert.match(text.trimEnd(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.deepEqual(await post('/upload', `Bearer ${text.trimEnd()}`), { status: 200, text: `hello ${ann.email}` });
  });

  test('its login passes on a refusal, and a forged token is refused', async () => {
    assert.equal((await post('/login', basic('wrong'))).status, 401);
    assert.equal((await post('/upload', 'Bearer a.b.c')).status, 401);
  });
});
