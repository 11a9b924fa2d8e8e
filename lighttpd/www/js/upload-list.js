// upload-list.js - the panel of uploads, and the ways to start one: the buttons, a drop, a paste.
//
// Progress changes many times a second: it is drawn once a frame, and announced at each quarter.
import { api } from './api.js';
import { $, h, setText, whileBusy } from './dom.js';
import { acceptDroppedFiles, filesOfInput, filesOfTransfer, pickFiles } from './file-picker.js';
import { addNewFile, uploadButton } from './files.js';
import { count, duration, joinByDots, size } from './format.js';
import { isLoggedIn, session } from './session.js';
import { announce, toast } from './toasts.js';
import { TransferSpeed } from './transfer-speed.js';
import { addUploads, cancel, isMoving, items, pause, resume, uploads } from './uploads.js';
import { showUsage } from './usage.js';

const MAX_ROWS = 40; // a folder may have thousands of files

const panel = $('#uploads');
const fileInput = $('#file-input');
const folderInput = $('#folder-input');

let speed = new TransferSpeed();
let finished = { files: 0, bytes: 0 }; // since the panel appeared
let announcedQuarters = 0;
let frame; // the animation frame in which the panel is drawn next

// --- starting uploads ---

const unreadableText = (names) => (names.length === 1
  ? `${names[0]} could not be read. Check that it still exists and that you may open it.`
  : `${count(names.length, 'file')} could not be read. Check that they still exist and that you may open them.`);

async function startUploads(found) {
  const all = await found;
  const files = all.filter(({ file }) => file);
  const unreadable = all.filter((one) => one.unreadable).map((one) => one.unreadable);
  if (unreadable.length) toast(unreadableText(unreadable), { isError: true });
  if (!files.length || !isLoggedIn()) return;
  if (location.hash.slice(1) && location.hash !== '#files') location.hash = '#files';
  announce(`Uploading ${count(files.length, 'file')}`);
  addUploads(files);
}

async function chooseFiles() {
  const files = await pickFiles();
  if (files) startUploads(files);
  else fileInput.click();
}

$('#choose-files').addEventListener('click', ({ currentTarget }) => whileBusy(currentTarget, chooseFiles)); // one file picker at a time
$('#choose-folder').addEventListener('click', () => folderInput.click());
for (const input of [fileInput, folderInput]) {
  input.addEventListener('change', () => {
    startUploads(filesOfInput(input));
    input.value = '';
  });
}
acceptDroppedFiles(window, {
  onfiles: (found) => isLoggedIn() && startUploads(found),
  onhover: (hovers) => document.body.classList.toggle('dragging', hovers && isLoggedIn()),
});
addEventListener('paste', (event) => {
  if (!isLoggedIn() || !event.clipboardData?.files.length) return;
  event.preventDefault();
  startUploads(filesOfTransfer(event.clipboardData));
});

// --- finishing them ---

// Records that arrive at the same moment are added together.
const newFiles = [];
uploads.addEventListener('done', async ({ detail: { id, item } }) => {
  finished.files++;
  finished.bytes += item.size;
  // If this fails (already deleted, connection lost), the next load of the list shows the file or not.
  const record = await api('GET', `/files/${id}`).catch(() => undefined);
  if (record) newFiles.push(record);
  for (const file of newFiles.splice(0)) addNewFile(file);
  if (items.size === 0) allFinished();
  showUsage();
});

function allFinished() {
  if (finished.files > 0) toast(`${count(finished.files, 'file')} uploaded`);
  resetCounts();
}

function resetCounts() {
  finished = { files: 0, bytes: 0 };
  speed = new TransferSpeed();
  announcedQuarters = 0;
}
session.addEventListener('ended', resetCounts);

function cancelUploads(some) {
  const terminated = some.map(cancel);
  if (items.size === 0) allFinished();
  Promise.all(terminated).then(showUsage);
}

// --- drawing ---

const drawnRows = new Map(); // item -> {element, …}
const head = makeHead();
const rows = h('ul', { role: 'list' });
const more = h('p.more');
panel.append(head.element, head.bar, rows, more);

const movingItems = () => [...items].filter(isMoving);
const resumableItems = () => [...items].filter((item) => ['paused', 'failed', 'needs-click'].includes(item.state));

function makeHead() {
  const title = h('h2', { id: 'uploads-title' });
  const progress = h('p.soft.small');
  const bar = h('progress', { max: 1, value: 0, ariaLabel: 'All uploads' });
  const pauseAll = h('button.quiet', { type: 'button', onclick: () => (movingItems().length ? movingItems().forEach(pause) : resumableItems().forEach(resume)) });
  const cancelAll = h('button.quiet', { type: 'button', onclick: () => cancelUploads([...items]) }, 'Cancel all');
  return { element: h('header', {}, h('div', {}, title, progress), pauseAll, cancelAll), title, progress, bar, pauseAll };
}

function makeRow(item) {
  const name = h('bdi', { dir: 'auto', title: item.name }, item.name);
  const status = h('p');
  const bar = h('progress', { ariaLabel: item.name });
  const button = h('button.icon', { type: 'button', onclick: () => pauseOrResume(item) });
  const cancelButton = h('button.icon', { type: 'button', data: { icon: 'close' }, ariaLabel: `Cancel ${item.name}`, title: 'Cancel', onclick: () => cancelUploads([item]) });
  return { element: h('li.upload', {}, h('div', {}, name, status), h('div.actions', {}, button, cancelButton), bar), status, bar, button };
}

async function pauseOrResume(item) {
  if (isMoving(item)) pause(item);
  else if (!(await resume(item))) chooseFiles();
}

const STATUS = {
  waiting: () => 'Waiting',
  sending: (item) => `${size(item.sent)} of ${size(item.size)}`,
  retrying: (item) => `${item.problem} Retrying automatically.`,
  paused: (item) => item.problem ?? `Paused at ${size(item.sent)} of ${size(item.size)}`,
  'needs-click': () => 'Started earlier. Press Resume to continue.',
  'needs-file': () => 'Started earlier. Choose the file again to resume.',
  changed: (item) => item.problem,
  failed: (item) => item.problem,
};
const ERROR_STATES = ['failed', 'changed'];
const PAUSE = ['pause', 'Pause'];
const RESUME = ['play', 'Resume'];
const CHOOSE = ['folder', 'Choose again'];
const BUTTONS = { waiting: PAUSE, sending: PAUSE, retrying: PAUSE, paused: RESUME, 'needs-click': RESUME, 'needs-file': CHOOSE, changed: CHOOSE, failed: ['retry', 'Try again'] };

function drawRow(item, row) {
  const [icon, label] = BUTTONS[item.state];
  setText(row.status, STATUS[item.state](item));
  row.status.className = ERROR_STATES.includes(item.state) ? 'problem' : '';
  if (row.state !== item.state && ['retrying', ...ERROR_STATES].includes(item.state)) announce(`${item.name}: ${row.status.textContent}`);
  row.state = item.state;
  row.bar.max = Math.max(1, item.size);
  row.bar.value = item.sent;
  row.bar.className = ['sending', 'waiting'].includes(item.state) ? '' : 'idle';
  row.button.dataset.icon = icon;
  row.button.title = label;
  row.button.setAttribute('aria-label', `${label} ${item.name}`);
}

// The uploads to draw: waiting ones last, otherwise in their order.
function itemsToDraw() {
  const rank = (item) => (item.state === 'waiting' ? 1 : 0);
  return [...items].sort((a, b) => rank(a) - rank(b)).slice(0, MAX_ROWS);
}

function draw() {
  frame = undefined;
  if (items.size === 0 && panel.contains(document.activeElement)) uploadButton().focus();
  panel.hidden = items.size === 0;
  const visible = itemsToDraw();
  removeRowsExcept(new Set(visible));
  for (const item of visible) {
    if (!drawnRows.has(item)) {
      drawnRows.set(item, makeRow(item));
      rows.append(drawnRows.get(item).element);
    }
    drawRow(item, drawnRows.get(item));
  }
  setText(more, `and ${count(items.size - visible.length, 'more file')}`);
  more.hidden = items.size === visible.length;
  drawHead();
}

function removeRowsExcept(visible) {
  for (const [item, row] of drawnRows) {
    if (visible.has(item)) continue;
    moveFocusFrom(row.element);
    row.element.remove();
    drawnRows.delete(item);
  }
}

// Before a row with the focus is removed: focus a button of the next row, else the button that starts uploads.
function moveFocusFrom(element) {
  if (!element.contains(document.activeElement)) return;
  const near = element.nextElementSibling ?? element.previousElementSibling;
  (near ? $('button', near) : uploadButton()).focus();
}

function drawHead() {
  const all = [...items];
  const moving = movingItems();
  const sum = (key) => all.reduce((total, item) => total + item[key], 0);
  const [sent, total] = [finished.bytes + sum('sent'), finished.bytes + sum('size')];
  const isSending = all.some((item) => item.state === 'sending');
  if (isSending) speed.update(sent, performance.now());
  else speed.pause();
  const secondsLeft = speed.secondsFor(moving.reduce((bytes, item) => bytes + item.size - item.sent, 0));

  setText(head.title, moving.length ? `Uploading ${count(finished.files + all.length, 'file')}` : all.length ? count(all.length, 'unfinished upload') : 'Uploads');
  setText(head.progress, joinByDots(
    `${size(sent)} of ${size(total)}`,
    isSending && speed.bytesPerSecond > 0 && `${size(speed.bytesPerSecond)}/s`,
    isSending && secondsLeft !== undefined && `${duration(secondsLeft)} left`));
  head.bar.value = total ? sent / total : 0;
  setText(head.pauseAll, moving.length ? 'Pause all' : 'Resume all');
  head.pauseAll.hidden = !moving.length && !resumableItems().length;

  const quarters = total ? Math.floor((sent / total) * 4) : 0;
  if (isSending && quarters > announcedQuarters && quarters < 4) announce(`${quarters * 25} percent uploaded`);
  announcedQuarters = Math.max(announcedQuarters, quarters);
}

uploads.addEventListener('change', () => (frame ??= requestAnimationFrame(draw)));
addEventListener('beforeunload', (event) => {
  // An interrupted upload resumes at the next visit. Ask anyway, so that none is interrupted by accident.
  if (movingItems().length) event.preventDefault();
});
