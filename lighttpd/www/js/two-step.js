// two-step.js - the second factor: set it up, keep the recovery codes, take it away.
import { api } from './api.js';
import { copyField } from './clipboard.js';
import { $, h, whileBusy } from './dom.js';
import { formWith } from './forms.js';
import { currentUser } from './session.js';
import { announce, complain, toast } from './toasts.js';

// The elements of its part of the account.
export function twoStepPart() {
  const place = h('div', { ariaLive: 'polite' });
  if (currentUser().otp) inForce(place);
  else offer(place);
  return [h('p.soft', {}, 'A code from an authenticator, asked for after the password.'), place];
}

const codeField = (label, recovery) =>
  h('label', {}, label, h('input.code', { name: 'code', required: true, maxLength: 40, autocomplete: 'one-time-code', inputMode: recovery ? 'text' : 'numeric', spellcheck: false }));

function offer(place) {
  const button = h('button', { type: 'button', onclick }, 'Set it up');
  function onclick() {
    whileBusy(button, async () => {
      try {
        enrol(place, await api('POST', '/otp'));
      } catch (error) {
        if (error.status !== 409) return complain(error);
        inForce(place);
        $('input', place).focus();
      }
    });
  }
  place.replaceChildren(button);
}

function enrol(place, { secret, uri }) {
  const form = formWith([codeField('Then enter the six digits that it shows')], 'Turn it on', async () => {
    const { recovery_codes: codes } = await api('POST', '/otp/confirm', { json: { code: form.code.value.trim() } });
    currentUser().otp = true;
    showCodes(place, codes);
  });
  place.replaceChildren(h('div.copy', {},
    h('p', {}, 'Add this secret to your authenticator, or ', h('a', { href: uri }, 'open it there'), ' if it is on this device.'),
    copyField('Secret for the authenticator', secret),
    form));
  $('input', place).focus();
}

function showCodes(place, codes) {
  const done = h('button.primary', { type: 'button', onclick }, 'I have kept them');
  function onclick() {
    inForce(place);
    $('input', place).focus();
  }
  place.replaceChildren(h('div.copy', { role: 'group', ariaLabel: 'Recovery codes' },
    h('p', {}, 'Two-step login is on. Keep these recovery codes where you keep important papers: each lets you in once without the authenticator. They are not shown again.'),
    h('ol', {}, codes.map((code) => h('li', {}, code))),
    copyField('All recovery codes', codes.join(' ')),
    h('div.acts-row', {}, done)));
  done.focus();
  announce('Two-step login is on. Keep the recovery codes.');
}

function inForce(place) {
  const form = formWith([codeField('To turn it off, a code or a recovery code', true)], 'Turn it off', async () => {
    await api('DELETE', '/otp', { json: { code: form.code.value.trim() } });
    currentUser().otp = false;
    toast('Two-step login is off.');
    offer(place);
    $('button', place).focus();
  });
  form.prepend(h('p', {}, 'Two-step login is on.'));
  place.replaceChildren(form);
}
