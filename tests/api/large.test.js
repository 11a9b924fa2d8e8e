// Upload and download 2 GiB: the same bytes, in little memory. GATEHOUSE_LARGE_BYTES chooses another size.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { assertStatus } from '../support/client.js';
import { peakMemory } from '../support/memory.js';
import { filePart, form, formType } from '../support/multipart.js';
import { startStack } from '../support/stack.js';

const SIZE = Number(process.env.GATEHOUSE_LARGE_BYTES || 2 * 1024 ** 3);
const MEMORY_MAX = 64 * 1024 ** 2;
const sanitized = /san/.test(process.env.GATEHOUSE_BUILD ?? ''); // a sanitizer's shadow memory does not count
const PROGRAMS = ['cgi-gateway', 'lighttpd'];

const stack = await startStack();
after(() => stack.stop());

let ann;
before(async () => {
  ann = await stack.person();
});

// SIZE bytes that do not repeat: random megabytes, each with its number at the start.
const block = randomBytes(1 << 20);
function* content(hash) {
  for (let sent = 0, n = 0; sent < SIZE; n++) {
    const piece = Buffer.from(block.subarray(0, Math.min(block.length, SIZE - sent)));
    piece.writeUInt32LE(n, 0);
    hash.update(piece);
    sent += piece.length;
    yield piece;
  }
}

// Send a body as it is generated; returns the files of the answer.
async function upload(method, target, headers, length, pieces) {
  const request = http.request(stack.url + target, { method, headers: { Authorization: `Bearer ${ann.token}`, 'Content-Length': length, ...headers } });
  const answered = new Promise((done, fail) => request.on('response', done).on('error', fail));
  await pipeline(Readable.from(pieces, { objectMode: false }), request);
  const response = await answered;
  const text = Buffer.concat(await response.toArray()).toString();
  assert.equal(response.statusCode, 201, text);
  return JSON.parse(text).files;
}

async function hashOfDownload(record) {
  const response = await new Promise((done, fail) =>
    http.get(stack.url + record.url, { headers: { Authorization: `Bearer ${ann.token}` } }, done).on('error', fail));
  assert.equal(response.statusCode, 200);
  const hash = createHash('sha256');
  for await (const piece of response) hash.update(piece);
  return hash.digest('hex');
}

async function upAndDown(send, t) {
  const hash = createHash('sha256');
  const peak = await peakMemory(stack, PROGRAMS, async () => {
    const [record] = (await send(hash)).slice(-1);
    const sent = hash.digest('hex');
    assert.equal(record.size, SIZE);
    assert.equal(record.sha256, sent);
    assert.equal(await hashOfDownload(record), sent);
    assertStatus(await stack.call('DELETE', `/files/${record.id}`, { token: ann.token }), 204);
  });
  const shown = PROGRAMS.map((name) => `${name} ${(peak[name] / 1024 ** 2).toFixed(1)} MiB`).join(', ');
  t.diagnostic(`peak memory for ${(SIZE / 1024 ** 3).toFixed(2)} GiB: ${shown}`);
  for (const name of PROGRAMS) {
    assert.ok(peak[name] > 0, `${name} was not seen`);
    if (!sanitized) assert.ok(peak[name] < MEMORY_MAX, shown);
  }
}

test('a file of gigabytes is uploaded as the whole body and downloaded in little memory', (t) =>
  upAndDown((hash) => upload('PUT', '/upload/large', {}, SIZE, content(hash)), t));

test('a file of gigabytes is uploaded in a form and downloaded in little memory', (t) => {
  const whole = form(filePart('small', 'x'), filePart('large', '@'));
  const [head, tail] = [whole.subarray(0, whole.lastIndexOf('@')), whole.subarray(whole.lastIndexOf('@') + 1)];
  function* pieces(hash) {
    yield head;
    yield* content(hash);
    yield tail;
  }
  return upAndDown((hash) => upload('POST', '/upload', { 'Content-Type': formType() }, head.length + SIZE + tail.length, pieces(hash)), t);
});
