// Uploads by the page: many at once, cut off in every way, and every byte there in the end.
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, letNoticesStay, listed, openBrowser } from '../support/browser.js';
import { allFiles, keep, sha256 } from '../support/files.js';
import { openLine } from '../support/line.js';
import { startStack, useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-page-'));
after(() => rmSync(folder, { recursive: true }));

const LARGE = 24 << 20;
const SLOW = 6 << 20; // bytes a second: a large file takes seconds, in which things can happen to it

const large = join(folder, 'large file.bin');
const content = randomFillSync(Buffer.alloc(LARGE));
writeFileSync(large, content);

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertCalm();
});

async function open(where = stack, person = ann) {
  page = await browser.visit(where);
  await page.logIn(person);
}

// The network as the browser sees it: how fast it sends, and whether there is one.
async function network({ bytesPerSecond = SLOW, offline = false } = {}) {
  page.inspector ??= await page.context().newCDPSession(page);
  await page.inspector.send('Network.emulateNetworkConditions', { offline, latency: 0, downloadThroughput: -1, uploadThroughput: bytesPerSecond });
}

// Requests of uploads, as they leave: {method, offset, token}.
function requests() {
  const seen = [];
  page.on('request', (request) => {
    if (!request.url().includes('/tus')) return;
    const headers = request.headers();
    seen.push({ method: request.method(), offset: headers['upload-offset'] && Number(headers['upload-offset']), token: headers.authorization });
  });
  return seen;
}

const give = (...paths) => page.locator('#picker').setInputFiles(paths);

// Until so many bytes of the large file are on their way.
const underWay = (bytes = 2 << 20) => page.waitForFunction((n) => document.querySelector('.upload progress')?.value > n, bytes);

async function arrivedWhole(where = stack, person = ann) {
  await eventually(() => listed(page), ['large file.bin']);
  const [file, ...others] = await allFiles(where, person);
  assert.deepEqual([file.name, file.size, file.sha256, others.length], ['large file.bin', LARGE, sha256(content), 0]);
  await page.locator('#uploads').waitFor({ state: 'hidden' });
}

describe('files come in', () => {
  test('by the picker, several at once, with their types, empty ones too', async () => {
    // The bytes decide the type
    const contents = {
      'a.txt': 'content of a.txt', 'b.png': Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex'),
      'c.pdf': '%PDF-1.4\n', 'Größe.csv': 'a,b\n1,2\n', 'empty.dat': '',
    };
    const names = Object.keys(contents);
    for (const name of names) writeFileSync(join(folder, name), contents[name]);
    await open();
    await give(...names.map((name) => join(folder, name)));
    await eventually(async () => (await listed(page)).sort(), [...names].sort());
    const files = await allFiles(stack, ann);
    assert.deepEqual(Object.fromEntries(files.map((f) => [f.name, [f.type, f.size]])), {
      'a.txt': ['text/plain', 16], 'b.png': ['image/png', 33], 'c.pdf': ['application/pdf', 9],
      'Größe.csv': ['text/csv', 8], 'empty.dat': ['application/octet-stream', 0],
    });
    await page.getByText('5 files uploaded').waitFor();
  });

  test('by a drop of files and folders, from as deep as they go', async () => {
    const dropped = join(folder, 'dropped');
    mkdirSync(join(dropped, 'inner', 'innermost'), { recursive: true });
    const names = ['top.txt', 'inner/middle.txt', 'inner/innermost/deep.txt'];
    for (const name of names) writeFileSync(join(dropped, name), name);
    writeFileSync(join(dropped, '.DS_Store'), 'litter');
    for (let i = 0; i < 120; i++) writeFileSync(join(dropped, 'inner', `many ${i}.txt`), String(i)); // readEntries gives 100
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

  test('by a drop of which something cannot be read: the rest comes, and that is said', async () => {
    writeFileSync(join(folder, 'beside.txt'), 'beside');
    await open();
    const inspector = await page.context().newCDPSession(page);
    await letNoticesStay(page);
    const data = { items: [], files: [join(folder, 'is not there.txt'), join(folder, 'beside.txt')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('is not there.txt could not be read.').waitFor();
    await eventually(() => listed(page), ['beside.txt']);
  });

  test('not when they are carried on, even if what they hung over has gone meanwhile', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open();
    await page.locator('.file').waitFor();
    const seen = await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x'));
      const say = (type, target) => target.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
      const isOver = () => document.body.classList.contains('dragging');
      const row = document.querySelector('.file');
      say('dragenter', row);
      const [before] = [isOver(), row.remove()];
      say('dragenter', document.body);
      say('dragleave', document.body);
      return [before, isOver()];
    });
    assert.deepEqual(seen, [true, false]);
  });

  test('by pasting', async () => {
    await open();
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['pasted'], 'image.png', { type: 'image/png' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
    });
    await eventually(() => listed(page), ['image.png']);
  });

  test('no more than three at a time, and the rest wait', async () => {
    const paths = ['1', '2', '3', '4', '5'].map((n) => join(folder, `${n}.bin`));
    for (const path of paths) writeFileSync(path, Buffer.alloc(1 << 20, path));
    await open();
    await network({ bytesPerSecond: 1 << 20 });
    await give(...paths);
    await page.getByRole('heading', { name: 'Uploading 5 files' }).waitFor();
    await eventually(async () => (await page.locator('.upload p').allTextContents()).filter((t) => t === 'Waiting').length, 2);
    await network({ bytesPerSecond: -1 });
    await eventually(async () => (await listed(page)).length, 5);
  });
});

describe('an upload goes on', () => {
  test('after the network was gone, and sends again what had not arrived', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await give(large);
    await underWay();
    await network({ offline: true });
    line.cut(); // what is under way ends only with its connection
    await page.locator('.upload').getByText('The connection is gone. Goes on by itself.').waitFor();
    await network();
    await arrivedWhole();
    assert.equal(seen.filter((r) => r.method === 'POST').length, 1);
    const [first, second] = seen.filter((r) => r.method === 'PATCH');
    assert.equal(first.offset, 0);
    assert.ok(second.offset > 0, 'nothing of it was lost');
  });

  test('after the connection broke, more than once', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await give(large);
    for (const share of [0.2, 0.5, 0.8]) {
      await underWay(LARGE * share);
      line.cut();
    }
    await arrivedWhole();
    const offsets = seen.filter((r) => r.method === 'PATCH').map((r) => r.offset);
    assert.ok(offsets.length >= 4 && offsets.every((o, i) => i === 0 || o >= offsets[i - 1]), String(offsets));
  });

  test('and is one file when the answer to its last byte was lost', async () => {
    const line = await openLine(stack.url);
    await open(line);
    const seen = requests();
    line.loseAnswer('PATCH');
    await give(large);
    await arrivedWhole();
    assert.equal(line.lost, 1);
    assert.deepEqual(seen.map((r) => r.method), ['POST', 'PATCH', 'HEAD']);
  });

  test('after a reload, when the file is chosen again, and not from the start', async () => {
    await open();
    await network();
    await give(large);
    await underWay();
    page.on('dialog', (dialog) => dialog.accept());
    await page.reload();
    await page.getByText('Begun earlier. Choose the file again to go on.').waitFor();
    const seen = requests();
    await give(large);
    await arrivedWhole();
    assert.deepEqual(seen.filter((r) => r.method === 'POST'), []);
    assert.ok(seen.find((r) => r.method === 'PATCH').offset > 0);
  });

  test('after a reload by itself, where the browser lets the file be opened again', async () => {
    page = await browser.visit(stack);
    // A handle as the picker gives it, of the browser's own file system: that may be read without asking.
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
    await underWay();
    page.on('dialog', (dialog) => dialog.accept());
    await page.reload();
    await eventually(() => listed(page), ['large file.bin']);
    assert.equal((await allFiles(stack, ann))[0].sha256, sha256(Buffer.alloc(LARGE).map((_, i) => i % 251)));
  });

  test('after the login was ended in the middle of it, when the same person logs in again', async () => {
    const line = await openLine(stack.url);
    await open(line);
    await network();
    const seen = requests();
    await give(large);
    await underWay();
    assertStatus(await stack.call('POST', '/logout?all=1', { token: ann.token }), 204);
    line.cut();
    await page.getByText('Your login has ended. Log in again to go on.').waitFor();
    const again = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    await page.logIn(ann);
    await arrivedWhole(stack, { ...ann, token: again.json.access_token });
    assert.equal(seen.filter((r) => r.method === 'POST').length, 1);
  });

  test('not if the server has forgotten it: then nobody is asked for the file', async () => {
    await open();
    await network();
    const [made] = await Promise.all([page.waitForResponse((r) => r.request().method() === 'POST' && r.url().includes('/tus')), give(large)]);
    await underWay();
    page.on('dialog', (dialog) => dialog.accept());
    await page.goto('about:blank');
    const id = made.headers().location.split('/').at(-1);
    assertStatus(await stack.call('DELETE', `/tus/${id}`, { token: ann.token, headers: { 'Tus-Resumable': '1.0.0' } }), 204);
    const [asked] = await Promise.all([page.waitForResponse((r) => r.url().endsWith(id)), page.goto(stack.url)]);
    assert.equal(asked.status(), 404);
    await page.waitForLoadState('networkidle');
    assert.equal(await page.locator('.upload').count(), 0);
  });

  test('when its token is refused, the line breaks, and the next one is refused too', async () => {
    await open();
    const answers = ['refuse', 'break', 'refuse'];
    await page.route(/\/tus\/./, (route) => {
      const next = answers.shift();
      if (next === 'break') return route.abort();
      if (next === 'refuse') return route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:gatehouse:invalid-token' }) });
      return route.continue();
    });
    writeFileSync(join(folder, 'small.txt'), 'content');
    await give(join(folder, 'small.txt'));
    await eventually(() => listed(page), ['small.txt']);
    assert.deepEqual(answers, []);
  });

  test('when it was paused, from there', async () => {
    await open();
    await network();
    const seen = requests();
    await give(large);
    await underWay();
    await page.getByRole('button', { name: 'Pause large file.bin' }).click();
    await page.getByText(/^Paused at/).waitFor();
    const sent = seen.length;
    await page.waitForTimeout(300);
    assert.equal(seen.length, sent, 'nothing is sent meanwhile');
    await page.getByRole('button', { name: 'Go on with large file.bin' }).click();
    await arrivedWhole();
    assert.ok(seen.filter((r) => r.method === 'PATCH').at(-1).offset > 0);
  });
});

describe('an upload ends', () => {
  test('when it is cancelled, and the server keeps nothing of it', async () => {
    await open();
    await network();
    const [made] = await Promise.all([
      page.waitForResponse((r) => r.request().method() === 'POST' && r.url().includes('/tus')),
      give(large),
    ]);
    await underWay();
    await page.getByRole('button', { name: 'Cancel large file.bin' }).click();
    await page.locator('#uploads').waitFor({ state: 'hidden' });
    const id = made.headers().location.split('/').at(-1);
    await eventually(async () => (await stack.call('GET', `/tus/${id}`, { token: ann.token, headers: { 'Tus-Resumable': '1.0.0' } })).status, 404);
    await eventually(() => page.locator('#usage').textContent(), '0 files, 0 B');
    await page.reload();
    await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    assert.equal(await page.locator('.upload').count(), 0);
  });

  test('in words when its file is changed under it, rather than with two halves of two files', async () => {
    const line = await openLine(stack.url);
    const changing = join(folder, 'changing.bin');
    writeFileSync(changing, content);
    await open(line);
    await network();
    await give(changing);
    await underWay();
    writeFileSync(changing, Buffer.alloc(LARGE));
    line.cut();
    await page.locator('.upload').getByText('The file has changed or is gone. Choose it again.').waitFor();
    assert.equal((await allFiles(stack, ann)).length, 0);
    await page.getByRole('button', { name: 'Choose again changing.bin' }).waitFor();
    await give(changing);
    await eventually(() => listed(page), ['changing.bin']);
    assert.equal((await allFiles(stack, ann))[0].sha256, sha256(Buffer.alloc(LARGE)));
    await page.locator('#uploads').waitFor({ state: 'hidden' });
  });

  test('and with the last of them the count: the next begins anew', async () => {
    const small = join(folder, 'small.txt');
    writeFileSync(small, 'content');
    await open();
    await network();
    await give(small, large);
    await eventually(() => listed(page), ['small.txt']);
    await page.getByRole('button', { name: 'Cancel large file.bin' }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('1 file uploaded').waitFor();
    await page.locator('#uploads').waitFor({ state: 'hidden' });
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose', 'the focus is where uploads begin');
    await give(large);
    await page.getByRole('heading', { name: 'Uploading 1 file', exact: true }).waitFor();
    await page.getByText(/ of 25\.2 MB/).first().waitFor();
    await page.getByRole('button', { name: 'Cancel all' }).click();
  });

  test('one by one when there is no room for all: those that came are counted, and who cannot see hears of the others', async () => {
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--files', '2'])).code, 0);
    const paths = ['1', '2', '3'].map((n) => join(folder, `${n}.txt`));
    for (const path of paths) writeFileSync(path, 'content');
    await open();
    await page.evaluate(() => {
      globalThis.heard = [];
      const announcer = document.querySelector('#announcer');
      new MutationObserver(() => heard.push(...[...announcer.children].map((one) => one.textContent))).observe(announcer, { childList: true });
    });
    await give(...paths);
    await page.getByRole('heading', { name: '1 upload to finish' }).waitFor();
    await eventually(() => page.locator('#usage').textContent(), '2 files, 14 Bof 2 files');
    await page.waitForFunction(() => heard.some((text) => /^\d\.txt: Your space is used up/.test(text)));
  });

  test('in words when there is no room for it, and can be tried again when there is', async () => {
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--bytes', '1000000'])).code, 0);
    await open();
    await give(large);
    await page.locator('.upload p.problem').getByText(/space|quota/i).waitFor();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(ann.id), '--bytes', '100000000'])).code, 0);
    await page.getByRole('button', { name: 'Try again large file.bin' }).click();
    await arrivedWhole();
    await page.getByText('of 100 MB').waitFor();
    await page.getByRole('progressbar', { name: 'Space used: 1 file, 25.2 MB of 100 MB' }).waitFor();
  });
});

test('another tab does not take an upload that this one sends', async () => {
  await open();
  await network();
  await give(large);
  await underWay();
  const other = await browser.open(page.context(), stack.url);
  await other.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
  await other.waitForLoadState('networkidle');
  assert.equal(await other.locator('.upload').count(), 0);
  await page.bringToFront(); // a page behind another paints nothing
  await arrivedWhole();
});

describe('on a server of its own', () => {
  let own, bob;
  before(async () => {
    own = await startStack({ settings: { TOKEN_LIFE: 31 } });
    bob = await own.person();
  });
  after(() => own?.stop());

  test('an upload goes on after the program was killed, with a token that was made meanwhile', async () => {
    await open(own, bob);
    await network();
    const seen = requests();
    await give(large);
    await underWay(LARGE / 3);
    for (const pid of own.processes('cgi-gateway')) process.kill(pid, 'SIGKILL');
    await arrivedWhole(own, bob);
    const patches = seen.filter((r) => r.method === 'PATCH');
    assert.ok(patches.length >= 2 && patches.at(-1).offset > 0, JSON.stringify(patches.map((r) => r.offset)));
    assert.notEqual(patches.at(-1).token, patches[0].token);
  });
});
