// main.js - opens the page: finds out who is there, and shows the rooms.
//
// The room is in the address (#files, #requests, #account), so that back and reload work.
import { showAccount } from './account.js';
import { $, $$, setText, whileBusy } from './dom.js';
import { clearFiles, openFiles } from './files.js';
import { hideGate, showGate } from './gate.js';
import { showRequests } from './requests.js';
import { currentUser, isLoggedIn, logOut, resume, session } from './session.js';
import { complain } from './toasts.js';
import './upload-list.js';
import { holdUploads, putUploadsAway, wakeUploads } from './uploads.js';

const AWAY = 4000; // ms before a server that could not be reached is asked again
const VIEWS = { files: 'Files', requests: 'Requests', account: 'Account' };

function showView({ focus = true } = {}) {
  const name = location.hash.slice(1) in VIEWS ? location.hash.slice(1) : 'files';
  for (const part of $$('#main > section')) part.hidden = part.dataset.view !== name;
  for (const link of $$('nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = name === 'files' ? 'Gatehouse' : `${VIEWS[name]} – Gatehouse`;
  if (name === 'requests') showRequests();
  if (name === 'account') showAccount();
  if (focus) {
    scrollTo(0, 0);
    $('#main').focus({ preventScroll: true });
  }
}

function state(name) {
  document.body.dataset.state = name;
  $('#house').hidden = name !== 'in';
  document.title = 'Gatehouse';
}

session.addEventListener('began', () => {
  const wasAtGate = !$('#gate').hidden;
  hideGate();
  state('in');
  $('#who').textContent = currentUser().email;
  openFiles();
  wakeUploads();
  showView({ focus: wasAtGate });
});

const closeDialogs = () => {
  for (const dialog of $$('dialog')) dialog.close();
};

session.addEventListener('ended', ({ detail: why }) => {
  closeDialogs();
  if (why) holdUploads();
  else putUploadsAway();
  clearFiles();
  for (const part of $$('#requests, #account, #who, #usage, #toasts')) part.replaceChildren(); // nothing of them is for the next
  state('out');
  showGate(why);
});

addEventListener('hashchange', () => {
  if (location.hash === '#main' || !currentUser()) return;
  closeDialogs(); // they belong to the room that is left
  showView();
});

$('#log-out').addEventListener('click', ({ currentTarget }) => whileBusy(currentTarget, () => logOut().catch(complain)));

// Whoever was logged in may be so still, once the server is back; until then the door is open, and nothing
// happens to who has begun to use it.
async function tryAgain() {
  if (isLoggedIn() || $('#gate [name=password]').value) return;
  try {
    if (!(await resume())) setText($('#gate-why'), '');
  } catch {
    setTimeout(tryAgain, AWAY);
  }
}

try {
  if (!(await resume())) throw undefined;
} catch (error) {
  state('out');
  showGate(error?.detail ?? '');
  if (error) setTimeout(tryAgain, AWAY);
}
