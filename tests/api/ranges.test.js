// Ranges and conditions as the tests of other projects ask for them: Go's net/http (fs_test.go), range-parser and fresh
// of Node, nginx-tests and Apache's httpd-tests. Each case is a request and the answers that RFC 9110 allows.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem } from '../support/client.js';
import { sha256, uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const refusedByNginx = stack.front === 'nginx' && 'nginx itself refuses some spellings'; // RFC 9110 14.2 allows that

let ann, link, alphabet, empty, thousands;
before(async () => {
  ann = await stack.person();
  alphabet = await uploadFile(stack, ann, 'alphabet', 'abcdefghijk', { type: 'text/plain' });
  thousands = await uploadFile(stack, ann, 'thousands', Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251)));
  empty = await uploadFile(stack, ann, 'empty', '');
  link = (await stack.call('POST', `/files/${alphabet.id}/links`, { token: ann.token, json: {} })).json;
});

const ask = (file, headers, method = 'GET') => stack.call(method, file.url, { token: ann.token, headers });
const bytesOf = (file) => (file === thousands ? Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251)) : file === empty ? Buffer.alloc(0) : Buffer.from('abcdefghijk'));

function assertSingle(answer, file, from, to) {
  const bytes = bytesOf(file);
  assert.equal(answer.status, 206);
  assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to}/${bytes.length}`);
  assert.equal(answer.headers.get('content-length'), String(to - from + 1));
  assert.equal(Buffer.compare(answer.bytes, bytes.subarray(from, to + 1)), 0);
}

function assertWhole(answer, file) {
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('content-range'), null);
  assert.equal(Buffer.compare(answer.bytes, bytesOf(file)), 0);
}

function assertUnsatisfiable(answer, file) {
  assertProblem(answer, 416, 'range-not-satisfiable');
  assert.equal(answer.headers.get('content-range'), `bytes */${bytesOf(file).length}`);
}

// Each part is inside the file and has its bytes, none is sent twice, and together they are all that was asked for.
function assertParts(answer, file, wanted) {
  const [, boundary] = /^multipart\/byteranges; boundary="?([^"]+)"?$/.exec(answer.headers.get('content-type'));
  const sent = new Set();
  for (const part of answer.bytes.toString('latin1').split(`--${boundary}`).slice(1, -1)) {
    const [, from, to, size] = /content-range: bytes (\d+)-(\d+)\/(\d+)/i.exec(part).map(Number);
    const body = Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4, -2), 'latin1');
    assert.equal(size, bytesOf(file).length);
    assert.equal(Buffer.compare(body, bytesOf(file).subarray(from, to + 1)), 0);
    for (let i = from; i <= to; i++) sent.add(i);
  }
  for (const [from, to] of wanted) for (let i = from; i <= to; i++) assert.ok(sent.has(i), `byte ${i}`);
}

// The whole file, all parts, or one range that has them all.
function assertSeveral(answer, file, ...wanted) {
  if (answer.status === 200) return assertWhole(answer, file);
  assert.equal(answer.status, 206);
  if (answer.headers.get('content-range') === null) return assertParts(answer, file, wanted);
  const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(answer.headers.get('content-range')).map(Number);
  assertSingle(answer, file, from, to);
  for (const [a, b] of wanted) assert.ok(from <= a && b <= to);
}

const BIG = '9223372036854775808', HUGE = '9'.repeat(40);

describe('one range', () => {
  const single = [
    // Go
    ['alphabet', 'bytes=0-4', 0, 4], ['alphabet', 'bytes=2-', 2, 10], ['alphabet', 'bytes=-5', 6, 10], ['alphabet', 'bytes=3-7', 3, 7], ['alphabet', 'bytes=5-1000', 5, 10],
    ['alphabet', 'bytes=0-9', 0, 9], ['alphabet', 'bytes=0-10', 0, 10], ['alphabet', 'bytes=0-11', 0, 10], ['alphabet', 'bytes=10-11', 10, 10], ['alphabet', 'bytes=10-', 10, 10],
    ['alphabet', 'bytes=-15', 0, 10], ['thousands', 'bytes=0-499', 0, 499], ['thousands', 'bytes=500-999', 500, 999], ['thousands', 'bytes=-500', 9500, 9999], ['thousands', 'bytes=9500-', 9500, 9999],
    // nginx-tests and httpd-tests
    ['alphabet', 'bytes=0-0', 0, 0], ['alphabet', 'bytes=-1', 10, 10], ['alphabet', 'bytes=0-', 0, 10], ['alphabet', 'bytes=-11', 0, 10], ['alphabet', 'bytes=-12', 0, 10], ['thousands', 'bytes=9999-9999', 9999, 9999],
    ['thousands', 'bytes=0000-0000000000000001', 0, 1], ['alphabet', 'bytes=00000000000000000000000000000001-2', 1, 2],
    // a position past every integer is the end
    ['alphabet', `bytes=0-${BIG}`, 0, 10], ['alphabet', 'bytes=0-9223372036854775807', 0, 10], ['alphabet', 'bytes=0-18446744073709551616', 0, 10], ['alphabet', 'bytes=0-18446744073709551621', 0, 10], ['alphabet', `bytes=5-${HUGE}`, 5, 10],
    ['alphabet', `bytes=-${BIG}`, 0, 10], ['alphabet', 'bytes=-18446744073709551617', 0, 10], ['alphabet', `bytes=-${HUGE}`, 0, 10], ['thousands', `bytes=9999-${HUGE}`, 9999, 9999],
    // the unit is case-insensitive
    ['alphabet', 'Bytes=0-4', 0, 4], ['alphabet', 'BYTES=-1', 10, 10],
  ];
  for (const [name, range, from, to] of single)
    test(`${range.slice(0, 60)} of the file ${name} is its bytes ${from} to ${to}`, { skip: range.length > 30 && refusedByNginx }, async () => {
      const file = { alphabet, thousands }[name];
      assertSingle(await ask(file, { Range: range }), file, from, to);
    });

  const outside = ['bytes=11-', 'bytes=11-12', 'bytes=12-12', 'bytes=11-100', 'bytes=12-100', 'bytes=100-', 'bytes=100-1000', 'bytes=-0', 'bytes=20000-', `bytes=${BIG}-`, `bytes=${HUGE}-`, `bytes=${HUGE}-${HUGE}`, 'bytes=18446744073709551616-', `bytes=9223372036854775807-${BIG}`];
  for (const range of outside)
    test(`${range.slice(0, 60)} is outside the file: 416 with its size`, async () => {
      for (const target of [alphabet.url, `/download?fid=${alphabet.id}`, new URL(link.url, stack.url).pathname])
        assertUnsatisfiable(await stack.call('GET', target, { token: ann.token, headers: { Range: range } }), alphabet);
    });

  for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=1-', 'bytes=-1', 'bytes=-5'])
    test(`${range} of an empty file is 416, or the empty file`, async () => {
      const answer = await ask(empty, { Range: range });
      if (answer.status === 416) assertUnsatisfiable(answer, empty);
      else assertWhole(answer, empty);
    });

  for (const range of ['bytes=0-4', 'bytes=11-', 'bytes=0-0,2-2'])
    test(`${range} does not change the answer to HEAD, except perhaps its status`, async () => {
      const { status, headers } = await ask(alphabet, { Range: range }, 'HEAD');
      assert.ok(status === 200 || (status === 206 && range !== 'bytes=11-'), String(status));
      if (status === 200) assert.equal(headers.get('content-length'), '11');
    });
});

describe('a field that is not a range', () => {
  const malformed = ['foo', 'bytes=', 'bytes=7', 'bytes= 7 ', 'bytes=5-4', 'bytes=0-2,5-4', 'bytes=2-5,4-3', 'bytes=--5,4--3', 'bytes=A-', 'bytes=A- ', 'bytes=A-Z', 'bytes= -Z', 'bytes=5-Z', 'bytes=Ran-dom, garbage',
    'bytes=0x01-0x02', 'bytes=         ', 'bytes= , , ,   ', 'bytes', 'bytes:0-4', '0-4', 'bytes 0-4', 'bytes=0-4;', 'bytes=-', 'bytes=1.5-3', 'bytes=+1-3', 'bytes=1-3-5', 'bytes=\t-', `bytes=${HUGE}-1`];
  for (const range of malformed)
    test(`${JSON.stringify(range.slice(0, 60))} is ignored or refused`, async () => {
      const answer = await ask(alphabet, { Range: range });
      if (answer.status === 416) assert.equal(answer.headers.get('content-range') ?? 'bytes */11', 'bytes */11');
      else assertWhole(answer, alphabet);
    });

  for (const range of ['items=0-4', 'seconds=0-4', 'bytesx=0-4', 'x-bytes=0-4', 'none'])
    test(`the unit of ${range} is unknown, so the field is ignored`, async () => assertWhole(await ask(alphabet, { Range: range }), alphabet));
});

describe('several ranges', () => {
  const several = [
    ['alphabet', 'bytes=0-0,-2', [0, 0], [9, 10]], ['alphabet', 'bytes=0-1,5-8', [0, 1], [5, 8]], ['alphabet', 'bytes=0-1,5-', [0, 1], [5, 10]], ['alphabet', 'bytes=0-,1-,2-,3-,4-', [0, 10]],
    ['alphabet', 'bytes=1-2,5-', [1, 2], [5, 10]], ['alphabet', 'bytes=-2 , 7-', [7, 10]], ['alphabet', 'bytes=0-0 ,2-2, 7-', [0, 0], [2, 2], [7, 10]], ['thousands', 'bytes=0-0,-1', [0, 0], [9999, 9999]],
    ['thousands', 'bytes=500-600,601-999', [500, 999]], ['thousands', 'bytes=500-700,601-999', [500, 999]], ['thousands', 'bytes=0-999,4500-5499,-1000', [0, 999], [4500, 5499], [9000, 9999]],
    ['alphabet', 'bytes=5-6,0-1', [0, 1], [5, 6]], ['alphabet', 'bytes=0-2,0-2', [0, 2]], ['alphabet', 'bytes=0-1,3-4,20-', [0, 1], [3, 4]], ['alphabet', `bytes=0-1,5-${HUGE}`, [0, 1], [5, 10]],
  ];
  for (const [name, range, ...wanted] of several)
    test(`${range.slice(0, 60)} is answered with these bytes, or all`, async () => {
      const file = { alphabet, thousands }[name];
      assertSeveral(await ask(file, { Range: range }), file, ...wanted);
    });

  for (const [range, from, to] of [['bytes=15-,0-5', 0, 5], ['bytes=0-4, 100-', 0, 4], [`bytes=-0,3-${HUGE}`, 3, 10], [`bytes=${HUGE}-,-1`, 10, 10]])
    test(`of ${range.slice(0, 60)} only one is inside the file`, async () => assertSeveral(await ask(alphabet, { Range: range }), alphabet, [from, to]));

  for (const range of ['bytes=11-,20-30', 'bytes=100-200, -0', `bytes=${HUGE}-,11-`])
    test(`${range.slice(0, 60)} has no byte of the file: 416 with its size`, { skip: refusedByNginx }, async () => assertUnsatisfiable(await ask(alphabet, { Range: range }), alphabet));

  for (const [what, range] of [['a thousand whole files', Array(1000).fill('0-').join()], ['hundreds of single bytes', Array.from({ length: 700 }, (_, i) => `${i * 2}-${i * 2}`).join()], ['as many as a field can have', Array(1900).fill('1-1').join()]])
    test(`${what} cost no more than a few files`, async () => {
      const answer = await ask(thousands, { Range: `bytes=${range}` });
      assert.ok([200, 206, 416, 431].includes(answer.status), String(answer.status));
      assert.ok(answer.bytes.length <= 2 * bytesOf(thousands).length, String(answer.bytes.length));
    });
});

describe('conditions', () => {
  const tag = `"${sha256('abcdefghijk')}"`, weak = `W/${tag}`;
  const at = (seconds) => new Date(Date.parse(alphabet.created_at) + seconds * 1000).toUTCString();
  // [fields, status]; functions are called when the file exists
  const cases = [
    // fresh, Go
    [{ 'If-None-Match': tag }, 304], [{ 'If-None-Match': weak }, 304], [{ 'If-None-Match': '"other"' }, 200], [{ 'If-None-Match': `"a", ${tag}, "b"` }, 304], [{ 'If-None-Match': `"a" , W/${tag}` }, 304],
    [{ 'If-None-Match': `"a",${tag}` }, 304], [{ 'If-None-Match': '*' }, 304], [{ 'If-None-Match': tag.replaceAll('"', '') }, 200], [{ 'If-None-Match': `${tag.slice(0, -1)}x"` }, 200],
    [{ 'If-None-Match': '"with,comma", "other"' }, 200], [{ 'If-None-Match': '""' }, 200],
    [{ 'If-Modified-Since': () => at(0) }, 304], [{ 'If-Modified-Since': () => at(1) }, 304], [{ 'If-Modified-Since': () => at(-1) }, 200], [{ 'If-Modified-Since': 'foo' }, 200], [{ 'If-Modified-Since': '0' }, 200],
    [{ 'If-Modified-Since': () => at(0), 'If-None-Match': '"other"' }, 200], [{ 'If-Modified-Since': () => at(-1), 'If-None-Match': tag }, 304],
    [{ 'If-Match': tag }, 200], [{ 'If-Match': '*' }, 200], [{ 'If-Match': `"a", ${tag}` }, 200], [{ 'If-Match': '"a"' }, 412], [{ 'If-Match': weak }, 412], [{ 'If-Match': '"a", "b"' }, 412],
    [{ 'If-Match': `${weak}, ${tag}` }, 200], [{ 'If-Match': '"a"', 'If-None-Match': tag }, 412], [{ 'If-Match': tag, 'If-None-Match': tag }, 304],
    [{ 'If-Unmodified-Since': () => at(0) }, 200], [{ 'If-Unmodified-Since': () => at(3600) }, 200], [{ 'If-Unmodified-Since': () => at(-1) }, 412], [{ 'If-Unmodified-Since': 'foo' }, 200],
    [{ 'If-Unmodified-Since': () => at(-1), 'If-Match': tag }, 200], [{ 'If-Unmodified-Since': () => at(0), 'If-Match': '"a"' }, 412], [{ 'If-Unmodified-Since': () => at(0), 'If-Modified-Since': () => at(0) }, 304],
    // If-Range
    [{ Range: 'bytes=0-4', 'If-Range': tag }, 206], [{ Range: 'bytes=0-4', 'If-Range': weak }, 200], [{ Range: 'bytes=0-4', 'If-Range': '"a"' }, 200], [{ Range: 'bytes=0-4', 'If-Range': '*' }, 200],
    [{ Range: 'bytes=0-4', 'If-Range': () => at(0) }, 206], [{ Range: 'bytes=0-4', 'If-Range': () => at(1) }, 200], [{ Range: 'bytes=0-4', 'If-Range': () => at(-1) }, 200], [{ Range: 'bytes=0-4', 'If-Range': 'foo' }, 200],
    [{ Range: 'bytes=99-', 'If-Range': '"a"' }, 200], [{ Range: 'bytes=99-', 'If-Range': tag }, 416], [{ 'If-Range': tag }, 200],
    [{ Range: 'bytes=0-4', 'If-None-Match': tag }, 304], [{ Range: 'bytes=0-4', 'If-None-Match': '"a"' }, 206], [{ Range: 'bytes=0-4', 'If-Modified-Since': () => at(0) }, 304], [{ Range: 'bytes=0-4', 'If-Modified-Since': () => at(-1) }, 206],
    [{ Range: 'bytes=0-4', 'If-Match': tag }, 206], [{ Range: 'bytes=0-4', 'If-Match': '"a"' }, 412], [{ Range: 'bytes=99-', 'If-None-Match': tag }, 304], [{ Range: 'bytes=0-4', 'If-Unmodified-Since': () => at(-1) }, 412],
    [{ Range: 'bytes=0-4', 'If-Match': tag, 'If-Range': '"a"' }, 200],
  ];
  for (const [given, status] of cases)
    test(`${Object.entries(given).map(([name, value]) => `${name}: ${typeof value === 'function' ? 'a date' : value.replace(sha256('abcdefghijk'), 'etag')}`).join(', ')} is ${status}`, async () => {
      const headers = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, typeof value === 'function' ? value() : value]));
      for (const target of [alphabet.url, new URL(link.url, stack.url).pathname]) {
        const answer = await stack.call('GET', target, { token: ann.token, headers });
        assert.equal(answer.status, status, answer.text);
        if (status === 200) assertWhole(answer, alphabet);
        if (status === 206) assertSingle(answer, alphabet, 0, 4);
        if (status === 416) assertUnsatisfiable(answer, alphabet);
        if (status === 304) assert.equal(answer.headers.get('etag'), tag);
        const { Range: _, 'If-Range': __, ...rest } = headers;
        const head = await stack.call('HEAD', target, { token: ann.token, headers: rest });
        assert.equal(head.status, [206, 416].includes(status) ? 200 : status);
      }
    });
});
