// dropped.js - the files of a drop, a paste or a picker, those in folders too.
//
// Each is {file, handle}: the handle, where the browser gives one, opens the same file again after a
// reload. What the system leaves in every folder is left out.

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
    if (known) await walkHandle(known, found, true);
    else if (entry) await walkEntry(entry, found, true);
    else if (file) found.push({ file });
  }
  return found;
}

async function walkHandle(handle, found, chosen = false) {
  if (handle.kind === 'directory') {
    for await (const child of handle.values()) await walkHandle(child, found);
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
    for (const child of some) await walkEntry(child, found);
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
  return Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), handle })));
}

// Where something is dropped: `onfiles` gets the promise of its files, `onover` whether something hangs over it.
export function acceptDrops(target, { onfiles, onover }) {
  let depth = 0; // dragenter and dragleave come for every element inside
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  const set = (n) => {
    depth = Math.max(0, n);
    onover(depth > 0);
  };
  target.addEventListener('dragenter', (event) => hasFiles(event) && set(depth + 1));
  target.addEventListener('dragleave', (event) => hasFiles(event) && set(depth - 1));
  target.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  target.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    set(0);
    onfiles(filesOf(event.dataTransfer));
  });
}
