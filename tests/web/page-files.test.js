// The list of files on the page: show, search, rename, delete and undo, download.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, fileRow, keepNoticesOpen, listedNames, openBrowser } from '../support/browser.js';
import { allFiles, uploadFile, sha256 } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertNoErrors();
});

async function open(options) {
  page = await browser.visit(stack, options);
  await page.logIn(ann);
}

// Insert `n` records of one user into the database, because as many uploads would take too long.
async function manyFiles(n) {
  const one = await uploadFile(stack, ann, 'file.txt', 'x');
  const columns = (await stack.sql('gateway', 'SHOW COLUMNS FROM file')).map(([name]) => name);
  const values = columns.map((c) => ({
    id: `CONCAT(LEFT(id, 24), LOWER(LPAD(HEX(seq), 12, '0')))`,
    name: `CONCAT('file ', LPAD(seq, 5, '0'), '.txt')`,
    folded: 'NULL', // not indexed yet
  })[c] ?? c);
  await stack.sql('gateway', `SET max_recursive_iterations = ${n};
    INSERT INTO file (${columns.join()})
    WITH RECURSIVE numbers AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM numbers WHERE seq < ${n})
    SELECT ${values.join()} FROM file JOIN numbers WHERE id = '${one.id}'`);
  assertStatus(await stack.call('DELETE', `/files/${one.id}`, { token: ann.token }), 204);
}

describe('the list', () => {
  test('without files says how to upload', async () => {
    await open();
    await page.getByRole('heading', { name: 'No files yet' }).waitFor();
    await page.getByRole('button', { name: 'Choose files' }).focus();
    await page.locator('#file-input').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await eventually(() => listedNames(page), ['a.txt']);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose-files', 'the focus moves to the button above the list');
  });

  test('shows the newest file first, with size, kind and day', async () => {
    await uploadFile(stack, ann, 'first.pdf', Buffer.alloc(1536));
    await uploadFile(stack, ann, 'second.tar.gz', 'x');
    await open();
    await eventually(() => listedNames(page), ['second.tar.gz', 'first.pdf']);
    const row = fileRow(page, 'first.pdf');
    assert.equal(await row.locator('.size').textContent(), '1.54 KB');
    assert.equal(await row.locator('.kind').textContent(), 'PDF');
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    await eventually(() => page.locator('#usage').textContent(), '2 files, 1.54 KB');
  });

  test('shows every name as text, whatever characters it has', async () => {
    const names = ['<img src=x onerror=alert(1)>.txt', '&amp; "quoted".txt', 'صورة العائلة.png', `${'long '.repeat(49)}.txt`];
    for (const name of names) await uploadFile(stack, ann, name, 'x');
    await open();
    await eventually(() => listedNames(page), [...names].reverse());
    assert.equal(await page.locator('.list img').count(), 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  });

  test('with ten thousand files is scrolled to its end and searched', async () => {
    await manyFiles(10_000);
    await open();
    await eventually(async () => (await listedNames(page)).length >= 100, true);
    // Like holding the End key: the next page is loaded whenever the end comes into view.
    const frames = await page.evaluate(async () => {
      const times = [];
      for (let last = performance.now(); document.querySelectorAll('.file').length < 10_000;) {
        scrollTo(0, document.documentElement.scrollHeight);
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    });
    const at = (share) => Math.round(frames[Math.floor((frames.length - 1) * share)]);
    console.log(`ℹ scrolling through 10,000 files: ${frames.length} frames, median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
    assert.equal(new Set(await listedNames(page)).size, 10_000);
    await page.locator('#search').fill('file 04711'); // not by label, which Playwright would search in every row
    await eventually(() => listedNames(page), ['file 04711.txt']);
  });

  test('loads the next page at the button "Show more", by keyboard', async () => {
    await manyFiles(150);
    await open({ viewport: { width: 1100, height: 600 } });
    await eventually(async () => (await listedNames(page)).length >= 100, true);
    await page.getByRole('button', { name: 'Show more' }).press('Enter').catch(() => {}); // the page may have been loaded already, by scrolling
    await eventually(async () => (await listedNames(page)).length, 150);
    assert.equal(await page.getByRole('button', { name: 'Show more' }).isVisible(), false);
  });

  test('without matches names the search, and a button shows all files again', async () => {
    await uploadFile(stack, ann, 'here.txt', 'x');
    await open();
    await page.getByLabel('Search by name').fill('100%');
    await page.getByText('No file name contains “100%”.').waitFor();
    await page.getByRole('button', { name: 'Show all files' }).click();
    await eventually(() => listedNames(page), ['here.txt']);
  });
});

describe('a file', () => {
  test('is opened by a double click, whose second click does not close it', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).dblclick(); // the button is outside the dialog that it opens
    await page.getByRole('button', { name: 'Create link' }).waitFor();
    await page.mouse.click(5, 5);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('dialog closes when "back" leads to another view', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open({ path: '/#account' });
    await page.getByRole('link', { name: 'Files' }).click();
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('dialog shows its errors above itself, and they move to the page when it closes', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open({ viewport: { width: 360, height: 740 } });
    await fileRow(page, 'a.txt').locator('.name').click();
    await page.getByRole('dialog').waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Create link' }).click();
    const notice = page.getByText('Gatehouse cannot be reached.').first();
    await notice.click({ trial: true }); // fails if another element covers it
    assert.equal(await page.locator('dialog #announcer').count(), 1);
    await page.keyboard.press('Escape');
    await page.locator('body > #toasts .toast').first().waitFor();
  });

  test('is renamed in its row', async () => {
    await uploadFile(stack, ann, 'old name.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Rename old name.txt' }).click();
    assert.equal(await page.evaluate(() => getSelection().toString()), 'old name', 'the extension is not selected');
    await page.keyboard.type('new name');
    await page.keyboard.press('Enter');
    await eventually(() => listedNames(page), ['new name.txt']);
    await eventually(async () => (await allFiles(stack, ann)).map((f) => f.name), ['new name.txt']);
  });

  test('keeps its name when the server refuses the new one, and the error is shown', async () => {
    await uploadFile(stack, ann, 'old.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Rename old.txt' }).click();
    await page.getByLabel('New name of old.txt').fill('ä'.repeat(200));
    await page.keyboard.press('Enter');
    await page.locator('.toast.error').waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => listedNames(page), ['old.txt']);
  });

  test('is deleted only when its notice closes', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await uploadFile(stack, ann, 'b.txt', 'x');
    await open();
    await keepNoticesOpen(page);
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await eventually(() => listedNames(page), ['b.txt']);
    assert.equal((await allFiles(stack, ann)).length, 2);
    await page.mouse.move(0, 0);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await eventually(async () => (await allFiles(stack, ann)).map((f) => f.name), ['b.txt']);
    await eventually(() => page.locator('#usage').textContent(), '1 file, 1 B');
  });

  test('returns to its place by the button "Undo"', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await uploadFile(stack, ann, name, 'x');
    await open();
    await keepNoticesOpen(page);
    await page.getByRole('button', { name: 'Delete b.txt' }).click();
    await eventually(() => listedNames(page), ['c.txt', 'a.txt']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(() => listedNames(page), ['c.txt', 'b.txt', 'a.txt']);
    assert.equal((await allFiles(stack, ann)).length, 3);
  });

  test('returns to its place even if many were deleted after it', async () => {
    const names = ['1.txt', '2.txt', '3.txt', '4.txt', '5.txt', '6.txt'];
    for (const name of names) await uploadFile(stack, ann, name, 'x');
    await open();
    await keepNoticesOpen(page);
    await fileRow(page, '6.txt').locator('.name').focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press('Delete');
    await page.getByRole('heading', { name: 'No files yet' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Choose files');
    assert.equal(await page.locator('.toast').filter({ visible: true }).count(), 4);
    for (let i = 0; i < 6; i++) await page.keyboard.press('Control+z');
    await eventually(() => listedNames(page), [...names].reverse());
    assert.equal((await allFiles(stack, ann)).length, 6);
  });

  test('is deleted when the page is closed before its notice', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await page.getByRole('heading', { name: 'No files yet' }).waitFor();
    await page.goto('about:blank');
    await eventually(async () => (await allFiles(stack, ann)).length, 0);
  });

  test('is given an expiry, and the list shows it', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByText('This file is kept until you delete it.').waitFor();
    await page.getByText('1 byte', { exact: true }).waitFor();
    await page.getByLabel('Delete this file after').selectOption('7 days');
    await page.getByText(/^This file will be deleted in 7 days \(\d+ \w+.*, \d\d:\d\d\)\.$/).first().waitFor();
    await page.keyboard.press('Escape');
    await fileRow(page, 'a.txt').getByText('expires in 7 days').waitFor();
    assert.ok((await allFiles(stack, ann))[0].expires_at);
  });

  test('of an image type has a preview', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await uploadFile(stack, ann, 'dot.png', png, { type: 'image/png' });
    await open();
    await page.getByRole('button', { name: 'dot.png', exact: true }).click();
    const picture = page.getByRole('img', { name: 'Preview of dot.png' });
    await picture.waitFor();
    assert.equal(await picture.evaluate((img) => img.naturalWidth), 1);
  });
});

test('the view of upload links opens at its earlier address too', async () => {
  await open({ path: '/#requests' });
  await page.getByRole('heading', { name: 'Upload links', level: 1 }).waitFor();
});

describe('a download', () => {
  test('is saved whole, under the name of the file', async () => {
    const content = Buffer.alloc(3_000_000, 'abc');
    await uploadFile(stack, ann, 'Übersicht 2026.bin', content);
    await open();
    const [got] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download Übersicht 2026.bin' }).click()]);
    assert.equal(got.suggestedFilename(), 'Übersicht 2026.bin');
    assert.equal(sha256(readFileSync(await got.path())), sha256(content));
  });

  test('adds no link to the list of share links', async () => {
    await uploadFile(stack, ann, 'a.txt', 'x');
    await open();
    await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download a.txt' }).click()]);
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByRole('button', { name: 'Create link' }).click();
    await page.getByText('0 downloads').waitFor();
    assert.equal(await page.locator('.entries li').count(), 1);
  });

  test('works when the file has the maximum of links and some are used up', async () => {
    const file = await uploadFile(stack, ann, 'a.txt', 'x');
    for (let i = 0; i < 100; i++) {
      const link = await stack.call('POST', `/files/${file.id}/links`, { token: ann.token, json: { max_downloads: 1 } });
      assertStatus(link, 201);
      if (i === 50) assertStatus(await stack.call('GET', link.json.url), 200);
    }
    await open();
    const [got] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download a.txt' }).click()]);
    assert.equal(readFileSync(await got.path(), 'utf8'), 'x');
  });
});

test('the page is usable by keyboard alone', async () => {
  for (const name of ['one.txt', 'two.txt', 'three.txt']) await uploadFile(stack, ann, name, 'x');
  page = await browser.visit(stack);
  await keepNoticesOpen(page);
  const type = (text) => page.keyboard.type(text);
  page.on('filechooser', () => {}); // makes Playwright handle the file picker
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

  // The first field of the login form has the focus.
  await type(ann.email);
  await press('Tab');
  await type(ann.password);
  await press('Enter');
  await eventually(() => listedNames(page), ['three.txt', 'two.txt', 'one.txt']);

  // From the search into the list, a row down, rename that file.
  await press('/');
  await press('ArrowDown');
  assert.match(await focused(), /^three\.txt/);
  await press('ArrowDown');
  assert.match(await focused(), /^two\.txt/);
  await press('F2');
  await type('renamed');
  await press('Enter');
  await eventually(() => listedNames(page), ['three.txt', 'renamed.txt', 'one.txt']);
  assert.match(await focused(), /^renamed\.txt/, 'the focus stays on the row');

  // Delete: the focus moves to the next row, and undo moves it back.
  await press('Delete');
  await eventually(() => listedNames(page), ['three.txt', 'one.txt']);
  assert.match(await focused(), /^one\.txt/);
  await press('Control+z');
  await eventually(() => listedNames(page), ['three.txt', 'renamed.txt', 'one.txt']);
  assert.match(await focused(), /^renamed\.txt/);

  // Open the dialog and close it: the focus returns.
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.match(await focused(), /^renamed\.txt/);

  // Upload by the button. Without showOpenFilePicker, because Playwright can answer <input> only.
  await page.evaluate(() => delete globalThis.showOpenFilePicker);
  await page.locator('#choose-files').focus();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press('Enter')]);
  await chooser.setFiles({ name: 'four.txt', mimeType: 'text/plain', buffer: Buffer.from('by keys') });
  await eventually(() => listedNames(page), ['four.txt', 'three.txt', 'renamed.txt', 'one.txt']);

  // Log out, by Tab.
  for (let i = 0; i < 40 && (await focused()) !== 'Log out'; i++) await press('Shift+Tab');
  await press('Enter');
  await page.getByRole('heading', { name: 'Gatehouse', exact: true }).waitFor();
});
