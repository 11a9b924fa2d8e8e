// frame.js - the frame of the page: its head, and the view that the hash of the address names.
//
// index.html loads this module before all others. For a user who was logged in, it shows the frame at once,
// without content and inert; main.js fills it when the session is resumed, or replaces it by the login form.
import { $, $$ } from './dom.js';
import { lastEmail } from './last-email.js';

const TITLES = { files: 'Files', 'upload-links': 'Upload links', account: 'Account' };
const OLD_NAMES = { requests: 'upload-links' }; // in addresses of earlier versions

// Show the part of the page for the current address. Returns the name of the view.
export function showViewOfAddress() {
  const hash = location.hash.slice(1);
  const name = OLD_NAMES[hash] ?? (hash in TITLES ? hash : 'files');
  for (const view of $$('#main > section')) view.hidden = view.dataset.view !== name;
  for (const link of $$('nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = name === 'files' ? 'Gatehouse' : `${TITLES[name]} – Gatehouse`;
  return name;
}

export function showFrame(email) {
  $('#user-email').textContent = email;
  $('#app').hidden = false;
}

export const hideFrame = () => {
  $('#app').hidden = true;
};

// An inert part of the page takes no click and no focus, and a screen reader passes over it.
export const setFrameReady = (ready) => {
  $('#app').inert = !ready;
};

if (lastEmail()) {
  setFrameReady(false);
  showFrame(lastEmail());
  showViewOfAddress();
}
