// share-links.js - the share links of a file: create one, copy it, see its downloads, revoke it.
import { api } from './api.js';
import { copyBox } from './clipboard.js';
import { $, h, keepFocus, whileBusy } from './dom.js';
import { downloadLinkIds, isUsedUp } from './download.js';
import { lifetimeSelect, numberOrNull } from './forms.js';
import { count, dayAndTime, joinByDots, timeUntil } from './format.js';
import { answerAddress } from './http.js';
import { announce, showError } from './toasts.js';

// The section of a file's dialog.
export function shareLinksSection(file) {
  const entries = h('ul.entries', { role: 'list' });
  const newLink = h('div', { ariaLive: 'polite' });
  const button = h('button', { type: 'submit' }, 'Create link');
  const lifetime = lifetimeSelect({ name: 'expires', selected: 7 * 86400 });
  const maxDownloads = h('input', { name: 'max-downloads', type: 'number', min: 1, max: 1000000, inputMode: 'numeric', placeholder: 'No limit' });
  const form = h('form', { onsubmit },
    h('div.fields', {}, h('label', {}, 'Expires after', lifetime), h('label', {}, 'Max. downloads', maxDownloads)), h('div.button-row', {}, button));

  function onsubmit(event) {
    event.preventDefault();
    whileBusy(button, async () => {
      try {
        const link = await api('POST', `/files/${file.id}/links`, { json: { expires_in: numberOrNull(lifetime), max_downloads: numberOrNull(maxDownloads) } });
        newLink.replaceChildren(copyBox('Anyone with this link can download the file. Copy the link now: it is shown only once.', 'Share link', answerAddress(link.url)));
        $('input', newLink).focus();
        await listShareLinks(file, entries);
      } catch (error) {
        showError(error);
      }
    });
  }
  listShareLinks(file, entries);
  return h('section', {}, h('h3', {}, 'Share links'), form, newLink, entries);
}

async function listShareLinks(file, entries) {
  try {
    const { links } = await api('GET', `/files/${file.id}/links`);
    const hidden = downloadLinkIds();
    entries.replaceChildren(...links.filter((link) => !hidden.has(link.id)).map(makeEntry));
  } catch (error) {
    showError(error);
  }
}

function expiryText(link) {
  if (link.max_downloads !== null && link.downloads >= link.max_downloads) return 'used up';
  return link.expires_at ? timeUntil(new Date(link.expires_at)).replace(/^in/, 'expires in') : 'never expires';
}

function makeEntry(link) {
  const downloads = link.max_downloads === null ? count(link.downloads, 'download') : `${link.downloads} of ${count(link.max_downloads, 'download')}`;
  const created = `created ${dayAndTime(new Date(link.created_at))}`;
  const button = h('button.quiet.danger', { type: 'button', ariaLabel: `Revoke the link ${created}`, onclick }, 'Revoke');
  const item = h(`li${isUsedUp(link) ? '.ended' : ''}`, {},
    h('div', {}, h('strong', {}, downloads), h('small', {}, joinByDots(created, expiryText(link)))),
    button);
  function onclick() {
    whileBusy(button, async () => {
      try {
        await api('DELETE', `/links/${link.id}`);
      } catch (error) {
        if (error.status !== 404) return showError(error);
      }
      keepFocus(button, () => item.remove());
      announce('Link revoked');
    });
  }
  return item;
}
