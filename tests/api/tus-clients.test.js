// Resumable uploads with the usual clients: tus-js-client in Node and in a browser, and Uppy, over a
// connection that breaks ten times.
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
const CHUNK = Math.ceil(SIZE / 45); // some of them lie between two breaks
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tus-'));
const largePath = join(folder, 'large.bin');
let site, stack, largeSum;

before(async () => {
  // A page with an origin of its own, as an application has
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

// No two blocks are equal, so that a misplaced block is found.
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

// A proxy that breaks its connections ten times while SIZE bytes pass.
const breakingProxy = () => startProxy(stack.url, { every: Math.floor(SIZE / (CUTS + 1)), times: CUTS });

const options = (proxy, person, more = {}) => ({
  endpoint: `${proxy.url}/tus/`,
  retryDelays: [0, 20, 50, 100, 200, 500, 1000],
  headers: { Authorization: `Bearer ${person.token}` },
  metadata: { filename: 'large.bin', filetype: 'application/x-large' },
  ...more,
});

// Run tus-js-client to its end; returns the upload.
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

// The file is complete and the only one. If a client uploads in parts and misses the answer to the creation of one,
// it creates that part again, and the first one counts until it expires: do not check the usage then.
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

async function throughProxy(proxy, run) {
  const person = await stack.person();
  try {
    await run(proxy, person);
  } finally {
    await proxy.stop();
  }
}

const throughBreakingProxy = async (run, parts) =>
  throughProxy(await breakingProxy(), async (proxy, person) => {
    const url = await run(proxy, person);
    assert.equal(proxy.cuts, CUTS, 'the connection broke CUTS times');
    await assertLarge(person, url, parts);
  });

// A request that breaks off makes no progress there
const SPOOLED = front === 'apache-fcgid' && 'mod_fcgid reads the whole body first';

describe('tus-js-client in Node', () => {
  for (const [what, more, skip] of [
    ['in one request', {}, SPOOLED],
    ['in chunks', { chunkSize: CHUNK }],
    ['in four parts at a time', { parallelUploads: 4 }],
    ['by POST where PATCH does not pass', { overridePatchMethod: true }, SPOOLED],
  ])
    test(`tus-js-client in Node uploads a large file ${what} over a connection that breaks ten times`, { skip }, () =>
      throughBreakingProxy(async (proxy, person) => (await upload(createReadStream(largePath), options(proxy, person, more))).url, more.parallelUploads));

  test('tus-js-client in Node uploads a stream of unknown length', () =>
    throughBreakingProxy(async (proxy, person) => {
      const source = createReadStream(largePath).pipe(new PassThrough());
      return (await upload(source, options(proxy, person, { uploadLengthDeferred: true, chunkSize: CHUNK }))).url;
    }));

  test('tus-js-client in Node uploads with a checksum of each chunk', () =>
    throughBreakingProxy(async (proxy, person) => {
      const onBeforeRequest = (request) => {
        if (request.getMethod() !== 'PATCH') return;
        const from = Number(request.getHeader('Upload-Offset'));
        request.setHeader('Upload-Checksum', `sha1 ${createHash('sha1').update(largeSlice(from, from + CHUNK)).digest('base64')}`);
      };
      return (await upload(createReadStream(largePath), options(proxy, person, { chunkSize: CHUNK, onBeforeRequest }))).url;
    }));

  // A creation that breaks off is started anew and leaves nothing behind.
  test('tus-js-client in Node uploads with the creation, which is repeated after each break', async () =>
    throughProxy(await startProxy(stack.url, { every: Math.floor(SIZE / 20), times: CUTS }), async (proxy, person) => {
      const { url } = await upload(createReadStream(largePath), options(proxy, person, { uploadDataDuringCreation: true, retryDelays: Array(CUTS + 1).fill(10) }));
      assert.equal(proxy.cuts, CUTS);
      await assertLarge(person, url);
    }));

  test('tus-js-client in Node continues with a new token when the old one is refused', () =>
    throughBreakingProxy(async (proxy, person) => {
      const login = async () => (await stack.call('POST', '/login', { basic: [person.email, person.password] })).json;
      let session = await login(), refused = 0, requests = 0;
      const onBeforeRequest = async (request) => {
        requests++;
        if (requests === 5) session = (await stack.call('POST', '/refresh', { json: { refresh_token: session.refresh_token } })).json;
        if (requests === 10) assertStatus(await stack.call('POST', '/logout', { token: session.access_token, body: '' }), 204);
        // A HEAD with the old token would be refused, and the client would begin anew
        if (requests > 10 && request.getMethod() === 'HEAD' && refused) session = await login();
        request.setHeader('Authorization', `Bearer ${session.access_token}`);
      };
      const onShouldRetry = (error) => {
        if (error.originalResponse?.getStatus() === 401) refused++;
        return true;
      };
      const { url } = await upload(createReadStream(largePath), options(proxy, person, { chunkSize: CHUNK, onBeforeRequest, onShouldRetry, headers: {} }));
      assert.ok(refused > 0, 'a token of an ended session is refused');
      return url;
    }));

  test('tus-js-client in Node continues with an API token what a login began', async () =>
    throughProxy(await startProxy(stack.url), async (proxy, person) => {
      const script = (await stack.call('POST', '/tokens', { token: person.token, json: { name: 'tus', scope: 'files:write' } })).json;
      const first = new Upload(createReadStream(largePath), options(proxy, person, { chunkSize: CHUNK }));
      await new Promise((done, fail) => {
        first.options.onError = fail;
        first.options.onChunkComplete = (_, accepted) => accepted > SIZE / 2 && first.abort().then(done);
        first.start();
      });
      assert.equal(await fileOf(stack, person, pathOf(first.url)), null);
      const before = proxy.bytes;
      const { url } = await upload(createReadStream(largePath), options(proxy, script, { uploadUrl: first.url, endpoint: null }));
      assert.ok(proxy.bytes - before < SIZE / 2 + CHUNK, 'bytes already there are not sent again');
      await assertLarge(person, url);
    }));

  test('tus-js-client in Node terminates an upload, which frees its quota', async () =>
    throughProxy(await startProxy(stack.url), async (proxy, person) => {
      const one = new Upload(createReadStream(largePath), options(proxy, person, { chunkSize: CHUNK }));
      await new Promise((done, fail) => {
        one.options.onError = fail;
        one.options.onChunkComplete = (_, accepted) => accepted > SIZE / 3 && one.abort(true).then(done, fail);
        one.start();
      });
      assertStatus(await head(stack, person, pathOf(one.url)), 404);
      await assertUsage(person, 0, 0);
    }));

  test('tus-js-client in Node keeps names in any language', async () => {
    const names = ['Übersicht – Zürich.pdf', '概要 2026.txt', 'Привет, мир.doc', 'مرحبا.zip', 'हिन्दी फ़ाइल', '🎉 a"b;c,d=e%20f.png', "it's", 'e\u0301te\u0301'];
    await throughProxy(await startProxy(stack.url), async (proxy, person) => {
      for (const filename of names) {
        const { url } = await upload(Buffer.from(filename), options(proxy, person, { metadata: { filename } }));
        const record = await fileOf(stack, person, pathOf(url));
        assert.equal(record.name, filename);
        assert.equal(record.sha256, sha256(filename));
      }
    });
  });
});

describe('Uppy', () => {
  test('Uppy uploads a large file over a connection that breaks ten times', { skip: SPOOLED }, () =>
    throughBreakingProxy(async (proxy, person) => {
      const uppy = new Uppy().use(UppyTus, { ...options(proxy, person), metadata: undefined, allowedMetaFields: ['name', 'type'] });
      // A buffer with the properties of a browser's file, which the client in Node accepts
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

  // In the page: upload the chosen file; returns the upload's URL. Stops after `until` bytes if given.
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
    test(`tus-js-client in a browser uploads a large file ${what} over a connection that breaks ten times`, () =>
      throughBreakingProxy((proxy, person) => inPage(options(proxy, person, { ...more, storeFingerprintForResuming: false })), more.parallelUploads));

  test('tus-js-client in a browser resumes after the page is reloaded', async () =>
    throughProxy(await startProxy(stack.url), async (proxy, person) => {
      const settings = options(proxy, person, { chunkSize: CHUNK });
      const first = await inPage(settings, SIZE / 2);
      await page.reload();
      const before = proxy.bytes;
      assert.equal(await inPage(settings), first);
      assert.ok(proxy.bytes - before < SIZE / 2 + CHUNK, 'bytes already there are not sent again');
      await assertLarge(person, first);
    }));
});
