// Upload links: made on the page, and used on the page for people without an account.
import assert from 'node:assert/strict';
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { eventually, inaccessible, letNoticesStay, openBrowser } from '../support/browser.js';
import { allFiles } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-drop-'));
after(() => rmSync(folder, { recursive: true }));

let ann, page;
beforeEach(async () => {
  ann = await stack.person();
});
afterEach(async () => {
  await page.context().close();
  browser.assertCalm();
});

const file = (name, content) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) });

async function ask(wish) {
  const answer = await stack.call('POST', '/upload-links', { token: ann.token, json: wish });
  assertStatus(answer, 201);
  return answer.json;
}

const open = async (link, options) => (page = await browser.visit(stack, { path: new URL(link.url, stack.url).pathname, ...options }));
const send = (...files) => page.locator('#picker').setInputFiles(files);

describe('a request', () => {
  test('is made, its address copied, what came is counted, and it is revoked', async () => {
    page = await browser.visit(stack, { path: '/#requests', permissions: ['clipboard-read', 'clipboard-write'] });
    await page.logIn(ann);
    await letNoticesStay(page);
    await page.getByText('None yet.').waitFor();
    await page.getByLabel('What it is for').fill('Photos of the party');
    await page.getByLabel('Files at most').fill('3');
    await page.getByRole('button', { name: 'Make the address' }).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    assert.deepEqual(await page.locator('#requests :is(input:not([readonly]), select)').evaluateAll((fields) => fields.map((f) => f.value)),
      ['', '604800', '100', '1000'], 'the form is as it was, for the next');
    const address = await page.evaluate(() => navigator.clipboard.readText());
    assertStatus(await stack.call('PUT', `${new URL(address).pathname}/a.txt`, { body: 'from a friend' }), 201);
    await page.reload();
    await page.getByText('Photos of the party').waitFor();
    await page.getByText('1 file of 3, 13 B of 1 GB came').waitFor();
    assert.deepEqual(await inaccessible(page), []);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('None yet.').waitFor();
    await eventually(() => page.evaluate(() => document.activeElement.textContent), 'Your requests');
    assertStatus(await stack.call('GET', new URL(address).pathname), 410);
  });
});

describe('whoever has the address', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`sees what is asked for, sends files, and is thanked, in ${colorScheme}`, async () => {
      await open(await ask({ name: 'صور الحفلة', max_files: 5, max_bytes: 1000 }), { colorScheme, viewport: { width: 360, height: 740 } });
      await page.getByRole('heading', { name: 'صور الحفلة' }).waitFor();
      await page.getByText('Up to 5 files · 1 KB in all').waitFor();
      assert.doesNotMatch(await page.evaluate(() => document.body.textContent), new RegExp(ann.email), 'nothing of who asks');
      assert.deepEqual(await inaccessible(page), []);
      await send(file('one.txt', 'first'), file('größer & <b>.txt', 'second'));
      await page.getByText('Thank you. 2 files arrived.').waitFor();
      await page.getByText('Up to 3 files').waitFor();
      assert.deepEqual(await inaccessible(page), []);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
      assert.deepEqual((await allFiles(stack, ann)).map((f) => f.name).sort(), ['größer & <b>.txt', 'one.txt']);
    });
  }

  test('drops a folder', async () => {
    writeFileSync(join(folder, 'in a folder.txt'), 'content');
    await open(await ask({}));
    await page.getByText('Drop files or folders here').waitFor();
    const inspector = await page.context().newCDPSession(page);
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('Thank you. 1 file arrived.').waitFor();
    assert.deepEqual((await allFiles(stack, ann)).map((f) => f.name), ['in a folder.txt']);
  });

  test('reads which file is too large, and the others arrive', async () => {
    await open(await ask({ max_file_bytes: 100 }));
    await page.getByText('Drop files or folders here').waitFor();
    await send(file('large.txt', 'x'.repeat(101)), file('small.txt', 'x'));
    await page.getByText('Larger than the 100 B that a file may have here.').waitFor();
    await page.getByText('Thank you. 1 file arrived; see below for the rest.').waitFor();
  });

  test('that has no connection for a while goes on where the page is', async () => {
    await open(await ask({}));
    await page.getByText('Drop files or folders here').waitFor();
    await page.context().setOffline(true);
    const asked = page.waitForEvent('requestfailed', (request) => request.method() === 'GET'); // what the link takes now
    await send(file('a.txt', 'x'));
    await page.locator('#sent .problem').getByText('cannot be reached').waitFor();
    await asked;
    await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.ok(await page.locator('#zone').isVisible());
    await page.context().setOffline(false);
    await page.getByRole('button', { name: 'Try again a.txt' }).click();
    await page.getByText('Thank you. 1 file arrived.').waitFor();
  });

  test('comes when there is no connection, and sees the page when there is', async () => {
    await open(await ask({}));
    await page.getByText('Drop files or folders here').waitFor();
    await page.route('**/u/*', (route) => route.abort());
    await page.reload();
    await page.getByText('Gatehouse cannot be reached.').waitFor();
    await page.unroute('**/u/*');
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await page.getByText('Drop files or folders here').waitFor();
  });

  test('drops what cannot be read, and reads that', async () => {
    await open(await ask({}));
    await page.getByText('Drop files or folders here').waitFor();
    const inspector = await page.context().newCDPSession(page);
    const data = { items: [], files: [join(folder, 'is not there.txt')], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop']) await inspector.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    await page.getByText('It could not be read.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Try again' }).isVisible(), false);
  });

  test('has sent as much as is taken, and is not told of an error', async () => {
    await open(await ask({ max_files: 1 }));
    await page.getByText('Up to 1 file').waitFor();
    await send(file('1.txt', 'x'));
    await page.getByText('Thank you. 1 file arrived.').waitFor();
    await page.getByText('No more files are taken here.').waitFor();
  });

  test('reads why the server took no more', async () => {
    await open(await ask({ max_files: 1 }));
    await page.getByText('Up to 1 file').waitFor();
    await send(file('1.txt', 'x'), file('2.txt', 'x'));
    await page.locator('#sent .problem').filter({ hasText: /\w/ }).waitFor();
    assert.equal((await allFiles(stack, ann)).length, 1);
  });

  test('reads that it has ended, or never was', async () => {
    const link = await ask({});
    assertStatus(await stack.call('DELETE', `/upload-links/${link.id}`, { token: ann.token }), 204);
    await open(link);
    await eventually(async () => /ended|revoked|expired/i.test(await page.locator('#about').textContent()), true);
    assert.equal(await page.locator('#zone').isVisible(), false);
    await page.goto(`${stack.url}/drop.html#nothing`); // the page itself loads anew: the same document, another link
    await page.getByText('There is nothing at this address.').waitFor();
  });
});
