// The files of the page: headers, floors, length. The page: accessibility, width, addresses below a path.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { eventually, fileRow, accessibilityFaults, keepNoticesOpen, listedNames, openBrowser } from '../support/browser.js';
import { uploadFile } from '../support/files.js';
import { startNginx } from '../support/nginx.js';
import { repository, useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
const www = join(repository, 'lighttpd', 'www');

let ann;
before(async () => {
  ann = await stack.person();
  await uploadFile(stack, ann, 'Offer.pdf', Buffer.alloc(4096), { type: 'application/pdf' });
  await uploadFile(stack, ann, 'صورة العائلة.png', 'x', { type: 'image/png' });
  await uploadFile(stack, ann, `a_name_without_spaces_${'x'.repeat(180)}.txt`, 'x', { query: '?expires_in=86400' });
});
afterEach(() => browser.assertNoErrors());

describe('every file of the page', () => {
  const files = [['/', 'text/html; charset=utf-8'], ['/upload-link.html', 'text/html; charset=utf-8'], ['/share-link.html', 'text/html; charset=utf-8'], ['/drop.html', 'text/html; charset=utf-8'], ['/favicon.svg', 'image/svg+xml'],
    ...readdirSync(join(www, 'js')).map((name) => [`/js/${name}`, 'text/javascript; charset=utf-8']),
    ...readdirSync(join(www, 'css')).map((name) => [`/css/${name}`, 'text/css; charset=utf-8'])];

  test('is served with its type and its content security policy', async () => {
    for (const [path, type] of files) {
      const { status, headers } = await fetch(stack.url + path);
      assert.equal(status, 200, path);
      assert.equal(headers.get('content-type'), type, path);
      const policy = Object.fromEntries(headers.get('content-security-policy').split('; ').map((p) => [p.split(' ')[0], p.slice(p.indexOf(' ') + 1)]));
      assert.equal(policy['default-src'], "'none'");
      assert.equal(policy['script-src'], "'self'");
      assert.equal(policy['style-src'], "'self'");
      assert.equal(policy['frame-ancestors'], "'none'");
      assert.equal(policy['require-trusted-types-for'], "'script'");
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
      assert.equal(headers.get('cache-control'), 'no-cache');
    }
  });

  test('is not sent again if its ETag matches', async () => {
    for (const [path] of files) {
      const etag = (await fetch(stack.url + path)).headers.get('etag');
      assert.equal((await fetch(stack.url + path, { headers: { 'If-None-Match': etag } })).status, 304, path);
    }
  });

  test('imports modules of lower floors only', () => {
    const table = readFileSync(join(repository, 'docs', 'architecture.md'), 'utf8').split('<!-- page-floors:begin -->')[1].split('<!-- page-floors:end -->')[0];
    const floors = Object.fromEntries([...table.matchAll(/^\| (\d) \| ([^|]*) \|/gm)].flatMap(([, floor, names]) => names.split(' ').map((name) => [`${name}.js`, Number(floor)])));
    const modules = readdirSync(join(www, 'js'));
    assert.deepEqual(Object.keys(floors).sort(), modules.sort());
    for (const name of modules) {
      const source = readFileSync(join(www, 'js', name), 'utf8');
      for (const [, included] of source.matchAll(/(?:from|import) '\.\/(.*)'/g)) assert.ok(floors[included] < floors[name], `${name} imports ${included}`);
      assert.ok(source.startsWith(`// ${name} - `), `${name} begins with its description`);
    }
  });

  test('has at most 350 lines', () => {
    for (const [path] of files.slice(1)) {
      const lines = readFileSync(join(www, path), 'utf8').split('\n').length;
      assert.ok(lines <= 350, `${path}: ${lines} lines`);
    }
  });
});

for (const colorScheme of ['light', 'dark']) {
  for (const [what, viewport] of [['desktop', { width: 1100, height: 800 }], ['phone', { width: 360, height: 740 }]]) {
    test(`the page is accessible and fits, in ${colorScheme}, on a ${what}`, async () => {
      const page = await browser.visit(stack, { colorScheme, viewport, hasTouch: what === 'phone' });
      const fits = () => page.evaluate(() => [document.documentElement.scrollWidth <= innerWidth, [...document.querySelectorAll('dialog')].every((d) => d.scrollWidth <= d.clientWidth)]);
      const check = async (where) => {
        assert.deepEqual(await accessibilityFaults(page), [], where);
        assert.deepEqual(await fits(), [true, true], `${where} is not wider than the window`);
      };
      await check('the login form');
      await keepNoticesOpen(page);
      await page.logIn(ann);
      await eventually(async () => (await listedNames(page)).length, 3);
      await check('the list');
      await fileRow(page, 'Offer.pdf').locator('.name').click();
      await page.getByRole('button', { name: 'Create link' }).click();
      await page.getByLabel('Share link').waitFor();
      await check('a file');
      await page.keyboard.press('Escape');
      await fileRow(page, 'Offer.pdf').locator('.name').press('F2');
      await check('renaming');
      await page.keyboard.press('Escape');
      await fileRow(page, 'Offer.pdf').locator('.name').press('Delete');
      await check('a notice');
      await page.keyboard.press('Control+z');
      await page.locator('.toast').waitFor({ state: 'detached' });
      await page.context().setOffline(true);
      await page.locator('#file-input').setInputFiles({ name: 'a film.mov', mimeType: 'video/quicktime', buffer: Buffer.alloc(1000) });
      await page.locator('.upload').getByText('Connection lost.').waitFor();
      await check('an upload');
      await page.getByRole('button', { name: 'Cancel all' }).click();
      await page.context().setOffline(false);
      for (const view of ['Upload links', 'Account']) {
        await page.getByRole('link', { name: view }).click();
        await page.getByRole('heading', { name: view, level: 1 }).waitFor();
        await page.waitForLoadState('networkidle');
        await check(view);
      }
      await page.context().close();
    });
  }
}

test('type of twice the size fits on a phone, and the field for a new name is wide enough', async () => {
  const page = await browser.visit(stack, { viewport: { width: 360, height: 740 } });
  const inspector = await page.context().newCDPSession(page);
  const widthOf = (selector) => page.locator(selector).first().evaluate((element) => element.getBoundingClientRect().width);
  await keepNoticesOpen(page);
  await page.logIn(ann);
  await fileRow(page, 'Offer.pdf').locator('.name').press('F2');
  assert.ok((await widthOf('.file form input')) > 200);
  await page.keyboard.press('Escape');
  await inspector.send('Page.setFontSizes', { fontSizes: { standard: 32 } });
  await page.waitForFunction(() => parseFloat(getComputedStyle(document.documentElement).fontSize) === 32);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  assert.ok((await widthOf('#search')) > 200);
  await fileRow(page, 'Offer.pdf').locator('.name').press('Delete');
  assert.ok((await widthOf('.toast p')) > 200);
  await page.keyboard.press('Control+z');
  await page.context().close();
});

test('a focused row is not covered by the panel of uploads, which scrolls with the list in a low window', async () => {
  const bob = await stack.person();
  for (let i = 0; i < 30; i++) await uploadFile(stack, bob, `${i}.txt`, 'x');
  const page = await browser.visit(stack, { viewport: { width: 360, height: 740 } });
  await page.logIn(bob);
  await eventually(async () => (await listedNames(page)).length, 30);
  await page.context().setOffline(true);
  await page.locator('#file-input').setInputFiles(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.alloc(1000) })));
  await page.locator('.upload').nth(5).waitFor();
  await page.locator('.file .name').last().focus();
  for (let i = 0; i < 15; i++) {
    await page.keyboard.press('ArrowUp');
    const [top, bottom] = await page.evaluate(() => [document.activeElement.getBoundingClientRect().top, document.querySelector('#uploads').getBoundingClientRect().bottom]);
    assert.ok(top >= bottom, `${top} < ${bottom}`);
  }
  await page.setViewportSize({ width: 640, height: 400 });
  await page.locator('.file .name').last().focus();
  await eventually(() => page.locator('#uploads').evaluate((panel) => panel.getBoundingClientRect().bottom < 0), true);
  await page.context().close();
});

test('the link of the current view stands out in forced colours', async () => {
  const page = await browser.visit(stack, { forcedColors: 'active' });
  await page.logIn(ann);
  const lines = await page.locator('nav a').evaluateAll((links) => links.map((a) => getComputedStyle(a).borderBlockEndWidth));
  assert.notEqual(lines[0], lines[1]);
  assert.equal(lines[1], lines[2]);
  await page.context().close();
});

describe('behind a proxy, below a path', () => {
  let nginx;
  before(async () => {
    nginx = await startNginx({
      server: `location /files-of-ours/ {
        proxy_pass ${stack.url}/;
        proxy_cookie_path / /files-of-ours/;
        proxy_set_header Host $http_host;
      }`,
    });
  });
  after(() => nginx?.stop());

  test('the page logs in, uploads, downloads and reloads', async () => {
    const page = await browser.visit({ url: nginx.url }, { path: '/files-of-ours/' });
    await page.logIn(ann);
    await eventually(async () => (await listedNames(page)).length, 3);
    await page.locator('#file-input').setInputFiles({ name: 'here too.txt', mimeType: 'text/plain', buffer: Buffer.from('content') });
    await eventually(async () => (await listedNames(page))[0], 'here too.txt');
    const [got] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download here too.txt' }).click()]);
    assert.equal(readFileSync(await got.path(), 'utf8'), 'content');
    await page.reload();
    await page.getByRole('button', { name: 'Log out', exact: true }).waitFor();
    await page.context().close();
  });
});
