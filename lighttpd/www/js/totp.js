// totp.js - the second factor (TOTP): set it up, save the recovery codes, turn it off.
import { api } from './api.js';
import { copyField } from './clipboard.js';
import { $, h, whileBusy } from './dom.js';
import { formWithError } from './forms.js';
import { currentUser } from './session.js';
import { announce, showError, toast } from './toasts.js';

// The elements of the account's part "Two-step login".
export function totpElements() {
  const container = h('div', { ariaLive: 'polite' });
  if (currentUser().otp) showOn(container);
  else showOff(container);
  return [h('p.soft', {}, 'After the password, the login asks for a code from an authenticator app.'), container];
}

const codeField = (label, { recovery = false } = {}) =>
  h('label', {}, label, h('input.code', { name: 'code', required: true, maxLength: 40, autocomplete: 'one-time-code', inputMode: recovery ? 'text' : 'numeric', spellcheck: false }));

function showOff(container) {
  const button = h('button', { type: 'button', onclick }, 'Set up');
  function onclick() {
    whileBusy(button, async () => {
      try {
        showSecret(container, await api('POST', '/otp'));
      } catch (error) {
        if (error.status !== 409) return showError(error); // 409: already turned on, in another tab
        showOn(container);
        $('input', container).focus();
      }
    });
  }
  container.replaceChildren(button);
}

function showSecret(container, { secret, uri }) {
  const form = formWithError([codeField('Then enter the six-digit code that the app shows')], 'Turn on', async () => {
    const { recovery_codes: codes } = await api('POST', '/otp/confirm', { json: { code: form.code.value.trim() } });
    currentUser().otp = true;
    showRecoveryCodes(container, codes);
  });
  container.replaceChildren(h('div.copy-box', {},
    h('p', {}, 'Add this secret to your authenticator app. If the app is on this device, ', h('a', { href: uri }, 'open the secret in it'), '.'),
    copyField('Secret for the authenticator app', secret),
    form));
  $('input', container).focus();
}

function showRecoveryCodes(container, codes) {
  const saved = h('button.primary', { type: 'button', onclick }, 'I have saved them');
  function onclick() {
    showOn(container);
    $('input', container).focus();
  }
  container.replaceChildren(h('div.copy-box', { role: 'group', ariaLabel: 'Recovery codes' },
    h('p', {}, 'Two-step login is on. Save these recovery codes in a safe place: each code logs you in once without the app. They are shown only once.'),
    h('ol', {}, codes.map((code) => h('li', {}, code))),
    copyField('All recovery codes', codes.join(' ')),
    h('div.button-row', {}, saved)));
  saved.focus();
  announce('Two-step login is on. Save the recovery codes.');
}

function showOn(container) {
  const form = formWithError([codeField('To turn it off, enter a code or a recovery code', { recovery: true })], 'Turn off', async () => {
    await api('DELETE', '/otp', { json: { code: form.code.value.trim() } });
    currentUser().otp = false;
    toast('Two-step login is off.');
    showOff(container);
    $('button', container).focus();
  });
  form.prepend(h('p', {}, 'Two-step login is on.'));
  container.replaceChildren(form);
}
