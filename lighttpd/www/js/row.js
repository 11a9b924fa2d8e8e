// row.js - one file in the list: what it is, and what can be done with it.
//
// The name opens everything about the file; the buttons beside it are the shortcuts. What they do is
// files.js's: `acts` has open, share, download, rename and remove, each called with the row.
import { api } from './api.js';
import { $, h, whileBusy } from './dom.js';
import { dayAndTime, kind, size, time, until } from './format.js';
import { announce, complain } from './toasts.js';

export const isNameFocused = () => document.activeElement?.matches('.file .name');

function action(icon, label, file, onclick, first = '') {
  return h(`button.icon${first}`, { type: 'button', data: { icon }, ariaLabel: `${label} ${file.name}`, title: label, onclick });
}

// The element, with the record as its `file`.
export function makeRow(file, acts) {
  const made = new Date(file.created_at);
  const expires = file.expires_at && `expires ${until(new Date(file.expires_at))}`;
  const row = h('li.file', { id: `file-${file.id}` },
    h('span.tile', { ariaHidden: 'true' }, kind(file.name, file.type)),
    h('button.name', { type: 'button', ariaHasPopup: 'dialog', onclick: () => acts.open(row) },
      h('bdi', { dir: 'auto' }, file.name),
      h('small', {},
        h('span.narrow', {}, `${size(file.size)} · ${time(made)}${expires ? ' · ' : ''}`),
        expires || '')),
    h('span.size', {}, size(file.size)),
    h('time', { dateTime: file.created_at, title: dayAndTime(made) }, time(made)),
    h('div.acts', {},
      action('download', 'Download', file, () => acts.download(row), '.first'),
      action('link', 'Share', file, () => acts.share(row)),
      action('rename', 'Rename', file, () => acts.rename(row)),
      action('trash', 'Delete', file, () => acts.remove(row))));
  row.file = file;
  return row;
}

// The part of a name that is wanted when somebody begins to type: all but the extension.
const stem = (name) => (name.lastIndexOf('.') > 0 ? name.lastIndexOf('.') : name.length);

// Put a field in the place of the name. Enter keeps, Escape and leaving it empty do not. `renamed` is
// called with the new record, and gives its row.
export function startRename(row, renamed) {
  if ($('form', row)) return;
  const { file } = row;
  const hidden = [...row.children].slice(1);
  const input = h('input', { value: file.name, ariaLabel: `New name of ${file.name}`, autocomplete: 'off', spellcheck: false, dir: 'auto', required: true });
  const save = h('button.primary', { type: 'submit' }, 'Rename');
  const form = h('form', { onsubmit }, input, save, h('button.quiet', { type: 'button', onclick: () => stop(row) }, 'Cancel'));

  function stop(focusIn) {
    form.remove();
    for (const element of hidden) element.hidden = false;
    $('.name', focusIn)?.focus();
  }
  function onsubmit(event) {
    event.preventDefault();
    const name = input.value.trim();
    if (!name || name === file.name) return stop(row);
    return whileBusy(save, async () => {
      try {
        const changed = await api('PATCH', `/files/${file.id}`, { json: { name } });
        announce(`Renamed to ${changed.name}`);
        $('.name', renamed(changed))?.focus();
      } catch (error) {
        complain(error);
        input.focus();
      }
    });
  }
  form.addEventListener('keydown', (event) => event.key === 'Escape' && stop(row));
  for (const element of hidden) element.hidden = true;
  row.append(form);
  input.focus();
  input.setSelectionRange(0, stem(file.name));
}
