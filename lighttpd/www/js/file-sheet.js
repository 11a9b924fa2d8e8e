// file-sheet.js - everything about one file: its facts, a look at it, when it expires, its share links.
import { api } from './api.js';
import { openDialog } from './dialogs.js';
import { $, h, whileBusy } from './dom.js';
import { download } from './download.js';
import { endChoice, numberOrNull } from './forms.js';
import { count, dayAndTime, size, until } from './format.js';
import { linkSection } from './links.js';
import { announce, complain } from './toasts.js';

// Kinds that the server lets a browser show, and a size at which fetching one is no burden.
const PICTURE = /^image\/(png|jpeg|gif|webp|avif)$/;
const PICTURE_MAX = 10e6; // bytes

// `acts` has changed(file), rename(file), remove(file). `share` opens it at the links.
export function openFile(file, acts, { share = false } = {}) {
  let current = file;
  const links = linkSection(file);
  const close = (then) => () => {
    dialog.close();
    then?.(current);
  };
  const dialog = openDialog(file.name,
    PICTURE.test(file.type) && file.size <= PICTURE_MAX && !share ? preview(file) : null,
    h('div.acts-row', {},
      h('button.primary', { type: 'button', onclick: () => download(file) }, 'Download'),
      h('button', { type: 'button', onclick: close(acts.rename) }, 'Rename'),
      h('button.quiet.danger.last', { type: 'button', onclick: close(acts.remove) }, 'Delete')),
    links,
    expirySection(file, (changed) => acts.changed((current = changed))),
    h('section', {}, h('h3', {}, 'Details'), h('dl.facts', {},
      fact('Size', file.size < 1000 ? count(file.size, 'byte') : `${size(file.size)} (${count(file.size, 'byte')})`),
      fact('Type', file.type),
      fact('Uploaded', dayAndTime(new Date(file.created_at))),
      fact('SHA-256', h('code', {}, file.sha256)))));
  if (share) {
    $('button[type=submit]', links).focus();
  }
}

const fact = (name, value) => [h('dt', {}, name), h('dd', {}, value)];

function preview(file) {
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

function expirySection(file, changed) {
  const words = ({ expires_at: end }) => (end ? `This file is deleted ${until(new Date(end))} (${dayAndTime(new Date(end))}).` : 'This file stays until it is deleted.');
  const sentence = h('p.soft', {}, words(file));
  const choice = endChoice({ keep: 'Choose…', onchange });
  function onchange() {
    if (choice.value === 'keep') return;
    whileBusy(choice, async () => {
      try {
        const fresh = await api('PATCH', `/files/${file.id}`, { json: { expires_in: numberOrNull(choice) } });
        sentence.textContent = words(fresh);
        announce(sentence.textContent);
        changed(fresh);
      } catch (error) {
        complain(error);
      }
      choice.value = 'keep';
    });
  }
  return h('section', {}, h('h3', {}, 'Expiry'), sentence, h('label', {}, 'Delete this file after', choice));
}
