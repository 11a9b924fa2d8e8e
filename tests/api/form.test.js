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

  test('fields that are no parameters are ignored before, between and after the files', async () => {
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

describe('header lines of a part', () => {
  test('a folded line is one line', async () => {
    const answer = await send(form(Buffer.from('Content-Disposition: form-data;\r\n name="f";\r\n\tfilename="folded.csv"\r\nContent-Type:\r\n text/csv\r\n\r\na,b')));
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => [f.name, f.claimed_type]), [['folded.csv', 'text/csv']]);
  });

  test('a file may have no field name', async () => {
    const answer = await send(form(part('; filename="a.txt"', 'A')));
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => f.name), ['a.txt']);
  });

  test('Content-Transfer-Encoding binary, 8bit and 7bit mean the bytes themselves', async () => {
    for (const encoding of ['binary', '8bit', '7bit', 'Binary', 'identity'])
      assert.equal((await bytesOf((await send(form(filePart('a', '=41\xff', `Content-Transfer-Encoding: ${encoding}`)))).json.files[0])).toString(), '=41\xff');
  });

  test('an encoded part is refused by its name', async () => {
    for (const line of ['Content-Transfer-Encoding: base64', 'content-transfer-encoding: Quoted-Printable', 'Content-Transfer-Encoding: x-uuencode',
      'Content-Encoding: gzip', 'Content-Transfer-Encoding:\r\n base64']) {
      const answer = await send(form(filePart('a', 'A'), filePart('b', 'QQ==', line)));
      assertProblem(answer, 415, 'unsupported-media-type');
      assert.match(answer.json.detail, /^Part 2 \(field "file"\): Content-(Transfer-)?Encoding: (base64|Quoted-Printable|x-uuencode|gzip) is not supported/);
      assert.equal(answer.headers.get('accept-encoding'), null);
    }
  });

  test('an explanation quotes only what can be shown', async () => {
    const head = (name, ...lines) => Buffer.concat([Buffer.from('Content-Disposition: form-data; name="'), Buffer.from(name, 'latin1'), Buffer.from('"; filename="a"'), ...lines, Buffer.from('\r\n\r\nx')]);
    const encoded = await send(form(head('f', Buffer.from('\r\nContent-Transfer-Encoding: \xff', 'latin1'))));
    assertProblem(encoded, 415, 'unsupported-media-type');
    assert.match(encoded.json.detail, /Content-Transfer-Encoding: this is not supported/);
    const chunk = await send(form(part('; name="chunk\u202e"', 'x'), filePart('a', 'A')));
    assertProblem(chunk, 400, 'bad-request');
    assert.match(chunk.json.detail, /^By "chunk" this is a part/);
  });

  test('an encoded field that is no parameter is ignored', async () => {
    assertStatus(await send(form(part('; name="note"', 'QQ==', 'Content-Transfer-Encoding: base64'), filePart('a', 'A'))), 201);
    assertProblem(await send(form(part('; name="expires_in"', 'NjA=', 'Content-Transfer-Encoding: base64'), filePart('a', 'A'))), 415, 'unsupported-media-type');
  });
});

describe('parameters in a form', () => {
  const life = (file) => Date.parse(file.expires_at) - Date.parse(file.created_at);

  test('the field expires_in applies to all files, before and after it', async () => {
    for (const order of [0, 1, 2]) {
      const parts = [filePart('a', 'A'), filePart('b', 'B')];
      parts.splice(order, 0, part('; name="expires_in"', '3600'));
      const answer = await send(form(...parts));
      assertStatus(answer, 201);
      assert.deepEqual(answer.json.files.map(life), [3600_000, 3600_000]);
      const { json } = await stack.call('GET', `/files/${answer.json.files[0].id}`, { token: ann.token });
      assert.equal(life(json), 3600_000);
    }
  });

  test('the field sha256 is verified, before and after its file', async () => {
    const field = (text) => part('; name="sha256"', text);
    assertStatus(await send(form(field(sha256('A')), filePart('a', 'A'))), 201);
    assertStatus(await send(form(filePart('a', 'A'), field(sha256('A').toUpperCase()))), 201);
    assertProblem(await send(form(field(sha256('B')), filePart('a', 'A'))), 422, 'digest-mismatch');
    assertProblem(await send(form(filePart('a', 'A'), field(sha256('B')))), 422, 'digest-mismatch');
  });

  test('a parameter of a form is taken or refused, and never ignored', async () => {
    const bob = await stack.person();
    const refusals = [
      [['expires_in', ''], 'expires_in must be a number'], [['expires_in', '0'], 'expires_in must be a number'], [['expires_in', 'soon'], 'expires_in must be a number'],
      [['expires_in', '1'.repeat(5000)], 'expires_in must be a number'], [['expires_in', '60'], 'expires_in occurs twice', ['expires_in', '60']],
      [['sha256', ''], 'sha256 must be 64 hex digits'], [['sha256', sha256('A').slice(1)], 'sha256 must be 64 hex digits'],
      [['sha256', sha256('A')], 'sha256 occurs twice', ['sha256', sha256('A')]],
    ];
    for (const [[name, value], words, again] of refusals) {
      const answer = await send(form(filePart('a', 'A'), ...[[name, value], again].filter(Boolean).map(([n, v]) => part(`; name="${n}"`, v))), { token: bob.token });
      assertProblem(answer, 422, 'invalid-value');
      assert.ok(answer.json.detail.includes(words), answer.json.detail);
    }
    const twice = await send(form(filePart('a', 'A'), part('; name="expires_in"', '60')), { token: bob.token, query: '?expires_in=60' });
    assertProblem(twice, 422, 'invalid-value');
    const owner = await send(form(filePart('a', 'A'), part('; name="owner"', String(ann.id))), { token: bob.token });
    assertProblem(owner, 422, 'invalid-value');
    assert.match(owner.json.detail, /\?owner=/);
    const two = await send(form(filePart('a', 'A'), filePart('b', 'B'), part('; name="sha256"', sha256('A'))), { token: bob.token });
    assertProblem(two, 422, 'invalid-value');
    assert.match(two.json.detail, /one file; this one has 2/);
    for (const query of ['?name=x', `?sha256=${sha256('A')}`])
      assertProblem(await send(form(filePart('a', 'A')), { token: bob.token, query }), 400, 'bad-request');
    assert.deepEqual(await allFiles(stack, bob), []);
  });
});

describe('nothing that was sent as a file is dropped', () => {
  let bob;
  before(async () => {
    bob = await stack.person();
  });
  const refusedWith = async (words, body, status = 422, slug = 'invalid-value') => {
    const answer = await send(body, { token: bob.token });
    assertProblem(answer, status, slug);
    assert.match(answer.json.detail, words);
    assert.deepEqual(await allFiles(stack, bob), []);
  };
  const beside = filePart('beside.txt', 'x');

  for (const type of ['application/octet-stream', 'image/png', 'application/pdf', 'multipart/mixed; boundary=inner', 'video/mp4'])
    test(`a part of the type ${type} without a filename is refused`, () =>
      refusedWith(/^Part 2 \(field "photo"\): by its Content-Type it is a file, but it has no filename/, form(beside, part('; name="photo"', 'bytes', `Content-Type: ${type}`))));

  test('a part with bytes and an empty filename is refused', () =>
    refusedWith(/^Part 2 \(field "file"\): its filename is empty, but it has bytes/, form(beside, filePart('', 'bytes', 'Content-Type: application/octet-stream'))));

  test('binary bytes without a filename are refused', () =>
    refusedWith(/^Part 1 \(field "photo"\): it is not text, and has no filename/, form(part('; name="photo"', Buffer.from([0xff, 0xd8, 0, 1])), beside)));

  test('a field that is longer than a field can be is refused', () =>
    refusedWith(/^Part 1 \(field "text"\): a field has at most 1048576 bytes/, form(part('; name="text"', 'x'.repeat(1_048_577)), beside), 413, 'too-large'));

  test('a form with too many parts is refused', () =>
    refusedWith(/more than 2000 parts/, form(beside, ...Array.from({ length: 2000 }, () => part('; name="x"', ''))), 413, 'too-large'));

  test('a form after the end of a form is refused', () =>
    refusedWith(/^The body is not multipart\/form-data: the text at the boundary after part 1/, Buffer.concat([form(beside), Buffer.from('\r\n'), form(filePart('b', 'B'))]), 400, 'bad-request'));

  test('a file whose boundary follows a bare line feed is stored', async () => {
    const answer = await send(Buffer.concat([Buffer.from('\n'), form(filePart('first', '1'), filePart('second', '2'))]));
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => f.name), ['first', 'second']);
  });

  test('a part with malformed header lines is named', () =>
    refusedWith(/header lines of part 2 are malformed/, form(beside, Buffer.from('Content-Disposition: attachment; filename="a"\r\n\r\nA')), 400, 'bad-request'));

  test('a part with endless header lines is named', () =>
    refusedWith(/header lines of part 2 are longer than 8192 bytes/, form(beside, part('; name="f"', 'A', `X: ${'y'.repeat(9000)}`)), 413, 'too-large'));

  test('a name that is not UTF-8 is refused, and its part is named', () =>
    refusedWith(/^Part 3 \(field "file"\): The name of the file is not UTF-8/, form(beside, part('; name="x"', ''),
      Buffer.concat([Buffer.from('Content-Disposition: form-data; name="file"; filename="caf'), Buffer.from([0xe9]), Buffer.from('.txt"\r\n\r\nx')]))));

  test('the explanation leaves out a field name that cannot be shown', () =>
    refusedWith(/^Part 1: its filename is empty/, form(Buffer.concat([Buffer.from('Content-Disposition: form-data; name="'), Buffer.from([0xe9]), Buffer.from('"; filename=""\r\n\r\nx')]), beside)));

  test('fields of text, JSON and XML, and inputs without a chosen file, are no files', async () => {
    const answer = await send(form(beside, part('; name="a"', 'x', 'Content-Type: text/plain; charset=utf-8'), part('; name="b"', '{}', 'Content-Type: application/json'),
      part('; name="c"', '<x/>', 'Content-Type: application/atom+xml'), filePart('', '', 'Content-Type: application/octet-stream')));
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => f.name), ['beside.txt']);
  });

  test('a form in a PUT is refused', async () => {
    const answer = await stack.call('PUT', '/upload/form', { token: bob.token, body: form(beside), headers: { 'Content-Type': formType() } });
    assertProblem(answer, 415, 'unsupported-media-type');
    assert.match(answer.json.detail, /POST/);
    assert.deepEqual(await allFiles(stack, bob), []);
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
