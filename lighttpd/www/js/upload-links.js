// upload-links.js - the view of upload links, by which other people send files to the user.
import { api } from './api.js';
import { copyBox } from './clipboard.js';
import { confirmDialog } from './dialogs.js';
import { $, h, keepFocus, whileBusy } from './dom.js';
import { lifetimeSelect, numberOrNull } from './forms.js';
import { count, dayAndTime, joinByDots, size, timeUntil } from './format.js';
import { answerAddress } from './http.js';
import { announce, showError } from './toasts.js';

const view = $('#upload-links');
const MB = 1e6;

let entries; // the list of links
let newLink; // the box with the address of a new link

export function showUploadLinks() {
  if (!view.childElementCount) build();
  listUploadLinks();
}

function build() {
  entries = h('ul.entries', { role: 'list' });
  newLink = h('div', { ariaLive: 'polite' });
  view.classList.add('settings');
  view.append(
    h('h1', { id: 'upload-links-title' }, 'Upload links'),
    h('section.part', { ariaLabelledby: 'upload-link-new' }, h('h2', { id: 'upload-link-new' }, 'New upload link'),
      h('div', {}, h('p.soft', {}, 'Anyone with an upload link can send you files. They need no account and cannot see your files.'), makeForm(), newLink)),
    h('section.part', { ariaLabelledby: 'upload-link-list' }, h('h2', { id: 'upload-link-list' }, 'Your upload links'), h('div', {}, entries)));
}

function makeForm() {
  const name = h('input', { name: 'name', maxLength: 100, placeholder: 'Photos of the summer party', autocomplete: 'off' });
  const lifetime = lifetimeSelect({ name: 'expires', selected: 7 * 86400 });
  const files = h('input', { name: 'files', type: 'number', min: 1, defaultValue: 100, inputMode: 'numeric', placeholder: 'No limit' });
  const megabytes = h('input', { name: 'megabytes', type: 'number', min: 1, defaultValue: 1000, inputMode: 'numeric', placeholder: 'No limit' });
  const button = h('button.primary', { type: 'submit' }, 'Create link');
  const onsubmit = (event) => {
    event.preventDefault();
    whileBusy(button, async () => {
      try {
        const json = { expires_in: numberOrNull(lifetime), max_files: numberOrNull(files), max_bytes: numberOrNull(megabytes) && numberOrNull(megabytes) * MB };
        if (name.value.trim()) json.name = name.value.trim();
        const link = await api('POST', '/upload-links', { json });
        newLink.replaceChildren(copyBox('Anyone with this link can send you files. Copy the link now: it is shown only once.', 'Upload link', answerAddress(link.url)));
        event.target.reset();
        $('input', newLink).focus();
        await listUploadLinks();
      } catch (error) {
        showError(error);
      }
    });
  };
  return h('form', { onsubmit },
    h('label', {}, 'Name, shown to the sender', name),
    h('div.fields', {}, h('label', {}, 'Expires after', lifetime), h('label', {}, 'Max. files', files), h('label', {}, 'Max. megabytes', megabytes)),
    h('div.button-row', {}, button));
}

async function listUploadLinks() {
  try {
    const { links } = await api('GET', '/upload-links');
    entries.replaceChildren(...(links.length ? links.map(makeEntry) : [h('li', {}, h('p.soft', {}, 'No upload links yet.'))]));
  } catch (error) {
    showError(error);
  }
}

function makeEntry(link) {
  const expiry = link.expires_at ? timeUntil(new Date(link.expires_at)).replace(/^in/, 'expires in') : 'never expires';
  const files = link.max_files ? `${link.files} of ${count(link.max_files, 'file')}` : count(link.files, 'file');
  const bytes = link.max_bytes ? `${size(link.bytes)} of ${size(link.max_bytes)}` : size(link.bytes);
  const name = link.name || 'Unnamed';
  const button = h('button.quiet.danger', { type: 'button', ariaLabel: `Revoke ${name}`, onclick }, 'Revoke');
  async function onclick() {
    if (!(await confirmDialog('Revoke this upload link?', 'The link will accept no more files. Files that you have received stay.', 'Revoke'))) return;
    try {
      await api('DELETE', `/upload-links/${link.id}`);
      announce('Upload link revoked');
      await keepFocus(button, listUploadLinks);
    } catch (error) {
      showError(error);
    }
  }
  return h('li', {},
    h('div', {}, h('strong', {}, h('bdi', { dir: 'auto' }, name)), h('small', {}, joinByDots(`${files}, ${bytes} received`, `created ${dayAndTime(new Date(link.created_at))}`, expiry))),
    button);
}
