// Resumable uploads with the clients that people have: tus-js-client in Node and in a browser, and Uppy,
// over a line that breaks ten times.
//
// GATEHOUSE_TUS_BYTES is the size of the large file (64 MiB).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import Uppy from '@uppy/core';
import UppyTus from '@uppy/tus';
import { chromium } from 'playwright-core';
import { Upload } from 'tus-js-client';
import { assertStatus } from '../support/client.js';
import { allFiles, sha256 } from '../support/files.js';
import { startProxy } from '../support/proxy.js';
import { repository, startStack } from '../support/stack.js';
import { front } from '../support/transport.js';
import { fileOf, head } from '../support/tus.js';

const SIZE = Number(process.env.GATEHOUSE_TUS_BYTES || 64 << 20);
const CUTS = 10;
const CHUNK = Math.ceil(SIZE / 45); // some of them between two cuts
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tus-'));
const largePath = join(folder, 'large.bin');
let site, stack, largeSum;

before(async () => {
  // A page on an origin of its own, as someone's application would be
  const client = readFileSync(join(repository, 'tests/node_modules/tus-js-client/dist/tus.min.js'));
  site = http.createServer((request, response) => {
    if (request.url === '/tus.js') response.setHeader('Content-Type', 'text/javascript').end(client);
    else response.setHeader('Content-Type', 'text/html; charset=utf-8').end('<input type="file"><script src="/tus.js"></script>');
  });
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  stack = await startStack({ settings: { CORS_ORIGINS: `http://127.0.0.1:${site.address().port}` } });
  largeSum = writeLarge();
});
after(async () => {
  await stack?.stop();
  site?.close();
  rmSync(folder, { recursive: true });
});

// No two blocks alike, so that one in the wrong place is seen.
function writeLarge() {
  const hash = createHash('sha256');
  const file = openSync(largePath, 'w');
  const block = Buffer.alloc(1 << 20, 'resumable ');
  for (let at = 0; at < SIZE; at += block.length) {
    for (let i = 0; i < block.length; i += 4096) block.writeUInt32LE(at + i, i);
    const piece = block.subarray(0, Math.min(block.length, SIZE - at));
    hash.update(piece);
    writeSync(file, piece);
  }
  closeSync(file);
  return hash.digest('hex');
}

function largeSlice(from, to) {
  const bytes = Buffer.alloc(Math.min(to, SIZE) - from);
  const file = openSync(largePath);
  readSync(file, bytes, 0, bytes.length, from);
  closeSync(file);
  return bytes;
}

// A line that breaks ten times while SIZE bytes go over it, and a little more.
const breaking = () => startProxy(stack.url, { every: Math.floor(SIZE / (CUTS + 1)), times: CUTS });

const options = (line, person, more = {}) => ({
  endpoint: `${line.url}/tus/`,
  retryDelays: [0, 20, 50, 100, 200, 500, 1000],
  headers: { Authorization: `Bearer ${person.token}` },
  metadata: { filename: 'large.bin', filetype: 'application/x-large' },
  ...more,
});

// Run tus-js-client to its end; the upload.
const upload = (source, settings) =>
  new Promise((done, fail) => {
    const one = new Upload(source, { ...settings, onSuccess: () => done(one), onError: fail });
    one.start();
  });

const pathOf = (url) => new URL(url).pathname;

async function hashOf(person, path) {
  const response = await fetch(stack.url + path.replace('/tus/', '/download/'), { headers: { Authorization: `Bearer ${person.token}` } });
  const hash = createHash('sha256');
  for await (const piece of response.body) hash.update(piece);
  return hash.digest('hex');
}

async function assertUsage(person, bytes, files) {
  const usage = (await stack.call('GET', '/usage', { token: person.token })).json;
  assert.deepEqual([usage.bytes, usage.files], [bytes, files]);
}

// The file is there, whole, and is all that there is; but a part of an upload, whose creation broke off before
// its client heard of it, is made once more, and counts until it expires.
async function assertLarge(person, url, parts = false) {
  const path = pathOf(url);
  const record = await fileOf(stack, person, path);
  assert.equal(record.sha256, largeSum);
  assert.equal(record.size, SIZE);
  assert.equal(record.name, 'large.bin');
  assert.equal(await hashOf(person, path), largeSum);
  assert.equal((await allFiles(stack, person)).length, 1);
  if (!parts) await assertUsage(person, SIZE, 1);
  assertStatus(await stack.call('DELETE', path.replace('/tus/', '/files/'), { token: person.token }), 204);
}

async function overALine(line, run) {
  const person = await stack.person();
  try {
    await run(line, person);
  } finally {
    await line.stop();
  }
}

const overABreakingLine = async (run, parts) =>
  overALine(await breaking(), async (line, person) => {
    const url = await run(line, person);
    assert.equal(line.cuts, CUTS, 'the line broke as often as it was to');
    await assertLarge(person, url, parts);
  });

// One request that breaks off is no progress there
const SPOOLED = front === 'apache-fcgid' && 'mod_fcgid takes in all of a body first';

describe('tus-js-client in Node', () => {
  for (const [what, more, skip] of [
    ['in one request', {}, SPOOLED],
    ['in chunks', { chunkSize: CHUNK }],
    ['in four parts at a time', { parallelUploads: 4 }],
    ['by POST where PATCH does not pass', { overridePatchMethod: true }, SPOOLED],
  ])
    test(`uploads a large file ${what} over a line that breaks ten times`, { skip }, () =>
      overABreakingLine(async (line, person) => (await upload(createReadStream(largePath), options(line, person, more))).url, more.parallelUploads));

  test('uploads a stream of no known length', () =>
    overABreakingLine(async (line, person) => {
      const source = createReadStream(largePath).pipe(new PassThrough());
      return (await upload(source, options(line, person, { uploadLengthDeferred: true, chunkSize: CHUNK }))).url;
    }));

  test('uploads with a checksum of each chunk', () =>
    overABreakingLine(async (line, person) => {
      const onBeforeRequest = (request) => {
        if (request.getMethod() !== 'PATCH') return;
        const from = Number(request.getHeader('Upload-Offset'));
        request.setHeader('Upload-Checksum', `sha1 ${createHash('sha1').update(largeSlice(from, from + CHUNK)).digest('base64')}`);
      };
      return (await upload(createReadStream(largePath), options(line, person, { chunkSize: CHUNK, onBeforeRequest }))).url;
    }));

  // A creation that breaks off is nobody's: each begins anew, and none is left behind.
  test('uploads with the creation, however often that breaks off', async () =>
    overALine(await startProxy(stack.url, { every: Math.floor(SIZE / 20), times: CUTS }), async (line, person) => {
      const { url } = await upload(createReadStream(largePath), options(line, person, { uploadDataDuringCreation: true, retryDelays: Array(CUTS + 1).fill(10) }));
      assert.equal(line.cuts, CUTS);
      await assertLarge(person, url);
    }));

  test('goes on with a fresh token when the old one is refused', () =>
    overABreakingLine(async (line, person) => {
      const login = async () => (await stack.call('POST', '/login', { basic: [person.email, person.password] })).json;
      let session = await login(), refused = 0, requests = 0;
      const onBeforeRequest = async (request) => {
        requests++;
        if (requests === 5) session = (await stack.call('POST', '/refresh', { json: { refresh_token: session.refresh_token } })).json;
        if (requests === 10) assertStatus(await stack.call('POST', '/logout', { token: session.access_token, body: '' }), 204);
        // By HEAD the client would ask with the old token, and begin anew when that is refused
        if (requests > 10 && request.getMethod() === 'HEAD' && refused) session = await login();
        request.setHeader('Authorization', `Bearer ${session.access_token}`);
      };
      const onShouldRetry = (error) => {
        if (error.originalResponse?.getStatus() === 401) refused++;
        return true;
      };
      const { url } = await upload(createReadStream(largePath), options(line, person, { chunkSize: CHUNK, onBeforeRequest, onShouldRetry, headers: {} }));
      assert.ok(refused > 0, 'a session that was ended is refused');
      return url;
    }));

  test('goes on by an API token with what a login began', async () =>
    overALine(await startProxy(stack.url), async (line, person) => {
      const script = (await stack.call('POST', '/tokens', { token: person.token, json: { name: 'tus', scope: 'files:write' } })).json;
      const first = new Upload(createReadStream(largePath), options(line, person, { chunkSize: CHUNK }));
      await new Promise((done, fail) => {
        first.options.onError = fail;
        first.options.onChunkComplete = (_, accepted) => accepted > SIZE / 2 && first.abort().then(done);
        first.start();
      });
      assert.equal(await fileOf(stack, person, pathOf(first.url)), null);
      const before = line.bytes;
      const { url } = await upload(createReadStream(largePath), options(line, script, { uploadUrl: first.url, endpoint: null }));
      assert.ok(line.bytes - before < SIZE / 2 + CHUNK, 'what was there was not sent again');
      await assertLarge(person, url);
    }));

  test('takes an upload back, and what it held of the quota', async () =>
    overALine(await startProxy(stack.url), async (line, person) => {
      const one = new Upload(createReadStream(largePath), options(line, person, { chunkSize: CHUNK }));
      await new Promise((done, fail) => {
        one.options.onError = fail;
        one.options.onChunkComplete = (_, accepted) => accepted > SIZE / 3 && one.abort(true).then(done, fail);
        one.start();
      });
      assertStatus(await head(stack, person, pathOf(one.url)), 404);
      await assertUsage(person, 0, 0);
    }));

  test('keeps names of any language', async () => {
    const names = ['Übersicht – Zürich.pdf', '概要 2026.txt', 'Привет, мир.doc', 'مرحبا.zip', 'हिन्दी फ़ाइल', '🎉 a"b;c,d=e%20f.png', "it's", 'e\u0301te\u0301'];
    await overALine(await startProxy(stack.url), async (line, person) => {
      for (const filename of names) {
        const { url } = await upload(Buffer.from(filename), options(line, person, { metadata: { filename } }));
        const record = await fileOf(stack, person, pathOf(url));
        assert.equal(record.name, filename);
        assert.equal(record.sha256, sha256(filename));
      }
    });
  });
});

describe('Uppy', () => {
  test('uploads a large file over a line that breaks ten times', { skip: SPOOLED }, () =>
    overABreakingLine(async (line, person) => {
      const uppy = new Uppy().use(UppyTus, { ...options(line, person), metadata: undefined, allowedMetaFields: ['name', 'type'] });
      // What a browser's file has; the client in Node takes a buffer for it
      const data = Object.assign(readFileSync(largePath), { size: SIZE });
      uppy.addFile({ name: 'large.bin', type: 'application/x-large', data });
      const { successful, failed } = await uppy.upload();
      assert.deepEqual([successful.length, failed.length], [1, 0], failed[0]?.error);
      uppy.destroy();
      return successful[0].uploadURL;
    }));
});

describe('tus-js-client in a browser', () => {
  let browser, page;
  before(async () => {
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}`);
  });
  after(() => browser?.close());

  // In the page: upload the chosen file, and give the upload's address. With `until` it is left there.
  async function inPage(settings, until) {
    await page.setInputFiles('input', largePath);
    return page.evaluate(([given, most]) => new Promise((done, fail) => {
      const { tus, document } = globalThis;
      const file = document.querySelector('input').files[0];
      const one = new tus.Upload(file, {
        ...given,
        metadata: { filename: file.name, filetype: file.type },
        onSuccess: () => done(one.url),
        onError: (error) => fail(error),
        onChunkComplete: (_, accepted) => most && accepted > most && one.abort().then(() => done(one.url)),
      });
      one.findPreviousUploads().then((found) => {
        if (found.length) one.resumeFromPreviousUpload(found[0]);
        one.start();
      });
    }), [settings, until]);
  }

  for (const [what, more] of [
    ['in one request', {}],
    ['in four parts at a time', { parallelUploads: 4 }],
    ['by POST, in chunks', { overridePatchMethod: true, chunkSize: CHUNK }],
  ])
    test(`uploads a large file ${what} over a line that breaks ten times`, () =>
      overABreakingLine((line, person) => inPage(options(line, person, { ...more, storeFingerprintForResuming: false })), more.parallelUploads));

  test('goes on where it was when its page is loaded again', async () =>
    overALine(await startProxy(stack.url), async (line, person) => {
      const settings = options(line, person, { chunkSize: CHUNK });
      const first = await inPage(settings, SIZE / 2);
      await page.reload();
      const before = line.bytes;
      assert.equal(await inPage(settings), first);
      assert.ok(line.bytes - before < SIZE / 2 + CHUNK, 'what was there was not sent again');
      await assertLarge(person, first);
    }));
});
