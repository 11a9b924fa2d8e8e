// The page of a share link, on which people without an account download its file.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, before, describe, test } from 'node:test';
import { accessibilityFaults, eventually, openBrowser } from '../support/browser.js';
import { assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const content = Buffer.alloc(200_000, 'x');

let ann, file, page;
before(async () => {
  ann = await stack.person();
  file = await uploadFile(stack, ann, 'صورة <b>.bin', content, { type: 'application/octet-stream' });
});
afterEach(async () => {
  await page.context().close();
  browser.assertNoErrors();
});

async function share(parameters) {
  const answer = await stack.call('POST', `/files/${file.id}/links`, { token: ann.token, json: parameters });
  assertStatus(answer, 201);
  return { ...answer.json, path: new URL(answer.json.url, stack.url).pathname };
}

const open = async (link, options) => (page = await browser.visit(stack, { path: link.path, ...options }));
const downloads = async (link) => (await stack.call('GET', `/files/${file.id}/links`, { token: ann.token })).json.links.find(({ id }) => id === link.id).downloads;

describe('the page of a share link', () => {
  for (const colorScheme of ['light', 'dark'])
    test(`shows the file and sends it when the button is pressed, in ${colorScheme}`, async () => {
      const link = await share({ max_downloads: 1 });
      await open(link, { colorScheme, viewport: { width: 360, height: 740 } });
      assert.equal(page.url(), `${stack.url}/share-link.html#${link.path.split('/s/')[1]}`);
      await page.getByRole('heading', { name: 'صورة <b>.bin' }).waitFor();
      await page.getByText('200 KB').waitFor();
      await page.getByText('1 download left').waitFor();
      assert.doesNotMatch(await page.evaluate(() => document.body.textContent), new RegExp(ann.email), 'the page does not name the owner');
      assert.deepEqual(await accessibilityFaults(page), []);
      assert.equal(await page.getByRole('link', { name: 'Download' }).evaluate((a) => getComputedStyle(a).textDecorationLine), 'none', 'it looks like a button');
      assert.equal(await page.getByRole('link', { name: 'start page' }).count(), 0);
      await page.reload();
      await page.getByText('1 download left').waitFor();
      assert.equal(await downloads(link), 0);

      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
      assert.equal(Buffer.compare(readFileSync(await download.path()), content), 0);
      assert.equal(download.suggestedFilename(), file.name.replace(/[<>]/g, '_')); // as Chromium writes it
      await page.getByText('The download has started. The link cannot be used again.').waitFor();
      assert.equal(await downloads(link), 1);
    });

  test('says when the link has ended, or never was', async () => {
    const link = await share({ max_downloads: 1 });
    assertStatus(await stack.call('GET', link.path), 200);
    await open(link);
    await page.getByText('This link has expired, was revoked or is used up').waitFor();
    assert.equal(await page.getByRole('link', { name: 'Download' }).count(), 0);
    assert.equal(await page.getByRole('link', { name: 'Go to the start page' }).evaluate((a) => a.href), `${stack.url}/`);
    await page.goto(`${stack.url}/share-link.html#nothing`);
    await page.getByText('This link does not exist.').waitFor();
    await eventually(() => page.title(), 'A file for you – Gatehouse');
  });

  test('shows a link without a limit as such', async () => {
    await open(await share({ expires_in: null }));
    await page.getByRole('link', { name: 'Download' }).waitFor();
    assert.equal(await page.locator('#limits').textContent(), '');
  });
});
