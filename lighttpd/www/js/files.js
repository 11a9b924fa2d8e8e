// files.js - the list of files, newest first, in days; searching, paging, and moving about by keys.
//
// Only what was asked for is held: a page of the list at a time, the next when the end comes into view
// or at the button. Rows that are out of sight cost no layout (content-visibility), so thousands do not
// slow the page down.
import { api } from './api.js';
import { beginDeletion, isBeingDeleted } from './deletion.js';
import { $, $$, h } from './dom.js';
import { download } from './download.js';
import { openFile } from './file-sheet.js';
import { count, day } from './format.js';
import { isNameFocused, makeRow, startRename } from './row.js';
import { isLoggedIn } from './session.js';
import { announce, complain } from './toasts.js';
import { showUsage } from './usage.js';

const PAGE = 100;
const DRAWN = 50; // rows that are drawn together
const PAUSE = 250; // ms after the last key before the search is sent

const list = $('#list');
const more = $('#more');
const search = $('#search');

let next = null; // what `after` the next page has
let loading; // AbortController of the request under way
let asked = ''; // the search that the list shows

const acts = {
  open: (row) => openFile(row.file, sheetActs),
  share: (row) => openFile(row.file, sheetActs, { share: true }),
  download: (row) => download(row.file),
  rename: (row) => startRename(row, replaceRow),
  remove: ({ file }) => beginDeletion(file, () => takeRow(file.id)),
};
// The same from within the sheet, which has only the record.
const sheetActs = {
  changed: replaceRow,
  rename: ({ id }) => rowOf(id) && acts.rename(rowOf(id)),
  remove: (file) => acts.remove({ file }),
};

export function openFiles() {
  search.value = '';
  reload();
  showUsage();
}

export function clearFiles() {
  loading?.abort();
  list.replaceChildren();
  asked = '';
}

const query = (parameters) => new URLSearchParams(parameters).toString();

async function fetchPage(after) {
  loading?.abort();
  const mine = (loading = new AbortController());
  const parameters = { limit: PAGE };
  if (after) parameters.after = after;
  if (asked) parameters.q = asked;
  try {
    return await api('GET', `/files?${query(parameters)}`, { signal: mine.signal });
  } finally {
    if (loading === mine) loading = undefined;
  }
}

export async function reload() {
  asked = search.value.trim();
  list.setAttribute('aria-busy', 'true');
  try {
    const page = await fetchPage();
    list.replaceChildren();
    add(page);
    if (asked) announce(page.files.length ? `${count(page.files.length, 'file')}${next ? ' or more' : ''} found` : 'No file found');
  } catch (error) {
    if (error.name !== 'AbortError') fail(error);
  } finally {
    list.removeAttribute('aria-busy');
  }
}

async function loadMore() {
  if (loading || !next) return;
  try {
    const page = await fetchPage(next);
    const wasFocused = document.activeElement === more;
    const first = add(page);
    if (wasFocused && first) $('.name', first).focus({ preventScroll: true });
  } catch (error) {
    if (error.name !== 'AbortError') complain(error);
  }
}

function fail(error) {
  list.replaceChildren(h('div.empty.bare', {},
    h('h2', {}, 'The list did not come'),
    h('p', {}, error.detail ?? error.message),
    h('button', { type: 'button', onclick: reload }, 'Try again')));
  next = null;
  more.hidden = true;
}

// A page at the end of the list; gives its first row.
function add(page) {
  let first;
  for (const file of page.files) {
    if (isBeingDeleted(file.id)) continue;
    const row = makeRow(file, acts);
    daySection(file).append(row);
    first ??= row;
  }
  next = page.next;
  more.hidden = !next;
  showEmpty();
  // It may be in sight still, which the observer would not say again.
  sight.unobserve(more);
  sight.observe(more);
  return first;
}

// When its upload began, which is what the list is sorted by: the first 48 bits of its id (a UUID of
// version 7), in ms.
const begun = ({ id }) => new Date(parseInt(id.replace('-', '').slice(0, 12), 16));

// The rows of the day of `file`; made at the end, or at the beginning for a file that has just come.
function daySection(file, { atStart = false } = {}) {
  const name = day(atStart ? new Date(file.created_at) : begun(file));
  const there = atStart ? list.firstElementChild : list.lastElementChild;
  if (there?.dataset.day === name) return rowsOf($('.rows', there), atStart);
  const rows = h('ul', { role: 'list' });
  const section = h('section.day', { data: { day: name }, ariaLabel: name }, h('h2', {}, name), h('div.rows', {}, rows));
  if (atStart) list.prepend(section);
  else list.append(section);
  return rows;
}

// Where the next row goes: the first or last of a day's lists, or another if that is full.
function rowsOf(lists, atStart) {
  const there = atStart ? lists.firstElementChild : lists.lastElementChild;
  if (there.childElementCount < DRAWN) return there;
  const rows = h('ul', { role: 'list' });
  if (atStart) lists.prepend(rows);
  else lists.append(rows);
  return rows;
}

function showEmpty() {
  const empty = !$('.file', list);
  const before = $('.empty', list);
  const hadFocus = before?.contains(document.activeElement);
  before?.remove();
  $('#files').classList.toggle('nothing', empty && !asked);
  if (empty) list.append(emptiness());
  if (hadFocus) ($('.empty button', list) ?? $('#choose')).focus();
}

function emptiness() {
  return asked
    ? h('div.empty.bare', {}, h('h2', {}, 'Nothing by that name'), h('p', {}, 'No file has ', h('bdi', {}, `“${asked}”`), ' in its name.'),
      h('button', { type: 'button', onclick: clearSearch }, 'Show all files'))
    : h('div.empty', {}, h('span.mark', { ariaHidden: 'true' }), h('h2', {}, 'Nothing here yet'),
      h('p', {}, 'Drop files or folders anywhere on this page, paste them, or choose them. An upload that is cut off goes on where it was.'),
      h('div.acts-row', {},
        h('button.primary', { type: 'button', onclick: () => $('#choose').click() }, 'Choose files'),
        h('button', { type: 'button', onclick: () => $('#choose-folder').click() }, 'A folder')));
}

// Where files get in: the button, or that of a list without any.
export const wayIn = () => $('.empty:not(.bare) button', list) ?? $('#choose');

function clearSearch() {
  search.value = '';
  reload();
  search.focus();
}

// Whoever comes back to the page sees what another tab or device has uploaded meanwhile.
async function lookAgain() {
  if (document.hidden || !isLoggedIn() || loading) return;
  try {
    const { files } = await api('GET', `/files?${query({ limit: PAGE })}`);
    const top = $('.file', list)?.file.id ?? '';
    for (const file of files.filter(({ id }) => id > top && !isBeingDeleted(id)).reverse()) arrive(file);
  } catch {
    // The next thing that is asked for says what is wrong.
  }
}
document.addEventListener('visibilitychange', lookAgain);

// A file that has just been uploaded goes to the top, if the search would show it.
export function arrive(file) {
  if (asked && !file.name.toLowerCase().includes(asked.toLowerCase())) return;
  if (rowOf(file.id)) return;
  const row = makeRow(file, acts);
  row.classList.add('new');
  daySection(file, { atStart: true }).prepend(row);
  showEmpty();
}

export const rowOf = (id) => document.getElementById(`file-${id}`);

// A record has changed.
export function replaceRow(file) {
  const old = rowOf(file.id);
  if (!old) return undefined;
  const row = makeRow(file, acts);
  old.replaceWith(row);
  return row;
}

// Take a row out of sight; gives what puts it back. The focus goes to the row after it, or before.
export function takeRow(id) {
  const row = rowOf(id);
  if (!row) return () => {};
  const near = neighbour(row, 1) ?? neighbour(row, -1);
  const hadFocus = row.contains(document.activeElement) || document.activeElement === document.body;
  // A mark in its place; the place goes on being one, however little is left there.
  const place = h('li', { hidden: true });
  const section = row.closest('.day');
  row.replaceWith(place);
  section.hidden = !$('.file', section);
  showEmpty();
  if (hadFocus) (near ? $('.name', near) : asked ? search : wayIn()).focus();
  return () => {
    if (rowOf(id)) return;
    if (place.isConnected) place.replaceWith(row);
    else daySection(row.file, { atStart: true }).prepend(row);
    row.closest('.day').hidden = false;
    showEmpty();
    $('.name', row).focus();
  };
}

// The row before or after, over the ends of lists and days.
function neighbour(row, step) {
  const walker = document.createTreeWalker(list, NodeFilter.SHOW_ELEMENT, (element) => (element.matches('.file') ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP));
  walker.currentNode = row;
  return step > 0 ? walker.nextNode() : walker.previousNode();
}

list.addEventListener('keydown', (event) => {
  if (!isNameFocused() || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement.closest('.file');
  const rows = () => $$('.file', list);
  const go = (to) => to && $('.name', to).focus();
  const keys = {
    ArrowDown: () => go(neighbour(row, 1)),
    ArrowUp: () => go(neighbour(row, -1)),
    Home: () => go(rows()[0]),
    End: () => go(rows().at(-1)),
    F2: () => acts.rename(row),
    Delete: () => acts.remove(row),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.target.closest('input, select, textarea, dialog') || $('#files').hidden) return;
  event.preventDefault();
  search.select();
  search.focus();
});

let timer;
search.addEventListener('input', () => {
  clearTimeout(timer);
  timer = setTimeout(() => search.value.trim() !== asked && reload(), PAUSE);
});
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' && $('.file .name', list)) {
    event.preventDefault();
    $('.file .name', list).focus();
  }
});

more.addEventListener('click', loadMore);
const sight = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && loadMore(), { rootMargin: '600px' });
