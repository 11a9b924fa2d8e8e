// uploads.js - the uploads of this tab: what waits, what moves, what is paused; three at a time.
//
// An upload goes through these states:
//
//   waiting -> sending <-> stuck (no connection; goes on by itself) -> done, and leaves
//   paused    by its owner, goes on when told to
//   asleep    from an earlier visit: its file can be opened again, once a click allows it
//   lost      from an earlier visit: its file has to be chosen again
//   failed    for a reason that another attempt could only mend by hand
//
// Events on `uploads`: 'change' (anything; read `items`), 'done' (`detail` is {id, item}).
import { address } from './http.js';
import { forget, hold, isSame, keep, keptOf } from './kept-uploads.js';
import { accessToken, currentUser } from './session.js';
import { terminate, upload } from './tus.js';

const AT_ONCE = 3;

export const uploads = new EventTarget();
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
    const known = [...items].find((item) => ['lost', 'asleep'].includes(item.state) && isSame(item, file));
    const item = known ?? { name: file.name, size: file.size, modified: file.lastModified, sent: 0 };
    items.add(item);
    Object.assign(item, { file, handle: handle ?? item.handle, state: 'waiting', problem: undefined });
  }
  changed();
  pump();
}

// Those of an earlier visit that no other tab works on. A file that may be read without asking goes on.
export async function wakeUploads() {
  for (const record of await keptOf(currentUser().id)) {
    if ([...items].some((item) => item.url === record.url)) continue;
    const release = await hold(record.url);
    if (!release) continue;
    const item = { ...record, sent: 0, state: 'lost', release };
    items.add(item);
    if (record.handle) {
      item.state = 'asleep';
      if ((await permission(record.handle, 'queryPermission')) === 'granted') await open(item);
    }
  }
  changed();
  pump();
}

const permission = (handle, ask) => handle[ask]?.({ mode: 'read' }).catch(() => 'denied') ?? 'granted';

async function open(item) {
  const file = await item.handle.getFile().catch(() => undefined);
  if (file && isSame(item, file)) Object.assign(item, { file, state: 'waiting' });
  else Object.assign(item, { handle: undefined, state: 'lost' });
}

function pump() {
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
    leave(item);
    uploads.dispatchEvent(new CustomEvent('done', { detail: { id: url.split('/').at(-1), item } }));
  } catch (error) {
    if (item.control === control) await stopped(item, error);
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

async function stopped(item, error) {
  if (error.name === 'AbortError') return;
  if (error.status === 401) return set(item, 'paused', 'Log in again to go on.');
  if (error.status === 404 || error.status === 410) {
    if (item.url) forget(item.url);
    Object.assign(item, { url: undefined, sent: 0 });
    return set(item, 'failed', 'The server no longer has the beginning of this file. Try again to send it from the start.');
  }
  // The browser says no more than this when a file was changed or removed under it.
  const unreadable = error.offline && !(await readable(item.file));
  return set(item, 'failed', unreadable ? 'The file has changed or is gone. Choose it again.' : error.detail ?? error.message);
}

const readable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

function leave(item) {
  if (item.url) forget(item.url);
  item.release?.();
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
  if (item.state === 'lost') return false;
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

// Give it up; the server forgets what it has.
export async function cancel(item) {
  halt(item);
  leave(item);
  pump();
  if (item.url) await terminate({ url: item.url, token: await accessToken() }).catch(() => {});
}

// At the end of a login: nothing moves, nothing is shown; what was begun is kept for its owner.
export function putUploadsAway() {
  for (const item of items) {
    halt(item);
    item.release?.();
  }
  items.clear();
  changed();
}
