// The way in and out of the page.
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { enter, eventually, listed, openBrowser } from '../support/browser.js';
import { keep } from '../support/files.js';
import { startStack, useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
const browser = await openBrowser();
afterEach(() => browser.assertCalm());

const door = (page) => page.getByRole('heading', { name: 'Gatehouse', exact: true });
const out = (page) => page.getByRole('button', { name: 'Log out', exact: true });
const problem = (page) => page.locator('#login-problem');

async function enrol(person) {
  const made = await stack.call('POST', '/otp', { token: person.token });
  assertStatus(made, 200);
  const confirmed = await stack.call('POST', '/otp/confirm', { token: person.token, json: { code: totp(made.json.secret, -1) } });
  assertStatus(confirmed, 200);
  return { secret: made.json.secret, codes: confirmed.json.recovery_codes };
}

describe('logging in', () => {
  test('shows the files of whoever it is, and no others', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    await keep(stack, ann, 'mine.txt', 'a');
    await keep(stack, bob, 'not-mine.txt', 'b');
    const page = await browser.visit(stack);
    await page.logIn(ann);
    await eventually(() => listed(page), ['mine.txt']);
    assert.equal(await page.locator('#who').textContent(), ann.email);
    await page.context().close();
  });

  test('takes a password of any letters', async () => {
    const ann = await stack.person({ password: 'pâß:wörd 🔑 ünicode' });
    const page = await browser.visit(stack);
    await page.logIn(ann);
    await page.context().close();
  });

  test('says what is wrong, selects the password, and the browser asks nothing by itself', async () => {
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
    await enter(page, { ...ann, password: 'not the password' });
    await problem(page).getByText('The email or the password is wrong.').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'password');
    assert.deepEqual(asked, [], 'the browser would have opened its own window');
    await page.context().close();
  });

  test('without an email or a password asks for it, and sends nothing', async () => {
    const page = await browser.visit(stack);
    const sent = [];
    page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    assert.equal(await problem(page).textContent(), 'Enter your email and your password.');
    assert.deepEqual(sent, []);
    await page.context().close();
  });

  test('leaves no token where a script of another day could find it', async () => {
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
  test('is asked for after the password, and its code lets in', async () => {
    const ann = await stack.person();
    const { secret } = await enrol(ann);
    const page = await browser.visit(stack);
    await enter(page, ann);
    await page.getByText('Enter the six digits').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), 'code');
    await page.keyboard.type('000000');
    await page.keyboard.press('Enter');
    await problem(page).filter({ hasText: /\w/ }).waitFor();
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    assert.equal(await problem(page).textContent(), '', 'what was wrong with the code is not said of another');
    await page.getByRole('button', { name: 'Use the authenticator' }).click();
    await page.getByLabel('Code').fill(totp(secret));
    await page.keyboard.press('Enter');
    await out(page).waitFor();
    await page.context().close();
  });

  test('can be a recovery code', async () => {
    const ann = await stack.person();
    const { codes } = await enrol(ann);
    const page = await browser.visit(stack);
    await enter(page, ann);
    await page.getByRole('button', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(codes[3]);
    await page.keyboard.press('Enter');
    await out(page).waitFor();
    await page.context().close();
  });
});

describe('a login', () => {
  test('outlives a reload, in silence', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    await page.reload();
    await out(page).waitFor();
    assert.equal(await door(page).isVisible(), false);
    await page.context().close();
  });

  test('outlives a reload while the server is away, and needs no password when it is back', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    await page.route('**/refresh', (route) => route.fulfill({ status: 503, body: 'away' }));
    await page.reload();
    await page.getByText('The server is busy or starting. Try again in a moment.').waitFor();
    await page.unroute('**/refresh');
    await out(page).waitFor();
    await page.context().close();
  });

  test('ends by logging out, in every tab, and a reload does not bring it back', async () => {
    const page = await browser.visit(stack);
    await page.logIn(await stack.person());
    const other = await browser.open(page.context(), stack.url);
    await out(other).waitFor();
    await out(page).click();
    await door(page).waitFor();
    await door(other).waitFor();
    await page.reload();
    await door(page).waitFor();
    await page.context().close();
  });

  test('in one tab opens the door in the others', async () => {
    const page = await browser.visit(stack);
    const other = await browser.open(page.context(), stack.url);
    await door(other).waitFor();
    // What a tab writes to storage may come to another one later than its message
    await other.evaluate(() => { Storage.prototype.getItem = () => null; });
    await page.logIn(await stack.person());
    await out(other).waitFor();
    await page.context().close();
  });

  test('of somebody else in another tab is not mixed up with this one', async () => {
    const [ann, bob] = [await stack.person(), await stack.person()];
    const page = await browser.visit(stack);
    await page.logIn(ann);
    const other = await browser.open(page.context(), stack.url);
    await out(other).waitFor();
    await other.evaluate(() => document.querySelector('#log-out').click());
    await door(page).waitFor();
    await door(other).waitFor();
    await other.logIn(bob);
    await out(page).waitFor();
    await eventually(() => page.locator('#who').textContent(), bob.email);
    await page.context().close();
  });
});

describe('with tokens that end', () => {
  let own;
  before(async () => {
    own = await startStack({ settings: { TOKEN_LIFE: 31, THROTTLE_FAILURES: 2 } });
  });
  after(() => own?.stop());

  const turns = (page) => {
    const seen = [];
    page.on('response', (response) => response.url().endsWith('/refresh') && seen.push(response.status()));
    return seen;
  };

  test('many requests at once wait for one refresh', async () => {
    const page = await browser.visit(own);
    await page.logIn(await own.person());
    await page.waitForLoadState('networkidle');
    const seen = turns(page);
    await page.waitForTimeout(1500); // by the page's clock the token is over then: 31 seconds less its 30 in hand
    await page.getByRole('link', { name: 'Account' }).click(); // asks for tokens and sessions
    await page.getByText('this one').waitFor();
    assert.deepEqual(seen, [200]);
    await page.context().close();
  });

  test('two tabs that refresh at once both stay', async () => {
    const page = await browser.visit(own);
    await page.logIn(await own.person());
    const other = await browser.open(page.context(), own.url);
    await out(other).waitFor();
    await page.waitForTimeout(1500);
    await Promise.all([page, other].map((tab) => tab.reload()));
    await Promise.all([page, other].map((tab) => out(tab).waitFor()));
    await page.waitForTimeout(1500);
    await Promise.all([page, other].map(async (tab) => {
      await tab.getByRole('link', { name: 'Account' }).click();
      await tab.getByText('this one').waitFor();
    }));
    await page.context().close();
  });

  test('a token that is refused is replaced, and what was asked is asked again', async () => {
    const ann = await own.person();
    await keep(own, ann, 'still here.txt', 'x');
    const page = await browser.visit(own);
    await page.logIn(ann);
    await eventually(() => listed(page), ['still here.txt']);
    const seen = turns(page);
    // New keys and none of the old: every access token is refused from now on.
    const keyring = own.path('keys', 'keyring');
    renameSync(keyring, `${keyring}.old`);
    assert.equal((await own.authAdmin(['key', 'new'])).code, 0);
    for (const target of ['/me', '/files']) await eventually(async () => (await own.call('GET', target, { token: ann.token })).status, 401);
    await page.getByLabel('Search by name').fill('still');
    await eventually(() => listed(page), ['still here.txt']);
    await page.getByRole('link', { name: 'Account' }).click();
    await page.getByText('this one').waitFor();
    assert.ok(seen.length >= 1 && seen.every((status) => status === 200), String(seen));
    await page.context().close();
  });

  test('a session that was ended elsewhere leads to the door, which says why', async () => {
    const ann = await own.person();
    const page = await browser.visit(own);
    await page.logIn(ann);
    await page.waitForLoadState('networkidle');
    const again = await own.call('POST', '/login', { basic: [ann.email, ann.password] });
    assertStatus(await own.call('POST', '/logout?all=1', { token: again.json.access_token }), 204);
    await page.getByRole('link', { name: 'Account' }).click();
    await door(page).waitFor();
    assert.equal(await page.locator('#gate-why').textContent(), 'Your login has ended. Log in again to go on.');
    assert.equal(await page.getByLabel('Email').inputValue(), ann.email);
    assert.equal(await page.getByText(ann.email).count(), 0, 'nothing of the account is left on the page');
    assert.equal(await page.locator('.toast').count(), 0, 'and nobody complains besides');
    assert.equal(await page.title(), 'Gatehouse');
    await page.context().close();
  });

  test('too many attempts make the form wait, in words, as long as the server says', async () => {
    const ann = await own.person();
    const page = await browser.visit(own);
    // Each failure doubles the time in which the next is refused: one of the next few comes within it.
    for (let status; status !== 429;) {
      const [answer] = await Promise.all([page.waitForResponse((r) => r.url().endsWith('/login')), enter(page, { ...ann, password: 'wrong' })]);
      status = answer.status();
      await page.waitForFunction(() => !document.querySelector('#login [type=submit][aria-busy]'));
    }
    await page.getByText(/^Too many attempts failed\. Try again in \d+ seconds?\.$/).waitFor();
    const button = page.getByRole('button', { name: 'Log in', exact: true });
    assert.equal(await button.isDisabled(), true);
    // Said once, and not each second
    await page.waitForFunction(() => document.querySelector('#login-problem[aria-live=off]') || !document.querySelector('#login [type=submit]').disabled);
    await eventually(() => button.isDisabled(), false);
    assert.equal(await problem(page).getAttribute('aria-live'), null);
    await page.logIn(ann);
    await page.context().close();
  });
});
