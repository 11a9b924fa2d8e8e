// kept-uploads.js - uploads that are under way, written down so that a reload or a closed laptop ends none.
//
// In IndexedDB: {url, owner, name, size, modified, handle}. Where the browser has handles of files, the
// file itself can be opened again; elsewhere it has to be chosen again, and is known by its name, size and
// time of change. Where nothing can be kept (a private window), an upload lives as long as its page.

const STORE = 'uploads';

const promised = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

let opened;
function database() {
  opened ??= (() => {
    const request = indexedDB.open('gatehouse', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'url' });
    return promised(request);
  })();
  return opened;
}

async function within(mode, work) {
  try {
    const store = (await database()).transaction(STORE, mode).objectStore(STORE);
    return await promised(work(store));
  } catch {
    return undefined;
  }
}

export const keep = (record) => within('readwrite', (store) => store.put(record));
export const forget = (url) => within('readwrite', (store) => store.delete(url));
export const keptOf = async (owner) => ((await within('readonly', (store) => store.getAll())) ?? []).filter((record) => record.owner === owner);

// Whether `file` is the one of a record.
export const isSame = (record, file) => record.name === file.name && record.size === file.size && record.modified === file.lastModified;

// One tab at a time works on an upload. Gives a function that lets go, or undefined if another has it.
export function hold(url) {
  if (!navigator.locks) return Promise.resolve(() => {});
  return new Promise((done) => {
    navigator.locks.request(`gatehouse ${url}`, { ifAvailable: true }, (lock) => {
      if (!lock) return done(undefined);
      return new Promise((release) => done(release));
    });
  });
}
