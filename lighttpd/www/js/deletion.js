// deletion.js - delete files with undo: a file is hidden at once, and deleted when the time to undo has passed.
//
// The server deletes for good, so the request is sent only then, or when the page is closed (with
// `keepalive`, so that the request outlives the page). A page that crashes has deleted nothing.
import { api } from './api.js';
import { send } from './http.js';
import { currentToken, session } from './session.js';
import { announce, showError, toast } from './toasts.js';
import { showUsage } from './usage.js';

const UNDO_TIME = 8000; // ms

const pending = new Map(); // id -> {file, restore, notice}

export const isDeletionPending = (id) => pending.has(id);

// `hide` hides the file and returns the function that shows it again.
export function deleteWithUndo(file, hide) {
  if (pending.has(file.id)) return;
  const entry = { file };
  pending.set(file.id, entry); // before `hide`: a list that is loaded in between must omit the file
  entry.restore = hide();
  entry.notice = toast(`Deleted ${file.name}`, { duration: UNDO_TIME, onclose: () => deleteNow(file.id), action: { label: 'Undo', run: () => undo(file.id) } });
  announce(`Deleted ${file.name}. Press Control Z to undo.`);
}

function undo(id) {
  const entry = pending.get(id);
  if (!entry) return;
  pending.delete(id);
  entry.restore();
  announce(`Restored ${entry.file.name}`);
}

async function deleteNow(id) {
  const entry = pending.get(id);
  try {
    await api('DELETE', `/files/${id}`);
  } catch (error) {
    if (error.status !== 404) {
      pending.delete(id);
      entry.restore();
      showError(error);
      return;
    }
  }
  pending.delete(id);
  showUsage();
}

addEventListener('keydown', (event) => {
  if (event.key !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.target.matches('input:not([readonly])')) return;
  const last = [...pending.values()].at(-1);
  if (!last) return;
  event.preventDefault();
  last.notice.act();
});

// The page is closed: there is no time left to undo. The list is right even if the browser shows the page
// again from its cache.
function deleteAllNow() {
  for (const { file, notice } of pending.values()) {
    notice.close();
    send('DELETE', `/files/${file.id}`, { headers: { Authorization: `Bearer ${currentToken()}` }, keepalive: true }).catch(() => {});
  }
  pending.clear();
}
addEventListener('pagehide', deleteAllNow);
session.addEventListener('ended', () => {
  for (const { notice } of pending.values()) notice.close();
  pending.clear();
});
