// POST /upload and PUT /upload/{name} with the file as the whole body
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { bearer, curl } from '../support/curl.js';
import { allFiles, uploadFile, sha256 } from '../support/files.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';
import { transport } from '../support/transport.js';

const stack = await useStack();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-upload-'));
after(() => rmSync(folder, { recursive: true }));

let ann;
before(async () => {
  ann = await stack.person();
});

const put = (name, body, options) => stack.call('PUT', `/upload/${name}`, { token: ann.token, body, ...options });
const post = (query, body, options) => stack.call('POST', `/upload${query}`, { token: ann.token, body, ...options });

async function bytesOf(record) {
  return (await stack.call('GET', `/download/${record.id}`, { token: ann.token })).bytes;
}

describe('a body as a file', () => {
  test('PUT stores the body under the name in the path', async () => {
    const before = Date.now();
    const answer = await put('note.txt', 'hello', { headers: { 'Content-Type': 'text/plain' } });
    assertStatus(answer, 201);
    const [record] = answer.json.files;
    assert.equal(answer.json.files.length, 1);
    assert.deepEqual(
      { name: record.name, size: record.size, type: record.type, sha256: record.sha256, expires_at: record.expires_at },
      { name: 'note.txt', size: 5, type: 'text/plain', sha256: sha256('hello'), expires_at: null });
    assert.equal(record.url, `/download/${record.id}`);
    assert.ok(answer.headers.get('location').endsWith(`/files/${record.id}`));
    assert.ok(Date.parse(record.created_at) >= before - 2000);
    assert.equal((await bytesOf(record)).toString(), 'hello');
  });

  test('POST stores the body under the name in the query', async () => {
    const answer = await post('?name=n%C3%B6te%20%26.bin', Buffer.from([0, 1, 2, 255]), { headers: { 'Content-Type': 'application/octet-stream' } });
    assertStatus(answer, 201);
    const [record] = answer.json.files;
    assert.equal(record.name, 'nöte &.bin');
    assert.deepEqual([...(await bytesOf(record))], [0, 1, 2, 255]);
  });

  test('a body without a content type is claimed as application/octet-stream', async () => {
    const answer = await put('plain', Buffer.from('x'));
    assertStatus(answer, 201);
    assert.equal(answer.json.files[0].claimed_type, 'application/octet-stream');
  });

  test('an empty body is stored as an empty file', async () => {
    for (const body of [undefined, '']) {
      const answer = await put('empty', body, { headers: { 'Content-Type': 'text/plain' } });
      assertStatus(answer, 201);
      const [record] = answer.json.files;
      assert.deepEqual([record.size, record.sha256], [0, sha256('')]);
      assert.equal((await bytesOf(record)).length, 0);
    }
  });

  test('a megabyte of every byte is stored unchanged', async () => {
    const body = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 7 + (i >> 8)) & 255));
    const record = await uploadFile(stack, ann, 'megabyte', body);
    assert.equal(record.sha256, sha256(body));
    assert.equal(Buffer.compare(await bytesOf(record), body), 0);
  });

  // Over plain CGI lighttpd has to buffer such a body before anybody looks at the token: at most 64 KiB (0034)
  const pieces = transport === 'cgi' ? 60 : 100;
  const chunked = (count) => {
    async function* chunks() {
      for (let i = 0; i < count; i++) yield Buffer.alloc(1000, i);
    }
    return fetch(`${stack.url}/upload/chunks`,
      { method: 'PUT', duplex: 'half', body: chunks(), headers: { Authorization: `Bearer ${ann.token}` } });
  };
  const skip = stack.front && stack.front !== 'nginx' && 'the server passes them on without a length';

  test('a chunked body is stored', { skip }, async () => {
    const response = await chunked(pieces);
    assert.equal(response.status, 201);
    assert.equal((await response.json()).files[0].size, pieces * 1000);
  });

  test('over plain CGI, a chunked body of more than 64 KiB is refused', { skip: skip || (transport !== 'cgi' && 'it is stored') }, async () => {
    const response = await chunked(100);
    assert.equal(response.status, 413);
    assert.equal((await response.json()).type, 'urn:gatehouse:too-large');
  });

  test('curl -T uploads into /upload/', async () => {
    const path = join(folder, 'holiday photo.jpg');
    writeFileSync(path, 'not really a photo');
    const { code, stdout, stderr } = await curl('--fail-with-body', ...bearer(ann.token), '-T', path, `${stack.url}/upload/`);
    assert.equal(code, 0, stdout + stderr);
    assert.equal(JSON.parse(stdout).files[0].name, 'holiday photo.jpg');
  });

  test('curl --data-binary uploads with a name in the query', async () => {
    const { stdout } = await curl(...bearer(ann.token), '-H', 'Content-Type: text/csv', '--data-binary', 'a,b', `${stack.url}/upload?name=a.csv`);
    const [record] = JSON.parse(stdout).files;
    assert.deepEqual([record.name, record.type, record.size], ['a.csv', 'text/csv', 3]);
  });

  test('two uploads with the same name are two files', async () => {
    const first = await uploadFile(stack, ann, 'same', 'one');
    const second = await uploadFile(stack, ann, 'same', 'two');
    assert.notEqual(first.id, second.id);
    assert.equal((await bytesOf(first)).toString(), 'one');
    assert.equal((await bytesOf(second)).toString(), 'two');
  });
});

test('sixty-four parallel uploads are sixty-four files', async () => {
  const bob = await stack.person();
  const contents = Array.from({ length: 64 }, (_, i) => Buffer.alloc(30_000 + i, i));
  const records = await Promise.all(contents.map((content, i) => uploadFile(stack, bob, `at-once-${i}`, content)));
  for (const [i, record] of records.entries()) assert.equal(record.sha256, sha256(contents[i]));
  assert.equal(new Set(records.map((r) => r.id)).size, 64);
  assert.equal((await allFiles(stack, bob)).length, 64);
});

describe('expiry of an upload', () => {
  test('expires_in sets the expiry in seconds from now', async () => {
    const record = await uploadFile(stack, ann, 'soon', 'x', { query: '?expires_in=3600' });
    assert.equal(Date.parse(record.expires_at) - Date.parse(record.created_at), 3600_000);
  });

  test('an invalid expires_in is refused', async () => {
    for (const value of ['0', '-1', 'x', '', '1.5', '99999999999999999999', '1e3', '0x10', '316224001'])
      assertProblem(await put(`soon?expires_in=${value}`, 'x'), 422, 'invalid-value');
  });
});

describe('digests of an upload', () => {
  const digest = (text) => `sha-256=:${sha256(text, 'base64')}:`;

  test('?sha256= is verified, in either case', async () => {
    assertStatus(await put(`a?sha256=${sha256('hello')}`, 'hello'), 201);
    assertStatus(await put(`a?sha256=${sha256('hello').toUpperCase()}`, 'hello'), 201);
    assertProblem(await put(`a?sha256=${sha256('other')}`, 'hello'), 422, 'digest-mismatch');
  });

  for (const name of ['Repr-Digest', 'Content-Digest'])
    test(`${name} is verified`, async () => {
      assertStatus(await put('a', 'hello', { headers: { [name]: digest('hello') } }), 201);
      assertStatus(await put('a', 'hello', { headers: { [name]: `md5=:AAAAAAAAAAAAAAAAAAAAAA==:, ${digest('hello')}` } }), 201);
      assertProblem(await put('a', 'hello', { headers: { [name]: digest('other') } }), 422, 'digest-mismatch');
      assertProblem(await post('?name=a', 'hello', { headers: { [name]: digest('other') } }), 422, 'digest-mismatch');
    });

  test('a digest of another kind is ignored', async () => {
    assertStatus(await put('a', 'hello', { headers: { 'Repr-Digest': 'md5=:AAAAAAAAAAAAAAAAAAAAAA==:' } }), 201);
  });

  test('a malformed digest is refused', async () => {
    for (const value of ['x', '', 'z'.repeat(64), sha256('hello').slice(1), sha256('hello') + '0'])
      assertProblem(await put(`a?sha256=${value}`, 'hello'), 400, 'bad-request');
    for (const value of ['sha-256=x', 'sha-256=:!!!:', 'sha-256=:AAAA:', 'sha-256', digest('other').replace('sha', 'SHA'), sha256('other')])
      assertProblem(await put('a', 'hello', { headers: { 'Repr-Digest': value } }), 400, 'bad-request');
  });

  test('an upload with a wrong digest is not stored', async () => {
    const bob = await stack.person();
    await stack.call('PUT', `/upload/a?sha256=${sha256('other')}`, { token: bob.token, body: 'hello' });
    assert.deepEqual(await allFiles(stack, bob), []);
  });
});

describe('refused uploads', () => {
  test('an upload without a token is refused', async () => {
    assertProblem(await put('a', 'x', { token: undefined }), 401, 'missing-token');
    assertProblem(await post('?name=a', 'x', { token: undefined }), 401, 'missing-token');
  });

  test('an upload with an invalid token is refused', async () => {
    assertProblem(await put('a', 'x', { token: 'a.b.c' }), 401, 'invalid-token');
    assertProblem(await post('?name=a', 'x', { token: 'a.b.c' }), 401, 'invalid-token');
    assertProblem(await put('a', 'x', { token: 'a b' }), 400, 'invalid-request');
    assertProblem(await post('?name=a', 'x', { token: 'a b' }), 400, 'invalid-request');
  });

  test('an upload with a token for reading only is refused', async () => {
    const token = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:read' }));
    for (const answer of [await put('a', 'x', { token }), await post('?name=a', 'x', { token })]) {
      assertProblem(answer, 403, 'insufficient-scope');
      assert.match(answer.json.detail, /files:write/);
    }
  });

  test('an upload with a scope that resembles files:write is refused', async () => {
    for (const scope of ['', 'files:writes', 'xfiles:write', 'files', 'FILES:WRITE', 'files:write:all', 'files:read,files:write']) {
      const token = await mint(stack.signingKey(), claimsFor(ann, { scope }));
      assertProblem(await put('a', 'x', { token }), 403, 'insufficient-scope');
    }
  });

  test('a POST without a name has no file', async () => {
    assertProblem(await post('', 'x', { headers: { 'Content-Type': 'text/plain' } }), 400, 'no-file');
  });

  test('an upload without a name in the path is refused', async () => {
    for (const method of ['PUT', 'POST']) {
      const { status } = await stack.call(method, '/upload/', { token: ann.token, body: 'x' });
      assert.ok([400, 404, 405, 422].includes(status), String(status));
    }
  });

  test('an upload to a path of several segments is refused', async () => {
    const { status } = await put('a/b', 'x');
    assert.ok([400, 404, 405].includes(status), String(status));
  });

  test('an upload by another method is refused', async () => {
    const get = await stack.call('GET', '/upload', { token: ann.token });
    assertProblem(get, 405, 'method-not-allowed');
    assert.match(get.headers.get('allow'), /\bPOST\b/);
    const patch = await stack.call('PATCH', '/upload/a', { token: ann.token, body: 'x' });
    assertProblem(patch, 405, 'method-not-allowed');
    assert.match(patch.headers.get('allow'), /\bPUT\b/);
  });
});

describe('lengths of a body', () => {
  const send = (headers, body, options) =>
    sendRaw(stack.url, requestHead('PUT', '/upload/length', { Authorization: `Bearer ${ann.token}`, ...headers }) + body, options);

  test('a PUT without a length is an empty file, or refused', async () => {
    const answer = await send({}, '');
    assert.ok([201, 411].includes(answer.status), answer.text);
  });

  test('a body shorter than its Content-Length is not stored', { skip: ['apache-fcgid', 'caddy'].includes(stack.front) && 'the server has an answer of its own to a body that was cut off' }, async () => {
    const bob = await stack.person();
    const answer = await sendRaw(stack.url,
      requestHead('PUT', '/upload/length', { Authorization: `Bearer ${bob.token}`, 'Content-Length': '1000' }) + 'only this', { end: true });
    assert.ok(answer.cut || answer.status === 400, answer.text);
    assert.deepEqual(await allFiles(stack, bob), []);
  });

  test('a body longer than its Content-Length is cut there', async () => {
    const answer = await send({ 'Content-Length': '4' }, 'four and more');
    assertStatus(answer, 201);
    assert.equal(answer.json.files[0].size, 4);
  });

  for (const value of ['-1', 'x', '1x', '0x10', '99999999999999999999', '1, 2', '+1'])
    test(`the Content-Length "${value}" is refused`, async () => {
      const answer = await send({ 'Content-Length': value }, 'x', { end: true });
      assert.ok(answer.cut || [400, 411, 413].includes(answer.status), `${answer.status} ${answer.text}`);
    });

  test('two lengths, or a length with chunks, are refused or read in one way only', async () => {
    const twice = await sendRaw(stack.url,
      `PUT /upload/l HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${ann.token}\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde`, { end: true });
    assert.equal(twice.status, 400);
    const smuggled = await send({ 'Content-Length': '3', 'Transfer-Encoding': 'chunked' }, '5\r\nabcde\r\n0\r\n\r\n', { end: true });
    assert.ok([201, 400, 411].includes(smuggled.status));
    if (smuggled.status === 201) assert.equal(smuggled.json.files[0].size, 5);
  });
});

test('a PUT without a name says so to users who may upload, and refuses others first', async () => {
  const { token } = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'reader', scope: 'files:read' } })).json;
  const unnamed = (by) => stack.call('PUT', '/upload', { token: by, body: 'x' });
  assertProblem(await unnamed(ann.token), 400, 'bad-request');
  assertProblem(await unnamed(undefined), 401, 'missing-token');
  assertProblem(await unnamed(token), 403, 'insufficient-scope');
});
