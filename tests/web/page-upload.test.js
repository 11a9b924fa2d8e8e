// Uploads on the page: several at a time, interrupted in every way, and complete in the end.
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, keepNoticesOpen, listedNames, openBrowser } from '../support/browser.js';
import { allFiles, uploadFile, sha256 } from '../support/files.js';
import { openLine } from '../support/line.js';
import { startStack, useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-page-'));
after(() => rmSync(folder, { recursive: true }));

const LARGE = 24 << 20;
const SLOW = 6 << 20; // bytes a second: a large file takes seconds, so that a test can interrupt it

const large = join(folder, 'large file.bin');
const content = randomFillSync(Buffer.alloc(LARGE));
writeFileSync(large, content);

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertNoErrors();
});

async function open(where = stack, person = ann) {
  page = await browser.visit(where);
  await page.logIn(person);
}

// Emulate a slow network, or none.
async function network({ bytesPerSecond = SLOW, offline = false } = {}) {
  page.inspector ??= await page.context().newCDPSession(page);
  await page.inspector.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
}

// The requests of uploads, as they are sent: {method, offset, token}.
function requests() {
  const seen = [];
  page.on('request', (request) => {
    if (!request.url().includes('/tus')) return;
    const headers = request.headers();
    seen.push({ method: request.method(), offset: headers['upload-offset'] && Number(headers['upload-offset']), token: headers.authorization });
  });
  return seen;
}

const choose = (...paths) => page.locator('#file-input').setInputFiles(paths);

// Wait until that many bytes of the large file have been sent.
const sentBytes = (bytes = 2 << 20) => page.waitForFunction((n) => document.querySelector('.upload progress')?.value > n, bytes);

async function assertComplete(where = stack, person = ann) {
  await eventually(() => listedNames(page), ['large file.bin']);
  const [file, ...others] = await allFiles(where, person);
  assert.deepEqual([file.name, file.size, file.sha256, others.length], ['large file.bin', LARGE, sha256(content), 0]);
  await page.locator('#uploads').waitFor({ state: 'hidden' });
}

describe('an upload starts', () => {
  test('by the file picker, for several files, with their types, also for empty ones', async () => {
    // The server takes the type from the content.
    const contents = {
      'a.txt': 'content of a.txt', 'b.png': Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
      'c.pdf': '%PDF-1.4\n', 'Größe.csv': 'a,b\n1,2\n', 'empty.dat': '',
    };
    const names = Object.keys(contents);
    for (const name of names) writeFileSync(join(folder, name), contents[name]);
    await open();
    await choose(...names.map((name) => join(folder, name)));
    await eventually(async () => (await listedNames(page)).sort(), [...names].sort());
    const files = await allFiles(stack, ann);
    assert.deepEqual(Object.fromEntries(files.map((f) => [f.name, [f.type, f.size]])), {
      'a.txt': ['text/plain', 16], 'b.png': ['image/png', 33], 'c.pdf': ['application/pdf', 9],
      'Größe.csv': ['text/csv', 8], 'empty.dat': ['application/octet-stream', 0],
    });
    await page.getByText('5 files uploaded').waitFor();
  });

  test('by a drop of files and folders, for nested folders too', async () => {
    const dropped = join(folder, 'dropped');
    mkdirSync(join(dropped, 'inner', 'innermost'), { recursive: true });
    const names = ['top.txt', 'inner/middle.txt', 'inner/innermost/deep.txt'];
    for (const name of names) writeFileSync(join(dropped, name), name);
    writeFileSync(join(dropped, '.DS_Store'), 'system file');
    for (let i = 0; i < 120; i++) writeFileSync(join(dropped, 'inner', `many ${i}.txt`), String(i)); // readEntries returns 100 at a time
    writeFileSync(join(folder, 'beside.txt'), 'beside');
    await open();
    const inspector = await page.context().newCDPSession(page);
    const data = { items: [], files: [dropped, join(folder, 'beside.txt')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.locator('body.dragging').waitFor();
    await inspector.send('Input.dispatchDragEvent', { type: 'drop', x: 300, y: 300, data });
    await eventually(async () => (await allFiles(stack, ann)).length, 124);
    const there = new Set((await allFiles(stack, ann)).map((f) => f.name));
    for (const name of ['top.txt', 'middle.txt', 'deep.txt', 'many 0.txt', 'many 119.txt', 'beside.txt']) assert.ok(there.has(name), name);
    assert.equal(there.has('.DS_Store'), false);
    await page.locator('body:not(.dragging)').waitFor();
  });

  test('for each readable file of a drop, and the unreadable one is reported', async () => {
    writeFileSync(join(folder, 'beside.txt'), 'beside');
    await open();
    const inspector = await page.context().newCDPSession(page);
    await keepNoticesOpen(page);
    const data = { items: [], files: [join(folder, 'is not there.txt'), join(folder, 'beside.txt')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('is not there.txt could not be read.').waitFor();
    await eventually(() => listedNames(page), ['beside.txt']);
  });

  test('not if the drag leaves the page, even if the element beneath it was removed meanwhile', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open();
    await page.locator('.file').waitFor();
    const seen = await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x'));
      const dispatch = (type, target) => target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
      const isOver = () => document.body.classList.contains('dragging');
      const row = document.querySelector('.file');
      dispatch('dragenter', row);
      const [before] = [isOver(), row.remove()];
      dispatch('dragenter', document.body);
      dispatch('dragleave', document.body);
      return [before, isOver()];
    });
    assert.deepEqual(seen, [true, false]);
  });

  test('by a paste', async () => {
    await open();
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['pasted'], 'image.png', { type: 'image/png' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    });
    await eventually(() => listedNames(page), ['image.png']);
  });

  test('while fewer than three others are sent; the rest waits', async () => {
    const paths = ['1', '2', '3', '4', '5'].map((n) => join(folder, `${n}.bin`));
    for (const path of paths) writeFileSync(path, Buffer.alloc(1 << 20, path));
    await open();
    await network({ bytesPerSecond: 1 << 20 });
    await choose(...paths);
    await page.getByRole('heading', { name: 'Uploading 5 files' }).waitFor();
    await eventually(async () => (await page.locator('.upload p').allTextContents()).filter((t) => t === 'Waiting').length, 2);
    await network({ bytesPerSecond: -1 });
    await eventually(async () => (await listedNames(page)).length, 5);
  });
});

describe('an upload resumes', () => {
  test('after a loss of the network, from the bytes that have arrived', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await choose(large);
    await sentBytes();
    await network({ offline: true });
    line.cut(); // offline mode does not end requests under way
    await page.locator('.upload').getByText('Connection lost. Retrying automatically.').waitFor();
    await network();
    await assertComplete();
    assert.equal(seen.filter((r) => r.method === 'POST').length, 1);
    const [first, second] = seen.filter((r) => r.method === 'PATCH');
    assert.equal(first.offset, 0);
    assert.ok(second.offset > 0, 'the first bytes were not sent again');
  });

  test('after each of several lost connections', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await choose(large);
    for (const share of [0.2, 0.5, 0.8]) {
      await sentBytes(LARGE * share);
      line.cut();
    }
    await assertComplete();
    const offsets = seen.filter((r) => r.method === 'PATCH').map((r) => r.offset);
    assert.ok(offsets.length >= 4 && offsets.every((o, i) => i === 0 || o >= offsets[i - 1]), String(offsets));
  });

  test('after the answer to its last byte was lost, and is one file', async () => {
    const line = await openLine(stack.url);
    await open(line);
    const seen = requests();
    line.loseAnswer('PATCH');
    await choose(large);
    await assertComplete();
    assert.equal(line.lost, 1);
    assert.deepEqual(seen.map((r) => r.method), ['POST', 'PATCH', 'HEAD']);
  });

  test('after a reload when the file is chosen again, and not from the start', async () => {
    await open();
    await network();
    await choose(large);
    await sentBytes();
    page.on('dialog', (dialog) => dialog.accept());
    await page.reload();
    await page.getByText('Started earlier. Choose the file again to resume.').waitFor();
    const seen = requests();
    await choose(large);
    await assertComplete();
    assert.deepEqual(seen.filter((r) => r.method === 'POST'), []);
    assert.ok(seen.find((r) => r.method === 'PATCH').offset > 0);
  });

  test('after a reload by itself, if the browser opens the file again', async () => {
    page = await browser.visit(stack);
    // A handle like the file picker's, but of the browser's private file system, which needs no permission.
    await page.addInitScript(() => {
      globalThis.showOpenFilePicker = async () => [await (await navigator.storage.getDirectory()).getFileHandle('large file.bin')];
    });
    await page.reload();
    await page.logIn(ann);
    await page.evaluate(async (size) => {
      const handle = await (await navigator.storage.getDirectory()).getFileHandle('large file.bin', { create: true });
      const out = await handle.createWritable();
      await out.write(new Uint8Array(size).map((_, i) => i % 251));
      await out.close();
    }, LARGE);
    await network();
    await page.getByRole('button', { name: 'Choose files' }).click();
    await sentBytes();
    page.on('dialog', (dialog) => dialog.accept());
    await page.reload();
    await eventually(() => listedNames(page), ['large file.bin']);
    assert.equal((await allFiles(stack, ann))[0].sha256, sha256(Buffer.alloc(LARGE).map((_, i) => i % 251)));
  });

  test('after an update of the page, from the record of the earlier version', async () => {
    const path = join(folder, 'small.txt');
    writeFileSync(path, 'content');
    const made = await stack.call('POST', '/tus/', { token: ann.token, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': '7', 'Upload-Metadata': `filename ${btoa('small.txt')}` } });
    assertStatus(made, 201);
    await open();
    const record = { url: `${stack.url}/tus/${made.headers.get('location').split('/').at(-1)}`, owner: ann.id, name: 'small.txt', size: 7, modified: Math.floor(statSync(path).mtimeMs) };
    // The names and members that every version of the page uses.
    await page.evaluate((stored) => new Promise((resolve) => {
      indexedDB.open('gatehouse', 1).onsuccess = ({ target }) => {
        target.result.transaction('uploads', 'readwrite').objectStore('uploads').put(stored).onsuccess = resolve;
      };
    }), record);
    await page.reload();
    await page.getByText('Started earlier. Choose the file again to resume.').waitFor();
    const seen = requests();
    await choose(path);
    await eventually(() => listedNames(page), ['small.txt']);
    assert.deepEqual(seen.map((r) => r.method).filter((method) => method === 'POST'), []);
  });

  test('after the session has ended, when the same user logs in again', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await choose(large);
    await sentBytes();
    assertStatus(await stack.call('POST', '/logout?all=1', { token: ann.token }), 204);
    line.cut();
    await page.getByText('Your session has ended. Log in again to continue.').waitFor();
    const again = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    await page.logIn(ann);
    await assertComplete(stack, { ...ann, token: again.json.access_token });
    assert.equal(seen.filter((r) => r.method === 'POST').length, 1);
  });

  test('not if the server has deleted it: the page does not ask for the file', async () => {
    await open();
    await network();
    const [made] = await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST' && r.url().includes('/tus')), choose(large)]);
    await sentBytes();
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto('about:blank');
    const id = made.headers().location.split('/').at(-1);
    assertStatus(await stack.call('DELETE', `/tus/${id}`, { token: ann.token, headers: { 'Tus-Resumable': '1.0.0' } }), 204);
    const [asked] = await Promise.all([page.waitForResponse((r) => r.url().endsWith(id)), page.goto(stack.url)]);
    assert.equal(asked.status(), 404);
    await page.waitForLoadState('networkidle');
    assert.equal(await page.locator('.upload').count(), 0);
  });

  test('after a refused token, a lost connection and another refused token', async () => {
    await open();
    const answers = ['refuse', 'break', 'refuse'];
    await page.route(/\/tus\/./, (route) => {
      const next = answers.shift();
      if (next === 'break') return route.abort();
      if (next === 'refuse') return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:gatehouse:invalid-token' }) });
      return route.continue();
    });
    writeFileSync(join(folder, 'small.txt'), 'content');
    await choose(join(folder, 'small.txt'));
    await eventually(() => listedNames(page), ['small.txt']);
    assert.deepEqual(answers, []);
  });

  test('after a pause, from where it was paused', async () => {
    await open();
    await network();
    const seen = requests();
    await choose(large);
    await sentBytes();
    await page.getByRole('button', { name: 'Pause large file.bin' }).click();
    await page.getByText(/^Paused at/).waitFor();
    const sent = seen.length;
    await page.waitForTimeout(300);
    assert.equal(seen.length, sent, 'no request is sent while it is paused');
    await page.getByRole('button', { name: 'Resume large file.bin' }).click();
    await assertComplete();
    assert.ok(seen.filter((r) => r.method === 'PATCH').at(-1).offset > 0);
  });
});

describe('an upload ends', () => {
  test('when it is cancelled, and the server deletes it', async () => {
    await open();
    await network();
    const [made] = await Promise.all([
      page.waitForResponse((r) => r.request().method() === 'POST' && r.url().includes('/tus')),
      choose(large),
    ]);
    await sentBytes();
    await page.getByRole('button', { name: 'Cancel large file.bin' }).click();
    await page.locator('#uploads').waitFor({ state: 'hidden' });
    const id = made.headers().location.split('/').at(-1);
    await eventually(async () => (await stack.call('GET', `/tus/${id}`, { token: ann.token, headers: { 'Tus-Resumable': '1.0.0' } })).status, 404);
    await eventually(() => page.locator('#usage').textContent(), '0 files, 0 B');
    await page.reload();
    await page.getByRole('heading', { name: 'No files yet' }).waitFor();
    assert.equal(await page.locator('.upload').count(), 0);
  });

  test('with an error if its file is changed meanwhile, and never mixes two versions', async () => {
    const line = await openLine(stack.url);
    const changing = join(folder, 'changing.bin');
    writeFileSync(changing, content);
    await open(line);
    await network();
    await choose(changing);
    await sentBytes();
    writeFileSync(changing, Buffer.alloc(LARGE));
    line.cut();
    await page.locator('.upload').getByText('The file was changed or removed. Choose it again.').waitFor();
    assert.equal((await allFiles(stack, ann)).length, 0);
    await page.getByRole('button', { name: 'Choose again changing.bin' }).waitFor();
    await choose(changing);
    await eventually(() => listedNames(page), ['changing.bin']);
    assert.equal((await allFiles(stack, ann))[0].sha256, sha256(Buffer.alloc(LARGE)));
    await page.locator('#uploads').waitFor({ state: 'hidden' });
  });

  test('with the count of files, which starts over for the next one', async () => {
    const small = join(folder, 'small.txt');
    writeFileSync(small, 'content');
    await open();
    await network();
    await choose(small, large);
    await eventually(() => listedNames(page), ['small.txt']);
    await page.getByRole('button', { name: 'Cancel large file.bin' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1 file uploaded').waitFor();
    await page.locator('#uploads').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose-files', 'the button that starts uploads has the focus');
    await choose(large);
    await page.getByRole('heading', { name: 'Uploading 1 file', exact: true }).waitFor();
    await page.getByText(/ of 25\.2 MB/).first().waitFor();
    await page.getByRole('button', { name: 'Cancel all' }).click();
  });

  test('with an announced error beyond the quota, and the files within it are counted', async () => {
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--files', '2'])).code, 0);
    const paths = ['1', '2', '3'].map((n) => join(folder, `${n}.txt`));
    for (const path of paths) writeFileSync(path, 'content');
    await open();
    await page.evaluate(() => {
      globalThis.announced = [];
      const announcer = document.querySelector('#announcer');
      new MutationObserver(() => announced.push(...[...announcer.children].map((one) => one.textContent))).observe(announcer, { childList: true });
    });
    await choose(...paths);
    await page.getByRole('heading', { name: '1 unfinished upload' }).waitFor();
    await eventually(() => page.locator('#usage').textContent(), '2 files, 14 Bof 2 files');
    await page.waitForFunction(() => announced.some((text) => /^\d\.txt: Your quota of files is used up/.test(text)));
  });

  test('with an error beyond the quota, and a retry succeeds when the quota is raised', async () => {
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--bytes', '1000000'])).code, 0);
    await open();
    await choose(large);
    await page.locator('.upload p.problem').getByText(/space|quota/i).waitFor();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--bytes', '100000000'])).code, 0);
    await page.getByRole('button', { name: 'Try again large file.bin' }).click();
    await assertComplete();
    await page.getByText('of 100 MB').waitFor();
    await page.getByRole('progressbar', { name: 'Space used: 1 file, 25.2 MB of 100 MB' }).waitFor();
  });
});

test('an upload that one tab sends is not resumed by another tab', async () => {
  await open();
  await network();
  await choose(large);
  await sentBytes();
  const other = await browser.open(page.context(), stack.url);
  await other.getByRole('heading', { name: 'No files yet' }).waitFor();
  await other.waitForLoadState('networkidle');
  assert.equal(await other.locator('.upload').count(), 0);
  await page.bringToFront(); // a tab in the background draws nothing
  await assertComplete();
});

describe('on a separate server', () => {
  let own, bob;
  before(async () => {
    own = await startStack({ settings: { TOKEN_LIFE: 31 } });
    bob = await own.person();
  });
  after(() => own?.stop());

  test('an upload resumes after the program was killed, with a new token', async () => {
    await open(own, bob);
    await network();
    const seen = requests();
    await choose(large);
    await sentBytes(LARGE / 3);
    for (const pid of own.processes('cgi-gateway')) process.kill(pid, 'SIGKILL');
    await assertComplete(own, bob);
    const patches = seen.filter((r) => r.method === 'PATCH');
    assert.ok(patches.length >= 2 && patches.at(-1).offset > 0, JSON.stringify(patches.map((r) => r.offset)));
    assert.notEqual(patches.at(-1).token, patches[0].token);
  });
});
