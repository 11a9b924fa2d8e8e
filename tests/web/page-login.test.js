// Logging in and out on the page, and its session.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { submitLogin, eventually, listedNames, openBrowser } from '../support/browser.js';
import { uploadFile } from '../support/files.js';
import { startStack, useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
const browser = await openBrowser();
afterEach(() => browser.assertNoErrors());

const loginHeading = (page) => page.getByRole('heading', { name: 'Gatehouse', exact: true });
const logOutButton = (page) => page.getByRole('button', { name: 'Log out', exact: true });
const problem = (page) => page.locator('#login-problem');

async function setUpTotp(person) {
  const made = await stack.call('POST', '/otp', { token: person.token });
  assertStatus(made, 200);
  const confirmed = await stack.call('POST', '/otp/confirm', { token: person.token, json: { code: totp(made.json.secret, -1) } });
  assertStatus(confirmed, 200);
  return { secret: made.json.secret, codes: confirmed.json.recovery_codes };
}

describe('logging in', () => {
  test('shows the files of the user, and of no other', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    await uploadFile(stack, ann, 'mine.txt', 'a');
    await uploadFile(stack, bob, 'not-mine.txt', 'b');
    const page = await browser.visit(stack);
    await page.logIn(ann);
    await eventually(() => listedNames(page), ['mine.txt']);
    assert.equal(await page.locator('#user-email').textContent(), ann.email);
    await page.context().close();
  });

  test('works with a password of any characters', async () => {
    const ann = await stack.person({ password: 'pâß:wörd 🔑 ünicode' });
    const page = await browser.visit(stack);
    await page.logIn(ann);
    await page.context().close();
  });

  test('with a wrong password shows the error and selects the password, and the browser opens no window of its own', async () => {
    const ann = await stack.person();
    const page = await browser.visit(stack);
    const inspector = await page.context().newCDPSession(page);
    const asked = [];
    inspector.on('Fetch.requestPaused', ({ requestId }) => inspector.send('Fetch.continueRequest', { requestId }));
    inspector.on('Fetch.authRequired', ({ requestId, request }) => {
      asked.push(request.url);
      inspector.send('Fetch.continueWithAuth', { requestId, authChallengeResponse: { response: 'CancelAuth' } });
    });
    await inspector.send('Fetch.enable', { handleAuthRequests: true });
    await submitLogin(page, { ...ann, password: 'not the password' });
    await problem(page).getByText('The email or the password is wrong.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'password');
    assert.deepEqual(asked, [], 'the browser would have opened its own password window');
    await page.context().close();
  });

  test('without an email and a password asks for them, and sends no request', async () => {
    const page = await browser.visit(stack);
    const sent = [];
    page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    assert.equal(await problem(page).textContent(), 'Enter your email and your password.');
    assert.deepEqual(sent, []);
    await page.context().close();
  });

  test('stores no token where a script can read it', async () => {
    const ann = await stack.person();
    const page = await browser.visit(stack);
    await page.logIn(ann);
    const stored = await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases()]));
    assert.doesNotMatch(stored, /eyJ|ghr_|gh_/);
    const cookies = await page.context().cookies();
    assert.deepEqual(cookies.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path })),
      [{ name: 'gatehouse_refresh', httpOnly: true, secure: true, sameSite: 'Strict', path: '/refresh' }]);
    await page.context().close();
  });
});

describe('the second factor', () => {
  test('is asked for after the password, and its code completes the login', async () => {
    const ann = await stack.person();
    const { secret } = await setUpTotp(ann);
    const page = await browser.visit(stack);
    await submitLogin(page, ann);
    await page.getByText('Enter the six-digit code').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'code');
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await problem(page).filter({ hasText: /\w/ }).waitFor();
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    assert.equal(await problem(page).textContent(), '', 'the error of the code is not shown for the recovery code');
    await page.getByRole('button', { name: 'Use the authenticator app' }).click();
    await page.getByLabel('Code').fill(totp(secret));
    await page.keyboard.press('Enter');
    await logOutButton(page).waitFor();
    await page.context().close();
  });

  test('can be a recovery code', async () => {
    const ann = await stack.person();
    const { codes } = await setUpTotp(ann);
    const page = await browser.visit(stack);
    await submitLogin(page, ann);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(codes[3]);
    await page.keyboard.press('Enter');
    await logOutButton(page).waitFor();
    await page.context().close();
  });
});

describe('a session', () => {
  test('survives a reload without a login form', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    await page.reload();
    await logOutButton(page).waitFor();
    assert.equal(await loginHeading(page).isVisible(), false);
    await page.context().close();
  });

  // Reload while no request for a token is answered. Returns what answers it.
  async function reloadBeforeRefresh(page) {
    let answer;
    const held = new Promise((done) => (answer = done));
    await page.route('**/refresh', (route) => held.then(() => route.continue()));
    await page.addInitScript(() => {
      globalThis.sawLoginForm = false;
      new MutationObserver(() => (globalThis.sawLoginForm ||= document.querySelector('#login-page')?.hidden === false)).observe(document, { subtree: true, childList: true, attributes: true });
    });
    await page.reload();
    return answer;
  }

  for (const [hash, view] of [['', 'files'], ['#account', 'account'], ['#upload-links', 'upload-links'], ['#requests', 'upload-links']])
    test(`is resumed in a frame that is painted before the token arrives, at /${hash}`, async () => {
      const ann = await stack.person();
      await uploadFile(stack, ann, 'mine.txt', 'a');
      const page = await browser.visit(stack, { path: `/${hash}` });
      await page.logIn(ann);
      const answer = await reloadBeforeRefresh(page);
      await page.locator('#app').waitFor();
      assert.equal(await page.locator('#user-email').textContent(), ann.email);
      assert.deepEqual(await page.locator('#main > section').evaluateAll((all) => all.filter((one) => !one.hidden).map((one) => one.id)), [view]);
      assert.equal(await page.locator('nav a[aria-current]').getAttribute('data-view'), view);
      assert.equal(await page.evaluate(() => document.querySelector('#app').inert), true, 'nothing can be used yet');
      assert.ok(await page.evaluate(() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().length)).observe({ type: 'paint', buffered: true }))), 'it is painted');
      answer();
      await page.waitForFunction(() => !document.querySelector('#app').inert);
      await page.getByRole('link', { name: 'Files' }).click();
      await eventually(() => listedNames(page), ['mine.txt']);
      assert.equal(await page.evaluate(() => globalThis.sawLoginForm), false);
      await page.context().close();
    });

  test('that has ended shows the login form after a reload, and no frame after a logout', async () => {
    const ann = await stack.person();
    const page = await browser.visit(stack);
    await page.logIn(ann);
    const { sessions } = (await stack.call('GET', '/sessions', { token: ann.token })).json;
    for (const { id, current } of sessions) if (!current) assertStatus(await stack.call('DELETE', `/sessions/${id}`, { token: ann.token }), 204);
    await page.reload();
    await page.locator('#login-form').waitFor();
    assert.equal(await page.locator('#app').isVisible(), false);
    await page.logIn(ann);
    await logOutButton(page).click();
    await page.locator('#login-form').waitFor();
    await page.addInitScript(() => {
      globalThis.sawFrame = false;
      new MutationObserver(() => (globalThis.sawFrame ||= document.querySelector('#app')?.hidden === false)).observe(document, { subtree: true, childList: true, attributes: true });
    });
    await page.reload();
    await page.locator('#login-form').waitFor();
    assert.equal(await page.evaluate(() => globalThis.sawFrame), false);
    await page.context().close();
  });

  test('survives a reload while the server is unavailable, and resumes without a password', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    await page.route('**/refresh', (route) => route.fulfill({ status: 503, body: 'unavailable' }));
    await page.reload();
    await page.getByText('The server is busy or starting. Try again in a moment.').waitFor();
    await page.unroute('**/refresh');
    await logOutButton(page).waitFor();
    await page.context().close();
  });

  test('ends in every tab by logging out, and stays ended after a reload', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    const other = await browser.open(page.context(), stack.url);
    await logOutButton(other).waitFor();
    await logOutButton(page).click();
    await loginHeading(page).waitFor();
    await loginHeading(other).waitFor();
    await page.reload();
    await loginHeading(page).waitFor();
    await page.context().close();
  });

  test('that begins in one tab begins in the others', async () => {
    const page = await browser.visit(stack);
    const other = await browser.open(page.context(), stack.url);
    await loginHeading(other).waitFor();
    // A tab may see what another one has stored later than its message.
    await other.evaluate(() => { Storage.prototype.getItem = () => null; });
    await page.logIn(await stack.person());
    await logOutButton(other).waitFor();
    await page.context().close();
  });

  test('of another user in one tab replaces the session in the other tab', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    const page = await browser.visit(stack);
    await page.logIn(ann);
    const other = await browser.open(page.context(), stack.url);
    await logOutButton(other).waitFor();
    await other.evaluate(() => document.querySelector('#log-out').click());
    await loginHeading(page).waitFor();
    await loginHeading(other).waitFor();
    await other.logIn(bob);
    await logOutButton(page).waitFor();
    await eventually(() => page.locator('#user-email').textContent(), bob.email);
    await page.context().close();
  });
});

describe('with tokens that expire', () => {
  let own;
  before(async () => {
    own = await startStack({ settings: { TOKEN_LIFE: 31, THROTTLE_FAILURES: 2 } });
  });
  after(() => own?.stop());

  const refreshes = (page) => {
    const seen = [];
    page.on('response', (response) => response.url().endsWith('/refresh') && seen.push(response.status()));
    return seen;
  };

  test('many requests at once wait for one refresh', async () => {
    const page = await browser.visit(own);
    await page.logIn(await own.person());
    await page.waitForLoadState('networkidle');
    const seen = refreshes(page);
    await page.waitForTimeout(1500); // the page replaces a token 30 of its 31 seconds before it expires
    await page.getByRole('link', { name: 'Account' }).click(); // loads tokens and sessions
    await page.getByText('this session').waitFor();
    assert.deepEqual(seen, [200]);
    await page.context().close();
  });

  test('two tabs that refresh at once both stay logged in', async () => {
    const page = await browser.visit(own);
    await page.logIn(await own.person());
    const other = await browser.open(page.context(), own.url);
    await logOutButton(other).waitFor();
    await page.waitForTimeout(1500);
    await Promise.all([page, other].map((tab) => tab.reload()));
    await Promise.all([page, other].map((tab) => logOutButton(tab).waitFor()));
    await page.waitForTimeout(1500);
    await Promise.all([page, other].map(async (tab) => {
      await tab.getByRole('link', { name: 'Account' }).click();
      await tab.getByText('this session').waitFor();
    }));
    await page.context().close();
  });

  test('a refused token is replaced, and the request is sent again', async () => {
    const ann = await own.person();
    await uploadFile(own, ann, 'still here.txt', 'x');
    const page = await browser.visit(own);
    await page.logIn(ann);
    await eventually(() => listedNames(page), ['still here.txt']);
    const seen = refreshes(page);
    // A new keyring without the old keys: every access token is refused from now on.
    const keyring = own.path('keys', 'keyring');
    renameSync(keyring, `${keyring}.old`);
    assert.equal((await own.authAdmin(['key', 'new'])).code, 0);
    for (const target of ['/me', '/files']) await eventually(async () => (await own.call('GET', target, { token: ann.token })).status, 401);
    await page.getByLabel('Search by name').fill('still');
    await eventually(() => listedNames(page), ['still here.txt']);
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('this session').waitFor();
    assert.ok(seen.length >= 1 && seen.every((status) => status === 200), String(seen));
    await page.context().close();
  });

  test('a session that was ended elsewhere leads to the login form, with the reason', async () => {
    const ann = await own.person();
    const page = await browser.visit(own);
    await page.logIn(ann);
    await page.waitForLoadState('networkidle');
    const again = await own.call('POST', '/login', { basic: [ann.email, ann.password] });
    assertStatus(await own.call('POST', '/logout?all=1', { token: again.json.access_token }), 204);
    await page.getByRole('link', { name: 'Account' }).click();
    await loginHeading(page).waitFor();
    assert.equal(await page.locator('#login-reason').textContent(), 'Your session has ended. Log in again to continue.');
    assert.equal(await page.getByLabel('Email').inputValue(), ann.email);
    assert.equal(await page.getByText(ann.email).count(), 0, 'the page shows nothing of the account');
    assert.equal(await page.locator('.toast').count(), 0, 'no error is shown besides the reason');
    assert.equal(await page.title(), 'Gatehouse');
    await page.context().close();
  });

  test('the form is disabled after too many attempts, for the time that the server demands, and shows that time', async () => {
    const ann = await own.person();
    const page = await browser.visit(own);
    // Each failure doubles the time for which attempts are refused, so one of the next few is refused.
    for (let status; status !== 429;) {
      const [answer] = await Promise.all([page.waitForResponse((r) => r.url().endsWith('/login')), submitLogin(page, { ...ann, password: 'wrong' })]);
      status = answer.status();
      await page.waitForFunction(() => !document.querySelector('#login-form [type=submit][aria-busy]'));
    }
    await page.getByText(/^Too many failed attempts\. Try again in \d+ seconds?\.$/).waitFor();
    const button = page.getByRole('button', { name: 'Log in', exact: true });
    assert.equal(await button.isDisabled(), true);
    // A screen reader reads the message once, not each second.
    await page.waitForFunction(() => document.querySelector('#login-problem[aria-live=off]') || !document.querySelector('#login-form [type=submit]').disabled);
    await eventually(() => button.isDisabled(), false);
    assert.equal(await problem(page).getAttribute('aria-live'), null);
    await page.logIn(ann);
    await page.context().close();
  });
});
