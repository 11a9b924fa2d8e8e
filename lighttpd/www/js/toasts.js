// toasts.js - short notices at the bottom of the page, and announcements for screen readers.
//
// A notice closes after some seconds, but not while the pointer is over it or the focus is in it. Only the
// latest are visible (dialogs.css); the others remain as long.
import { h, $ } from './dom.js';

const DURATION = 6000; // ms
const ERROR_DURATION = 10_000; // ms

// `action` is {label, run}: a button in the notice. `onclose` is called once when the notice closes, unless
// `action` closes it. Returns {close, act}; `act` does what the button does.
export function toast(text, { action, onclose, duration = DURATION, isError = false } = {}) {
  const region = $('#toasts');
  let timer;
  const close = () => {
    clearTimeout(timer);
    if (!notice.isConnected) return false;
    notice.remove();
    return true;
  };
  const dismiss = () => {
    if (close()) onclose?.();
  };
  const act = () => {
    if (close()) action.run();
  };
  const notice = h(`div.toast${isError ? '.error' : ''}`, { role: 'group' },
    h('p', { dir: 'auto' }, text),
    action && h('button.link', { type: 'button', onclick: act }, action.label),
    h('button.icon', { type: 'button', ariaLabel: 'Dismiss', data: { icon: 'close' }, onclick: dismiss }));
  const startTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (notice.matches(':hover, :focus-within') ? startTimer() : dismiss()), duration);
  };
  region.append(notice);
  startTimer();
  return { close, act };
}

// Show an error as a notice. An ended session is not shown: the login form reports it.
export const showError = (error) => error.slug !== 'ended' && toast(error.detail ?? String(error.message ?? error), { isError: true, duration: ERROR_DURATION });

let announcements = [];

// Read `text` out without showing it. Simultaneous announcements are read one after the other.
export function announce(text) {
  if (announcements.push(text) > 1) return;
  queueMicrotask(() => {
    $('#announcer').replaceChildren(...announcements.map((one) => h('p', {}, one)));
    announcements = [];
  });
}
