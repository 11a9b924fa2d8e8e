// Content-Encoding of a request: a compressed body is never taken for the body itself.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { assertProblem, assertStatus } from '../support/client.js';
import { operations } from '../support/contract.js';
import { allFiles } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { TUS, newUpload, offsetOf, patch } from '../support/tus.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const id = '019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21';
const targetOf = (path) => path.replace('{token}', 'A'.repeat(32)).replace(/\{\w+\}/g, id);
const changing = operations.filter(({ method }) => method !== 'get');
const send = ({ method, path, inside }, coding, body = gzipSync('{}')) =>
  stack[inside ? 'callInternal' : 'call'](method.toUpperCase(), targetOf(path),
    { token: ann.token, body, headers: { ...TUS, 'Content-Type': 'application/json', 'Content-Encoding': coding } });

describe('Content-Encoding', () => {
  test('the document lists operations that take a body', () => assert.ok(changing.length >= 25));

  for (const operation of changing)
    test(`${operation.method.toUpperCase()} ${operation.path} refuses a compressed body`, async () => {
      const answer = await send(operation, 'gzip');
      assertProblem(answer, 415, 'unsupported-media-type');
      assert.equal(answer.headers.get('accept-encoding'), 'identity');
      assert.match(answer.json.detail, /Content-Encoding/);
    });

  test('every coding but identity is refused, in any case and place of the list', async () => {
    for (const coding of ['deflate', 'br', 'zstd', 'x-gzip', 'GZIP', 'aws-chunked', 'identity, gzip', 'gzip, identity', 'nonsense'])
      assertProblem(await send({ method: 'put', path: '/upload/{name}' }, coding), 415, 'unsupported-media-type');
    assert.deepEqual(await allFiles(stack, ann), []);
  });

  test('identity is no coding', async () => {
    for (const coding of ['identity', 'Identity', 'identity, identity', ''])
      assertStatus(await send({ method: 'put', path: '/upload/{name}' }, coding, 'plain'), 201);
  });

  test('a request without a body is answered whatever its Content-Encoding is', async () => {
    assertStatus(await stack.call('GET', '/files', { token: ann.token, headers: { 'Content-Encoding': 'gzip' } }), 200);
    assertStatus(await stack.call('HEAD', '/files', { token: ann.token, headers: { 'Content-Encoding': 'gzip' } }), 200);
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, ann.password], body: '', headers: { 'Content-Encoding': 'gzip' } }), 200);
  });

  test('another 415 has no Accept-Encoding', async () => {
    const answer = await stack.call('POST', '/upload-links', { token: ann.token, body: 'x', headers: { 'Content-Type': 'text/plain' } });
    assertProblem(answer, 415, 'unsupported-media-type');
    assert.equal(answer.headers.get('accept-encoding'), null);
  });

  test('compressed bytes are not added to a resumable upload', async () => {
    const path = await newUpload(stack, ann, 100);
    assertProblem(await patch(stack, ann, path, 0, gzipSync('x'), { 'Content-Encoding': 'gzip' }), 415, 'unsupported-media-type');
    const overridden = await stack.call('POST', path, { token: ann.token, body: gzipSync('x'),
      headers: { ...TUS, 'X-HTTP-Method-Override': 'PATCH', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream', 'Content-Encoding': 'gzip' } });
    assertProblem(overridden, 415, 'unsupported-media-type');
    assert.equal(await offsetOf(stack, ann, path), 0);
  });
});
