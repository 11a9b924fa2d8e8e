// Upload links: created in their view, and used on their own page by people without an account.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, accessibilityFaults, keepNoticesOpen, openBrowser } from '../support/browser.js';
import { allFiles } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-upload-link-'));
after(() => rmSync(folder, { recursive: true }));

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertNoErrors();
});

const file = (name, content) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) });

async function createLink(parameters) {
  const answer = await stack.call('POST', '/upload-links', { token: ann.token, json: parameters });
  assertStatus(answer, 201);
  return answer.json;
}

const open = async (link, options) => (page = await browser.visit(stack, { path: new URL(link.url, stack.url).pathname, ...options }));
const send = (...files) => page.locator('#file-input').setInputFiles(files);

describe('an upload link', () => {
  test('is created and copied, counts received files, and is revoked', async () => {
    page = await browser.visit(stack, { path: '/#upload-links', permissions: ['clipboard-read', 'clipboard-write'] });
    await page.logIn(ann);
    await keepNoticesOpen(page);
    await page.getByText('No upload links yet.').waitFor();
    await page.getByLabel('Name, shown to the sender').fill('Photos of the party');
    await page.getByLabel('Max. files').fill('3');
    await page.getByRole('button', { name: 'Create link' }).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.deepEqual(await page.locator('#upload-links :is(input:not([readonly]), select)').evaluateAll((fields) => fields.map((f) => f.value)),
      ['', '604800', '100', '1000'], 'the form is reset');
    const address = await page.evaluate(() => navigator.clipboard.readText());
    assertStatus(await stack.call('PUT', `${new URL(address).pathname}/a.txt`, { body: 'from a friend' }), 201);
    await page.reload();
    await page.getByText('Photos of the party').waitFor();
    await page.getByText('1 of 3 files, 13 B of 1 GB received').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('No upload links yet.').waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.textContent), 'Your upload links');
    assertStatus(await stack.call('GET', new URL(address).pathname), 410);
  });
});

describe('the page of an upload link', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`shows the name and the limits, sends files, and says thank you, in ${colorScheme}`, async () => {
      await open(await createLink({ name: 'صور الحفلة', max_files: 5, max_bytes: 1000 }), { colorScheme, viewport: { width: 360, height: 740 } });
      await page.getByRole('heading', { name: 'صور الحفلة' }).waitFor();
      await page.getByText('Up to 5 files · 1 KB in total').waitFor();
      assert.doesNotMatch(await page.evaluate(() => document.body.textContent), new RegExp(ann.email), 'the page does not name the owner');
      assert.deepEqual(await accessibilityFaults(page), []);
      await send(file('one.txt', 'first'), file('größer & <b>.txt', 'second'));
      await page.getByText('Thank you. 2 files sent.').waitFor();
      await page.getByText('Up to 3 files').waitFor();
      assert.deepEqual(await accessibilityFaults(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      assert.deepEqual((await allFiles(stack, ann)).map((f) => f.name).sort(), ['größer & <b>.txt', 'one.txt']);
    });
  }

  test('opens at its earlier address too', async () => {
    const secret = (await createLink({ name: 'Photos' })).url.split('/').at(-1);
    page = await browser.visit(stack, { path: `/drop.html#${secret}` });
    await page.getByRole('heading', { name: 'Photos' }).waitFor();
    assert.equal(page.url(), `${stack.url}/upload-link.html#${secret}`);
  });

  test('accepts a dropped folder', async () => {
    writeFileSync(join(folder, 'in a folder.txt'), 'content');
    await open(await createLink({}));
    await page.getByText('Drop files or folders here').waitFor();
    const inspector = await page.context().newCDPSession(page);
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('Thank you. 1 file sent.').waitFor();
    assert.deepEqual((await allFiles(stack, ann)).map((f) => f.name), ['in a folder.txt']);
  });

  test('reports a file that is too large, and sends the others', async () => {
    await open(await createLink({ max_file_bytes: 100 }));
    await page.getByText('Drop files or folders here').waitFor();
    await send(file('large.txt', 'x'.repeat(101)), file('small.txt', 'x'));
    await page.getByText('The file is larger than 100 B, the limit per file.').waitFor();
    await page.getByText('Thank you. 1 file sent. 1 file could not be sent: see below.').waitFor();
  });

  test('stays open while there is no connection, and the file can be sent again', async () => {
    await open(await createLink({}));
    await page.getByText('Drop files or folders here').waitFor();
    await page.context().setOffline(true);
    const limitsRequest = page.waitForEvent('requestfailed', (request) => request.method() === 'GET'); // the page asks for the limits of the link
    await send(file('a.txt', 'x'));
    await page.locator('#sent-files .problem').getByText('cannot be reached').waitFor();
    await limitsRequest;
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.ok(await page.locator('#drop-zone').isVisible());
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again a.txt' }).click();
    await page.getByText('Thank you. 1 file sent.').waitFor();
  });

  test('appears when the connection returns', async () => {
    await open(await createLink({}));
    await page.getByText('Drop files or folders here').waitFor();
    await page.route('**/u/*', (route) => route.abort());
    await page.reload();
    await page.getByText('Gatehouse cannot be reached.').waitFor();
    await page.unroute('**/u/*');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByText('Drop files or folders here').waitFor();
  });

  test('reports a dropped file that cannot be read', async () => {
    await open(await createLink({}));
    await page.getByText('Drop files or folders here').waitFor();
    const inspector = await page.context().newCDPSession(page);
    const data = { items: [], files: [join(folder, 'is not there.txt')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('The file could not be read.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Try again' }).isVisible(), false);
  });

  test('reports no error when the last file that the link accepts was sent', async () => {
    await open(await createLink({ max_files: 1 }));
    await page.getByText('Up to 1 file').waitFor();
    await send(file('1.txt', 'x'));
    await page.getByText('Thank you. 1 file sent.').waitFor();
    await page.getByText('This link accepts no more files.').waitFor();
  });

  test('shows why the server refused a file', async () => {
    await open(await createLink({ max_files: 1 }));
    await page.getByText('Up to 1 file').waitFor();
    await send(file('1.txt', 'x'), file('2.txt', 'x'));
    await page.locator('#sent-files .problem').filter({ hasText: /\w/ }).waitFor();
    assert.equal((await allFiles(stack, ann)).length, 1);
  });

  test('says that the link has ended, or does not exist', async () => {
    const link = await createLink({});
    assertStatus(await stack.call('DELETE', `/upload-links/${link.id}`, { token: ann.token }), 204);
    await open(link);
    await eventually(async () => /ended|revoked|expired/i.test(await page.locator('#about').textContent()), true);
    assert.equal(await page.locator('#drop-zone').isVisible(), false);
    assert.equal(await page.getByRole('link', { name: 'Go to the start page' }).evaluate((a) => a.href), `${stack.url}/`);
    await page.goto(`${stack.url}/upload-link.html#nothing`); // same document, other fragment: the page reloads itself
    await page.getByText('This link does not exist.').waitFor();
  });
});
