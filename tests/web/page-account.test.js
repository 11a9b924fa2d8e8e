// The view "Account": password, second factor, API tokens, sessions. And the share links of a file.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { submitLogin, eventually, keepNoticesOpen, openBrowser } from '../support/browser.js';
import { uploadFile } from '../support/files.js';
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
  browser.assertNoErrors();
});

async function open(hash = '') {
  page = await browser.visit(stack, { path: `/${hash}`, permissions: ['clipboard-read', 'clipboard-write'] });
  await keepNoticesOpen(page);
  await page.logIn(ann);
}

const copied = () => page.evaluate(() => navigator.clipboard.readText());
const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.textContent);
const isAccepted = async (token) => (await stack.call('GET', '/files', { token })).status === 200;

describe('a share link', () => {
  test('is created and copied, counts downloads, and is revoked', async () => {
    await uploadFile(stack, ann, 'a.txt', 'content');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    await page.getByLabel('Max. downloads').fill('2');
    await page.getByRole('button', { name: 'Create link' }).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const address = await copied();
    assert.ok(address.startsWith(`${stack.url}/s/`), address);
    assert.equal((await stack.call('GET', address.slice(stack.url.length))).text, 'content');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    await page.getByText('1 of 2 downloads').waitFor();
    await page.getByText('expires in 7 days').waitFor();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('1 of 2 downloads').waitFor({ state: 'detached' });
    await eventually(focused, 'Share links');
    assertStatus(await stack.call('GET', address.slice(stack.url.length)), 410);
  });

  test('with a maximum of 0 downloads is refused by the form', async () => {
    await uploadFile(stack, ann, 'a.txt', 'content');
    await open();
    await page.getByRole('button', { name: 'Share a.txt' }).click();
    const most = page.getByLabel('Max. downloads');
    await most.fill('0');
    await page.getByRole('button', { name: 'Create link' }).click();
    assert.equal(await most.evaluate((input) => input.validity.rangeUnderflow), true);
    assert.equal(await page.locator('.entries li').count(), 0);
  });
});

describe('an API token', () => {
  test('is shown once, works within its scope, and is revoked', async () => {
    await open('#account');
    await page.getByLabel('Name', { exact: true }).fill('backup script');
    await page.getByLabel('Access').selectOption('Read only');
    await page.getByRole('button', { name: 'Create token' }).click();
    const field = page.getByLabel('Token backup script');
    await field.waitFor();
    const token = await field.inputValue();
    assert.match(token, /^gh_/);
    await page.getByText('files:read · never used · expires in 1 year').waitFor();
    assert.ok(await isAccepted(token));
    assertStatus(await stack.call('PUT', '/upload/x', { token, body: 'x' }), 403);
    await page.reload();
    await page.getByText('backup script').waitFor();
    assert.equal(await page.getByText(token).count(), 0);
    await page.getByRole('button', { name: 'Revoke backup script' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText('backup script', { exact: true }).waitFor({ state: 'detached' });
    assert.equal(await isAccepted(token), false);
    await eventually(focused, 'API tokens'); // the list is empty: the heading has the focus
  });
});

describe('sessions', () => {
  test('are listed with the current one marked, and another one is ended', async () => {
    await open('#account');
    await page.getByText('this session').waitFor();
    await page.getByRole('button', { name: 'End session 127.0.0.1' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
    await eventually(() => isAccepted(ann.token), false);
    await page.getByText('this session').waitFor();
  });

  test('all end after "Log out everywhere"', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Log out everywhere' }).click();
    await page.getByRole('heading', { name: 'Gatehouse', exact: true }).waitFor();
    assert.equal(await isAccepted(ann.token), false);
  });

  test('stay when the confirmation is cancelled', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Log out everywhere');
    assert.ok(await isAccepted(ann.token));
  });
});

describe('the password', () => {
  test('is changed with the current one, and a wrong current one is reported', async () => {
    await open('#account');
    const change = async (current, replacement) => {
      await page.getByLabel('Current password').fill(current);
      await page.getByLabel('New password').fill(replacement);
      await page.getByRole('button', { name: 'Change password' }).click();
    };
    await change('not the password', 'a better password');
    await page.getByText('The current password is wrong.').waitFor();
    await change(ann.password, 'a better password');
    await page.getByText('Password changed.').waitFor();
    assert.equal(await isAccepted(ann.token), false, 'other sessions have ended');
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, 'a better password'] }), 200);
    await page.reload();
    await page.getByText('this session').waitFor();
  });
});

describe('two-step login', () => {
  test('is set up, asks for a code at the next login, and is turned off', async () => {
    await open('#account');
    await page.getByRole('button', { name: 'Set up' }).click();
    const secret = await page.getByLabel('Secret for the authenticator app').inputValue();
    assert.match(await page.getByRole('link', { name: 'open the secret in it' }).getAttribute('href'), /^otpauth:\/\/totp\//);
    await page.getByLabel('Then enter the six-digit code').fill(totp(secret, -1));
    await page.getByRole('button', { name: 'Turn on' }).click();
    await page.getByRole('button', { name: 'I have saved them' }).waitFor();
    const codes = await page.locator('.copy-box ol li').allTextContents();
    assert.equal(codes.length, 10);
    await page.getByRole('button', { name: 'I have saved them' }).press('Enter');
    assert.equal(await page.getByLabel('To turn it off').evaluate((field) => field === document.activeElement), true);

    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await submitLogin(page, ann);
    await page.getByLabel('Code').fill(totp(secret));
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Log out', exact: true }).waitFor();

    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.getByLabel('To turn it off').fill(codes[0]);
    await page.getByRole('button', { name: 'Turn off' }).click();
    await page.getByRole('button', { name: 'Set up' }).waitFor();
    await eventually(focused, 'Set up');
    assertStatus(await stack.call('POST', '/login', { basic: [ann.email, ann.password] }), 200);
  });
});
