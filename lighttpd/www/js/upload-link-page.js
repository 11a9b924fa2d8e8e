// upload-link-page.js - the page of an upload link, on which people without an account send files.
//
// The secret of the link is the fragment of the page's address, which browsers do not send to servers. The
// server decides what the link accepts; the page asks before and after each upload, to show it early.
import { $, h, setText } from './dom.js';
import { acceptDroppedFiles, filesOfInput, filesOfTransfer } from './file-picker.js';
import { count, dayAndTime, joinByDots, size } from './format.js';
import { address, send } from './http.js';
import { announce } from './toasts.js';
import { xhrRequest } from './xhr.js';

const MAX_SENDING = 2;

const dropZone = $('#drop-zone');
const list = $('#sent-files');
const items = []; // {file, unreadable, state: 'waiting' | 'sending' | 'sent' | 'failed', sent, problem, row, controller}
let limits; // what the link accepts, as the server reports it

const linkPath = () => `/u/${location.hash.slice(1)}`;
const itemsIn = (...states) => items.filter((item) => states.includes(item.state));

async function loadLimits() {
  try {
    limits = await send('GET', linkPath(), { headers: { Accept: 'application/json' } });
    showLimits();
  } catch (error) {
    if (limits && (error.offline || error.status >= 500)) return; // each file shows its own error and can be retried
    dropZone.hidden = true;
    $('#home').hidden = false;
    setText($('#about'), explainLinkError(error));
  }
}

function explainLinkError(error) {
  if (error.status === 404) return 'This link does not exist. Check that the address is complete.';
  if (error.status === 410 && itemsIn('sent').length) return 'This link accepts no more files.';
  return error.detail;
}

function showLimits() {
  const { name, expires_at: end, files_left: files, bytes_left: bytes, max_file_bytes: fileBytes } = limits;
  if (name) {
    setText($('#title'), name);
    document.title = `${name} – Gatehouse`;
  }
  setText($('#about'), 'Someone has asked you for files. Only that person can see what you send.');
  setText($('#limits'), joinByDots(
    files !== null && `Up to ${count(files, 'file')}`,
    bytes !== null && `${size(bytes)} in total`,
    (bytes === null || fileBytes < bytes) && `${size(fileBytes)} per file`,
    end && `until ${dayAndTime(new Date(end))}`));
  dropZone.hidden = false;
  $('#home').hidden = true;
}

// --- sending ---

async function addFiles(found) {
  for (const { file, unreadable } of await found) {
    const item = { file: file ?? new File([], unreadable), unreadable, state: 'waiting', sent: 0 };
    items.push(item);
    item.row = makeRow(item);
    list.append(item.row.element);
    if (unreadable) setFailed(item, 'The file could not be read. Check that it still exists, then choose it again.');
    else if (limits.max_file_bytes !== null && file.size > limits.max_file_bytes) setFailed(item, `The file is larger than ${size(limits.max_file_bytes)}, the limit per file. Choose a smaller one.`);
  }
  setText($('#thanks'), '');
  delete $('#thanks').dataset.icon;
  startNext();
}

function startNext() {
  for (const item of itemsIn('waiting').slice(0, Math.max(0, MAX_SENDING - itemsIn('sending').length))) sendFile(item);
  for (const item of items) drawRow(item);
}

async function sendFile(item) {
  item.state = 'sending';
  item.controller = new AbortController();
  try {
    await xhrRequest({
      method: 'PUT',
      url: address(`${linkPath()}/${encodeURIComponent(item.file.name)}`),
      headers: { 'Content-Type': item.file.type || 'application/octet-stream' },
      body: item.file,
      signal: item.controller.signal,
      onprogress: (sent) => {
        item.sent = sent;
        drawRow(item);
      },
    });
    item.state = 'sent';
    announce(`${item.file.name} sent`);
  } catch (error) {
    if (error.name !== 'AbortError') setFailed(item, error.detail ?? error.message);
  }
  startNext();
  if (!itemsIn('waiting', 'sending').length) allFinished();
}

function setFailed(item, problem) {
  Object.assign(item, { state: 'failed', problem });
  drawRow(item);
}

function allFinished() {
  const [sent, failed] = [itemsIn('sent').length, itemsIn('failed').length];
  if (sent > 0) {
    $('#thanks').dataset.icon = 'check';
    setText($('#thanks'), `Thank you. ${count(sent, 'file')} sent.${failed ? ` ${count(failed, 'file')} could not be sent: see below.` : ''}`);
  }
  loadLimits();
}

function retry(item) {
  Object.assign(item, { state: 'waiting', sent: 0 });
  startNext();
}

function remove(item) {
  item.controller?.abort();
  items.splice(items.indexOf(item), 1);
  item.row.element.remove();
  $('#choose-files').focus();
  startNext();
}

// --- drawing ---

function makeRow(item) {
  const { name } = item.file;
  const status = h('p');
  const bar = h('progress', { max: Math.max(1, item.file.size), value: 0, ariaLabel: name });
  const retryButton = h('button.icon', { type: 'button', data: { icon: 'retry' }, ariaLabel: `Try again ${name}`, title: 'Try again', onclick: () => retry(item) });
  const removeButton = h('button.icon', { type: 'button', data: { icon: 'close' }, ariaLabel: `Remove ${name}`, title: 'Remove', onclick: () => remove(item) });
  const element = h('li', {}, h('div', {}, h('bdi', { dir: 'auto', title: name }, name), status), h('div', {}, retryButton, removeButton), bar);
  return { element, status, bar, retryButton, removeButton };
}

const STATUS = {
  waiting: () => 'Waiting',
  sending: ({ sent, file }) => (sent < file.size ? `${size(sent)} of ${size(file.size)}` : 'Saving…'),
  sent: ({ file }) => `${size(file.size)} · sent`,
  failed: ({ problem }) => problem,
};

function drawRow(item) {
  const { status, bar, retryButton, removeButton } = item.row;
  setText(status, STATUS[item.state](item));
  status.className = { failed: 'problem', sent: 'done' }[item.state] ?? '';
  bar.value = item.sent;
  bar.hidden = !['waiting', 'sending'].includes(item.state);
  retryButton.hidden = item.state !== 'failed' || Boolean(item.unreadable);
  removeButton.hidden = item.state === 'sent';
}

$('#choose-files').addEventListener('click', () => $('#file-input').click());
$('#file-input').addEventListener('change', ({ target }) => {
  addFiles(filesOfInput(target));
  target.value = '';
});
const acceptsFiles = () => !dropZone.hidden;
acceptDroppedFiles(window, { onfiles: (found) => acceptsFiles() && addFiles(found), onhover: (hovers) => document.body.classList.toggle('dragging', hovers && acceptsFiles()) });
addEventListener('paste', (event) => acceptsFiles() && event.clipboardData?.files.length && addFiles(filesOfTransfer(event.clipboardData)));
addEventListener('online', () => dropZone.hidden && loadLimits());
addEventListener('hashchange', () => location.reload());
addEventListener('beforeunload', (event) => itemsIn('sending').length && event.preventDefault());
loadLimits();
