// usage.js - how much somebody keeps, and may keep.
import { api } from './api.js';
import { $, h } from './dom.js';
import { count, size } from './format.js';

const FULL = 0.9; // from here on the bar warns

let asking = false;
let again = false;

// Ask and show. Many calls at once are two questions at the most.
export async function showUsage() {
  again = true;
  if (asking) return;
  asking = true;
  try {
    while (again) {
      again = false;
      show(await api('GET', '/usage'));
    }
  } catch {
    $('#usage').replaceChildren(); // the list says what is wrong
  } finally {
    asking = false;
  }
}

function show({ bytes, files, quota_bytes: room, quota_files: places }) {
  const kept = `${count(files, 'file')}, ${size(bytes)}`;
  // The limit that is nearer is the one to show.
  const shares = [room && bytes / room, places && files / places].filter((share) => share !== null);
  const limits = [room && size(room), places && count(places, 'file')].filter(Boolean).join(' and ');
  const share = Math.min(1, Math.max(...shares));
  $('#usage').replaceChildren(
    h('p', {}, h('span', {}, kept), limits && h('span', {}, `of ${limits}`)),
    ...(limits ? [h(`progress${share >= FULL ? '.full' : ''}`, { value: share, max: 1, ariaLabel: `Space used: ${kept} of ${limits}` })] : []));
}
