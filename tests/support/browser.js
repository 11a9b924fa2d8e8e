// A real Chromium that visits the page.
//
//   const browser = await openBrowser();           closed after the tests of the file
//   const page = await browser.visit(stack);       the login form, in a new profile
//   await page.logIn(person);
//
// `browser.assertNoErrors()` fails if a page has reported an error: of a script, of its content security
// policy, or on the console. Failed requests do not count.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// In the C locale Chromium finds no file whose name is not ASCII, and changes the names of downloads.
export const launchChromium = () => chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  env: { ...process.env, LC_ALL: 'C.UTF-8' },
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

export async function openBrowser() {
  const chrome = await launchChromium();
  const browser = new Browser(chrome);
  after(() => chrome.close());
  return browser;
}

class Browser {
  #errors = [];

  constructor(chrome) {
    this.chrome = chrome;
  }

  // Open a page in a new profile. `options` are those of a Playwright context; `path` follows the stack's URL.
  async visit(stack, { path = '/', ...options } = {}) {
    const context = await this.chrome.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(60_000);
    return this.open(context, stack.url + path);
  }

  // Open another tab in the same profile.
  async open(context, url) {
    const page = await context.newPage();
    page.on('pageerror', (error) => this.#errors.push(error.stack));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) this.#errors.push(message.text());
    });
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(url);
    return Object.assign(page, { logIn: (person) => logIn(page, person) });
  }

  assertNoErrors() {
    assert.deepEqual(this.#errors.splice(0), []);
  }
}

export async function submitLogin(page, person) {
  const form = page.locator('#login-form');
  await form.getByLabel('Email').fill(person.email);
  await form.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
}

async function logIn(page, person) {
  await submitLogin(page, person);
  await page.getByRole('button', { name: 'Log out', exact: true }).waitFor();
}

// The names in the list of files, in order.
export const listedNames = (page) => page.locator('.file .name > bdi').allTextContents();

// Wait until `read()` returns `expected`; else fail with the last value.
export async function eventually(read, expected) {
  for (let tries = 0; ; tries++) {
    const actual = await read();
    try {
      assert.deepEqual(actual, expected);
      return;
    } catch (error) {
      if (tries > 1200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

// Disable timers longer than a second: notices and the word "Copied" stay, because a loaded machine may need
// longer to find them.
export const keepNoticesOpen = (page) => page.evaluate(() => {
  const real = globalThis.setTimeout;
  globalThis.setTimeout = (work, ms, ...rest) => real(work, ms > 1000 ? 2 ** 31 - 1 : ms, ...rest);
});

export const fileRow = (page, name) => page.locator('.file').filter({ has: page.locator('bdi').getByText(name, { exact: true }) });

// The faults that axe-core finds, a line each.
export async function accessibilityFaults(page) {
  await page.evaluate(`${AXE}; undefined`);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.replaceAll('\n', ' ')}`));
}
