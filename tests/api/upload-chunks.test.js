// A request that has only a part of a file is refused: kept as the file, the rest would be lost.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { bearer, curl } from '../support/curl.js';
import { allFiles } from '../support/files.js';
import { filePart, form, formType, part } from '../support/multipart.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-chunks-'));
after(() => rmSync(folder, { recursive: true }));

let ann, link;
before(async () => {
  ann = await stack.person();
  const { json } = await stack.call('POST', '/upload-links', { token: ann.token, json: {} });
  link = new URL(json.url, stack.url).pathname;
});

// All ways to upload files without tus: [what, send(headers, query)]
const bytes = { body: 'a part' };
const aForm = (...fields) => ({ body: form(...fields, filePart('blob', 'a part')), headers: { 'Content-Type': formType() } });
const ways = [
  ['PUT /upload/NAME', (headers, query) => stack.call('PUT', `/upload/a?${query}`, { token: ann.token, ...bytes, headers })],
  ['POST /upload?name=', (headers, query) => stack.call('POST', `/upload?name=a&${query}`, { token: ann.token, ...bytes, headers: { 'Content-Type': 'text/plain', ...headers } })],
  ['POST /upload, a form', (headers, query) => stack.call('POST', `/upload?${query}`, { token: ann.token, body: aForm().body, headers: { ...aForm().headers, ...headers } })],
  ['PUT /u/TOKEN/NAME', (headers, query) => stack.call('PUT', `${link}/a?${query}`, { ...bytes, headers })],
  ['POST /u/TOKEN?name=', (headers, query) => stack.call('POST', `${link}?name=a&${query}`, { ...bytes, headers: { 'Content-Type': 'text/plain', ...headers } })],
  ['POST /u/TOKEN, a form', (headers, query) => stack.call('POST', `${link}?${query}`, { body: aForm().body, headers: { ...aForm().headers, ...headers } })],
];

async function assertRefused(answer, name) {
  assertProblem(answer, 400, 'bad-request');
  assert.ok(answer.json.detail.includes(`"${name}`), answer.json.detail);
  assert.match(answer.json.detail, /\/tus\//);
  assert.deepEqual(await allFiles(stack, ann), []);
}

describe('a part of a file', () => {
  for (const [what, send] of ways) {
    test(`${what} refuses Content-Range and its like`, async () => {
      for (const [name, value] of [['Content-Range', 'bytes 5-9/10'], ['Content-Range', 'bytes 0-4/10'], ['Content-Range', 'bytes 0-5/10'], ['Content-Range', 'bytes 0-6/7'], ['Content-Range', 'bytes 0-4/5'], ['Content-Range', 'bytes */10'], ['Content-Range', 'nonsense'],
        ['X-Content-Range', 'bytes 0-4/10'], ['Upload-Offset', '0'], ['Upload-Complete', '?0'], ['Upload-Incomplete', '?1'], ['OC-Chunked', '1'], ['Uploader-Chunk-Number', '3']])
        await assertRefused(await send({ [name]: value }, ''), name.startsWith('Upload-') && value.startsWith('?') ? 'Upload-Complete' : name);
    });

    test(`${what} refuses the parameters of chunks in the query`, async () => {
      for (const query of ['resumableChunkNumber=1&resumableTotalChunks=3', 'flowChunkNumber=2', 'chunk=0&chunks=4', 'partNumber=1&uploadId=x', 'offset=0&total=10']) {
        const answer = await send({}, query);
        assertProblem(answer, 422, 'invalid-value');
        assert.ok(answer.json.detail.includes(query.split('=')[0]), answer.json.detail);
        assert.match(answer.json.detail, /part of a file.*\/tus\//);
      }
      assert.deepEqual(await allFiles(stack, ann), []);
    });
  }

  for (const [uploader, fields] of Object.entries({
    Dropzone: { dzuuid: 'x', dzchunkindex: '1', dztotalfilesize: '20', dzchunksize: '10', dztotalchunkcount: '2', dzchunkbyteoffset: '10' },
    'Fine Uploader': { qqpartindex: '0', qqpartbyteoffset: '0', qqchunksize: '10', qqtotalparts: '2', qqtotalfilesize: '20', qqfilename: 'a', qquuid: 'x' },
    'flow.js': { flowChunkNumber: '1', flowChunkSize: '10', flowTotalChunks: '2' },
    'resumable.js': { resumableChunkNumber: '1', resumableChunkSize: '10', resumableTotalChunks: '2' },
    'simple-uploader.js': { chunkNumber: '1', chunkSize: '10', totalChunks: '2' },
    Plupload: { name: 'a', chunk: '0', chunks: '2' },
    'Plupload with offsets': { name: 'a', offset: '0', total: '20' },
    'ng-file-upload': { _chunkSize: '10', _currentChunkSize: '10', _chunkNumber: '0', _totalSize: '20' },
    Syncfusion: { 'chunk-index': '0', 'total-chunk': '2' },
    DevExtreme: { chunkMetadata: '{"Index":0,"TotalCount":2}' },
    'Kendo UI': { metadata: '{"chunkIndex":0,"contentType":"image/png","totalFileSize":20,"totalChunks":2}' },
  }))
    test(`a chunk of ${uploader} is refused, before and after its file`, async () => {
      const parts = Object.entries(fields).map(([name, value]) => part(`; name="${name}"`, value));
      for (const body of [form(...parts, filePart('blob', 'a part')), form(filePart('blob', 'a part'), ...parts)])
        for (const [target, token] of [['/upload', ann.token], [link, undefined]]) {
          const answer = await stack.call('POST', target, { token, body, headers: { 'Content-Type': formType() } });
          assertProblem(answer, 400, 'bad-request');
          assert.match(answer.json.detail, /part of a file.*\/tus\//);
        }
      assert.deepEqual(await allFiles(stack, ann), []);
    });

  test('Content-Range in the head of a part is refused', async () => {
    await assertRefused(await stack.call('POST', '/upload', { token: ann.token, body: form(filePart('a', 'x', 'Content-Range: bytes 0-0/2')), headers: { 'Content-Type': formType() } }), 'Content-Range');
  });

  test('curl -C is refused, and nothing is stored', async () => {
    const path = join(folder, 'ten.txt');
    writeFileSync(path, '0123456789');
    for (const args of [['-C', '5', '-T', path, `${stack.url}/upload/`], ['-C', '5', '-T', path, `${stack.url}${link}/`]]) {
      const { stdout } = await curl(...bearer(ann.token), ...args);
      assert.match(JSON.parse(stdout).detail, /Content-Range.*\/tus\//);
    }
    assert.deepEqual(await allFiles(stack, ann), []);
  });
});

describe('a whole file', () => {
  let bob;
  before(async () => {
    bob = await stack.person();
  });

  test('fields that resemble those of chunks are ignored', async () => {
    const fields = { name: 'a', offset: '1', department: 'x', metadata: '{"title":"chunkIndex"}', qquuid: 'x', qqfilename: 'a', type: 'image/png', relativePath: 'null' };
    const body = form(...Object.entries(fields).map(([name, value]) => part(`; name="${name}"`, value)), filePart('a', 'x'));
    assertStatus(await stack.call('POST', '/upload', { token: bob.token, body, headers: { 'Content-Type': formType() } }), 201);
  });

  for (const [uploader, fields] of Object.entries({
    Dropzone: { dzuuid: 'x', dzchunkindex: '0', dztotalfilesize: '5', dzchunksize: '10', dztotalchunkcount: '1', dzchunkbyteoffset: '0' },
    'Fine Uploader': { qqpartindex: '0', qqpartbyteoffset: '0', qqchunksize: '5', qqtotalparts: '1', qqtotalfilesize: '5', qqfilename: 'a', qquuid: 'x' },
    'flow.js': { flowChunkNumber: '1', flowChunkSize: '10', flowCurrentChunkSize: '5', flowTotalSize: '5', flowTotalChunks: '1' },
    'resumable.js': { resumableChunkNumber: '1', resumableChunkSize: '10', resumableTotalSize: '5', resumableTotalChunks: '1' },
    'simple-uploader.js': { chunkNumber: '1', chunkSize: '10', totalSize: '5', totalChunks: '1' },
    Plupload: { name: 'a', chunk: '0', chunks: '1' },
    'ng-file-upload': { _chunkSize: '10', _currentChunkSize: '5', _chunkNumber: '0', _totalSize: '5' },
    Syncfusion: { 'chunk-index': '0', 'total-chunk': '1' },
    DevExtreme: { chunkMetadata: '{"FileName":"a","Index":0,"TotalCount":1,"FileSize":5}' },
    'Kendo UI': { metadata: '{"chunkIndex":0,"contentType":"image/png","totalFileSize":5,"totalChunks":1}' },
  })) {
    const parts = Object.entries(fields).map(([name, value]) => part(`; name="${name}"`, value));
    const whole = filePart('blob', 'whole');
    const send = (...all) => stack.call('POST', '/upload', { token: bob.token, body: form(...all), headers: { 'Content-Type': formType() } });

    test(`the only chunk of ${uploader} is stored, whether its fields come before or after it`, async () => {
      for (const all of [[...parts, whole], [whole, ...parts]]) {
        const answer = await send(...all);
        assertStatus(answer, 201);
        assert.equal(answer.json.files[0].size, 5);
      }
    });

    test(`the only chunk of ${uploader} is refused if it is not the one that its fields describe`, async () => {
      const size = Object.keys(fields).some((name) => /total.*size/i.test(name)) && await send(...parts, filePart('blob', 'whole?'));
      for (const answer of [size, await send(...parts, whole, whole)].filter(Boolean)) {
        assertProblem(answer, 400, 'bad-request');
        assert.match(answer.json.detail, /part of a file.*\/tus\//);
      }
    });
  }

  test('a Content-Range of all bytes is that of a whole file', async () => {
    const range = { 'Content-Range': 'bytes 0-4/5' };
    assertStatus(await stack.call('PUT', '/upload/a', { token: bob.token, body: 'whole', headers: range }), 201);
    assertStatus(await stack.call('POST', '/upload?name=a', { token: bob.token, body: 'whole', headers: { ...range, 'Content-Type': 'text/plain' } }), 201);
    const headers = { 'Content-Type': formType() };
    assertStatus(await stack.call('POST', '/upload', { token: bob.token, body: form(filePart('a', 'whole')), headers: { ...headers, ...range } }), 201);
    assertStatus(await stack.call('POST', '/upload', { token: bob.token, body: form(filePart('a', 'whole', 'Content-Range: bytes 0-4/5')), headers }), 201);
    for (const body of [form(filePart('a', 'whole'), filePart('b', 'whole')), form(filePart('a', 'whol'))])
      assertProblem(await stack.call('POST', '/upload', { token: bob.token, body, headers: { ...headers, ...range } }), 400, 'bad-request');
  });

  test('an upload that says that it is complete is stored', async () => {
    assertStatus(await stack.call('PUT', '/upload/a', { token: bob.token, body: 'x', headers: { 'Upload-Complete': '?1' } }), 201);
    assertStatus(await stack.call('PUT', '/upload/b', { token: bob.token, body: 'x', headers: { 'Upload-Incomplete': '?0' } }), 201);
  });
});
