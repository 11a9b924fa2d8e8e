// toasts.js - short notices at the foot of the page, read out politely.
//
// A notice goes by itself after some seconds, but not while the pointer is over it or the focus in it. Of
// many the latest are seen (dialogs.css); the others are there as long.
import { h, $ } from './dom.js';

const STAY = 6000; // ms

// `action` is {label, run}: a button in the notice. `gone` is called once, when it leaves for whatever
// reason but its button. Gives {close}.
export function toast(text, { action, gone, stay = STAY, wrong = false } = {}) {
  const region = $('#toasts');
  let timer;
  const close = () => {
    clearTimeout(timer);
    if (!notice.isConnected) return false;
    notice.remove();
    return true;
  };
  const leave = () => {
    if (close()) gone?.();
  };
  const act = () => {
    if (close()) action.run();
  };
  const notice = h(`div.toast${wrong ? '.wrong' : ''}`, { role: 'group' },
    h('p', { dir: 'auto' }, text),
    action && h('button.link', { type: 'button', onclick: act }, action.label),
    h('button.icon', { type: 'button', ariaLabel: 'Dismiss', data: { icon: 'close' }, onclick: leave }));
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => (notice.matches(':hover, :focus-within') ? arm() : leave()), stay);
  };
  region.append(notice);
  arm();
  return { close, act };
}

// Not that the login has ended: the door says so.
export const complain = (error) => error.slug !== 'ended' && toast(error.detail ?? String(error.message ?? error), { wrong: true, stay: 10_000 });

let toSay = [];

// For what changes often or shows elsewhere on the page: heard, not seen. What is said at once is heard one
// after the other.
export function announce(text) {
  if (toSay.push(text) > 1) return;
  queueMicrotask(() => {
    $('#announcer').replaceChildren(...toSay.map((one) => h('p', {}, one)));
    toSay = [];
  });
}
