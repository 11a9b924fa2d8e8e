// gate.js - the way in: email and password, and the code of a second factor when one is asked for.
//
// The password stays in its field until the login is complete, and is wiped then. After too many
// attempts the form waits as long as the server says, and says how long that is.
import { $, setText, whileBusy } from './dom.js';
import { duration } from './format.js';
import { lastEmail, logIn } from './session.js';

const form = $('#login');
const button = $('button[type=submit]', form);
let waiting; // the timer of a form that must wait

const say = (text) => setText($('#login-problem'), text);

// Show the door, with a sentence on why, or none.
export function showGate(why = '') {
  setText($('#gate-why'), why);
  askForPassword();
  form.email.value = lastEmail();
  $('#gate').hidden = false;
  (form.email.value ? form.password : form.email).focus();
}

export function hideGate() {
  $('#gate').hidden = true;
  form.reset();
}

function askForPassword() {
  $('#login-password').hidden = false;
  $('#login-code').hidden = $('#code-ways').hidden = true;
  form.password.value = form.code.value = '';
  setText(button, 'Log in');
  say('');
}

function askForCode(recovery = false) {
  $('#login-password').hidden = true;
  $('#login-code').hidden = $('#code-ways').hidden = false;
  setText($('#code-label'), recovery ? 'Recovery code' : 'Code');
  setText($('#code-hint'), recovery
    ? 'Enter one of the codes that you kept when you set up two-step login. Each works once.'
    : 'Enter the six digits that your authenticator shows.');
  setText($('#use-recovery'), recovery ? 'Use the authenticator' : 'Use a recovery code');
  form.code.inputMode = recovery ? 'text' : 'numeric';
  form.code.value = '';
  say('');
  form.code.focus();
}

const asksForCode = () => !$('#login-code').hidden;

function wait(seconds) {
  const until = performance.now() + seconds * 1000;
  clearInterval(waiting);
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    say(left > 0 ? `Too many attempts failed. Try again in ${duration(left)}.` : '');
    if (left > 0) return;
    clearInterval(waiting);
    $('#login-problem').ariaLive = null;
  };
  waiting = setInterval(() => {
    $('#login-problem').ariaLive = 'off'; // said once; the seconds are for who looks at them
    tick();
  }, 1000);
  tick();
}

function explain(error) {
  if (error.slug === 'otp-required') return askForCode();
  if (error.status === 429) return wait(error.retryAfter || 30);
  say(error.detail ?? error.message);
  const field = asksForCode() ? form.code : error.slug === 'invalid-credentials' ? form.password : undefined;
  field?.select();
  field?.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (button.disabled) return;
  say('');
  const empty = asksForCode() ? !form.code.value.trim() && form.code : [form.email, form.password].find((field) => !field.value);
  if (empty) {
    say(empty === form.code ? 'Enter the code.' : 'Enter your email and your password.');
    empty.focus();
    return;
  }
  whileBusy(button, () => logIn(form.email.value.trim(), form.password.value, asksForCode() ? form.code.value.trim() : '').catch(explain));
});

$('#use-recovery').addEventListener('click', () => askForCode(form.code.inputMode === 'numeric'));
$('#use-another').addEventListener('click', () => {
  askForPassword();
  form.email.select();
});
