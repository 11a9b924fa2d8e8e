// download.js - a file to the reader's disk, however large, without passing through this page.
//
// A link cannot carry the access token, so the page makes a share link that is good for one download
// within the hour (which is also how long a download that was cut off may be resumed), and goes there.
// Links of this kind that are used up or too old are taken back when the next is made.
import { api } from './api.js';
import { h } from './dom.js';
import { address } from './http.js';
import { announce, complain } from './toasts.js';

const LIFE = 3600; // seconds
const KEY = 'gatehouse-downloads'; // [{id, ends}]; ids are no secrets

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function write(links) {
  try {
    localStorage.setItem(KEY, JSON.stringify(links.slice(-200)));
  } catch {
    // Then they lie there until they are swept.
  }
}

// The ids of links that are this page's own, for lists that need not show them.
export const ownLinks = () => new Set(read().map((link) => link.id));

export async function download(file) {
  try {
    const link = await newLink(file);
    write([...read(), { id: link.id, ends: Date.now() + LIFE * 1000 }]);
    const anchor = h('a', { href: address(link.url), download: file.name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    announce(`Downloading ${file.name}`);
    sweep();
  } catch (error) {
    complain(error);
  }
}

async function newLink(file) {
  const make = () => api('POST', `/files/${file.id}/links`, { json: { expires_in: LIFE, max_downloads: 1 } });
  try {
    return await make();
  } catch (error) {
    // As many as a file may have: those that are of no use any more make room.
    if (error.status !== 409 || !(await revokeDead(file))) throw error;
    return make();
  }
}

export const isDead = (link) =>
  (link.expires_at && new Date(link.expires_at) <= new Date()) || (link.max_downloads !== null && link.downloads >= link.max_downloads);

async function revokeDead(file) {
  const { links } = await api('GET', `/files/${file.id}/links`);
  const dead = links.filter(isDead);
  for (const link of dead) await api('DELETE', `/links/${link.id}`);
  return dead.length > 0;
}

async function sweep() {
  const old = read().filter((link) => link.ends < Date.now());
  for (const { id } of old) await api('DELETE', `/links/${id}`).catch(() => {});
  const gone = new Set(old.map((link) => link.id));
  write(read().filter((link) => !gone.has(link.id)));
}
