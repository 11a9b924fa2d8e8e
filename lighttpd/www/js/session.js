// session.js - the session of the logged-in user, in this tab.
//
// The access token is a variable of this module and is stored nowhere else. The refresh token is in a
// cookie that no script can read and that is sent to /refresh only. Logging in takes two requests: /login,
// without cookies, so that the browser does not open its own password window; then /refresh, which replaces
// the refresh token of the answer by one in the cookie.
//
// One refresh runs at a time, however many requests wait for it. If several tabs refresh at once, the server
// gives them the same new token.
//
// Events on `session`: 'began' (a user is logged in), 'ended' (logged out in this tab, in another one or by
// the server; `event.detail` is a sentence for the user, or '').
import { Problem, send } from './http.js';
import { lastEmail, storeEmail } from './last-email.js';

const ENDED = 'Your session has ended. Log in again to continue.';
const MARGIN = 30_000; // ms before its expiry at which a token is replaced

export const session = new EventTarget();

let token = '';
let expires = 0; // on the clock of performance.now(), which does not jump
let tokenUser = ''; // the user id in the token
let refreshing; // the promise of the refresh in progress
let user;
const tabs = globalThis.BroadcastChannel ? new BroadcastChannel('gatehouse') : { postMessage() {} };

export const currentUser = () => user;
export const isLoggedIn = () => Boolean(user);

const subjectOf = (jwt) => JSON.parse(atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).sub;

function useToken(answer) {
  const subject = subjectOf(answer.access_token);
  // Another user has logged in in another tab: reload, because this page shows the files of the first user.
  if (tokenUser && subject !== tokenUser) {
    location.reload();
    throw new Problem({ status: 401, detail: 'Another user has logged in.' });
  }
  tokenUser = subject;
  token = answer.access_token;
  expires = performance.now() + answer.expires_in * 1000 - MARGIN;
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// `code` is a code of the second factor, or a recovery code.
export async function logIn(email, password, code) {
  // JSON, even where the answer is text by default (LOGIN_ANSWER)
  const headers = { Accept: 'application/json', Authorization: `Basic ${base64(`${email}:${password}`)}` };
  if (code) headers['X-OTP'] = code;
  const answer = await send('POST', '/login', { headers });
  // If the browser refuses cookies, the login lasts as long as its first access token.
  const tokens = await requestRefresh({ refresh_token: answer.refresh_token }).catch(() => answer);
  tokenUser = '';
  useToken(tokens);
  await beginSession();
  tabs.postMessage('began');
}

const requestRefresh = (json) => send('POST', '/refresh', { json, headers: { 'X-Refresh-Cookie': '1' }, credentials: 'same-origin' });

async function beginSession() {
  user = await send('GET', '/me', { headers: { Authorization: `Bearer ${token}` } });
  storeEmail(user.email);
  session.dispatchEvent(new Event('began'));
}

// Log in by the cookie of an earlier visit. Returns false if there was none, or if its session has ended.
export const resumeSession = async () => Boolean(lastEmail()) && loginByCookie();

async function loginByCookie() {
  try {
    await refresh();
    await beginSession();
    return true;
  } catch (error) {
    if (error.status !== 401 && error.status !== 400) throw error;
    return false;
  }
}

function refresh() {
  refreshing ??= requestRefresh().then(useToken).finally(() => (refreshing = undefined));
  return refreshing;
}

const sessionEnded = () => new Problem({ status: 401, type: 'ended', detail: ENDED });

// Returns a token that does not expire soon. `refused` is a token that the server has refused. Throws a
// Problem with slug 'ended' if the session has ended.
export async function accessToken(refused) {
  if (!user) throw sessionEnded();
  if (refused ? token === refused : performance.now() >= expires) {
    try {
      await refresh();
    } catch (error) {
      if (error.status !== 401 && error.status !== 400) throw error;
      endSession(ENDED);
      throw sessionEnded();
    }
  }
  return token;
}

// The token without a refresh, for the moment when the page is closed.
export const currentToken = () => token;

export async function logOut({ everywhere = false } = {}) {
  const headers = { Authorization: `Bearer ${await accessToken()}` };
  await send('POST', everywhere ? '/logout?all=1' : '/logout', { headers, credentials: 'same-origin' });
  endSession('');
  tabs.postMessage('ended');
}

function endSession(reason) {
  if (!user) return;
  user = undefined;
  token = tokenUser = '';
  expires = 0;
  if (!reason) storeEmail('');
  session.dispatchEvent(new CustomEvent('ended', { detail: reason }));
}

tabs.onmessage = ({ data }) => {
  if (data === 'ended') endSession('');
  // Not resumeSession(): the email that the other tab has stored may not be visible here yet.
  if (data === 'began' && !user && !refreshing) loginByCookie().catch(() => {});
};
