// upload-list.js - what of the uploads is seen, and the ways in which files get in: the button, a drop
// anywhere, a paste.
//
// Progress moves many times a second: it is painted once a frame, and spoken only at every fourth part.
import { api } from './api.js';
import { $, h, setText, whileBusy } from './dom.js';
import { acceptDrops, filesOf, filesOfInput, pickFiles } from './dropped.js';
import { arrive, wayIn } from './files.js';
import { count, dotted, duration, size } from './format.js';
import { Pace } from './pace.js';
import { isLoggedIn, session } from './session.js';
import { announce, toast } from './toasts.js';
import { addUploads, cancel, items, pause, proceed, uploads } from './uploads.js';
import { showUsage } from './usage.js';

const SHOWN = 40; // rows; a folder may have thousands of files

const panel = $('#uploads');
const picker = $('#picker');
const folderPicker = $('#folder-picker');

let pace = new Pace();
let finished = { files: 0, bytes: 0 }; // since the panel appeared
let spoken = 0; // quarters
let frame;

// --- in ---

async function take(found) {
  const all = await found;
  const files = all.filter(({ file }) => file);
  const missed = all.filter(({ unreadable }) => unreadable);
  if (missed.length) toast(`${missed.length === 1 ? missed[0].unreadable : count(missed.length, 'file')} could not be read.`, { wrong: true });
  if (!files.length || !isLoggedIn()) return;
  if (location.hash.slice(1) && location.hash !== '#files') location.hash = '#files';
  announce(`Uploading ${count(files.length, 'file')}`);
  addUploads(files);
}

async function choose() {
  const files = await pickFiles();
  if (files) take(files);
  else picker.click();
}

$('#choose').addEventListener('click', ({ currentTarget }) => whileBusy(currentTarget, choose)); // one window for files at a time
$('#choose-folder').addEventListener('click', () => folderPicker.click());
for (const input of [picker, folderPicker]) {
  input.addEventListener('change', () => {
    take(filesOfInput(input));
    input.value = '';
  });
}
acceptDrops(window, {
  onfiles: (found) => isLoggedIn() && take(found),
  onover: (over) => document.body.classList.toggle('dragging', over && isLoggedIn()),
});
addEventListener('paste', (event) => {
  if (!isLoggedIn() || !event.clipboardData?.files.length) return;
  event.preventDefault();
  take(filesOf(event.clipboardData));
});

// --- what became of it ---

// Records that have come are shown in one go, however many small files end in one moment.
const arrived = [];
uploads.addEventListener('done', async ({ detail: { id, item } }) => {
  finished.files++;
  finished.bytes += item.size;
  // Without it, because it was deleted meanwhile or the line broke, the next look at the list tells.
  const record = await api('GET', `/files/${id}`).catch(() => undefined);
  if (record) arrived.push(record);
  for (const file of arrived.splice(0)) arrive(file);
  if (items.size === 0) over();
  showUsage();
});

// Nothing is left to do: what comes next is counted anew.
function over() {
  if (finished.files > 0) toast(`${count(finished.files, 'file')} uploaded`);
  startOver();
}

function startOver() {
  finished = { files: 0, bytes: 0 };
  pace = new Pace();
  spoken = 0;
}
session.addEventListener('ended', startOver);

function giveUp(some) {
  const given = some.map(cancel);
  if (items.size === 0) over();
  Promise.all(given).then(showUsage);
}

// --- painted ---

const shown = new Map(); // item -> {element, …}
const head = makeHead();
const rows = h('ul', { role: 'list' });
const rest = h('p.rest');
panel.append(head.element, head.bar, rows, rest);

function makeHead() {
  const title = h('h2', { id: 'uploads-title' });
  const line = h('p.soft.small');
  const bar = h('progress', { max: 1, value: 0, ariaLabel: 'All uploads' });
  const all = h('button.quiet', { type: 'button', onclick: () => (moving().length ? moving().forEach(pause) : halted().forEach(proceed)) });
  const none = h('button.quiet', { type: 'button', onclick: () => giveUp([...items]) }, 'Cancel all');
  return { element: h('header', {}, h('div', {}, title, line), all, none), title, line, bar, all, none };
}

const moving = () => [...items].filter((item) => ['waiting', 'sending', 'stuck'].includes(item.state));
const halted = () => [...items].filter((item) => ['paused', 'failed', 'asleep'].includes(item.state));

function makeRow(item) {
  const name = h('bdi', { dir: 'auto', title: item.name }, item.name);
  const line = h('p');
  const bar = h('progress', { ariaLabel: item.name });
  const go = h('button.icon', { type: 'button', onclick: () => act(item) });
  const stop = h('button.icon', { type: 'button', data: { icon: 'close' }, ariaLabel: `Cancel ${item.name}`, title: 'Cancel', onclick: () => giveUp([item]) });
  return { element: h('li.upload', {}, h('div', {}, name, line), h('div.acts', {}, go, stop), bar), line, bar, go };
}

async function act(item) {
  if (['waiting', 'sending', 'stuck'].includes(item.state)) pause(item);
  else if (!(await proceed(item))) choose();
}

const WORDS = {
  waiting: () => 'Waiting',
  sending: (item) => `${size(item.sent)} of ${size(item.size)}`,
  stuck: (item) => `${item.problem} Goes on by itself.`,
  paused: (item) => item.problem ?? `Paused at ${size(item.sent)} of ${size(item.size)}`,
  asleep: () => 'Begun earlier. Go on?',
  lost: () => 'Begun earlier. Choose the file again to go on.',
  failed: (item) => item.problem,
  gone: (item) => item.problem,
};
const WRONG = ['failed', 'gone'];
const ACTS = {
  waiting: ['pause', 'Pause'], sending: ['pause', 'Pause'], stuck: ['pause', 'Pause'],
  paused: ['play', 'Go on with'], asleep: ['play', 'Go on with'], lost: ['folder', 'Choose again'], gone: ['folder', 'Choose again'], failed: ['retry', 'Try again'],
};

function paintRow(item, row) {
  const [icon, label] = ACTS[item.state];
  setText(row.line, WORDS[item.state](item));
  row.line.className = WRONG.includes(item.state) ? 'problem' : '';
  if (row.state !== item.state && ['stuck', ...WRONG].includes(item.state)) announce(`${item.name}: ${row.line.textContent}`);
  row.state = item.state;
  row.bar.max = Math.max(1, item.size);
  row.bar.value = item.sent;
  row.bar.className = ['sending', 'waiting'].includes(item.state) ? '' : 'still';
  row.go.dataset.icon = icon;
  row.go.title = label;
  row.go.setAttribute('aria-label', `${label} ${item.name}`);
}

// Those that move first, then the others in their order; the rest in a word.
function choice() {
  const rank = (item) => (item.state === 'waiting' ? 1 : 0);
  return [...items].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
}

function paint() {
  frame = undefined;
  if (items.size === 0 && panel.contains(document.activeElement)) wayIn().focus();
  panel.hidden = items.size === 0;
  const now = choice();
  const keep = new Set(now);
  for (const [item, row] of shown) {
    if (keep.has(item)) continue;
    moveFocus(row.element);
    row.element.remove();
    shown.delete(item);
  }
  for (const item of now) {
    if (!shown.has(item)) {
      shown.set(item, makeRow(item));
      rows.append(shown.get(item).element);
    }
    paintRow(item, shown.get(item));
  }
  setText(rest, `and ${count(items.size - now.length, 'more file')}`);
  rest.hidden = items.size === now.length;
  paintHead();
}

// The focus of a row that goes: to the next one's button, or to where uploads begin.
function moveFocus(element) {
  if (!element.contains(document.activeElement)) return;
  const near = element.nextElementSibling ?? element.previousElementSibling;
  (near ? $('button', near) : wayIn()).focus();
}

function paintHead() {
  const all = [...items];
  const sum = (key) => all.reduce((total, item) => total + item[key], 0);
  const [sent, whole] = [finished.bytes + sum('sent'), finished.bytes + sum('size')];
  const active = all.some((item) => item.state === 'sending');
  if (active) pace.note(sent, performance.now());
  else pace.rest();
  const left = pace.secondsFor(moving().reduce((total, item) => total + item.size - item.sent, 0));
  const total = finished.files + all.length;

  setText(head.title, moving().length ? `Uploading ${count(total, 'file')}` : all.length ? `${count(all.length, 'upload')} to finish` : 'Uploads');
  setText(head.line, dotted(
    `${size(sent)} of ${size(whole)}`,
    active && pace.bytesPerSecond > 0 && `${size(pace.bytesPerSecond)}/s`,
    active && left !== undefined && `${duration(left)} left`));
  head.bar.value = whole ? sent / whole : 0;
  setText(head.all, moving().length ? 'Pause all' : 'Go on with all');
  head.all.hidden = !moving().length && !halted().length;

  const quarter = whole ? Math.floor((sent / whole) * 4) : 0;
  if (active && quarter > spoken && quarter < 4) announce(`${quarter * 25} percent uploaded`);
  spoken = Math.max(spoken, quarter);
}

uploads.addEventListener('change', () => (frame ??= requestAnimationFrame(paint)));
addEventListener('beforeunload', (event) => {
  // What was begun goes on at the next visit; it is only not to end by a slip.
  if (moving().length) event.preventDefault();
});
