// main.js - start the page: resume the session or show the login form, and switch between the views.
//
// The hash of the address names the view (#files, #upload-links, #account), so that "back" and reload work.
import { showAccount } from './account.js';
import { $, $$, setText, whileBusy } from './dom.js';
import { clearFiles, loadFiles } from './files.js';
import { hideFrame, setFrameReady, showFrame, showViewOfAddress } from './frame.js';
import { hideLoginForm, showLoginForm } from './login-form.js';
import { currentUser, isLoggedIn, logOut, resumeSession, session } from './session.js';
import { showError } from './toasts.js';
import { showUploadLinks } from './upload-links.js';
import './upload-list.js';
import { clearUploads, resumeUploads, suspendUploads } from './uploads.js';

const RETRY_DELAY = 4000; // ms until an unavailable server is asked again

function showView({ focus = true } = {}) {
  const name = showViewOfAddress();
  if (name === 'upload-links') showUploadLinks();
  if (name === 'account') showAccount();
  if (focus) {
    scrollTo(0, 0);
    $('#main').focus({ preventScroll: true });
  }
}

session.addEventListener('began', () => {
  const wasLoggedOut = !$('#login-page').hidden;
  hideLoginForm();
  showFrame(currentUser().email);
  setFrameReady(true);
  loadFiles();
  resumeUploads();
  showView({ focus: wasLoggedOut });
});

const closeDialogs = () => {
  for (const dialog of $$('dialog')) dialog.close();
};

function showLogin(reason) {
  hideFrame();
  document.title = 'Gatehouse';
  showLoginForm(reason);
}

session.addEventListener('ended', ({ detail: reason }) => {
  closeDialogs();
  if (reason) suspendUploads();
  else clearUploads();
  clearFiles();
  for (const part of $$('#upload-links, #account, #user-email, #usage, #toasts')) part.replaceChildren(); // the next user must not see them
  showLogin(reason);
});

addEventListener('hashchange', () => {
  if (location.hash === '#main' || !currentUser()) return;
  closeDialogs(); // they belong to the view that was left
  showView();
});

// The server was unavailable when the page was opened: resume the session when it is available, unless the
// user has begun to log in.
async function retryResume() {
  if (isLoggedIn() || $('#login-page [name=password]').value) return;
  try {
    if (!(await resumeSession())) setText($('#login-reason'), '');
  } catch {
    setTimeout(retryResume, RETRY_DELAY);
  }
}

async function resumeOrShowLogin() {
  try {
    if (!(await resumeSession())) showLogin('');
  } catch (error) {
    showLogin(error.detail ?? '');
    setTimeout(retryResume, RETRY_DELAY);
  }
}
const resumed = resumeOrShowLogin();

// The frame is visible before the session is resumed.
$('#log-out').addEventListener('click', ({ currentTarget }) => whileBusy(currentTarget, () => resumed.then(() => logOut()).catch(showError)));
