// The account on the page: password, second factor, API tokens, logins; and the share links of a file.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { enter, eventually, letNoticesStay, openBrowser } from '../support/browser.js';
import { keep } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

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

async function open(hash = '') {
  page = await browser.visit(stack, { path: `/${hash}`, permissions: ['clipboard-read', 'clipboard-write'] });
  await letNoticesStay(page);
  await page.logIn(ann);
}

const copied = () => page.evaluate(() => navigator.clipboard.readText());
const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);
const works = async (token) => (await stack.call('GET', '/files', { token })).status === 200;

describe('a share link', () => {
  test('is made, copied, counted and revoked', async () => {
    await keep(stack, ann, 'a.txt', 'content');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    await page.getByLabel('Downloads at most').fill('2');
    await page.getByRole('button', { name: 'Make a link' }).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const address = await copied();
    assert.ok(address.startsWith(`${stack.url}/s/`), address);
    assert.equal((await stack.call('GET', address.slice(stack.url.length))).text, 'content');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    await page.getByText('1 of 2 downloads').waitFor();
    await page.getByText('ends in 7 days').waitFor();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('1 of 2 downloads').waitFor({ state: 'detached' });
    await eventually(focused, 'Share by link');
    assertStatus(await stack.call('GET', address.slice(stack.url.length)), 410);
  });

  test('cannot be for no download at all, and the form says so', async () => {
    await keep(stack, ann, 'a.txt', 'content');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    const most = page.getByLabel('Downloads at most');
    await most.fill('0');
    await page.getByRole('button', { name: 'Make a link' }).click();
    assert.equal(await most.evaluate((input) => input.validity.rangeUnderflow), true);
    assert.equal(await page.locator('.entries li').count(), 0);
  });
});

describe('an API token', () => {
  test('is shown once, works as far as its scope goes, and is revoked', async () => {
    await open('#account');
    await page.getByLabel('Name', { exact: true }).fill('backup script');
    await page.getByLabel('May').selectOption('Only read');
    await page.getByRole('button', { name: 'Make a token' }).click();
    const field = page.getByLabel('Token backup script');
    await field.waitFor();
    const token = await field.inputValue();
    assert.match(token, /^gh_/);
    assert.ok(await works(token));
    assertStatus(await stack.call('PUT', '/upload/x', { token, body: 'x' }), 403);
    await page.getByText('files:read · never used · ends in 1 year').waitFor();
    await page.reload();
    await page.getByText('backup script').waitFor();
    assert.equal(await page.getByText(token).count(), 0);
    await page.getByRole('button', { name: 'Revoke backup script' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('backup script', { exact: true }).waitFor({ state: 'detached' });
    assert.equal(await works(token), false);
    await eventually(focused, 'API tokens'); // the last is gone: the focus is on what they stood under
  });
});

describe('logins', () => {
  test('are listed, this one marked, and another is ended', async () => {
    await open('#account');
    await page.getByText('this one').waitFor();
    await page.getByRole('button', { name: 'End 127.0.0.1' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'End' }).click();
    await eventually(() => works(ann.token), false);
    await page.getByText('this one').waitFor();
  });

  test('all end at once', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out everywhere' }).click();
    await page.getByRole('heading', { name: 'Gatehouse', exact: true }).waitFor();
    assert.equal(await works(ann.token), false);
  });

  test('do not end when it was not meant', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Log out everywhere');
    assert.ok(await works(ann.token));
  });
});

describe('the password', () => {
  test('is changed with the current one, and a wrong one is said to be wrong', async () => {
    await open('#account');
    const change = async (current, fresh) => {
      await page.getByLabel('Current password').fill(current);
      await page.getByLabel('New password').fill(fresh);
      await page.getByRole('button', { name: 'Change the password' }).click();
    };
    await change('not the password', 'a better password');
    await page.getByText('That is not your current password.').waitFor();
    await change(ann.password, 'a better password');
    await page.getByText('The password is changed.').waitFor();
    assert.equal(await works(ann.token), false, 'other logins have ended');
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, 'a better password'] }), 200);
    await page.reload();
    await page.getByText('this one').waitFor();
  });
});

describe('two-step login', () => {
  test('is set up, asked for, and turned off again', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Set it up' }).click();
    const secret = await page.getByLabel('Secret for the authenticator').inputValue();
    assert.match(await page.getByRole('link', { name: 'open it there' }).getAttribute('href'), /^otpauth:\/\/totp\//);
    await page.getByLabel('Then enter the six digits').fill(totp(secret, -1));
    await page.getByRole('button', { name: 'Turn it on' }).click();
    await page.getByRole('button', { name: 'I have kept them' }).waitFor();
    const codes = await page.locator('.copy ol li').allTextContents();
    assert.equal(codes.length, 10);
    await page.getByRole('button', { name: 'I have kept them' }).press('Enter');
    assert.equal(await page.getByLabel('To turn it off').evaluate((field) => field === document.activeElement), true);

    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await enter(page, ann);
    await page.getByLabel('Code').fill(totp(secret));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out', exact: true }).waitFor();

    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.getByLabel('To turn it off').fill(codes[0]);
    await page.getByRole('button', { name: 'Turn it off' }).click();
    await page.getByRole('button', { name: 'Set it up' }).waitFor();
    await eventually(focused, 'Set it up');
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, ann.password] }), 200);
  });
});
