// drop.js - the page at an upload link: what a person without an account sees, and sends files with.
//
// The secret of the link stands behind the # of this page's address, which no server is sent. What the
// link takes is asked of the server, before and after; it decides, this page only says so early.
import { $, h, setText } from './dom.js';
import { acceptDrops, filesOf, filesOfInput } from './dropped.js';
import { exchange } from './exchange.js';
import { count, dayAndTime, dotted, size } from './format.js';
import { address, send } from './http.js';
import { announce } from './toasts.js';

const AT_ONCE = 2;

const zone = $('#zone');
const list = $('#sent');
const items = []; // {file, state: 'waiting' | 'sending' | 'sent' | 'failed', sent, problem, row, control}
let offer; // what the link takes

const link = () => `/u/${location.hash.slice(1)}`;

async function ask() {
  try {
    offer = await send('GET', link(), { headers: { Accept: 'application/json' } });
    show();
  } catch (error) {
    if (offer && (error.offline || error.status >= 500)) return; // each file says so, and can be tried again
    zone.hidden = true;
    setText($('#about'), WHY[error.status]?.() || error.detail);
  }
}

const WHY = {
  404: () => 'There is nothing at this address. Look whether it is complete.',
  410: () => hasSent() && 'No more files are taken here.',
};

function show() {
  const { name, expires_at: ends, files_left: files, bytes_left: bytes, max_file_bytes: largest } = offer;
  if (name) {
    setText($('#title'), name);
    document.title = `${name} – Gatehouse`;
  }
  setText($('#about'), 'Somebody asks you for files. Only they can see what you send.');
  setText($('#limits'), dotted(
    files !== null && `Up to ${count(files, 'file')}`,
    bytes !== null && `${size(bytes)} in all`,
    (bytes === null || largest < bytes) && `${size(largest)} a file`,
    ends && `until ${dayAndTime(new Date(ends))}`));
  zone.hidden = false;
}

// --- sending ---

async function take(found) {
  for (const { file, unreadable } of await found) {
    const item = { file: file ?? new File([], unreadable), unreadable, state: 'waiting', sent: 0 };
    items.push(item);
    item.row = makeRow(item);
    list.append(item.row.element);
    if (unreadable) fail(item, 'It could not be read.');
    else if (offer.max_file_bytes !== null && file.size > offer.max_file_bytes) fail(item, `Larger than the ${size(offer.max_file_bytes)} that a file may have here.`);
  }
  setText($('#thanks'), '');
  delete $('#thanks').dataset.icon;
  pump();
}

function pump() {
  const busy = items.filter((item) => item.state === 'sending').length;
  for (const item of items.filter((one) => one.state === 'waiting').slice(0, Math.max(0, AT_ONCE - busy))) run(item);
  for (const item of items) paint(item);
}

async function run(item) {
  item.state = 'sending';
  item.control = new AbortController();
  try {
    await exchange({
      method: 'PUT',
      url: address(`${link()}/${encodeURIComponent(item.file.name)}`),
      headers: item.file.type ? { 'Content-Type': item.file.type } : { 'Content-Type': 'application/octet-stream' },
      body: item.file,
      signal: item.control.signal,
      onprogress: (sent) => {
        item.sent = sent;
        paint(item);
      },
    });
    item.state = 'sent';
    announce(`${item.file.name} is sent`);
  } catch (error) {
    if (error.name !== 'AbortError') fail(item, error.detail ?? error.message);
  }
  pump();
  if (!items.some((one) => ['waiting', 'sending'].includes(one.state))) finish();
}

function fail(item, problem) {
  Object.assign(item, { state: 'failed', problem });
  paint(item);
}

const hasSent = () => items.some((item) => item.state === 'sent');

function finish() {
  const sent = items.filter((item) => item.state === 'sent').length;
  const failed = items.some((item) => item.state === 'failed');
  if (sent > 0) {
    $('#thanks').dataset.icon = 'check';
    setText($('#thanks'), `Thank you. ${count(sent, 'file')} arrived${failed ? '; see below for the rest' : ''}.`);
  }
  ask();
}

function remove(item) {
  item.control?.abort();
  items.splice(items.indexOf(item), 1);
  item.row.element.remove();
  $('#choose').focus();
  pump();
}

// --- seen ---

function makeRow(item) {
  const line = h('p');
  const bar = h('progress', { max: Math.max(1, item.file.size), value: 0, ariaLabel: item.file.name });
  const again = h('button.icon', { type: 'button', data: { icon: 'retry' }, ariaLabel: `Try again ${item.file.name}`, title: 'Try again', onclick: () => { Object.assign(item, { state: 'waiting', sent: 0 }); pump(); } });
  const cancel = h('button.icon', { type: 'button', data: { icon: 'close' }, ariaLabel: `Remove ${item.file.name}`, title: 'Remove', onclick: () => remove(item) });
  const element = h('li', {}, h('div', {}, h('bdi', { dir: 'auto', title: item.file.name }, item.file.name), line), h('div', {}, again, cancel), bar);
  return { element, line, bar, again, cancel };
}

const WORDS = {
  waiting: () => 'Waiting',
  sending: ({ sent, file }) => (sent < file.size ? `${size(sent)} of ${size(file.size)}` : 'Being kept…'),
  sent: ({ file }) => `${size(file.size)} · arrived`,
  failed: ({ problem }) => problem,
};

function paint(item) {
  const { line, bar, again, cancel } = item.row;
  setText(line, WORDS[item.state](item));
  line.className = { failed: 'problem', sent: 'done' }[item.state] ?? '';
  bar.value = item.sent;
  bar.hidden = !['waiting', 'sending'].includes(item.state);
  again.hidden = item.state !== 'failed' || Boolean(item.unreadable);
  cancel.hidden = item.state === 'sent';
}

$('#choose').addEventListener('click', () => $('#picker').click());
$('#picker').addEventListener('change', ({ target }) => {
  take(filesOfInput(target));
  target.value = '';
});
const open = () => !zone.hidden;
acceptDrops(window, { onfiles: (found) => open() && take(found), onover: (over) => document.body.classList.toggle('dragging', over && open()) });
addEventListener('paste', (event) => open() && event.clipboardData?.files.length && take(filesOf(event.clipboardData)));
addEventListener('online', () => zone.hidden && ask());
addEventListener('hashchange', () => location.reload());
addEventListener('beforeunload', (event) => items.some((item) => item.state === 'sending') && event.preventDefault());
ask();
