// links.js - the share links of a file: make one, copy it, see what became of it, revoke it.
import { api } from './api.js';
import { shownOnce } from './clipboard.js';
import { $, h, keepPlace, whileBusy } from './dom.js';
import { isDead, ownLinks } from './download.js';
import { endChoice, numberOrNull } from './forms.js';
import { count, dayAndTime, dotted, until } from './format.js';
import { address } from './http.js';
import { announce, complain } from './toasts.js';

// The element for a file's sheet.
export function linkSection(file) {
  const entries = h('ul.entries', { role: 'list' });
  const made = h('div', { ariaLive: 'polite' });
  const button = h('button', { type: 'submit' }, 'Make a link');
  const expires = endChoice({ name: 'expires', chosen: 7 * 86400 });
  const most = h('input', { name: 'most', type: 'number', min: 1, max: 1000000, inputMode: 'numeric', placeholder: 'No limit' });
  const form = h('form', { onsubmit },
    h('div.fields', {}, h('label', {}, 'Ends after', expires), h('label', {}, 'Downloads at most', most)), h('div.acts-row', {}, button));

  function onsubmit(event) {
    event.preventDefault();
    whileBusy(button, async () => {
      try {
        const link = await api('POST', `/files/${file.id}/links`, { json: { expires_in: numberOrNull(expires), max_downloads: numberOrNull(most) } });
        made.replaceChildren(shownOnce('Whoever has this address can download the file. It is shown only now.', 'Share link', address(link.url)));
        $('input', made).focus();
        await show(file, entries);
      } catch (error) {
        complain(error);
      }
    });
  }
  show(file, entries);
  return h('section', {}, h('h3', {}, 'Share by link'), form, made, entries);
}

async function show(file, entries) {
  try {
    const { links } = await api('GET', `/files/${file.id}/links`);
    const own = ownLinks();
    entries.replaceChildren(...links.filter((link) => !own.has(link.id)).map(entry));
  } catch (error) {
    complain(error);
  }
}

function state(link) {
  const left = link.max_downloads === null ? Infinity : link.max_downloads - link.downloads;
  if (left <= 0) return 'used up';
  return link.expires_at ? until(new Date(link.expires_at)).replace(/^in/, 'ends in') : 'does not end';
}

function entry(link) {
  const used = link.max_downloads === null ? count(link.downloads, 'download') : `${link.downloads} of ${count(link.max_downloads, 'download')}`;
  const made = `made ${dayAndTime(new Date(link.created_at))}`;
  const button = h('button.quiet.danger', { type: 'button', ariaLabel: `Revoke the link ${made}`, onclick }, 'Revoke');
  const item = h(`li${isDead(link) ? '.ended' : ''}`, {},
    h('div', {}, h('strong', {}, used), h('small', {}, dotted(made, state(link)))),
    button);
  function onclick() {
    whileBusy(button, async () => {
      try {
        await api('DELETE', `/links/${link.id}`);
      } catch (error) {
        if (error.status !== 404) return complain(error);
      }
      keepPlace(button, () => item.remove());
      announce('The link is revoked');
    });
  }
  return item;
}
