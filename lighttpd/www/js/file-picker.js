// file-picker.js - the files that a user drops, pastes or chooses, including those in folders.
//
// Each file is {file, handle}. `handle` (a FileSystemFileHandle, where the browser has them) opens the same
// file again after a reload. A file that cannot be read is {unreadable: name}. Files that an operating
// system leaves in every folder are left out.

const SYSTEM_FILE = /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

// The files of a DataTransfer. Its items are valid during the event only, so all of them are read before
// the first await.
export function filesOfTransfer(transfer) {
  const items = [...transfer.items].filter((item) => item.kind === 'file');
  const sources = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => undefined),
    entry: item.webkitGetAsEntry?.(),
    file: item.getAsFile(),
  }));
  return collect(sources);
}

async function collect(sources) {
  const found = [];
  for (const { handle: promise, entry, file } of sources) {
    const handle = await promise;
    if (handle) await orUnreadable(walkHandle(handle, found, true), handle, found);
    else if (entry) await orUnreadable(walkEntry(entry, found, true), entry, found);
    else if (file) found.push({ file });
  }
  return found;
}

const orUnreadable = (walk, { name }, found) => walk.catch(() => found.push({ unreadable: name }));

async function walkHandle(handle, found, chosen = false) {
  if (handle.kind === 'directory') {
    for await (const child of handle.values()) await orUnreadable(walkHandle(child, found), child, found);
  } else if (chosen || !SYSTEM_FILE.test(handle.name)) {
    found.push({ file: await handle.getFile(), handle });
  }
}

const promiseOf = (object, method) => new Promise((resolve, reject) => object[method](resolve, reject));

async function walkEntry(entry, found, chosen = false) {
  if (entry.isFile) {
    if (chosen || !SYSTEM_FILE.test(entry.name)) found.push({ file: await promiseOf(entry, 'file') });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const children = await promiseOf(reader, 'readEntries'); // at most a hundred; none at the end
    if (!children.length) return;
    for (const child of children) await orUnreadable(walkEntry(child, found), child, found);
  }
}

// The files of an <input type="file">.
export const filesOfInput = (input) => [...input.files].filter((file) => !file.webkitRelativePath || !SYSTEM_FILE.test(file.name)).map((file) => ({ file }));

// Open the browser's file picker. Returns undefined if the browser supports only <input type=file>, and []
// if the user cancels.
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
  for (const handle of handles) await orUnreadable(walkHandle(handle, found, true), handle, found);
  return found;
}

// Accept files dropped on `target`. `onfiles` is called with a promise of the files, `onhover` with
// whether files are being dragged over `target`.
export function acceptDroppedFiles(target, { onfiles, onhover }) {
  // dragenter and dragleave fire for every element inside, but dragleave does not for an element that was removed.
  const hovered = new Set();
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  const reportHover = () => {
    for (const element of hovered) if (!element.isConnected) hovered.delete(element);
    onhover(hovered.size > 0);
  };
  target.addEventListener('dragenter', (event) => {
    if (!hasFiles(event)) return;
    hovered.add(event.target);
    reportHover();
  });
  target.addEventListener('dragleave', (event) => {
    if (!hasFiles(event)) return;
    hovered.delete(event.target);
    reportHover();
  });
  target.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
  });
  target.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    hovered.clear();
    reportHover();
    onfiles(filesOfTransfer(event.dataTransfer));
  });
}
