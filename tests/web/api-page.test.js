// api.html in a real browser
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { operations } from '../support/document.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const address = `${stack.url}/api.html`;
let browser;
const complaints = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
after(async () => {
  await browser?.close();
  assert.deepEqual(complaints, [], 'the console');
});

async function open({ hash = '', ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('requestfailed', (request) => complaints.push(request.url()));
  await page.goto(address + hash);
  return page;
}

const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const visible = (page, selector) => page.locator(selector).filter({ visible: true }).count();

test('it is well-formed, and the browser had nothing to mend', async () => {
  const page = await browser.newPage();
  const { fault, same } = await page.evaluate((text) => {
    const shape = (root) => [...root.querySelectorAll('*')].map((e) => `${e.localName} ${e.parentElement?.localName} ${e.id}`).join('\n');
    const xml = new DOMParser().parseFromString(text.replace('<html ', '<html xmlns="http://www.w3.org/1999/xhtml" '), 'application/xhtml+xml');
    const html = new DOMParser().parseFromString(text, 'text/html');
    return { fault: xml.querySelector('parsererror')?.textContent, same: shape(xml) === shape(html) };
  }, await (await fetch(address)).text());
  assert.equal(fault, undefined);
  assert.ok(same);
});

test('headings leave no step out', async () => {
  const page = await open();
  const levels = await page.locator('main :is(h1, h2, h3, h4, h5)').evaluateAll((all) => all.map((h) => Number(h.localName[1])));
  for (const [i, level] of levels.entries()) assert.ok(level <= (levels[i - 1] ?? 0) + 1, `heading ${i}: ${levels[i - 1]} then ${level}`);
});

describe('its colours', () => {
  // Texts that stand out less from their ground than 4.5 to 1 (WCAG 2.2, 1.4.3).
  const faint = (page) => page.evaluate(() => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const known = new Map();
    const numbers = (colour) => {
      if (known.has(colour)) return known.get(colour);
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      known.set(colour, [...context.getImageData(0, 0, 1, 1).data]);
      return known.get(colour);
    };
    const light = (rgb) => {
      const [r, g, b] = rgb.slice(0, 3).map((n) => n / 255).map((n) => (n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      for (let at = element; at; at = at.parentElement) {
        const colour = numbers(getComputedStyle(at).backgroundColor);
        if (colour[3] === 255) return colour;
      }
      return [255, 255, 255];
    };
    const seen = new Map();
    for (const element of document.querySelectorAll('body *')) {
      if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim()) || !element.checkVisibility()) continue;
      const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
      if ((a + 0.05) / (b + 0.05) < 4.5) seen.set(`${element.localName}.${element.className}`, ((a + 0.05) / (b + 0.05)).toFixed(2));
    }
    return [...seen];
  });

  for (const colorScheme of ['light', 'dark'])
    test(`can be read: ${colorScheme}`, async () => {
      const page = await open({ colorScheme });
      const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches && getComputedStyle(document.body).backgroundColor);
      if (colorScheme === 'dark') assert.notEqual(dark, 'rgb(251, 251, 250)');
      assert.deepEqual(await faint(page), []);
    });
});

for (const [name, options] of [['a phone', phone], ['a tablet', { viewport: { width: 900, height: 1100 } }], ['a wide window', {}]])
  test(`nothing sticks out of ${name}`, async () => {
    const page = await open(options);
    const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(wide <= window, `${wide} > ${window}`);
  });

test('on a phone the contents lie behind a button, and go when one is chosen', async () => {
  const page = await open(phone);
  assert.equal(await visible(page, 'nav'), 0);
  await page.tap('header button');
  assert.equal(await visible(page, 'nav'), 1);
  await page.tap('nav a[href="#download"]');
  assert.equal(await visible(page, 'nav'), 0);
  assert.equal(new URL(page.url()).hash, '#download');
});

describe('without a mouse', () => {
  test('the first step can skip the contents', async () => {
    const page = await open();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    assert.ok(await page.evaluate(() => Boolean(document.activeElement.closest('main'))));
  });

  test('"/" finds an operation by its words, and Enter goes there', async () => {
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

  test('on a phone Escape closes the contents', async () => {
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

test('the contents mark what is being read', async () => {
  const page = await open({ hash: '#newLink' });
  await page.waitForFunction(() => document.querySelector('nav [aria-current]')?.hash === '#newLink');
  await page.evaluate(() => document.getElementById('login').scrollIntoView());
  await page.waitForFunction(() => document.querySelector('nav [aria-current]')?.hash === '#login');
});

test('a line of curl is copied as it stands', async () => {
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  const figure = page.locator('#newLink figure').first();
  await figure.getByRole('button', { name: 'Copy' }).click();
  await figure.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await figure.locator('code').textContent());
});

test('it can be read without scripts', async () => {
  const page = await open({ javaScriptEnabled: false });
  assert.equal(await visible(page, 'article'), operations.length);
  assert.equal(await visible(page, '#filter'), 0);
});
