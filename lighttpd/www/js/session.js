// session.js - who is logged in, in this tab.
//
// The access token lives in this module's memory and nowhere else. The refresh token lives in a cookie
// that no script can read, and is sent to /refresh alone. A login is therefore two requests: one for
// a pair of tokens, without any cookie, so that the browser never asks for a password by itself; and
// one that spends the refresh token for its successor, which comes as the cookie.
//
// However many requests need a new token, one refresh is under way at a time. Several tabs may refresh
// at once: the server gives them the same successor.
//
// Events on `session`: 'began' (logged in, or found to be), 'ended' (logged out here, in another tab or
// by the server; `event.detail` is a sentence or '').
import { Problem, send } from './http.js';

const HINT = 'gatehouse-email'; // that somebody was logged in, and as whom; no secret
const ENDED = 'Your login has ended. Log in again to go on.';
const SPARE = 30_000; // ms before its end at which a token is no longer used

export const session = new EventTarget();

let token = '';
let ends = 0; // by performance.now(), which no change of the clock moves
let subject = ''; // whose token it is
let turning; // the refresh that is under way
let user;
const tabs = globalThis.BroadcastChannel ? new BroadcastChannel('gatehouse') : { postMessage() {} };

export const currentUser = () => user;
export const isLoggedIn = () => Boolean(user);

export function lastEmail() {
  try {
    return localStorage.getItem(HINT) ?? '';
  } catch {
    return ''; // storage is forbidden; then a reload asks again
  }
}

function remember(email) {
  try {
    if (email) localStorage.setItem(HINT, email);
    else localStorage.removeItem(HINT);
  } catch {
    // as above
  }
}

const subjectOf = (jwt) => JSON.parse(atob(jwt.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))).sub;

function take(answer) {
  const whose = subjectOf(answer.access_token);
  // Somebody else has logged in in another tab: what is on this page is not theirs.
  if (subject && whose !== subject) {
    location.reload();
    throw new Problem({ status: 401, detail: 'Somebody else has logged in.' });
  }
  subject = whose;
  token = answer.access_token;
  ends = performance.now() + answer.expires_in * 1000 - SPARE;
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

// `code` is what the second factor shows, or a recovery code.
export async function logIn(email, password, code) {
  const headers = { Authorization: `Basic ${base64(`${email}:${password}`)}` };
  if (code) headers['X-OTP'] = code;
  const first = await send('POST', '/login', { headers });
  // Whoever has a cookie-less browser still gets in, until the token ends.
  const kept = await turn({ refresh_token: first.refresh_token }).catch(() => first);
  subject = '';
  take(kept);
  await begin();
  tabs.postMessage('began');
}

const turn = (json) => send('POST', '/refresh', { json, headers: { 'X-Refresh-Cookie': '1' }, credentials: 'same-origin' });

async function begin() {
  user = await send('GET', '/me', { headers: { Authorization: `Bearer ${token}` } });
  remember(user.email);
  session.dispatchEvent(new Event('began'));
}

// Log in by the cookie of an earlier visit, if there was one. False if it is no longer good.
export const resume = async () => Boolean(lastEmail()) && enter();

async function enter() {
  try {
    await refresh();
    await begin();
    return true;
  } catch (error) {
    if (error.status !== 401 && error.status !== 400) throw error;
    return false;
  }
}

export function refresh() {
  turning ??= turn().then(take).finally(() => (turning = undefined));
  return turning;
}

const ended = () => new Problem({ status: 401, type: 'ended', detail: ENDED });

// A token that is good for some time yet. `refused` is one that the server did not take. Throws a Problem
// whose slug is 'ended' if the login has.
export async function accessToken(refused) {
  if (!user) throw ended();
  if (refused ? token === refused : performance.now() >= ends) {
    try {
      await refresh();
    } catch (error) {
      if (error.status !== 401 && error.status !== 400) throw error;
      end(ENDED);
      throw ended();
    }
  }
  return token;
}

// The token as it is, for a page that is being left.
export const tokenAtHand = () => token;

export async function logOut({ everywhere = false } = {}) {
  const headers = { Authorization: `Bearer ${await accessToken()}` };
  await send('POST', everywhere ? '/logout?all=1' : '/logout', { headers, credentials: 'same-origin' });
  end('');
  tabs.postMessage('ended');
}

function end(why) {
  if (!user) return;
  user = undefined;
  token = subject = '';
  ends = 0;
  if (!why) remember('');
  session.dispatchEvent(new CustomEvent('ended', { detail: why }));
}

tabs.onmessage = ({ data }) => {
  if (data === 'ended') end('');
  // What the other tab has remembered may not have come yet
  if (data === 'began' && !user && !turning) enter().catch(() => {});
};
