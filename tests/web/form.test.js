// Uploads from the page of another origin, in a real browser: form, FormData, CORS.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launchChromium } from '../support/browser.js';
import { allFiles, sha256 } from '../support/files.js';
import { startStack } from '../support/stack.js';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-web-'));
let site, stack, browser, page, ann;

// A page on an origin of its own, like the page of another application.
before(async () => {
  site = http.createServer((_, response) => response.setHeader('Content-Type', 'text/html; charset=utf-8').end('<form><input type="file" name="file" multiple></form>'));
  await new Promise((done) => site.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${site.address().port}`;
  stack = await startStack({ settings: { CORS_ORIGINS: origin } });
  ann = await stack.person();
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(origin);
});
after(async () => {
  await browser?.close();
  await stack?.stop();
  site?.close();
  rmSync(folder, { recursive: true });
});

test('a page logs in, submits its form, and reads the answer across origins', async () => {
  const paths = ['Übersicht "2026".txt', 'empty.bin'].map((name) => join(folder, name));
  writeFileSync(paths[0], 'from a browser');
  writeFileSync(paths[1], '');
  await page.setInputFiles('input', paths);

  const seen = await page.evaluate(async ({ url, email, password }) => {
    const login = await fetch(`${url}/login`, { method: 'POST', headers: { Authorization: `Basic ${btoa(`${email}:${password}`)}` } });
    const { access_token: token } = await login.json();
    const upload = await fetch(`${url}/upload`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: new FormData(document.querySelector('form')) });
    const { files } = await upload.json();
    const download = await fetch(url + files[0].url, { headers: { Authorization: `Bearer ${token}` } });
    return {
      status: upload.status,
      requestId: upload.headers.get('X-Request-ID'),
      disposition: download.headers.get('Content-Disposition'),
      text: await download.text(),
      files,
    };
  }, { url: stack.url, email: ann.email, password: ann.password });

  assert.equal(seen.status, 201);
  assert.ok(seen.requestId, 'CORS exposes X-Request-ID');
  assert.match(seen.disposition, /%C3%9Cbersicht/);
  assert.equal(seen.text, 'from a browser');
  assert.deepEqual(seen.files.map((f) => [f.name, f.size, f.sha256]),
    [['Übersicht "2026".txt', 14, sha256('from a browser')], ['empty.bin', 0, sha256('')]]);
  assert.equal((await allFiles(stack, ann)).length, 2);
});

test('a page of an origin that is not allowed cannot send a request with a token', async () => {
  const foreign = await browser.newPage();
  await foreign.goto(`http://localhost:${site.address().port}`);
  const seen = await foreign.evaluate(async ({ url, token }) => {
    try {
      await fetch(`${url}/files`, { headers: { Authorization: `Bearer ${token}` } });
      return 'answered';
    } catch (error) {
      return error.name;
    }
  }, { url: stack.url, token: ann.token });
  assert.equal(seen, 'TypeError');
});
