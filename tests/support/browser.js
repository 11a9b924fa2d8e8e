// A real Chromium that visits the page, and what must never happen there.
//
//   const browser = await openBrowser();           closed after the tests of the file
//   const page = await browser.visit(stack);       a page of a new profile, at the door
//   await page.logIn(person);
//
// Whatever a page complains of (an error in a script, a violation of its policy, a message of the
// console) fails the test at the end: `browser.assertCalm()`. That a request failed is no complaint.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after } from 'node:test';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export async function openBrowser() {
  const chrome = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const browser = new Browser(chrome);
  after(() => chrome.close());
  return browser;
}

class Browser {
  #complaints = [];

  constructor(chrome) {
    this.chrome = chrome;
  }

  // A page of a profile of its own. `options` are Playwright's for a context; `path` follows the stack's URL.
  async visit(stack, { path = '/', ...options } = {}) {
    const context = await this.chrome.newContext({ viewport: { width: 1100, height: 800 }, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(60_000);
    return this.open(context, stack.url + path);
  }

  // A further tab of a profile.
  async open(context, url) {
    const page = await context.newPage();
    page.on('pageerror', (error) => this.#complaints.push(error.stack));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) this.#complaints.push(message.text());
    });
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(url);
    return Object.assign(page, { logIn: (person) => logIn(page, person) });
  }

  assertCalm() {
    assert.deepEqual(this.#complaints.splice(0), []);
  }
}

export async function enter(page, person) {
  const form = page.locator('#login');
  await form.getByLabel('Email').fill(person.email);
  await form.getByLabel('Password').fill(person.password);
  await page.keyboard.press('Enter');
}

async function logIn(page, person) {
  await enter(page, person);
  await page.getByRole('button', { name: 'Log out', exact: true }).waitFor();
}

// The files in the list, by name, as they stand.
export const listed = (page) => page.locator('.file .name > bdi').allTextContents();

// What the page says must become true; the last value if it does not.
export async function eventually(read, wanted) {
  for (let tries = 0; ; tries++) {
    const is = await read();
    try {
      assert.deepEqual(is, wanted);
      return;
    } catch (error) {
      if (tries > 1200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
}

// What goes by itself after some seconds (a notice and its undo, the word "Copied") stays from now on: a
// loaded machine may need longer to look at it.
export const letNoticesStay = (page) => page.evaluate(() => {
  const real = globalThis.setTimeout;
  globalThis.setTimeout = (work, ms, ...rest) => real(work, ms > 1000 ? 2 ** 31 - 1 : ms, ...rest);
});

export const fileRow = (page, name) => page.locator('.file').filter({ has: page.locator('bdi').getByText(name, { exact: true }) });

// What axe-core finds wrong, one line a fault.
export async function inaccessible(page) {
  await page.evaluate(`${AXE}; undefined`);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary.replaceAll('\n', ' ')}`));
}

// A folder's worth of files as the browser would hand them over in a drop: {name: content}, and a name
// that ends in / is a folder of more.
export async function drop(page, files) {
  await page.evaluate(async (wanted) => {
    const transfer = new DataTransfer();
    for (const [name, content] of Object.entries(wanted)) transfer.items.add(new File([content], name));
    for (const type of ['dragenter', 'dragover', 'drop']) {
      document.body.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    }
  }, files);
}
