// login-form.js - the login form: email and password, then a code if the user has a second factor.
//
// The password stays in its field until the login is complete, and is then erased. After too many failed
// attempts the form is disabled for the time that the server demands, and shows that time.
import { $, setText, whileBusy } from './dom.js';
import { tooManyAttempts } from './forms.js';
import { lastEmail } from './last-email.js';
import { logIn } from './session.js';

const form = $('#login-form');
const button = $('button[type=submit]', form);
const DEFAULT_WAIT = 30; // seconds
let countdown; // the interval timer of a disabled form

const showProblem = (text) => setText($('#login-problem'), text);

// Show the form, with the reason why a login is needed, or ''.
export function showLoginForm(reason = '') {
  setText($('#login-reason'), reason);
  askForPassword();
  form.email.value = lastEmail();
  $('#login-page').hidden = false;
  (form.email.value ? form.password : form.email).focus();
}

export function hideLoginForm() {
  $('#login-page').hidden = true;
  form.reset();
}

function askForPassword() {
  $('#password-step').hidden = false;
  $('#code-step').hidden = $('#code-options').hidden = true;
  form.password.value = form.code.value = '';
  setText(button, 'Log in');
  showProblem('');
}

function askForCode({ recovery = false } = {}) {
  $('#password-step').hidden = true;
  $('#code-step').hidden = $('#code-options').hidden = false;
  setText($('#code-label'), recovery ? 'Recovery code' : 'Code');
  setText($('#code-hint'), recovery
    ? 'Enter one of the recovery codes that you saved when you set up two-step login. Each code works once.'
    : 'Enter the six-digit code from your authenticator app.');
  setText($('#use-recovery'), recovery ? 'Use the authenticator app' : 'Use a recovery code');
  form.code.inputMode = recovery ? 'text' : 'numeric';
  form.code.value = '';
  showProblem('');
  form.code.focus();
}

const asksForCode = () => !$('#code-step').hidden;

function disableFor(seconds) {
  const end = performance.now() + seconds * 1000;
  clearInterval(countdown);
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    button.disabled = left > 0;
    showProblem(left > 0 ? tooManyAttempts(left) : '');
    if (left > 0) return;
    clearInterval(countdown);
    $('#login-problem').ariaLive = null;
  };
  countdown = setInterval(() => {
    $('#login-problem').ariaLive = 'off'; // a screen reader reads the first message, not each second
    tick();
  }, 1000);
  tick();
}

function showLoginError(error) {
  if (error.slug === 'otp-required') return askForCode();
  if (error.status === 429) return disableFor(error.retryAfter || DEFAULT_WAIT);
  showProblem(error.detail ?? error.message);
  const field = asksForCode() ? form.code : error.slug === 'invalid-credentials' ? form.password : undefined;
  field?.select();
  field?.focus();
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  if (button.disabled) return;
  showProblem('');
  const empty = asksForCode() ? !form.code.value.trim() && form.code : [form.email, form.password].find((field) => !field.value);
  if (empty) {
    showProblem(empty === form.code ? 'Enter the code.' : 'Enter your email and your password.');
    empty.focus();
    return;
  }
  whileBusy(button, () => logIn(form.email.value.trim(), form.password.value, asksForCode() ? form.code.value.trim() : '').catch(showLoginError));
});

$('#use-recovery').addEventListener('click', () => askForCode({ recovery: form.code.inputMode === 'numeric' }));
$('#use-other-account').addEventListener('click', () => {
  askForPassword();
  form.email.select();
});
