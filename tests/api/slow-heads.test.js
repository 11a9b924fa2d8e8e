// lighttpd closes a connection whose head does not arrive, sooner than one whose body is slow.
import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { openRequest } from '../support/open-request.js';
import { useStack } from '../support/stack.js';
import { front } from '../support/transport.js';

const stack = await useStack();

test('connections without a head are closed while a slow body still arrives', { skip: front, timeout: 120_000 }, async () => {
  const ann = await stack.person();
  const body = Buffer.alloc(1000, 'x');
  const slow = openRequest(stack, 'PUT', '/upload/slow', { token: ann.token, headers: { 'Content-Length': body.length } });
  await slow.send(body.subarray(0, 500));
  const { hostname, port } = new URL(stack.url);
  for (const head of ['', 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-']) {
    const socket = net.connect({ host: hostname, port });
    let text = '';
    socket.on('data', (bytes) => (text += bytes)).on('error', () => {});
    socket.write(head);
    await new Promise((done) => socket.on('close', done));
    assert.doesNotMatch(text, /^HTTP\/1\.1 200/);
  }
  await slow.send(body.subarray(500));
  assertStatus(await slow.answer, 201);
});
