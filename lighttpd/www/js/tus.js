// tus.js - upload one file by tus 1.0.0 (core, creation), and resume after every lost connection.
//
// The server stores each byte that arrives. Whenever the offset is unknown (a lost answer, a refused
// request) the client asks for it by HEAD and resumes from there, so no byte is stored twice. The upload is
// created empty: its address is known before the first byte is sent, so a lost answer cannot lead to a
// second file.
//
// The file is sent in pieces: a web server that buffers whole request bodies loses at most one piece.
import { abortError, xhrRequest } from './xhr.js';

const PIECE_SIZE = 64 << 20; // bytes
const RETRY_DELAYS = [500, 1000, 2000, 5000, 10_000, 30_000]; // ms

// Wait before retry number `n`, or until the browser is online again.
function backOff(n, signal) {
  return new Promise((resolve, reject) => {
    const ms = RETRY_DELAYS[Math.min(n, RETRY_DELAYS.length - 1)] * (0.75 + Math.random() / 2);
    const finish = (settle) => () => {
      clearTimeout(timer);
      removeEventListener('online', online);
      signal.removeEventListener('abort', abort);
      settle();
    };
    const online = finish(resolve);
    const abort = finish(() => reject(abortError()));
    const timer = setTimeout(online, ms);
    addEventListener('online', online);
    signal.addEventListener('abort', abort);
  });
}

// A retry may succeed: no answer, a busy or restarting server, an upload locked by another request.
const isTransient = (error) => error.offline || [408, 409, 423, 429, 460, 500, 502, 503, 504].includes(error.status);

const uploadMetadata = (values) => Object.entries(values)
  .filter(([, value]) => value !== undefined && value !== null && value !== '')
  .map(([key, value]) => `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(String(value))))}`).join(',');

// Upload `file`. Returns the address of the upload when the server has the whole file.
//
//   endpoint    the address at which uploads are created
//   url         the address of an unfinished upload to resume, or undefined
//   metadata    {filename, filetype, …} for Upload-Metadata
//   authorize   returns the access token; if called with a refused token, returns another
//   oncreated   called with the address of the new upload
//   onprogress  called with the number of bytes that the server has or that have been sent
//   onretry     called with the Problem when a wait begins, and with undefined when sending resumes
//   signal      aborts the transfer; the upload stays on the server
//
// Throws a Problem that no retry can solve; its status is 404 if the upload no longer exists.
export async function upload({ endpoint, url, file, metadata, authorize, oncreated, onprogress, onretry, signal }) {
  let offset; // undefined: unknown, ask the server
  let confirmed = 0; // bytes that the server has confirmed
  let retries = 0; // since `confirmed` last grew

  const request = async (method, to, headers, body, onsent, refusedToken) => {
    const token = await authorize(refusedToken);
    try {
      return await xhrRequest({
        method, url: to, body, signal, onprogress: onsent,
        headers: { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${token}`, ...headers },
      });
    } catch (error) {
      if (error.status !== 401 || refusedToken) throw error;
      return request(method, to, headers, body, onsent, token);
    }
  };

  const create = async () => {
    const answer = await request('POST', endpoint, { 'Upload-Length': String(file.size), 'Upload-Metadata': uploadMetadata(metadata) });
    url = new URL(answer.header('Location').split('/').at(-1), endpoint).href;
    offset = 0;
    oncreated?.(url);
  };

  const readOffset = (answer) => {
    offset = Number(answer.header('Upload-Offset'));
    if (offset > confirmed) retries = 0;
    confirmed = offset;
    onprogress?.(offset);
  };

  const requestOffset = async () => readOffset(await request('HEAD', url, {}));

  const sendPiece = async () => {
    const start = offset;
    offset = undefined; // until the answer has arrived
    const body = file.slice(start, start + PIECE_SIZE);
    readOffset(await request('PATCH', url, { 'Upload-Offset': String(start), 'Content-Type': 'application/offset+octet-stream' },
      body, (sent) => onprogress?.(start + sent)));
  };

  for (;;) {
    try {
      if (!url) await create();
      if (offset === undefined) await requestOffset();
      onretry?.(undefined);
      if (offset >= file.size) return url;
      await sendPiece();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      onretry?.(error);
      await backOff(retries++, signal);
    }
  }
}

// Delete an unfinished upload on the server.
export async function terminate({ url, token }) {
  await xhrRequest({ method: 'DELETE', url, headers: { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${token}` }, signal: new AbortController().signal });
}
