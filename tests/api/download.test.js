// GET and HEAD /download/{id} and /download?fid=
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { bearer, curl } from '../support/curl.js';
import { uploadFile, sha256 } from '../support/files.js';
import { png } from '../support/pictures.js';
import { run, useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';

const stack = await useStack();
const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const size = content.length;

let ann, bob, record;
before(async () => {
  ann = await stack.person();
  bob = await stack.person();
  record = await uploadFile(stack, ann, 'data.bin', content, { type: 'application/x-data' });
});

const get = (headers = {}, { method = 'GET', token = ann.token, target = record.url } = {}) => stack.call(method, target, { token, headers });
const bothRoutes = () => [record.url, `/download?fid=${record.id}`];

async function assertPart(range, from, to) {
  const answer = await get({ Range: range });
  assertStatus(answer, 206);
  assert.equal(answer.headers.get('content-range'), `bytes ${from}-${to}/${size}`);
  assert.equal(answer.headers.get('content-length'), String(to - from + 1));
  assert.equal(Buffer.compare(answer.bytes, content.subarray(from, to + 1)), 0);
}

describe('a whole file', () => {
  test('a file is downloaded by its id in the path or in the query', async () => {
    for (const target of bothRoutes()) {
      const answer = await get({}, { target });
      assertStatus(answer, 200);
      assert.equal(Buffer.compare(answer.bytes, content), 0);
    }
  });

  test('a download has type, length, ETag, digests and date', async () => {
    const { headers } = await get();
    assert.equal(headers.get('content-type'), 'application/x-data');
    assert.equal(headers.get('content-length'), String(size));
    assert.equal(headers.get('etag'), `"${sha256(content)}"`);
    assert.equal(headers.get('repr-digest'), `sha-256=:${sha256(content, 'base64')}:`);
    assert.equal(headers.get('content-digest'), `sha-256=:${sha256(content, 'base64')}:`);
    assert.equal(Date.parse(headers.get('last-modified')), Date.parse(record.created_at));
  });

  test('HEAD describes a download without its bytes', async () => {
    const whole = await get();
    for (const target of bothRoutes()) {
      const head = await get({}, { method: 'HEAD', target });
      assertStatus(head, 200);
      assert.equal(head.bytes.length, 0);
      for (const name of ['content-type', 'content-length', 'etag', 'content-disposition', 'last-modified', 'repr-digest', 'accept-ranges'])
        assert.equal(head.headers.get(name), whole.headers.get(name), name);
    }
  });

  test('Content-Digest is sent only with the whole file, Repr-Digest always', async () => {
    const etag = `"${sha256(content)}"`, old = new Date(0).toUTCString();
    for (const [headers, status, method] of [
      [{ Range: 'bytes=0-9' }, 206], [{ Range: 'bytes=0-' }, 206], [{ Range: 'bytes=0-9', 'If-Range': '"other"' }, 200], [{ Range: 'items=0-9' }, 200],
      [{ 'If-None-Match': etag }, 304], [{ 'If-None-Match': '"x"' }, 200], [{ 'If-Modified-Since': old }, 200], [{}, 200, 'HEAD'],
    ])
      for (const target of bothRoutes()) {
        const answer = await get(headers, { method, target });
        assertStatus(answer, status);
        assert.equal(answer.headers.get('content-digest'), null, JSON.stringify(headers));
        if (status !== 304) assert.equal(answer.headers.get('repr-digest'), `sha-256=:${sha256(content, 'base64')}:`);
      }
    for (const want of ['sha-256=10', 'sha-512=3, sha-256=0', 'x'])
      assert.ok((await get({ 'Want-Content-Digest': want, 'Want-Repr-Digest': want })).headers.get('content-digest'));
    const empty = await uploadFile(stack, ann, 'empty', '');
    assert.equal((await get({}, { target: empty.url })).headers.get('content-digest'), `sha-256=:${sha256('', 'base64')}:`);
  });

  test('curl -OJ saves a download under its name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-download-'));
    try {
      const { code, stderr } = await curl('--fail', '--output-dir', folder, '-OJ', ...bearer(ann.token), stack.url + record.url);
      assert.equal(code, 0, stderr);
      assert.equal(Buffer.compare(readFileSync(join(folder, 'data.bin')), content), 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('curl -OJ, wget and aria2c save files under their own names, whatever the script', async () => {
    const names = ['日本語.pdf', '中国人.pdf', 'Grüße.txt', 'Größe.txt', '😀.png', 'a"b.txt', "a'b.txt", '100%.txt', 'a;b=c, d.txt', 'e\u0301.txt'];
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-names-'));
    try {
      for (const [tool, args] of [['curl', ['-sSOJ', '--fail']], ['wget', ['-q', '--content-disposition', '--no-proxy', '--restrict-file-names=nocontrol']], ['aria2c', ['-q', '--no-conf']]]) {
        const here = join(folder, tool);
        mkdirSync(here);
        for (const name of names) {
          const { url } = await uploadFile(stack, ann, name, name);
          const header = tool === 'curl' ? '-H' : '--header';
          const { code, stderr } = await run(tool, [...args, header, `Authorization: Bearer ${ann.token}`, stack.url + url], { cwd: here, env: { LC_ALL: 'C.UTF-8' } });
          assert.equal(code, 0, `${tool}: ${stderr}`);
        }
        // curl ignores filename*, and does not unescape a quote
        const kept = (name) => (tool === 'curl' ? name.replace('"', '\uff02') : name);
        assert.deepEqual(readdirSync(here).sort(), names.map(kept).sort(), tool);
        for (const name of names) assert.equal(readFileSync(join(here, kept(name)), 'utf8'), name);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a text file is returned byte for byte, with its own charset', async () => {
    const latin1 = 'a\r\nb\xe9c\n';
    const text = await uploadFile(stack, ann, 't.txt', Buffer.from(latin1, 'latin1'), { type: 'text/plain; charset=ISO-8859-1' });
    const answer = await get({}, { target: text.url });
    assert.equal(answer.bytes.toString('latin1'), latin1);
    assert.match(answer.headers.get('content-type'), /^text\/plain(; ?charset=iso-8859-1)?$/i);
  });
});

describe('inline', () => {
  test('inline=1 shows a picture or plain text, under a sandbox', async () => {
    for (const [type, content] of [['image/png', png], ['text/plain', 'x']]) {
      const shown = await uploadFile(stack, ann, 'shown', content, { type });
      const { headers } = await get({}, { target: `${shown.url}?inline=1` });
      assert.match(headers.get('content-disposition'), /^inline/, type);
      assert.equal(headers.get('content-type').split(';')[0], type);
      assert.match(headers.get('content-security-policy'), /^sandbox/);
    }
  });

  test('inline=1 of a text in UTF-8 names its charset, of any other text none', async () => {
    const long = 'ä'.repeat(400_000), cut = Buffer.concat([Buffer.from('x'), Buffer.from('ä'.repeat(2_000_000))]);
    for (const [what, bytes, charset] of [
      ['ASCII', 'plain\r\n', '; charset=utf-8'], ['UTF-8', 'Grüße 日本語 😀\n', '; charset=utf-8'], ['a long text', long, '; charset=utf-8'], ['a text over a MiB', cut, '; charset=utf-8'],
      ['a byte order mark', '\ufeffGrüße', '; charset=utf-8'], ['ISO-8859-1', Buffer.from('Grüße\n', 'latin1'), ''], ['a late byte of ISO-8859-1', Buffer.concat([Buffer.from(long), Buffer.from('\xfc\n', 'latin1')]), ''],
      ['a cut character', Buffer.from('abc 日本語').subarray(0, -1), ''], ['ISO-2022-JP', '\x1b$B$3$s\x1b(B\n', ''], ['UTF-16', Buffer.from('\ufeffabc\n', 'utf16le'), ''],
    ]) {
      const { url, type } = await uploadFile(stack, ann, 'text.txt', bytes, { type: 'text/plain' });
      if (!type.startsWith('text/')) continue;
      for (const method of ['GET', 'HEAD']) assert.equal((await get({}, { target: `${url}?inline=1`, method })).headers.get('content-type'), type + charset, what);
      assert.equal((await get({ Range: 'bytes=0-1' }, { target: `${url}?inline=1` })).headers.get('content-type'), type + charset, what);
      assert.equal((await get({}, { target: url })).headers.get('content-type'), type, what);
    }
  });

  test('inline=1 does not apply to types with active content', async () => {
    const contents = ['<script>alert(1)</script>', '<svg xmlns="http://www.w3.org/2000/svg"/>', '<?xml version="1.0"?><a/>', '%PDF-1.7\n'];
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/xml', 'application/pdf', 'application/pdf+html', 'application/javascript', 'text/html;image/png', 'image/png', 'text/plain'])
      for (const content of contents) {
        const active = await uploadFile(stack, ann, 'active', content, { type });
        const { headers } = await get({}, { target: `${active.url}?inline=1` });
        assert.match(headers.get('content-disposition'), /^attachment/, `${content} as ${type}`);
        assert.match(headers.get('content-security-policy'), /^sandbox/);
        assert.equal(headers.get('x-content-type-options'), 'nosniff');
      }
  });

  test('inline takes effect with the value 1 only', async () => {
    const shown = await uploadFile(stack, ann, 'shown', png, { type: 'image/png' });
    for (const query of ['', '?inline=0', '?inline=', '?inline=true', '?inline=11'])
      assert.match((await get({}, { target: shown.url + query })).headers.get('content-disposition'), /^attachment/, query);
  });
});

describe('a range', () => {
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 0], ['bytes=0-99', 0, 99], ['bytes=500-', 500, size - 1], ['bytes=-1', size - 1, size - 1], ['bytes=-500', size - 500, size - 1],
    [`bytes=${size - 1}-`, size - 1, size - 1], ['bytes=10-999999999', 10, size - 1], ['bytes=-999999999', 0, size - 1], ['bytes=0-', 0, size - 1],
  ])
    test(`range ${range} is answered with 206`, () => assertPart(range, from, to));

  test('ranges work for both routes and for HEAD', async () => {
    for (const target of bothRoutes()) {
      assertStatus(await get({ Range: 'bytes=0-9' }, { target }), 206);
      const { status } = await get({ Range: 'bytes=0-9' }, { target, method: 'HEAD' });
      assert.ok([200, 206].includes(status));
    }
  });

  test('several ranges are answered by all parts, or by the whole file', async () => {
    const answer = await get({ Range: 'bytes=0-9,100-109,-10' });
    assert.ok([200, 206].includes(answer.status));
    if (answer.status === 200) return assert.equal(Buffer.compare(answer.bytes, content), 0);
    const [, boundary] = /^multipart\/byteranges; boundary="?([^"]+)"?$/.exec(answer.headers.get('content-type'));
    const parts = answer.bytes.toString('latin1').split(`--${boundary}`).slice(1, -1);
    const bodies = parts.map((p) => p.slice(p.indexOf('\r\n\r\n') + 4, -2));
    assert.deepEqual(bodies, [[0, 10], [100, 110], [size - 10, size]].map(([a, b]) => content.subarray(a, b).toString('latin1')));
  });

  test('a thousand overlapping ranges cost no more than the file', async () => {
    const answer = await get({ Range: 'bytes=' + Array.from({ length: 1000 }, () => '0-').join(',') });
    assert.ok([200, 206, 416].includes(answer.status));
    assert.ok(answer.bytes.length <= size * 2, String(answer.bytes.length));
  });

  for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 10}`, 'bytes=99999999999999-', 'bytes=-0'])
    test(`range ${range} is not satisfiable`, async () => {
      for (const target of bothRoutes()) {
        const answer = await get({ Range: range }, { target });
        assertProblem(answer, 416, 'range-not-satisfiable');
        assert.equal(answer.headers.get('content-range'), `bytes */${size}`);
      }
    });

  for (const range of ['items=0-9', 'x', 'bytes 0-9'])
    test(`range "${range}" of an unknown unit is ignored`, async () => {
      const answer = await get({ Range: range });
      assertStatus(answer, 200);
      assert.equal(answer.bytes.length, size);
    });

  for (const range of ['bytes=', 'bytes=-', 'bytes=a-b', 'bytes=5-1', 'bytes=0-9x', 'bytes=--1'])
    test(`invalid range "${range}" is ignored`, async () => {
      const answer = await get({ Range: range }); // RFC 9110 14.2 leaves it open
      assertStatus(answer, 200);
      assert.equal(answer.bytes.length, size);
    });

  test('ranges beyond every integer are answered with 200, 206 or 416', { skip: stack.front === 'nginx' && 'nginx refuses them itself' }, async () => {
    const huge = '9'.repeat(40);
    for (const range of [`bytes=${huge}-`, `bytes=0-${huge}`, `bytes=-${huge}`, `bytes=${huge}-${huge}`]) {
      const { status, bytes } = await get({ Range: range });
      assert.ok([200, 206, 416].includes(status), `${range}: ${status}`);
      if (status !== 416) assert.equal(Buffer.compare(bytes, content), 0);
    }
  });

  test('a range of an empty file is not satisfiable, or the empty file', async () => {
    const empty = await uploadFile(stack, ann, 'empty', '');
    const { status, bytes } = await get({ Range: 'bytes=0-' }, { target: empty.url });
    assert.ok([200, 416].includes(status));
    if (status === 200) assert.equal(bytes.length, 0);
  });

  test('curl -C - resumes a partial download', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-resume-'));
    try {
      const path = join(folder, 'data.bin');
      writeFileSync(path, content.subarray(0, 41_234));
      const { code, stderr } = await curl('--fail', '-C', '-', '-o', path, ...bearer(ann.token), stack.url + record.url);
      assert.equal(code, 0, stderr);
      assert.equal(Buffer.compare(readFileSync(path), content), 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a condition', () => {
  const etag = `"${sha256(content)}"`;

  test('If-None-Match with the ETag is answered with 304 and no body', async () => {
    for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*'])
      for (const target of bothRoutes()) {
        const answer = await get({ 'If-None-Match': value }, { target });
        assertStatus(answer, 304);
        assert.equal(answer.bytes.length, 0);
        assert.equal(answer.headers.get('etag'), etag);
      }
  });

  test('If-None-Match with another ETag is answered with the file', async () => {
    for (const value of ['"x"', etag.slice(0, -1), `"${etag}"`]) assertStatus(await get({ 'If-None-Match': value }), 200);
  });

  test('If-Modified-Since is answered with 304 for the file\'s date, with 200 for the day before', async () => {
    const { headers } = await get();
    assertStatus(await get({ 'If-Modified-Since': headers.get('last-modified') }), 304);
    assertStatus(await get({ 'If-Modified-Since': new Date(Date.parse(record.created_at) - 86_400_000).toUTCString() }), 200);
  });

  test('If-Range with the ETag returns the range', async () => {
    assertStatus(await get({ Range: 'bytes=0-9', 'If-Range': etag }), 206);
  });

  test('If-Range with another ETag returns the whole file', async () => {
    const answer = await get({ Range: 'bytes=0-9', 'If-Range': '"other"' });
    assertStatus(answer, 200);
    assert.equal(answer.bytes.length, size);
  });

  test('conditions reveal nothing to a client without access', async () => {
    assertProblem(await get({ 'If-None-Match': etag }, { token: bob.token }), 404, 'not-found');
    assertProblem(await get({ 'If-None-Match': '*' }, { token: null }), 401, 'missing-token');
  });
});

describe('refused downloads', () => {
  test('a download without a valid token is refused', async () => {
    for (const target of bothRoutes()) {
      assertProblem(await get({}, { token: null, target }), 401, 'missing-token');
      assertProblem(await get({}, { token: 'a.b.c', target }), 401, 'invalid-token');
      assertProblem(await get({}, { token: 'a b', target }), 400, 'invalid-request');
    }
  });

  test('a download with a token for writing only is refused', async () => {
    const token = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write' }));
    for (const target of bothRoutes()) assertProblem(await get({}, { token, target }), 403, 'insufficient-scope');
  });

  test('a file of another user is not found', async () => {
    for (const target of bothRoutes()) assertProblem(await get({}, { token: bob.token, target }), 404, 'not-found');
  });

  test('an expired file is not found', async () => {
    const soon = await uploadFile(stack, ann, 'soon', 'x', { query: '?expires_in=3600' });
    assertStatus(await get({}, { target: soon.url }), 200);
    await stack.sql('gateway', `UPDATE file SET expires_at = created_at WHERE id = '${soon.id}'`);
    assertProblem(await get({}, { target: soon.url }), 404, 'not-found');
    assertProblem(await stack.call('GET', `/files/${soon.id}`, { token: ann.token }), 404, 'not-found');
  });

  for (const id of ['x', '0', '-1', '00000000-0000-7000-8000-000000000000', '..%2f..%2fetc%2fpasswd', '%00', "'", "x' OR '1'='1", 'a'.repeat(5000), '019F0C1E'])
    test(`the invalid id ${id.length > 40 ? `of ${id.length} bytes` : id} is not found`, async () => {
      const encoded = id.startsWith('%') || id.startsWith('..') ? id : encodeURIComponent(id);
      for (const target of [`/download/${encoded}`, `/download?fid=${encoded}`]) {
        const { status } = await stack.call('GET', target, { token: ann.token });
        assert.ok([400, 404, ...(stack.front ? [403, 414] : [])].includes(status), `${target}: ${status}`);
      }
    });

  test('a download without an id is refused', async () => {
    for (const target of ['/download?fid=', '/download/'])
      assert.ok([400, 404, 422].includes((await fetch(stack.url + target, { headers: { Authorization: `Bearer ${ann.token}` } })).status), target);
  });

  test('a download without fid is a bad request that names fid', async () => {
    for (const target of ['/download', '/download?id=1', '/download?FID=1', '/download?inline=1']) {
      const answer = await stack.call('GET', target, { token: ann.token });
      assertProblem(answer, 400, 'bad-request');
      assert.match(answer.json.detail, /^fid is required/);
    }
  });

  test('a download by another method is refused', async () => {
    for (const target of bothRoutes())
      for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
        const answer = await get({}, { method, target });
        assertProblem(answer, 405, 'method-not-allowed');
        assert.match(answer.headers.get('allow'), /\bGET\b.*\bHEAD\b|\bHEAD\b.*\bGET\b/);
      }
  });
});

test('the internal headers for sending a file never reach a client', async () => {
  const { headers } = await get();
  for (const name of ['x-sendfile', 'x-lighttpd-send-file', 'x-accel-redirect', 'status']) assert.equal(headers.get(name), null, name);
});
