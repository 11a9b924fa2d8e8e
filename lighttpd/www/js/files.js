// files.js - the list of files, newest first and grouped by day, with search and keyboard navigation.
//
// The list is loaded a page at a time: the next page when the end comes into view, or at the button. Rows
// out of view are not laid out (content-visibility), so thousands of them do not slow the page down.
import { api } from './api.js';
import { deleteWithUndo, isDeletionPending } from './deletion.js';
import { $, $$, h } from './dom.js';
import { download } from './download.js';
import { openFileDialog } from './file-dialog.js';
import { isNameFocused, makeFileRow, startRename } from './file-row.js';
import { count, day } from './format.js';
import { isLoggedIn } from './session.js';
import { announce, showError } from './toasts.js';
import { showUsage } from './usage.js';

const PAGE_SIZE = 100;
const GROUP_SIZE = 50; // rows that are laid out together
const SEARCH_DELAY = 250; // ms from the last key to the search

const list = $('#list');
const showMore = $('#show-more');
const search = $('#search');

let nextCursor = null; // the parameter `after` of the next page
let loading; // the AbortController of the request in progress
let shownSearch = ''; // the search whose results the list shows

const rowActions = {
  open: (row) => openFileDialog(row.file, dialogActions),
  share: (row) => openFileDialog(row.file, dialogActions, { share: true }),
  download: (row) => download(row.file),
  rename: (row) => startRename(row, replaceRow),
  remove: ({ file }) => deleteWithUndo(file, () => hideRow(file.id)),
};
// For the dialog, which has the record and not the row.
const dialogActions = {
  changed: replaceRow,
  rename: ({ id }) => rowOf(id) && rowActions.rename(rowOf(id)),
  remove: (file) => rowActions.remove({ file }),
};

export function loadFiles() {
  search.value = '';
  reload();
  showUsage();
}

export function clearFiles() {
  loading?.abort();
  list.replaceChildren();
  shownSearch = '';
}

const query = (parameters) => new URLSearchParams(parameters).toString();

async function fetchPage(after) {
  loading?.abort();
  const controller = (loading = new AbortController());
  const parameters = { limit: PAGE_SIZE };
  if (after) parameters.after = after;
  if (shownSearch) parameters.q = shownSearch;
  try {
    return await api('GET', `/files?${query(parameters)}`, { signal: controller.signal });
  } finally {
    if (loading === controller) loading = undefined;
  }
}

async function reload() {
  shownSearch = search.value.trim();
  list.setAttribute('aria-busy', 'true');
  try {
    const page = await fetchPage();
    list.replaceChildren();
    appendPage(page);
    if (shownSearch) announce(page.files.length ? `${count(page.files.length, 'file')}${nextCursor ? ' or more' : ''} found` : 'No files found');
  } catch (error) {
    if (error.name !== 'AbortError') showLoadError(error);
  } finally {
    list.removeAttribute('aria-busy');
  }
}

async function loadNextPage() {
  if (loading || !nextCursor) return;
  try {
    const page = await fetchPage(nextCursor);
    const hadFocus = document.activeElement === showMore;
    const first = appendPage(page);
    if (hadFocus && first) $('.name', first).focus({ preventScroll: true });
  } catch (error) {
    if (error.name !== 'AbortError') showError(error);
  }
}

function showLoadError(error) {
  list.replaceChildren(h('div.empty.plain', {},
    h('h2', {}, 'The list could not be loaded'),
    h('p', {}, error.detail ?? error.message),
    h('button', { type: 'button', onclick: reload }, 'Try again')));
  nextCursor = null;
  showMore.hidden = true;
}

// Append a page to the list. Returns its first row.
function appendPage(page) {
  let first;
  for (const file of page.files) {
    if (isDeletionPending(file.id)) continue;
    const row = makeFileRow(file, rowActions);
    rowsOfDay(file).append(row);
    first ??= row;
  }
  nextCursor = page.next;
  showMore.hidden = !nextCursor;
  showEmptyMessage();
  // If the end is still in view, the observer would not report it again.
  endObserver.unobserve(showMore);
  endObserver.observe(showMore);
  return first;
}

// The start of the upload, by which the list is sorted: the first 48 bits of the id (a UUID of version 7)
// are the time in ms.
const uploadStart = ({ id }) => new Date(parseInt(id.replace('-', '').slice(0, 12), 16));

// The <ul> for the row of `file`: at the end of the list, or at its start for a file that has just arrived.
// Its day is added if it is missing.
function rowsOfDay(file, { atStart = false } = {}) {
  const name = day(atStart ? new Date(file.created_at) : uploadStart(file));
  const last = atStart ? list.firstElementChild : list.lastElementChild;
  if (last?.dataset.day === name) return groupWithRoom($('.rows', last), atStart);
  const rows = h('ul', { role: 'list' });
  const section = h('section.day', { data: { day: name }, ariaLabel: name }, h('h2', {}, name), h('div.rows', {}, rows));
  if (atStart) list.prepend(section);
  else list.append(section);
  return rows;
}

// The first or last <ul> of a day, or a new one if that is full.
function groupWithRoom(groups, atStart) {
  const group = atStart ? groups.firstElementChild : groups.lastElementChild;
  if (group.childElementCount < GROUP_SIZE) return group;
  const rows = h('ul', { role: 'list' });
  if (atStart) groups.prepend(rows);
  else groups.append(rows);
  return rows;
}

// Show a message if the list is empty, else remove it.
function showEmptyMessage() {
  const isEmpty = !$('.file', list);
  const message = $('.empty', list);
  const hadFocus = message?.contains(document.activeElement);
  message?.remove();
  $('#files').classList.toggle('no-files', isEmpty && !shownSearch);
  if (isEmpty) list.append(shownSearch ? noMatches() : noFiles());
  if (hadFocus) ($('.empty button', list) ?? $('#choose-files')).focus();
}

const noMatches = () => h('div.empty.plain', {},
  h('h2', {}, 'No matching files'),
  h('p', {}, 'No file name contains ', h('bdi', {}, `“${shownSearch}”`), '.'),
  h('button', { type: 'button', onclick: clearSearch }, 'Show all files'));

const noFiles = () => h('div.empty', {},
  h('span.mark', { ariaHidden: 'true' }),
  h('h2', {}, 'No files yet'),
  h('p', {}, 'Drop files or folders anywhere on this page, paste them, or choose them here. An interrupted upload resumes where it stopped.'),
  h('div.button-row', {},
    h('button.primary', { type: 'button', onclick: () => $('#choose-files').click() }, 'Choose files'),
    h('button', { type: 'button', onclick: () => $('#choose-folder').click() }, 'Choose folder')));

// The visible button that starts an upload: in the message of an empty list, else above the list.
export const uploadButton = () => $('.empty:not(.plain) button', list) ?? $('#choose-files');

function clearSearch() {
  search.value = '';
  reload();
  search.focus();
}

// When the page becomes visible again, add the files that another tab or device has uploaded since.
async function addMissedFiles() {
  if (document.hidden || !isLoggedIn() || loading) return;
  try {
    const { files } = await api('GET', `/files?${query({ limit: PAGE_SIZE })}`);
    const newest = $('.file', list)?.file.id ?? '';
    for (const file of files.filter(({ id }) => id > newest && !isDeletionPending(id)).reverse()) addNewFile(file);
  } catch {
    // The next request of the user reports the error.
  }
}
document.addEventListener('visibilitychange', addMissedFiles);

// Add a new file at the top of the list, if it matches the search.
export function addNewFile(file) {
  if (shownSearch && !file.name.toLowerCase().includes(shownSearch.toLowerCase())) return;
  if (rowOf(file.id)) return;
  const row = makeFileRow(file, rowActions);
  row.classList.add('new');
  rowsOfDay(file, { atStart: true }).prepend(row);
  showEmptyMessage();
}

const rowOf = (id) => document.getElementById(`file-${id}`);

// Redraw the row of a changed record. Returns the new row.
function replaceRow(file) {
  const old = rowOf(file.id);
  if (!old) return undefined;
  const row = makeFileRow(file, rowActions);
  old.replaceWith(row);
  return row;
}

// Hide a row. Returns the function that shows it again. The focus moves to the next row, else to the
// previous one.
function hideRow(id) {
  const row = rowOf(id);
  if (!row) return () => {};
  const near = neighbour(row, 1) ?? neighbour(row, -1);
  const hadFocus = row.contains(document.activeElement) || document.activeElement === document.body;
  // A hidden element keeps the place of the row, even if all rows around it are hidden too.
  const placeholder = h('li', { hidden: true });
  const section = row.closest('.day');
  row.replaceWith(placeholder);
  section.hidden = !$('.file', section);
  showEmptyMessage();
  if (hadFocus) (near ? $('.name', near) : shownSearch ? search : uploadButton()).focus();
  return () => restoreRow(row, placeholder);
}

function restoreRow(row, placeholder) {
  if (rowOf(row.file.id)) return;
  if (placeholder.isConnected) placeholder.replaceWith(row);
  else rowsOfDay(row.file, { atStart: true }).prepend(row);
  row.closest('.day').hidden = false;
  showEmptyMessage();
  $('.name', row).focus();
}

// The previous (step -1) or next (1) row, across groups and days.
function neighbour(row, step) {
  const walker = document.createTreeWalker(list, NodeFilter.SHOW_ELEMENT, (element) => (element.matches('.file') ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP));
  walker.currentNode = row;
  return step > 0 ? walker.nextNode() : walker.previousNode();
}

list.addEventListener('keydown', (event) => {
  if (!isNameFocused() || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement.closest('.file');
  const rows = () => $$('.file', list);
  const focusRow = (other) => other && $('.name', other).focus();
  const keys = {
    ArrowDown: () => focusRow(neighbour(row, 1)),
    ArrowUp: () => focusRow(neighbour(row, -1)),
    Home: () => focusRow(rows()[0]),
    End: () => focusRow(rows().at(-1)),
    F2: () => rowActions.rename(row),
    Delete: () => rowActions.remove(row),
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

let searchTimer;
search.addEventListener('input', () => {
  clearTimeout(searchTimer);
  searchTimer = setTimeout(() => search.value.trim() !== shownSearch && reload(), SEARCH_DELAY);
});
search.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' && $('.file .name', list)) {
    event.preventDefault();
    $('.file .name', list).focus();
  }
});

showMore.addEventListener('click', loadNextPage);
const endObserver = new IntersectionObserver((seen) => seen.at(-1).isIntersecting && loadNextPage(), { rootMargin: '600px' });
