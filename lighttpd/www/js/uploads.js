// uploads.js - the uploads of this tab: what waits, what moves, what is paused; three at a time.
//
// An upload goes through these states:
//
//   waiting -> sending <-> stuck (no connection; goes on by itself) -> done, and leaves
//   paused    by its owner, goes on when told to
//   asleep    from an earlier visit: its file can be opened again, once a click allows it
//   lost      from an earlier visit: its file has to be chosen again
//   failed    for a reason that another attempt could only mend by hand
//   gone      its file has changed under it, or is gone: it has to be chosen again, and begins anew
//
// Events on `uploads`: 'change' (anything; read `items`), 'done' (`detail` is {id, item}).
import { api } from './api.js';
import { address } from './http.js';
import { forget, hold, isSame, keep, keptOf } from './kept-uploads.js';
import { accessToken, currentUser, isLoggedIn } from './session.js';
import { terminate, upload } from './tus.js';

const AT_ONCE = 3;

export const uploads = new EventTarget();
let owner; // the id of whose uploads these are

export const items = new Set(); // {name, size, sent, state, problem, file, handle, url}

const changed = () => uploads.dispatchEvent(new Event('change'));

function set(item, state, problem) {
  item.state = state;
  item.problem = problem;
  changed();
}

// `found` is [{file, handle}]. One that an earlier visit has left unfinished goes on.
export function addUploads(found) {
  for (const { file, handle } of found) {
    const known = [...items].find((item) => (item.state === 'gone' ? item.name === file.name : ['lost', 'asleep'].includes(item.state) && isSame(item, file)));
    const item = known ?? { sent: 0 };
    items.add(item);
    Object.assign(item, { name: file.name, size: file.size, modified: file.lastModified, file, handle: handle ?? item.handle, state: 'waiting', problem: undefined });
  }
  changed();
  pump();
}

// At the beginning of a login: what was under way when the last one ended goes on, if it was the same
// person's; and what an earlier visit has left, if no other tab works on it.
export async function wakeUploads() {
  if (owner !== currentUser().id) putUploadsAway();
  owner = currentUser().id;
  pump();
  for (const record of await keptOf(owner)) {
    if ([...items].some((item) => item.url === record.url)) continue;
    const release = await hold(record.url);
    if (release) await wake({ ...record, sent: 0, release });
  }
  changed();
  pump();
}

async function wake(item) {
  const there = await api('GET', `/tus/${item.url.split('/').at(-1)}`, { headers: { 'Tus-Resumable': '1.0.0' } }).catch((error) => error);
  if (there.finished || there.status === 404 || there.status === 410) {
    forget(item.url);
    item.release();
    return;
  }
  Object.assign(item, { sent: there.offset ?? 0, state: item.handle ? 'asleep' : 'lost' });
  if (item.handle && (await permission(item.handle, 'queryPermission')) === 'granted') await open(item);
  items.add(item);
}

const permission = (handle, ask) => handle[ask]?.({ mode: 'read' }).catch(() => 'denied') ?? 'granted';

async function open(item) {
  const file = await item.handle.getFile().catch(() => undefined);
  if (file && isSame(item, file)) Object.assign(item, { file, state: 'waiting' });
  else Object.assign(item, { handle: undefined, state: 'lost' });
}

function pump() {
  if (!isLoggedIn()) return;
  const busy = [...items].filter((item) => item.control).length;
  for (const item of [...items].filter((one) => one.state === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) run(item);
}

async function run(item) {
  const control = (item.control = new AbortController());
  set(item, 'sending');
  try {
    const url = await upload({
      endpoint: address('/tus/'),
      url: item.url,
      file: item.file,
      values: { filename: item.file.name, filetype: item.file.type },
      authorize: accessToken,
      signal: control.signal,
      oncreated: (made) => created(item, made),
      onprogress: (sent) => {
        item.sent = sent;
        changed();
      },
      onwait: (problem) => {
        if (item.control !== control || (problem === undefined && item.state === 'sending')) return;
        set(item, problem ? 'stuck' : 'sending', problem?.offline ? 'The connection is gone.' : problem?.detail);
      },
    });
    letGo(item);
    leave(item);
    uploads.dispatchEvent(new CustomEvent('done', { detail: { id: url.split('/').at(-1), item } }));
  } catch (error) {
    if (item.control === control) stopped(item, error);
  } finally {
    if (item.control === control) item.control = undefined;
    pump();
  }
}

async function created(item, url) {
  item.url = url;
  const { name, size, modified, handle } = item;
  keep({ url, owner: currentUser().id, name, size, modified, handle });
  item.release = await hold(url);
}

function stopped(item, error) {
  if (error.status === 401) return set(item, 'paused', 'Log in again to go on.');
  if (error.slug === 'unreadable') {
    giveBack(item);
    return set(item, 'gone', error.detail);
  }
  if (error.status === 404 || error.status === 410) {
    forgetBeginning(item);
    return set(item, 'failed', 'The server no longer has the beginning of this file. Try again to send it from the start.');
  }
  return set(item, 'failed', error.detail ?? error.message);
}

function letGo(item) {
  if (item.url) forget(item.url);
  item.release?.();
}

function forgetBeginning(item) {
  letGo(item);
  Object.assign(item, { url: undefined, release: undefined, sent: 0 });
}

// The server forgets what it has of it.
function giveBack(item) {
  const { url } = item;
  forgetBeginning(item);
  return url && accessToken().then((token) => terminate({ url, token })).catch(() => {});
}

function leave(item) {
  items.delete(item);
  item.state = 'done';
  changed();
}

function halt(item) {
  const { control } = item;
  item.control = undefined;
  control?.abort();
}

export function pause(item) {
  if (!['waiting', 'sending', 'stuck'].includes(item.state)) return;
  set(item, 'paused');
  halt(item);
  pump();
}

// Also "try again", and for a sleeping one the click that the browser wants. False if the file has to be
// chosen.
export async function proceed(item) {
  if (item.state === 'lost' || item.state === 'gone') return false;
  if (item.state === 'asleep') {
    if ((await permission(item.handle, 'requestPermission')) !== 'granted') return true;
    await open(item);
    changed();
    if (item.state === 'lost') return false;
  } else {
    set(item, 'waiting');
  }
  pump();
  return true;
}

// Give it up. It is out of `items` at once; the promise is that of the server's part.
export function cancel(item) {
  halt(item);
  leave(item);
  pump();
  return giveBack(item);
}

// At the end of a login that its owner did not end: nothing moves until they are back.
export function holdUploads() {
  for (const item of items) {
    if (item.control) item.state = 'waiting';
    halt(item);
  }
}

// Nothing is left here; what was begun is written down, for its owner's next visit.
export function putUploadsAway() {
  for (const item of items) {
    halt(item);
    item.release?.();
  }
  items.clear();
  changed();
}
