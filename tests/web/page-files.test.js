// The list of files on the page: seen, searched, renamed, deleted and not, downloaded.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, fileRow, letNoticesStay, listed, openBrowser } from '../support/browser.js';
import { allFiles, keep, sha256 } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertCalm();
});

async function open(options) {
  page = await browser.visit(stack, options);
  await page.logIn(ann);
}

// Rows as nobody could upload them in the time of a test: `n` records of one person, a second apart.
async function manyFiles(n) {
  const one = await keep(stack, ann, 'file.txt', 'x');
  const columns = (await stack.sql('gateway', 'SHOW COLUMNS FROM file')).map(([name]) => name);
  const values = columns.map((c) => ({
    id: `CONCAT(LEFT(id, 24), LOWER(LPAD(HEX(seq), 12, '0')))`,
    name: `CONCAT('file ', LPAD(seq, 5, '0'), '.txt')`,
  })[c] ?? c);
  await stack.sql('gateway', `SET max_recursive_iterations = ${n};
    INSERT INTO file (${columns.join()})
    WITH RECURSIVE numbers AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM numbers WHERE seq < ${n})
    SELECT ${values.join()} FROM file JOIN numbers WHERE id = '${one.id}'`);
  assertStatus(await stack.call('DELETE', `/files/${one.id}`, { token: ann.token }), 204);
}

describe('the list', () => {
  test('of nobody yet says what to do', async () => {
    await open();
    await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    await page.getByRole('button', { name: 'Choose files' }).focus();
    await page.locator('#picker').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
    await eventually(() => listed(page), ['a.txt']);
    assert.equal(await page.evaluate(() => document.activeElement.id), 'choose', 'the focus goes to the button that takes its place');
  });

  test('has the newest first, with size, kind and day', async () => {
    await keep(stack, ann, 'first.pdf', Buffer.alloc(1536));
    await keep(stack, ann, 'second.tar.gz', 'x');
    await open();
    await eventually(() => listed(page), ['second.tar.gz', 'first.pdf']);
    const row = fileRow(page, 'first.pdf');
    assert.equal(await row.locator('.size').textContent(), '1.54 KB');
    assert.equal(await row.locator('.tile').textContent(), 'PDF');
    await page.getByRole('heading', { name: 'Today' }).waitFor();
    await eventually(() => page.locator('#usage').textContent(), '2 files, 1.54 KB');
  });

  test('shows names as they are, whatever they hold', async () => {
    const names = ['<img src=x onerror=alert(1)>.txt', '&amp; "quoted".txt', 'صورة العائلة.png', `${'long '.repeat(49)}.txt`];
    for (const name of names) await keep(stack, ann, name, 'x');
    await open();
    await eventually(() => listed(page), [...names].reverse());
    assert.equal(await page.locator('.list img').count(), 0);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  });

  test('of ten thousand is scrolled to its end and searched', async () => {
    await manyFiles(10_000);
    await open();
    await eventually(async () => (await listed(page)).length >= 100, true);
    // As someone holds the End key: each page of the list comes as its end is seen.
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
    assert.equal(new Set(await listed(page)).size, 10_000);
    await page.locator('#search').fill('file 04711'); // a label is looked for in every row
    await eventually(() => listed(page), ['file 04711.txt']);
  });

  test('goes on at the button, without a mouse', async () => {
    await manyFiles(150);
    await open({ viewport: { width: 1100, height: 600 } });
    await eventually(async () => (await listed(page)).length >= 100, true);
    await page.getByRole('button', { name: 'Show more' }).press('Enter').catch(() => {}); // it may have come into view already
    await eventually(async () => (await listed(page)).length, 150);
    assert.equal(await page.getByRole('button', { name: 'Show more' }).isVisible(), false);
  });

  test('that finds nothing says for what, and how to get back', async () => {
    await keep(stack, ann, 'here.txt', 'x');
    await open();
    await page.getByLabel('Search by name').fill('100%');
    await page.getByText('No file has “100%” in its name.').waitFor();
    await page.getByRole('button', { name: 'Show all files' }).click();
    await eventually(() => listed(page), ['here.txt']);
  });
});

describe('a file', () => {
  test('is opened, and by a double click not closed again', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).dblclick(); // its place lies beside the dialog
    await page.getByRole('button', { name: 'Make a link' }).waitFor();
    await page.mouse.click(5, 5);
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('is closed by going back, which leads to another room', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open({ path: '/#account' });
    await page.getByRole('link', { name: 'Files' }).click();
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('says over its own sheet what went wrong there, and afterwards where notices are', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open({ viewport: { width: 360, height: 740 } });
    await fileRow(page, 'a.txt').locator('.name').click();
    await page.getByRole('dialog').waitFor();
    await page.context().setOffline(true);
    await page.getByRole('button', { name: 'Make a link' }).click();
    const notice = page.getByText('Gatehouse cannot be reached.').first();
    await notice.click({ trial: true }); // nothing lies over it
    assert.equal(await page.locator('dialog #announcer').count(), 1);
    await page.keyboard.press('Escape');
    await page.locator('body > #toasts .toast').first().waitFor();
  });

  test('is renamed where it stands', async () => {
    await keep(stack, ann, 'old name.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Rename old name.txt' }).click();
    assert.equal(await page.evaluate(() => getSelection().toString()), 'old name', 'the extension is not chosen');
    await page.keyboard.type('new name');
    await page.keyboard.press('Enter');
    await eventually(() => listed(page), ['new name.txt']);
    await eventually(async () => (await allFiles(stack, ann)).map((f) => f.name), ['new name.txt']);
  });

  test('keeps its name when the server refuses another, and says why', async () => {
    await keep(stack, ann, 'old.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Rename old.txt' }).click();
    await page.getByLabel('New name of old.txt').fill('ä'.repeat(200));
    await page.keyboard.press('Enter');
    await page.locator('.toast.wrong').waitFor();
    await page.keyboard.press('Escape');
    await eventually(() => listed(page), ['old.txt']);
  });

  test('that is deleted is there until the time to undo is over', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await keep(stack, ann, 'b.txt', 'x');
    await open();
    await letNoticesStay(page);
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await eventually(() => listed(page), ['b.txt']);
    assert.equal((await allFiles(stack, ann)).length, 2);
    await page.mouse.move(0, 0);
    await page.getByRole('button', { name: 'Dismiss' }).click();
    await eventually(async () => (await allFiles(stack, ann)).map((f) => f.name), ['b.txt']);
    await eventually(() => page.locator('#usage').textContent(), '1 file, 1 B');
  });

  test('comes back by the button, to where it was', async () => {
    for (const name of ['a.txt', 'b.txt', 'c.txt']) await keep(stack, ann, name, 'x');
    await open();
    await letNoticesStay(page);
    await page.getByRole('button', { name: 'Delete b.txt' }).click();
    await eventually(() => listed(page), ['c.txt', 'a.txt']);
    await page.getByRole('button', { name: 'Undo' }).click();
    await eventually(() => listed(page), ['c.txt', 'b.txt', 'a.txt']);
    assert.equal((await allFiles(stack, ann)).length, 3);
  });

  test('comes back also when many were deleted after it', async () => {
    const names = ['1.txt', '2.txt', '3.txt', '4.txt', '5.txt', '6.txt'];
    for (const name of names) await keep(stack, ann, name, 'x');
    await open();
    await letNoticesStay(page);
    await fileRow(page, '6.txt').locator('.name').focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press('Delete');
    await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Choose files');
    assert.equal(await page.locator('.toast').filter({ visible: true }).count(), 4);
    for (let i = 0; i < 6; i++) await page.keyboard.press('Control+z');
    await eventually(() => listed(page), [...names].reverse());
    assert.equal((await allFiles(stack, ann)).length, 6);
  });

  test('that is being deleted when the page is left is deleted', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'Delete a.txt' }).click();
    await page.getByRole('heading', { name: 'Nothing here yet' }).waitFor();
    await page.goto('about:blank');
    await eventually(async () => (await allFiles(stack, ann)).length, 0);
  });

  test('can be given an end, and the list shows it', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open();
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByText('This file stays until it is deleted.').waitFor();
    await page.getByText('1 byte', { exact: true }).waitFor();
    await page.getByLabel('Delete this file after').selectOption('7 days');
    await page.getByText(/^This file is deleted in 7 days \(\d+ \w+.*, \d\d:\d\d\)\.$/).first().waitFor();
    await page.keyboard.press('Escape');
    await fileRow(page, 'a.txt').getByText('expires in 7 days').waitFor();
    assert.ok((await allFiles(stack, ann))[0].expires_at);
  });

  test('that is a picture can be looked at', async () => {
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await keep(stack, ann, 'dot.png', png, { type: 'image/png' });
    await open();
    await page.getByRole('button', { name: 'dot.png', exact: true }).click();
    const picture = page.getByRole('img', { name: 'Preview of dot.png' });
    await picture.waitFor();
    assert.equal(await picture.evaluate((img) => img.naturalWidth), 1);
  });
});

describe('a download', () => {
  test('goes to the disk under its own name, whole', async () => {
    const content = Buffer.alloc(3_000_000, 'abc');
    await keep(stack, ann, 'Übersicht 2026.bin', content);
    await open();
    const [got] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download Übersicht 2026.bin' }).click()]);
    assert.equal(got.suggestedFilename(), 'Übersicht 2026.bin');
    assert.equal(sha256(readFileSync(await got.path())), sha256(content));
  });

  test('leaves no link that counts as shared', async () => {
    await keep(stack, ann, 'a.txt', 'x');
    await open();
    await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download a.txt' }).click()]);
    await page.getByRole('button', { name: 'a.txt', exact: true }).click();
    await page.getByRole('button', { name: 'Make a link' }).click();
    await page.getByText('0 downloads').waitFor();
    assert.equal(await page.locator('.entries li').count(), 1);
  });

  test('works when the file has as many links as it may, if some are used up', async () => {
    const file = await keep(stack, ann, 'a.txt', 'x');
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

test('everything can be done with the keyboard alone', async () => {
  for (const name of ['one.txt', 'two.txt', 'three.txt']) await keep(stack, ann, name, 'x');
  page = await browser.visit(stack);
  await letNoticesStay(page);
  const type = (text) => page.keyboard.type(text);
  page.on('filechooser', () => {}); // from now on the test answers, not a window of the browser's
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);

  // The door has the focus where one begins.
  await type(ann.email);
  await press('Tab');
  await type(ann.password);
  await press('Enter');
  await eventually(() => listed(page), ['three.txt', 'two.txt', 'one.txt']);

  // From the search into the list, down a row, rename it.
  await press('/');
  await press('ArrowDown');
  assert.match(await focused(), /^three\.txt/);
  await press('ArrowDown');
  assert.match(await focused(), /^two\.txt/);
  await press('F2');
  await type('renamed');
  await press('Enter');
  await eventually(() => listed(page), ['three.txt', 'renamed.txt', 'one.txt']);
  assert.match(await focused(), /^renamed\.txt/, 'the focus is where it was');

  // Delete: the focus goes on; undo brings it back.
  await press('Delete');
  await eventually(() => listed(page), ['three.txt', 'one.txt']);
  assert.match(await focused(), /^one\.txt/);
  await press('Control+z');
  await eventually(() => listed(page), ['three.txt', 'renamed.txt', 'one.txt']);
  assert.match(await focused(), /^renamed\.txt/);

  // Open it, and close it: the focus is back.
  await press('Enter');
  await page.getByRole('dialog').waitFor();
  await press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.match(await focused(), /^renamed\.txt/);

  // Upload by the button, which the keyboard reaches and presses. (Where the browser's own window for
  // files opens, the page's part is over.)
  await page.evaluate(() => delete globalThis.showOpenFilePicker);
  await page.locator('#choose').focus();
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), press('Enter')]);
  await chooser.setFiles({ name: 'four.txt', mimeType: 'text/plain', buffer: Buffer.from('by keys') });
  await eventually(() => listed(page), ['four.txt', 'three.txt', 'renamed.txt', 'one.txt']);

  // Out again, with Tab.
  for (let i = 0; i < 40 && (await focused()) !== 'Log out'; i++) await press('Shift+Tab');
  await press('Enter');
  await page.getByRole('heading', { name: 'Gatehouse', exact: true }).waitFor();
});
