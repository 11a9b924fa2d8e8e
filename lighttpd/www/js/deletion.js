// deletion.js - files that are being deleted: out of sight at once, gone when the time to undo is over.
//
// The server deletes for good, so it is asked only then; and when the page is left, with requests that
// outlive it. Until then nothing has happened, and a page that crashes has deleted nothing.
import { api } from './api.js';
import { send } from './http.js';
import { session, tokenAtHand } from './session.js';
import { announce, complain, toast } from './toasts.js';
import { showUsage } from './usage.js';

const UNDO = 8000; // ms

const pending = new Map(); // id -> {file, back, notice}

export const isBeingDeleted = (id) => pending.has(id);

// `hide` takes the file out of sight, and gives what brings it back.
export function beginDeletion(file, hide) {
  if (pending.has(file.id)) return;
  const entry = { file };
  pending.set(file.id, entry); // before the row goes: a list that comes now must leave it out
  entry.back = hide();
  entry.notice = toast(`Deleted ${file.name}`, { stay: UNDO, gone: () => finish(file.id), action: { label: 'Undo', run: () => undo(file.id) } });
  announce(`Deleted ${file.name}. Control Z brings it back.`);
}

function undo(id) {
  const entry = pending.get(id);
  if (!entry) return;
  pending.delete(id);
  entry.back();
  announce(`${entry.file.name} is back`);
}

async function finish(id) {
  const entry = pending.get(id);
  try {
    await api('DELETE', `/files/${id}`);
  } catch (error) {
    if (error.status !== 404) {
      pending.delete(id);
      entry.back();
      complain(error);
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

// Whoever leaves has made up their mind. A page that only goes to sleep may come back: then the list
// is right already.
function finishAll() {
  for (const { file, notice } of pending.values()) {
    notice.close();
    send('DELETE', `/files/${file.id}`, { headers: { Authorization: `Bearer ${tokenAtHand()}` }, keepalive: true }).catch(() => {});
  }
  pending.clear();
}
addEventListener('pagehide', finishAll);
session.addEventListener('ended', () => {
  for (const { notice } of pending.values()) notice.close();
  pending.clear();
});
