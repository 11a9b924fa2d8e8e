// upload-store.js - records of unfinished uploads in IndexedDB, so that an upload resumes after a reload.
//
// A record is {url, owner, name, size, modified, handle}. With `handle` (a FileSystemFileHandle, where the
// browser has them) the page opens the file again. Without it the user chooses the file again, and the
// page recognises it by name, size and time of change. Where IndexedDB is unavailable (a private window)
// an upload lasts as long as its page.
//
// Versions of the page share the names of database, store and lock: renaming one loses unfinished uploads.

const DATABASE = 'gatehouse';
const STORE = 'uploads';

const resultOf = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

let opened;
function database() {
  opened ??= (() => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'url' });
    return resultOf(request);
  })();
  return opened;
}

async function withStore(mode, work) {
  try {
    const store = (await database()).transaction(STORE, mode).objectStore(STORE);
    return await resultOf(work(store));
  } catch {
    return undefined;
  }
}

export const saveUpload = (record) => withStore('readwrite', (store) => store.put(record));
export const deleteUpload = (url) => withStore('readwrite', (store) => store.delete(url));
export const savedUploads = async (owner) => ((await withStore('readonly', (store) => store.getAll())) ?? []).filter((record) => record.owner === owner);

// Whether `file` is the file of a record.
export const isSameFile = (record, file) => record.name === file.name && record.size === file.size && record.modified === file.lastModified;

// Lock an upload, so that one tab at a time sends it. Returns the function that unlocks it, or undefined if
// another tab has the lock.
export function lockUpload(url) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    navigator.locks.request(`${DATABASE} ${url}`, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(undefined);
      return new Promise((unlock) => resolve(unlock));
    });
  });
}
