// download.js - download a file of any size to the disk, without reading it into the page.
//
// A plain link cannot carry the access token. The page creates a share link for one download within an hour
// (within which an interrupted download can be resumed), and opens it. Download links that are used up or expired
// are revoked when the next one is created.
import { api } from './api.js';
import { h } from './dom.js';
import { address } from './http.js';
import { announce, showError } from './toasts.js';

const LIFETIME = 3600; // seconds
const LINKS_KEY = 'gatehouse-downloads'; // in localStorage: [{id, ends}]; the ids are not secret
const MAX_LINKS = 200;

function readLinks() {
  try {
    return JSON.parse(localStorage.getItem(LINKS_KEY)) ?? [];
  } catch {
    return [];
  }
}

function writeLinks(links) {
  try {
    localStorage.setItem(LINKS_KEY, JSON.stringify(links.slice(-MAX_LINKS)));
  } catch {
    // Storage is forbidden: gateway-admin gc removes the links later.
  }
}

// The ids of the download links of this browser, which a list of share links leaves out.
export const downloadLinkIds = () => new Set(readLinks().map((link) => link.id));

export async function download(file) {
  try {
    const link = await createLink(file);
    writeLinks([...readLinks(), { id: link.id, ends: Date.now() + LIFETIME * 1000 }]);
    const anchor = h('a', { href: `${address(link.url)}?download=1`, download: file.name });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    announce(`Downloading ${file.name}`);
    revokeExpiredLinks();
  } catch (error) {
    showError(error);
  }
}

async function createLink(file) {
  const create = () => api('POST', `/files/${file.id}/links`, { json: { expires_in: LIFETIME, max_downloads: 1 } });
  try {
    return await create();
  } catch (error) {
    // 409: the file has the maximum of links. Revoke those that no longer work and retry.
    if (error.status !== 409 || !(await revokeUsedLinks(file))) throw error;
    return create();
  }
}

// Whether a link no longer works: expired, or downloaded as often as allowed.
export const isUsedUp = (link) =>
  (link.expires_at && new Date(link.expires_at) <= new Date()) || (link.max_downloads !== null && link.downloads >= link.max_downloads);

async function revokeUsedLinks(file) {
  const { links } = await api('GET', `/files/${file.id}/links`);
  const used = links.filter(isUsedUp);
  for (const link of used) await api('DELETE', `/links/${link.id}`);
  return used.length > 0;
}

async function revokeExpiredLinks() {
  const expired = readLinks().filter((link) => link.ends < Date.now());
  for (const { id } of expired) await api('DELETE', `/links/${id}`).catch(() => {});
  const ids = new Set(expired.map((link) => link.id));
  writeLinks(readLinks().filter((link) => !ids.has(link.id)));
}
