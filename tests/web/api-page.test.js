// api.html in a real browser.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { eventually, accessibilityFaults, keepNoticesOpen, openBrowser } from '../support/browser.js';
import { operations } from '../support/document.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const browser = await openBrowser();
afterEach(() => browser.assertNoErrors());

const open = ({ hash = '', ...options } = {}) => browser.visit(stack, { path: `/api.html${hash}`, viewport: { width: 1440, height: 900 }, ...options });
const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const visible = (page, selector) => page.locator(selector).filter({ visible: true }).count();

test('the page is well-formed, and the HTML parser reads it as it is', async () => {
  const page = await browser.chrome.newPage();
  const { fault, same } = await page.evaluate((text) => {
    const shape = (root) => [...root.querySelectorAll('*')].map((e) => `${e.localName} ${e.parentElement?.localName} ${e.id}`).join('\n');
    const xml = new DOMParser().parseFromString(text.replace('<html ', '<html xmlns="http://www.w3.org/1999/xhtml" '), 'application/xhtml+xml');
    const html = new DOMParser().parseFromString(text, 'text/html');
    return { fault: xml.querySelector('parsererror')?.textContent, same: shape(xml) === shape(html) };
  }, await (await fetch(`${stack.url}/api.html`)).text());
  assert.equal(fault, undefined);
  assert.ok(same);
});

for (const colorScheme of ['light', 'dark'])
  for (const [what, options] of [['a phone', phone], ['a tablet', { viewport: { width: 900, height: 1100 } }], ['a wide window', {}]])
    test(`the page is accessible and fits, in ${colorScheme}, on ${what}`, async () => {
      const page = await open({ colorScheme, ...options });
      assert.deepEqual(await accessibilityFaults(page), []);
      const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= window, `${wide} > ${window}`);
    });

test('the contents on a phone open by a button and close when a link is chosen', async () => {
  const page = await open(phone);
  assert.equal(await visible(page, 'nav'), 0);
  await page.tap('header button');
  assert.equal(await visible(page, 'nav'), 1);
  await page.tap('nav a[href="#download"]');
  assert.equal(await visible(page, 'nav'), 0);
  assert.equal(new URL(page.url()).hash, '#download');
});

describe('by keyboard', () => {
  test('the first link skips the contents', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => Boolean(document.activeElement.closest('main'))));
  });

  test('the key "/" opens the search for an operation, and Enter goes to the first match', async () => {
    const page = await open();
    await page.keyboard.press('/');
    await page.keyboard.type('rename file');
    assert.deepEqual(await page.locator('nav li a').filter({ visible: true }).evaluateAll((links) => links.map((a) => a.hash)), ['#changeFile']);
    await page.keyboard.press('Enter');
    assert.equal(new URL(page.url()).hash, '#changeFile');
    await page.fill('#filter', 'no such thing');
    assert.equal(await visible(page, 'nav .none'), 1);
    await page.fill('#filter', '');
    assert.equal(await visible(page, 'nav li a'), operations.length + 3);
  });

  test('an answer opens and closes', async () => {
    const page = await open();
    await page.focus('#login-401 summary');
    await page.keyboard.press('Enter');
    assert.ok(await page.locator('#login-401').evaluate((details) => details.open));
    await page.keyboard.press('Space');
    assert.ok(!(await page.locator('#login-401').evaluate((details) => details.open)));
  });

  test('the contents on a phone close at Escape', async () => {
    const page = await open(phone);
    await page.focus('header button');
    await page.keyboard.press('Enter');
    assert.equal(await visible(page, 'nav'), 1);
    await page.keyboard.press('Escape');
    assert.equal(await visible(page, 'nav'), 0);
  });
});

test('a link to an answer opens it', async () => {
  const page = await open({ hash: '#upload-507' });
  assert.ok(await page.locator('#upload-507').evaluate((details) => details.open));
});

test('the contents mark the section in view', async () => {
  const page = await open({ hash: '#newLink' });
  const marked = () => page.evaluate(() => document.querySelector('nav [aria-current]')?.hash);
  await eventually(marked, '#newLink');
  await page.evaluate(() => document.getElementById('login').scrollIntoView());
  await eventually(marked, '#login');
});

test('a curl command is copied unchanged', async () => {
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await keepNoticesOpen(page);
  const figure = page.locator('#newLink figure').first();
  await figure.getByRole('button', { name: 'Copy' }).click();
  await figure.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await figure.locator('code').textContent());
});

test('the page is complete without JavaScript', async () => {
  const page = await open({ javaScriptEnabled: false });
  assert.equal(await visible(page, 'article'), operations.length);
  assert.equal(await visible(page, '#filter'), 0);
});
