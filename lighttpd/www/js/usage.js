// usage.js - how much space the user's files take, and how much they may take.
import { api } from './api.js';
import { $, h } from './dom.js';
import { count, size } from './format.js';

const NEARLY_FULL = 0.9; // from this share on the bar is red

let loading = false;
let outdated = false;

// Load and show the usage. Calls while a request runs lead to one more request.
export async function showUsage() {
  outdated = true;
  if (loading) return;
  loading = true;
  try {
    while (outdated) {
      outdated = false;
      draw(await api('GET', '/usage'));
    }
  } catch {
    $('#usage').replaceChildren(); // the list of files reports the error
  } finally {
    loading = false;
  }
}

function draw({ bytes, files, unfinished_bytes: unfinishedBytes, unfinished_files: unfinished, quota_bytes: maxBytes, quota_files: maxFiles }) {
  const used = `${count(files - unfinished, 'file')}, ${size(bytes - unfinishedBytes)}${unfinished ? `, and ${count(unfinished, 'unfinished upload')}, ${size(unfinishedBytes)}` : ''}`;
  // The bar shows the limit that is nearer.
  const shares = [maxBytes && bytes / maxBytes, maxFiles && files / maxFiles].filter((share) => share !== null);
  const limits = [maxBytes && size(maxBytes), maxFiles && count(maxFiles, 'file')].filter(Boolean).join(' and ');
  const share = Math.min(1, Math.max(...shares));
  $('#usage').replaceChildren(
    h('p', {}, h('span', {}, used), limits && h('span', {}, `of ${limits}`)),
    ...(limits ? [h(`progress${share >= NEARLY_FULL ? '.full' : ''}`, { value: share, max: 1, ariaLabel: `Space used: ${used} of ${limits}` })] : []));
}
