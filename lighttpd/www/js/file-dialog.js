// file-dialog.js - the dialog of one file: preview, share links, expiry, details.
import { api } from './api.js';
import { openDialog } from './dialogs.js';
import { $, h, whileBusy } from './dom.js';
import { download } from './download.js';
import { lifetimeSelect, numberOrNull } from './forms.js';
import { count, dayAndTime, size, timeUntil } from './format.js';
import { shareLinksSection } from './share-links.js';
import { announce, showError } from './toasts.js';

const PREVIEW_TYPES = /^image\/(png|jpeg|gif|webp|avif)$/; // types that the server sends inline
const PREVIEW_MAX = 10e6; // bytes

// `actions` has changed(file), rename(file) and remove(file). With `share` the focus is on the share links.
export function openFileDialog(file, actions, { share = false } = {}) {
  let current = file;
  const shareLinks = shareLinksSection(file);
  const closeThen = (action) => () => {
    dialog.close();
    action(current);
  };
  const dialog = openDialog(file.name,
    PREVIEW_TYPES.test(file.type) && file.size <= PREVIEW_MAX && !share ? makePreview(file) : null,
    h('div.button-row', {},
      h('button.primary', { type: 'button', onclick: () => download(file) }, 'Download'),
      h('button', { type: 'button', onclick: closeThen(actions.rename) }, 'Rename'),
      h('button.quiet.danger.last', { type: 'button', onclick: closeThen(actions.remove) }, 'Delete')),
    shareLinks,
    expirySection(file, (changed) => actions.changed((current = changed))),
    h('section', {}, h('h3', {}, 'Details'), h('dl.details', {},
      detail('Size', file.size < 1000 ? count(file.size, 'byte') : `${size(file.size)} (${count(file.size, 'byte')})`),
      detail('Type', file.type),
      detail('Uploaded', dayAndTime(new Date(file.created_at))),
      detail('SHA-256', h('code', {}, file.sha256)))));
  if (share) $('button[type=submit]', shareLinks).focus();
}

const detail = (name, value) => [h('dt', {}, name), h('dd', {}, value)];

function makePreview(file) {
  const picture = h('img.preview', { alt: `Preview of ${file.name}`, hidden: true });
  api('GET', `/download/${file.id}?inline=1`, { raw: true })
    .then((response) => response.blob())
    .then((blob) => {
      picture.onload = () => URL.revokeObjectURL(picture.src);
      picture.src = URL.createObjectURL(blob);
      picture.hidden = false;
    })
    .catch(() => picture.remove());
  return picture;
}

const expirySentence = ({ expires_at: end }) =>
  (end ? `This file will be deleted ${timeUntil(new Date(end))} (${dayAndTime(new Date(end))}).` : 'This file is kept until you delete it.');

function expirySection(file, onchanged) {
  const sentence = h('p.soft', {}, expirySentence(file));
  const select = lifetimeSelect({ unchanged: 'Choose…', onchange });
  function onchange() {
    if (select.value === 'unchanged') return;
    whileBusy(select, async () => {
      try {
        const changed = await api('PATCH', `/files/${file.id}`, { json: { expires_in: numberOrNull(select) } });
        sentence.textContent = expirySentence(changed);
        announce(sentence.textContent);
        onchanged(changed);
      } catch (error) {
        showError(error);
      }
      select.value = 'unchanged';
    });
  }
  return h('section', {}, h('h3', {}, 'Expiry'), sentence, h('label', {}, 'Delete this file after', select));
}
