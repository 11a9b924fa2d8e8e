// file-row.js - the row of one file in the list, with its buttons and its field for a new name.
//
// The name opens the file's dialog; the buttons are shortcuts. `actions` (files.js) has open, share,
// download, rename and remove; each is called with the row.
import { api } from './api.js';
import { $, h, whileBusy } from './dom.js';
import { dayAndTime, fileKind, size, time, timeUntil } from './format.js';
import { announce, showError } from './toasts.js';

export const isNameFocused = () => document.activeElement?.matches('.file .name');

function actionButton(icon, label, file, onclick, className = '') {
  return h(`button.icon${className}`, { type: 'button', data: { icon }, ariaLabel: `${label} ${file.name}`, title: label, onclick });
}

// Returns the row's element; its property `file` is the record.
export function makeFileRow(file, actions) {
  const created = new Date(file.created_at);
  const expiry = file.expires_at && `expires ${timeUntil(new Date(file.expires_at))}`;
  const row = h('li.file', { id: `file-${file.id}` },
    h('span.kind', { ariaHidden: 'true' }, fileKind(file.name, file.type)),
    h('button.name', { type: 'button', ariaHasPopup: 'dialog', onclick: () => actions.open(row) },
      h('bdi', { dir: 'auto' }, file.name),
      h('small', {},
        h('span.narrow', {}, `${size(file.size)} · ${time(created)}${expiry ? ' · ' : ''}`),
        expiry || '')),
    h('span.size', {}, size(file.size)),
    h('time', { dateTime: file.created_at, title: dayAndTime(created) }, time(created)),
    h('div.actions', {},
      actionButton('download', 'Download', file, () => actions.download(row), '.first'),
      actionButton('link', 'Share', file, () => actions.share(row)),
      actionButton('rename', 'Rename', file, () => actions.rename(row)),
      actionButton('trash', 'Delete', file, () => actions.remove(row))));
  row.file = file;
  return row;
}

// The length of a name without its extension: the part that a user wants to replace.
const stemLength = (name) => (name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length);

// Show a field in place of the name. Enter renames; Escape and an empty field do not. `onrenamed` is called
// with the changed record and returns its new row.
export function startRename(row, onrenamed) {
  if ($('form', row)) return;
  const { file } = row;
  const hidden = [...row.children].slice(1);
  const input = h('input', { value: file.name, ariaLabel: `New name of ${file.name}`, autocomplete: 'off', spellcheck: false, dir: 'auto', required: true });
  const button = h('button.primary', { type: 'submit' }, 'Rename');
  const form = h('form', { onsubmit }, input, button, h('button.quiet', { type: 'button', onclick: cancel }, 'Cancel'));

  function cancel() {
    form.remove();
    for (const element of hidden) element.hidden = false;
    $('.name', row).focus();
  }
  function onsubmit(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || name === file.name) return cancel();
    return whileBusy(button, async () => {
      try {
        const changed = await api('PATCH', `/files/${file.id}`, { json: { name } });
        announce(`Renamed to ${changed.name}`);
        $('.name', onrenamed(changed))?.focus();
      } catch (error) {
        showError(error);
        input.focus();
      }
    });
  }
  form.addEventListener('keydown', (event) => event.key === 'Escape' && cancel());
  for (const element of hidden) element.hidden = true;
  row.append(form);
  input.focus();
  input.setSelectionRange(0, stemLength(file.name));
}
