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
import { announce, complain } from './toasts.js';
import { showUsage } from './usage.js';

const PAGE = 100;
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
  list.ariaBusy = 'true';
  try {
    const page = await fetchPage();
    list.replaceChildren();
    add(page);
    if (asked) announce(page.files.length ? `${count(page.files.length, 'file')}${next ? ' or more' : ''} found` : 'No file found');
  } catch (error) {
    if (error.name !== 'AbortError') fail(error);
  } finally {
    list.ariaBusy = null;
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
  return first;
}

// When its upload began, which is what the list is sorted by: the first 48 bits of its id (a UUID of
// version 7), in ms.
const begun = ({ id }) => new Date(parseInt(id.replace('-', '').slice(0, 12), 16));

// The rows of the day of `file`; made at the end, or at the beginning for a file that has just come.
function daySection(file, { atStart = false } = {}) {
  const name = day(atStart ? new Date(file.created_at) : begun(file));
  const there = atStart ? list.firstElementChild : list.lastElementChild;
  if (there?.dataset.day === name) return $('ul', there);
  const rows = h('ul', { role: 'list' });
  const section = h('section.day', { data: { day: name }, ariaLabel: name }, h('h2', {}, name), rows);
  $('.empty', list)?.remove();
  if (atStart) list.prepend(section);
  else list.append(section);
  return rows;
}

function showEmpty() {
  $('.empty', list)?.remove();
  if ($('.file', list)) return;
  list.append(asked
    ? h('div.empty.bare', {}, h('h2', {}, 'Nothing by that name'), h('p', {}, 'No file has ', h('bdi', {}, `“${asked}”`), ' in its name.'),
      h('button', { type: 'button', onclick: clearSearch }, 'Show all files'))
    : h('div.empty', {}, h('span.mark', { ariaHidden: 'true' }), h('h2', {}, 'Nothing here yet'),
      h('p', {}, 'Drop files or folders anywhere on this page, paste them, or choose them. An upload that is cut off goes on where it was.'),
      h('div.acts-row', {},
        h('button.primary', { type: 'button', onclick: () => $('#choose').click() }, 'Choose files'),
        h('button', { type: 'button', onclick: () => $('#choose-folder').click() }, 'A folder'))));
}

function clearSearch() {
  search.value = '';
  reload();
  search.focus();
}

// A file that has just been uploaded goes to the top, if the search would show it.
export function arrive(file) {
  if (asked && !file.name.toLowerCase().includes(asked.toLowerCase())) return;
  if (rowOf(file.id)) return;
  const row = makeRow(file, acts);
  row.classList.add('new');
  daySection(file, { atStart: true }).prepend(row);
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
  const section = row.closest('.day');
  const [rows, before] = [row.parentElement, row.nextElementSibling];
  const after = section.nextElementSibling;
  row.remove();
  if (!rows.children.length) section.remove();
  showEmpty();
  if (hadFocus) (near ? $('.name', near) : search).focus();
  return () => {
    if (rowOf(id)) return;
    $('.empty', list)?.remove();
    if (!section.isConnected) list.insertBefore(section, after?.isConnected ? after : null);
    rows.insertBefore(row, before?.parentElement === rows ? before : null);
    $('.name', row).focus();
  };
}

function neighbour(row, step) {
  const [sibling, edge] = step > 0 ? ['nextElementSibling', 'firstElementChild'] : ['previousElementSibling', 'lastElementChild'];
  return row[sibling] ?? $('ul', row.closest('.day')[sibling] ?? document.createElement('p'))?.[edge];
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
new IntersectionObserver(([seen]) => seen.isIntersecting && loadMore(), { rootMargin: '600px' }).observe(more);
