// POST /upload with multipart/form-data
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { bearer, curl } from '../support/curl.js';
import { allFiles, sha256 } from '../support/files.js';
import { BOUNDARY, filePart, form, formType, part } from '../support/multipart.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-form-'));
after(() => rmSync(folder, { recursive: true }));

let ann;
before(async () => {
  ann = await stack.person();
});

const send = (body, { type = formType(), query = '', token = ann.token } = {}) =>
  stack.call('POST', `/upload${query}`, { token, body, headers: { 'Content-Type': type } });

async function bytesOf(record) {
  return (await stack.call('GET', `/download/${record.id}`, { token: ann.token })).bytes;
}

describe('a form', () => {
  test('a form with one file by curl -F is stored', async () => {
    const path = join(folder, 'one.txt');
    writeFileSync(path, 'one\n');
    const { code, stdout } = await curl('--fail-with-body', ...bearer(ann.token), '-F', `file=@${path}`, `${stack.url}/upload`);
    assert.equal(code, 0, stdout);
    const { files } = JSON.parse(stdout);
    assert.deepEqual(files.map((f) => [f.name, f.type, f.size, f.sha256]), [['one.txt', 'text/plain', 4, sha256('one\n')]]);
  });

  test('a form with many files by curl -F is stored in order, without a Location', async () => {
    const fields = [];
    for (let i = 0; i < 12; i++) {
      writeFileSync(join(folder, `f${i}.bin`), Buffer.alloc(i * 5000, i));
      fields.push('-F', `f${i % 3}=@${join(folder, `f${i}.bin`)}`);
    }
    const { stdout } = await curl('-i', ...bearer(ann.token), ...fields, `${stack.url}/upload`);
    const [head, body] = stdout.split('\r\n\r\n').slice(-2);
    assert.match(head, /^HTTP\/1.1 201/);
    assert.doesNotMatch(head, /^location:/im);
    const { files } = JSON.parse(body);
    assert.deepEqual(files.map((f) => [f.name, f.size]), Array.from({ length: 12 }, (_, i) => [`f${i}.bin`, i * 5000]));
    assert.equal(new Set(files.map((f) => f.id)).size, 12);
    for (const [i, file] of files.entries()) assert.equal(file.sha256, sha256(Buffer.alloc(i * 5000, i)));
  });

  test('a form made by FormData is stored', async () => {
    const body = new FormData();
    body.append('comment', 'a field is not a file');
    body.append('file', new Blob(['{}'], { type: 'application/json' }), 'naïve "quoted".json');
    const answer = await stack.call('POST', '/upload', { token: ann.token, body });
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => [f.name, f.type, f.size]), [['naïve "quoted".json', 'application/json', 2]]);
  });

  test('fields before, between and after the files of a form are ignored', async () => {
    const answer = await send(form(
      part('; name="title"', 'x'.repeat(50_000)),
      filePart('a', 'A'),
      part('; name="file"', 'no filename'),
      filePart('b', 'B'),
      part('; name="end"', '')));
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => f.name), ['a', 'b']);
  });

  test('a form with an empty file is stored', async () => {
    const answer = await send(form(filePart('empty.txt', '')));
    assertStatus(answer, 201);
    assert.deepEqual([answer.json.files[0].name, answer.json.files[0].size], ['empty.txt', 0]);
  });

  test('file content that looks like a boundary is stored unchanged', async () => {
    const tricks = [
      `\r\n--${BOUNDARY.slice(0, -1)}`, `--${BOUNDARY}\r\n`, `\n--${BOUNDARY}\n`, `\r\r\n--${BOUNDARY.slice(0, -1)}\r\n`,
      '\r\n--', '\r\n', '\r', '--', `\r\n-${BOUNDARY}`, '\r\n'.repeat(1000), `\r\n--\r\n--${BOUNDARY.toUpperCase()}`,
      `${'\r\n--gatehouse'.repeat(3000)}`,
    ];
    const answer = await send(form(...tricks.map((content, i) => filePart(`t${i}`, content))));
    assertStatus(answer, 201);
    for (const [i, file] of answer.json.files.entries()) assert.equal((await bytesOf(file)).toString(), tricks[i], JSON.stringify(tricks[i].slice(0, 80)));
    assert.equal(answer.json.files.length, tricks.length);
  });

  test('a boundary is found at every offset of the programs\' reads', async () => {
    // A FastCGI read has 8192 bytes: move the end of a part across it byte by byte
    const body = form(...Array.from({ length: 40 }, (_, i) => filePart(`s${i}`, Buffer.alloc(8192 - 150 + i * 8 + (i % 8), i))));
    const answer = await send(body);
    assertStatus(answer, 201);
    for (const [i, file] of answer.json.files.entries()) assert.equal(file.sha256, sha256(Buffer.alloc(8192 - 150 + i * 8 + (i % 8), i)), file.name);
  });

  test('a preamble and an epilogue of a form are ignored', async () => {
    const answer = await send(Buffer.concat([Buffer.from('preamble\r\n'), form(filePart('a', 'A')), Buffer.from('epilogue\r\n--x')]));
    assertStatus(answer, 201);
    assert.equal(answer.json.files.length, 1);
  });

  test('a form may have blanks after its boundaries', async () => {
    const body = `--${BOUNDARY} \t\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nA\r\n--${BOUNDARY}-- \r\n`;
    const answer = await send(body);
    assertStatus(answer, 201);
    assert.equal((await bytesOf(answer.json.files[0])).toString(), 'A');
  });

  test('a boundary may be quoted and up to 70 bytes long', async () => {
    const longest = "a'()+_,-./:=?".padEnd(70, 'b');
    for (const boundary of [longest, 'with space'])
      assertStatus(await send(`--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nA\r\n--${boundary}--\r\n`,
        { type: `Multipart/Form-Data; charset=utf-8; Boundary="${boundary}"` }), 201);
  });

  test('part headers may have any case and order', async () => {
    const answer = await send(form(Buffer.from('X-Other: 1\r\ncontent-type:text/html\r\nCONTENT-DISPOSITION:FORM-DATA;FILENAME="a.html";NAME="f"\r\n\r\nA')));
    assertStatus(answer, 201);
    assert.deepEqual([answer.json.files[0].name, answer.json.files[0].claimed_type], ['a.html', 'text/html']);
  });

  test('expires_in applies to all files of a form', async () => {
    const answer = await send(form(filePart('a', 'A'), filePart('b', 'B')), { query: '?expires_in=60' });
    assertStatus(answer, 201);
    for (const file of answer.json.files) assert.equal(Date.parse(file.expires_at) - Date.parse(file.created_at), 60_000);
  });

  test('a form with a hundred files is stored', async () => {
    const answer = await send(form(...Array.from({ length: 100 }, (_, i) => filePart(`n${i}`, String(i)))));
    assertStatus(answer, 201);
    assert.equal(answer.json.files.length, 100);
  });
});

describe('refused forms', () => {
  let bob;
  before(async () => {
    bob = await stack.person();
  });
  const refused = async (body, status, slug, options) => {
    assertProblem(await send(body, { token: bob.token, ...options }), status, slug);
    assert.deepEqual(await allFiles(stack, bob), []);
  };
  const whole = form(filePart('a', 'A'), filePart('b', 'B'.repeat(20_000)));

  test('a form without a file is refused', async () => {
    await refused(form(part('; name="file"', 'text')), 400, 'no-file');
    await refused(`--${BOUNDARY}--\r\n`, 400, 'no-file');
    await refused(form(), 400, 'no-file');
  });

  test('a form with an empty file field of a browser is refused', async () => {
    await refused(form(filePart('', '', 'Content-Type: application/octet-stream')), 400, 'no-file');
  });

  test('a form with a hundred and one files is refused', async () => {
    await refused(form(...Array.from({ length: 101 }, (_, i) => filePart(`n${i}`, String(i)))), 413, 'too-large');
  });

  test('a form that is cut off anywhere is refused, and nothing is stored', async () => {
    const places = [0, 1, 10, 30, 60, 100, 110, 118, 150, 200, 10_000, whole.length - 1000, whole.length - 40, whole.length - 10, whole.length - 5, whole.length - 4];
    for (const length of places) {
      const answer = await send(whole.subarray(0, length), { token: bob.token });
      assertStatus(answer, 400);
      assert.match(answer.json.type, /incomplete-body|bad-request|no-file/, `${length}`);
    }
    assert.deepEqual(await allFiles(stack, bob), []);
  });

  test('a form with a missing or invalid boundary is refused', async () => {
    for (const type of ['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=""',
      `multipart/form-data; boundary=${'b'.repeat(201)}`, 'multipart/form-data; boundary="unended'])
      await refused(whole, 400, 'bad-request', { type });
  });

  test('a form whose boundary is not in the body is refused', async () => {
    const answer = await send(whole, { token: bob.token, type: formType('another') });
    assertStatus(answer, 400);
    assert.deepEqual(await allFiles(stack, bob), []);
  });

  test('a form with endless part headers is refused', async () => {
    const answer = await send(form(part('; name="f"; filename="a"', 'A', ...Array.from({ length: 2000 }, (_, i) => `X-Filler-${i}: ${'y'.repeat(50)}`))), { token: bob.token });
    assert.ok([400, 413].includes(answer.status), answer.text);
    assert.deepEqual(await allFiles(stack, bob), []);
  });

  test('a form with a malformed part header is refused or the part is skipped', async () => {
    for (const lines of ['no colon at all', ': no name', 'Content-Disposition form-data']) {
      const answer = await send(form(Buffer.from(`${lines}\r\n\r\nA`), filePart('b', 'B')), { token: bob.token });
      assert.ok([400, 201].includes(answer.status), answer.text);
      if (answer.status === 201) await stack.call('DELETE', `/files/${answer.json.files[0].id}`, { token: bob.token });
    }
  });
});

test('another kind of multipart is stored as one file', async () => {
  const body = form(filePart('a', 'A'));
  const answer = await send(body, { type: `multipart/mixed; boundary=${BOUNDARY}`, query: '?name=mixed' });
  assertStatus(answer, 201);
  assert.deepEqual(answer.json.files.map((f) => [f.name, f.size]), [['mixed', body.length]]);
});
