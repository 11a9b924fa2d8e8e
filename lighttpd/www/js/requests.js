// requests.js - upload links: addresses at which others may send files to the owner.
import { api } from './api.js';
import { shownOnce } from './clipboard.js';
import { confirmDialog } from './dialogs.js';
import { $, h, keepPlace, whileBusy } from './dom.js';
import { endChoice, numberOrNull } from './forms.js';
import { count, dayAndTime, dotted, size, until } from './format.js';
import { address } from './http.js';
import { announce, complain } from './toasts.js';

const room = $('#requests');
const MB = 1e6;

export function showRequests() {
  if (!room.childElementCount) build();
  list();
}

let entries;
let made;

function build() {
  entries = h('ul.entries', { role: 'list' });
  made = h('div', { ariaLive: 'polite' });
  room.classList.add('room');
  room.append(
    h('h1', { id: 'requests-title' }, 'Requests'),
    h('section.part', { ariaLabelledby: 'request-new' }, h('h2', { id: 'request-new' }, 'Ask for files'),
      h('div', {}, h('p.soft', {}, 'Make an address at which others can send you files. They need no account, and see none of yours.'), form(), made)),
    h('section.part', { ariaLabelledby: 'request-list' }, h('h2', { id: 'request-list' }, 'Your requests'), h('div', {}, entries)));
}

function form() {
  const name = h('input', { name: 'name', maxLength: 100, placeholder: 'Photos of the summer party', autocomplete: 'off' });
  const expires = endChoice({ name: 'expires', chosen: 7 * 86400 });
  const files = h('input', { name: 'files', type: 'number', min: 1, defaultValue: 100, inputMode: 'numeric', placeholder: 'No limit' });
  const megabytes = h('input', { name: 'megabytes', type: 'number', min: 1, defaultValue: 1000, inputMode: 'numeric', placeholder: 'No limit' });
  const button = h('button.primary', { type: 'submit' }, 'Make the address');
  const onsubmit = (event) => {
    event.preventDefault();
    whileBusy(button, async () => {
      try {
        const json = { expires_in: numberOrNull(expires), max_files: numberOrNull(files), max_bytes: numberOrNull(megabytes) && numberOrNull(megabytes) * MB };
        if (name.value.trim()) json.name = name.value.trim();
        const link = await api('POST', '/upload-links', { json });
        made.replaceChildren(shownOnce('Whoever has this address can send you files. It is shown only now.', 'Address of the request', address(link.url)));
        event.target.reset();
        $('input', made).focus();
        await list();
      } catch (error) {
        complain(error);
      }
    });
  };
  return h('form', { onsubmit },
    h('label', {}, 'What it is for', name),
    h('div.fields', {}, h('label', {}, 'Ends after', expires), h('label', {}, 'Files at most', files), h('label', {}, 'Megabytes in all', megabytes)),
    h('div.acts-row', {}, button));
}

async function list() {
  try {
    const { links } = await api('GET', '/upload-links');
    entries.replaceChildren(...(links.length ? links.map(entry) : [h('li', {}, h('p.soft', {}, 'None yet.'))]));
  } catch (error) {
    complain(error);
  }
}

function entry(link) {
  const ends = link.expires_at ? until(new Date(link.expires_at)).replace(/^in/, 'ends in') : 'does not end';
  const came = `${count(link.files, 'file')}${link.max_files ? ` of ${link.max_files}` : ''}, ${size(link.bytes)}${link.max_bytes ? ` of ${size(link.max_bytes)}` : ''} came`;
  const name = link.name || 'Without a name';
  const button = h('button.quiet.danger', { type: 'button', ariaLabel: `Revoke ${name}`, onclick }, 'Revoke');
  const item = h('li', {},
    h('div', {}, h('strong', {}, h('bdi', { dir: 'auto' }, name)), h('small', {}, dotted(came, `made ${dayAndTime(new Date(link.created_at))}`, ends))),
    button);
  async function onclick() {
    if (!(await confirmDialog('Revoke this request?', 'Nobody can send files at its address any more. What has come stays.', 'Revoke'))) return;
    try {
      await api('DELETE', `/upload-links/${link.id}`);
      announce('The request is revoked');
      await keepPlace(button, list);
    } catch (error) {
      complain(error);
    }
  }
  return item;
}
