// dropped.js - the files of a drop, a paste or a picker, those in folders too.
//
// Each is {file, handle}: the handle, where the browser gives one, opens the same file again after a
// reload. What the system leaves in every folder is left out. What cannot be read is {unreadable: its name}.

const LITTER = /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

// The items are gone once the event is over, so everything is asked of them before the first await.
export function filesOf(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const asked = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => undefined),
    entry: item.webkitGetAsEntry?.(),
    file: item.getAsFile(),
  }));
  return collect(asked);
}

async function collect(asked) {
  const found = [];
  for (const { handle, entry, file } of asked) {
    const known = await handle;
    if (known) await orSaid(walkHandle(known, found, true), known, found);
    else if (entry) await orSaid(walkEntry(entry, found, true), entry, found);
    else if (file) found.push({ file });
  }
  return found;
}

const orSaid = (walk, { name }, found) => walk.catch(() => found.push({ unreadable: name }));

async function walkHandle(handle, found, chosen = false) {
  if (handle.kind === 'directory') {
    for await (const child of handle.values()) await orSaid(walkHandle(child, found), child, found);
  } else if (chosen || !LITTER.test(handle.name)) {
    found.push({ file: await handle.getFile(), handle });
  }
}

const called = (object, method) => new Promise((done, fail) => object[method](done, fail));

async function walkEntry(entry, found, chosen = false) {
  if (entry.isFile) {
    if (chosen || !LITTER.test(entry.name)) found.push({ file: await called(entry, 'file') });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await called(reader, 'readEntries'); // a hundred at a time, then none
    if (!some.length) return;
    for (const child of some) await orSaid(walkEntry(child, found), child, found);
  }
}

// Of an <input type="file">.
export const filesOfInput = (input) => [...input.files].filter((file) => !file.webkitRelativePath || !LITTER.test(file.name)).map((file) => ({ file }));

// Let the reader choose files; undefined where the browser has only <input>, [] if they think better of it.
export async function pickFiles() {
  if (!globalThis.showOpenFilePicker) return undefined;
  let handles;
  try {
    handles = await showOpenFilePicker({ multiple: true });
  } catch (error) {
    if (error.name === 'AbortError') return [];
    return undefined;
  }
  const found = [];
  for (const handle of handles) await orSaid(walkHandle(handle, found, true), handle, found);
  return found;
}

// Where something is dropped: `onfiles` gets the promise of its files, `onover` whether something hangs over it.
export function acceptDrops(target, { onfiles, onover }) {
  // dragenter and dragleave come for every element inside, but the latter not for one that was taken away
  const under = new Set();
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  const look = () => {
    for (const element of under) if (!element.isConnected) under.delete(element);
    onover(under.size > 0);
  };
  target.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    under.add(event.target);
    look();
  });
  target.addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    under.delete(event.target);
    look();
  });
  target.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  target.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    under.clear();
    look();
    onfiles(filesOf(event.dataTransfer));
  });
}
