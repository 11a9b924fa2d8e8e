// uploads.js - the uploads of this tab. Three are sent at a time.
//
// The states of an upload:
//
//   waiting      starts when fewer than three others are sent
//   sending
//   retrying     no connection or a busy server; resumes by itself
//   paused       by the user, or because the session has ended
//   needs-click  of an earlier visit: the browser opens its file again after a click of the user
//   needs-file   of an earlier visit: the user has to choose its file again
//   changed      its file was changed or removed: the user has to choose it again, and it starts over
//   failed       a retry by the user may succeed
//   done         complete, and no longer in `items`
//
// Events on `uploads`: 'change' (of `items` or of one of them), 'done' (`detail` is {id, item}).
import { api } from './api.js';
import { address } from './http.js';
import { accessToken, currentUser, isLoggedIn } from './session.js';
import { terminate, upload } from './tus.js';
import { deleteUpload, isSameFile, lockUpload, savedUploads, saveUpload } from './upload-store.js';

const MAX_SENDING = 3;
const MOVING = ['waiting', 'sending', 'retrying'];

export const uploads = new EventTarget();
let owner; // the id of the user to whom `items` belong

export const items = new Set(); // {name, size, modified, sent, state, problem, file, handle, url, controller, unlock}

export const isMoving = (item) => MOVING.includes(item.state);

const changed = () => uploads.dispatchEvent(new Event('change'));

function setState(item, state, problem) {
  item.state = state;
  item.problem = problem;
  changed();
}

const waitsFor = (item, file) => (item.state === 'changed' ? item.name === file.name : ['needs-file', 'needs-click'].includes(item.state) && isSameFile(item, file));

// `found` is [{file, handle}]. The file of an unfinished upload resumes that upload.
export function addUploads(found) {
  for (const { file, handle } of found) {
    const item = [...items].find((one) => waitsFor(one, file)) ?? { sent: 0 };
    items.add(item);
    Object.assign(item, { name: file.name, size: file.size, modified: file.lastModified, file, handle: handle ?? item.handle, state: 'waiting', problem: undefined });
  }
  changed();
  startNext();
}

// After a login: resume the uploads that the end of the same user's last session has stopped, and those of
// an earlier visit that no other tab sends.
export async function resumeUploads() {
  if (owner !== currentUser().id) clearUploads();
  owner = currentUser().id;
  startNext();
  for (const record of await savedUploads(owner)) {
    if ([...items].some((item) => item.url === record.url)) continue;
    const unlock = await lockUpload(record.url);
    if (unlock) await restoreUpload({ ...record, sent: 0, unlock });
  }
  changed();
  startNext();
}

async function restoreUpload(item) {
  const status = await api('GET', `/tus/${item.url.split('/').at(-1)}`, { headers: { 'Tus-Resumable': '1.0.0' } }).catch((error) => error);
  if (status.finished || status.status === 404 || status.status === 410) {
    deleteUpload(item.url);
    item.unlock();
    return;
  }
  Object.assign(item, { sent: status.offset ?? 0, state: item.handle ? 'needs-click' : 'needs-file' });
  if (item.handle && (await permission(item.handle, 'queryPermission')) === 'granted') await reopenFile(item);
  items.add(item);
}

const permission = (handle, method) => handle[method]?.({ mode: 'read' }).catch(() => 'denied') ?? 'granted';

async function reopenFile(item) {
  const file = await item.handle.getFile().catch(() => undefined);
  if (file && isSameFile(item, file)) Object.assign(item, { file, state: 'waiting' });
  else Object.assign(item, { handle: undefined, state: 'needs-file' });
}

function startNext() {
  if (!isLoggedIn()) return;
  const sending = [...items].filter((item) => item.controller).length;
  for (const item of [...items].filter((one) => one.state === 'waiting').slice(0, Math.max(0, MAX_SENDING - sending))) sendUpload(item);
}

async function sendUpload(item) {
  const controller = (item.controller = new AbortController());
  setState(item, 'sending');
  try {
    const url = await upload({
      endpoint: address('/tus/'),
      url: item.url,
      file: item.file,
      metadata: { filename: item.file.name, filetype: item.file.type },
      authorize: accessToken,
      signal: controller.signal,
      oncreated: (created) => saveNewUpload(item, created),
      onprogress: (sent) => {
        item.sent = sent;
        changed();
      },
      onretry: (problem) => {
        if (item.controller !== controller || (problem === undefined && item.state === 'sending')) return;
        setState(item, problem ? 'retrying' : 'sending', problem?.offline ? 'Connection lost.' : problem?.detail);
      },
    });
    removeRecord(item);
    removeItem(item);
    uploads.dispatchEvent(new CustomEvent('done', { detail: { id: url.split('/').at(-1), item } }));
  } catch (error) {
    if (item.controller === controller) uploadFailed(item, error);
  } finally {
    if (item.controller === controller) item.controller = undefined;
    startNext();
  }
}

async function saveNewUpload(item, url) {
  item.url = url;
  const { name, size, modified, handle } = item;
  saveUpload({ url, owner: currentUser().id, name, size, modified, handle });
  item.unlock = await lockUpload(url);
}

function uploadFailed(item, error) {
  if (error.status === 401) return setState(item, 'paused', 'Log in again to resume.');
  if (error.slug === 'unreadable') {
    terminateUpload(item);
    return setState(item, 'changed', error.detail);
  }
  if (error.status === 404 || error.status === 410) {
    startOver(item);
    return setState(item, 'failed', 'The server no longer has this upload. Try again to send the file from the start.');
  }
  return setState(item, 'failed', error.detail ?? error.message);
}

function removeRecord(item) {
  if (item.url) deleteUpload(item.url);
  item.unlock?.();
}

function startOver(item) {
  removeRecord(item);
  Object.assign(item, { url: undefined, unlock: undefined, sent: 0 });
}

// Delete what the server has of an upload.
function terminateUpload(item) {
  const { url } = item;
  startOver(item);
  return url && accessToken().then((token) => terminate({ url, token })).catch(() => {});
}

function removeItem(item) {
  items.delete(item);
  item.state = 'done';
  changed();
}

function abortTransfer(item) {
  const { controller } = item;
  item.controller = undefined;
  controller?.abort();
}

export function pause(item) {
  if (!isMoving(item)) return;
  setState(item, 'paused');
  abortTransfer(item);
  startNext();
}

// Resume or retry an upload. The browser may ask the user for permission to open its file. Returns false if
// the user has to choose the file first.
export async function resume(item) {
  if (item.state === 'needs-file' || item.state === 'changed') return false;
  if (item.state === 'needs-click') {
    if ((await permission(item.handle, 'requestPermission')) !== 'granted') return true;
    await reopenFile(item);
    changed();
    if (item.state === 'needs-file') return false;
  } else {
    setState(item, 'waiting');
  }
  startNext();
  return true;
}

// Cancel an upload. It is removed from `items` at once; the promise resolves when the server has deleted it.
export function cancel(item) {
  abortTransfer(item);
  removeItem(item);
  startNext();
  return terminateUpload(item);
}

// The session has ended, but not by the user: all uploads wait for the next login.
export function suspendUploads() {
  for (const item of items) {
    if (item.controller) item.state = 'waiting';
    abortTransfer(item);
  }
}

// The user has logged out: remove all uploads from this page. Their records stay for the user's next visit.
export function clearUploads() {
  for (const item of items) {
    abortTransfer(item);
    item.unlock?.();
  }
  items.clear();
  changed();
}
