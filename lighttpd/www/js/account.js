// account.js - the account: password, second factor, API tokens, where one is logged in.
import { api } from './api.js';
import { shownOnce } from './clipboard.js';
import { confirmDialog } from './dialogs.js';
import { $, h, keepPlace } from './dom.js';
import { endChoice, formWith, numberOrNull } from './forms.js';
import { dayAndTime, dotted, until } from './format.js';
import { Problem } from './http.js';
import { currentUser, logOut } from './session.js';
import { announce, complain, toast } from './toasts.js';
import { twoStepPart } from './two-step.js';

const room = $('#account');

export function showAccount() {
  const tokens = h('ul.entries', { role: 'list' });
  const sessions = h('ul.entries', { role: 'list' });
  room.classList.add('room');
  room.replaceChildren(
    h('h1', { id: 'account-title' }, 'Account'),
    part('Email', h('p', {}, h('bdi', {}, currentUser().email))),
    part('Password', passwordForm()),
    part('Two-step login', ...twoStepPart()),
    part('API tokens', h('p.soft', {}, 'For scripts and other programs, which send one in place of an access token. They live until they end or are revoked. ', h('a', { href: 'api.html' }, 'What can be done with one'), '.'),
      ...tokenForm(tokens), tokens),
    part('Logins', h('p.soft', {}, 'Where you are logged in.'), sessions, everywhere()));
  listTokens(tokens);
  listSessions(sessions);
}

let parts = 0;
function part(title, ...body) {
  const id = `part-${++parts}`;
  const section = h('section.part', {}, h('h2', { id }, title), h('div', {}, ...body));
  section.setAttribute('aria-labelledby', id);
  return section;
}

function passwordForm() {
  const current = h('input', { type: 'password', autocomplete: 'current-password', required: true });
  const fresh = h('input', { type: 'password', autocomplete: 'new-password', required: true, minLength: 8 });
  return formWith(
    [h('input', { type: 'text', autocomplete: 'username', value: currentUser().email, hidden: true, readOnly: true }),
      h('label', {}, 'Current password', current), h('label', {}, 'New password, 8 characters or more', fresh)],
    'Change the password', async (form) => {
      await api('POST', '/password', { json: { current: current.value, new: fresh.value } }).catch((error) => {
        throw /^current /.test(error.detail) ? new Problem({ ...error, detail: 'That is not your current password.' }) : error; // the API speaks of its member
      });
      form.reset();
      toast('The password is changed. Every other login has ended.');
      listSessions($('#account .sessions'));
    });
}

// --- API tokens ---

const SCOPES = [['files:read files:write', 'Read and write'], ['files:read', 'Only read'], ['files:write', 'Only write']];

function tokenForm(entries) {
  const name = h('input', { required: true, maxLength: 100, placeholder: 'backup script', autocomplete: 'off' });
  const scope = h('select', {}, ...SCOPES.map(([value, label]) => h('option', { value }, label)));
  const ends = endChoice({ chosen: 365 * 86400 });
  const made = h('div', { ariaLive: 'polite' });
  const form = formWith(
    [h('div.fields', {}, h('label', {}, 'Name', name), h('label', {}, 'May', scope), h('label', {}, 'Ends after', ends))],
    'Make a token', async () => {
      const token = await api('POST', '/tokens', { json: { name: name.value.trim(), scope: scope.value, expires_in: numberOrNull(ends) } });
      made.replaceChildren(shownOnce('Copy the token now: it is not shown again.', `Token ${token.name}`, token.token));
      $('input', made).focus();
      name.value = '';
      await listTokens(entries);
    }, 'wide-form');
  return [form, made];
}

async function listTokens(entries) {
  try {
    const { tokens } = await api('GET', '/tokens');
    entries.replaceChildren(...tokens.map((token) => entry({
      name: token.name,
      line: dotted(token.scope.replace(' ', ', '), token.last_used_at ? `last used ${dayAndTime(new Date(token.last_used_at))}` : 'never used',
        token.expires_at ? until(new Date(token.expires_at)).replace(/^in/, 'ends in') : 'does not end'),
      label: 'Revoke',
      sentence: 'Programs that use it are refused from now on.',
      end: () => api('DELETE', `/tokens/${token.id}`),
      then: () => listTokens(entries),
    })));
  } catch (error) {
    complain(error);
  }
}

// --- logins ---

async function listSessions(entries) {
  entries.classList.add('sessions');
  try {
    const { sessions } = await api('GET', '/sessions');
    entries.replaceChildren(...sessions.map((one) => entry({
      name: one.address || 'Unknown address',
      tag: one.current && 'this one',
      line: dotted(`since ${dayAndTime(new Date(one.created_at))}`, one.last_used_at && `last seen ${dayAndTime(new Date(one.last_used_at))}`),
      label: one.current ? undefined : 'End',
      sentence: 'Whoever is logged in there has to log in again.',
      end: () => api('DELETE', `/sessions/${one.id}`),
      then: () => listSessions(entries),
    })));
  } catch (error) {
    complain(error);
  }
}

function everywhere() {
  const onclick = async () => {
    if (await confirmDialog('Log out everywhere?', 'Every login ends, this one too. API tokens stay.', 'Log out everywhere')) logOut({ everywhere: true }).catch(complain);
  };
  return h('div.acts-row', {}, h('button.danger', { type: 'button', onclick }, 'Log out everywhere'));
}

function entry({ name, tag, line, label, sentence, end, then }) {
  const onclick = async ({ currentTarget: button }) => {
    if (!(await confirmDialog(`${label} ${name}?`, sentence, label))) return;
    try {
      await end();
      announce(`${name}: done`);
    } catch (error) {
      if (error.status !== 404) return complain(error);
    }
    await keepPlace(button, then);
  };
  return h('li', {},
    h('div', {}, h('strong', {}, h('bdi', { dir: 'auto' }, name)), tag && h('span.tag', {}, tag), h('small', {}, line)),
    label && h('button.quiet.danger', { type: 'button', ariaLabel: `${label} ${name}`, onclick }, label));
}
