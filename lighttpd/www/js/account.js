// account.js - the view of the account: password, second factor, API tokens, sessions.
import { api } from './api.js';
import { copyBox } from './clipboard.js';
import { confirmDialog } from './dialogs.js';
import { $, h, keepFocus } from './dom.js';
import { formWithError, lifetimeSelect, numberOrNull } from './forms.js';
import { dayAndTime, joinByDots, timeUntil } from './format.js';
import { Problem } from './http.js';
import { currentUser, logOut } from './session.js';
import { announce, showError, toast } from './toasts.js';
import { totpElements } from './totp.js';

const view = $('#account');

export function showAccount() {
  const tokens = h('ul.entries', { role: 'list' });
  const sessions = h('ul.entries.sessions', { role: 'list' });
  view.classList.add('settings');
  view.replaceChildren(
    h('h1', { id: 'account-title' }, 'Account'),
    makePart('Email', h('p', {}, h('bdi', {}, currentUser().email))),
    makePart('Password', passwordForm()),
    makePart('Two-step login', ...totpElements()),
    makePart('API tokens', h('p.soft', {}, 'A script or program sends an API token to access your files. A token works until it expires or you revoke it. ', h('a', { href: 'api.html' }, 'API documentation')),
      ...tokenForm(tokens), tokens),
    makePart('Sessions', h('p.soft', {}, 'The devices on which you are logged in.'), sessions, logOutEverywhereButton()));
  listTokens(tokens);
  listSessions(sessions);
}

let parts = 0; // made so far, for their ids
function makePart(title, ...body) {
  const id = `part-${++parts}`;
  const section = h('section.part', {}, h('h2', { id }, title), h('div', {}, ...body));
  section.setAttribute('aria-labelledby', id);
  return section;
}

// The API names its JSON member `current`; the user knows a field "Current password".
const explainPasswordError = (error) => (/^(The member )?current /.test(error.detail) ? new Problem({ ...error, detail: 'The current password is wrong. Enter it again.' }) : error);

function passwordForm() {
  const current = h('input', { type: 'password', autocomplete: 'current-password', required: true });
  const replacement = h('input', { type: 'password', autocomplete: 'new-password', required: true, minLength: 8 });
  return formWithError(
    [h('input', { type: 'text', autocomplete: 'username', value: currentUser().email, hidden: true, readOnly: true }),
      h('label', {}, 'Current password', current), h('label', {}, 'New password (at least 8 characters)', replacement)],
    'Change password', async (form) => {
      await api('POST', '/password', { json: { current: current.value, new: replacement.value } }).catch((error) => {
        throw explainPasswordError(error);
      });
      form.reset();
      toast('Password changed. All other sessions have ended.');
      listSessions($('#account .sessions'));
    });
}

// --- API tokens ---

const SCOPES = [['files:read files:write', 'Read and write'], ['files:read', 'Read only'], ['files:write', 'Write only']];

function tokenForm(entries) {
  const name = h('input', { required: true, maxLength: 100, placeholder: 'backup script', autocomplete: 'off' });
  const scope = h('select', {}, ...SCOPES.map(([value, label]) => h('option', { value }, label)));
  const lifetime = lifetimeSelect({ selected: 365 * 86400 });
  const newToken = h('div', { ariaLive: 'polite' });
  const form = formWithError(
    [h('div.fields', {}, h('label', {}, 'Name', name), h('label', {}, 'Access', scope), h('label', {}, 'Expires after', lifetime))],
    'Create token', async () => {
      const token = await api('POST', '/tokens', { json: { name: name.value.trim(), scope: scope.value, expires_in: numberOrNull(lifetime) } });
      newToken.replaceChildren(copyBox('Copy the token now: it is shown only once.', `Token ${token.name}`, token.token));
      $('input', newToken).focus();
      name.value = '';
      await listTokens(entries);
    }, 'wide-form');
  return [form, newToken];
}

async function listTokens(entries) {
  try {
    const { tokens } = await api('GET', '/tokens');
    entries.replaceChildren(...tokens.map((token) => makeEntry({
      name: token.name,
      description: joinByDots(token.scope.replace(' ', ', '), token.last_used_at ? `last used ${dayAndTime(new Date(token.last_used_at))}` : 'never used',
        token.expires_at ? timeUntil(new Date(token.expires_at)).replace(/^in/, 'expires in') : 'never expires'),
      action: 'Revoke',
      consequence: 'Programs that use this token lose access at once.',
      done: `Token ${token.name} revoked`,
      end: () => api('DELETE', `/tokens/${token.id}`),
      redraw: () => listTokens(entries),
    })));
  } catch (error) {
    showError(error);
  }
}

// --- sessions ---

async function listSessions(entries) {
  try {
    const { sessions } = await api('GET', '/sessions');
    entries.replaceChildren(...sessions.map((session) => makeEntry({
      name: session.address || 'Unknown address',
      tag: session.current && 'this session',
      description: joinByDots(`logged in ${dayAndTime(new Date(session.created_at))}`, session.last_used_at && `last active ${dayAndTime(new Date(session.last_used_at))}`),
      action: session.current ? undefined : 'End session',
      consequence: 'The device of this session has to log in again.',
      done: `Session ${session.address || ''} ended`,
      end: () => api('DELETE', `/sessions/${session.id}`),
      redraw: () => listSessions(entries),
    })));
  } catch (error) {
    showError(error);
  }
}

function logOutEverywhereButton() {
  const onclick = async () => {
    if (await confirmDialog('Log out everywhere?', 'All your sessions end, including this one. API tokens keep working.', 'Log out everywhere')) logOut({ everywhere: true }).catch(showError);
  };
  return h('div.button-row', {}, h('button.danger', { type: 'button', onclick }, 'Log out everywhere'));
}

// The entry of a token or session. `end` sends the request after a confirmation; `redraw` loads the list again.
function makeEntry({ name, tag, description, action, consequence, done, end, redraw }) {
  const onclick = async ({ currentTarget: button }) => {
    if (!(await confirmDialog(`${action} ${name}?`, consequence, action))) return;
    try {
      await end();
      announce(done);
    } catch (error) {
      if (error.status !== 404) return showError(error); // 404: it has already ended
    }
    await keepFocus(button, redraw);
  };
  return h('li', {},
    h('div', {}, h('strong', {}, h('bdi', { dir: 'auto' }, name)), tag && h('span.tag', {}, tag), h('small', {}, description)),
    action && h('button.quiet.danger', { type: 'button', ariaLabel: `${action} ${name}`, onclick }, action));
}
