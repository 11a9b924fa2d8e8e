// tus.js - one file to the server by tus 1.0.0 (creation, core), however often the line breaks.
//
// The server keeps what has arrived. After anything that leaves its offset unknown (a lost answer, a
// refused one) the client asks by HEAD and goes on from there, so every byte is kept once. The upload is
// made without bytes, before the first of them: then its address is known whatever happens after, and
// no file can come to be there twice.
//
// Sent in pieces, of which a web server that takes bodies in whole loses one at the most.
import { aborted, exchange } from './exchange.js';

const PIECE = 64 << 20; // bytes
const WAITS = [500, 1000, 2000, 5000, 10_000, 30_000]; // ms before the next attempt

// Wait before attempt number `n`; no longer once the machine is back on the network.
function backOff(n, signal) {
  return new Promise((done, fail) => {
    const ms = WAITS[Math.min(n, WAITS.length - 1)] * (0.75 + Math.random() / 2);
    const end = (settle) => () => {
      clearTimeout(timer);
      removeEventListener('online', online);
      signal.removeEventListener('abort', stop);
      settle();
    };
    const online = end(done);
    const stop = end(() => fail(aborted()));
    const timer = setTimeout(online, ms);
    addEventListener('online', online);
    signal.addEventListener('abort', stop);
  });
}

// Worth another attempt: no answer, a busy or restarting server, an upload that another request holds.
const isPassing = (error) => error.offline || [408, 409, 423, 429, 460, 500, 502, 503, 504].includes(error.status);

const metadata = (values) => Object.entries(values)
  .filter(([, value]) => value !== undefined && value !== null && value !== '')
  .map(([key, value]) => `${key} ${btoa(String.fromCharCode(...new TextEncoder().encode(String(value))))}`).join(',');

// Send `file`; gives the address of the upload when the server has all of it.
//
//   endpoint    where uploads are made
//   url         that of an upload that was begun earlier, or undefined
//   values      what the server should know of it: filename, filetype, …
//   authorize   gives the access token; called with one that was refused, another
//   oncreated   called with the address of the upload as soon as it is known
//   onprogress  called with how many bytes are there
//   onwait      called with the Problem when a pause begins, with undefined when it is over
//   signal      aborts: the upload stays on the server
//
// Throws the Problem that no further attempt could mend; 404 if the upload is no more.
export async function upload({ endpoint, url, file, values, authorize, oncreated, onprogress, onwait, signal }) {
  let offset; // undefined: ask
  let there = 0; // what is known to have arrived
  let attempts = 0; // since more of it did

  const request = async (method, to, headers, body, onsent, refused) => {
    const token = await authorize(refused);
    try {
      return await exchange({
        method, url: to, body, signal, onprogress: onsent,
        headers: { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${token}`, ...headers },
      });
    } catch (error) {
      if (error.status !== 401 || refused) throw error;
      return request(method, to, headers, body, onsent, token);
    }
  };

  const create = async () => {
    const answer = await request('POST', endpoint, { 'Upload-Length': String(file.size), 'Upload-Metadata': metadata(values) });
    url = new URL(answer.header('Location').split('/').at(-1), endpoint).href;
    offset = 0;
    oncreated?.(url);
  };

  const arrived = (answer) => {
    offset = Number(answer.header('Upload-Offset'));
    if (offset > there) attempts = 0;
    there = offset;
    onprogress?.(offset);
  };

  const ask = async () => arrived(await request('HEAD', url, {}));

  const sendPiece = async () => {
    const begin = offset;
    offset = undefined; // until the server has said so
    const body = file.slice(begin, begin + PIECE);
    arrived(await request('PATCH', url, { 'Upload-Offset': String(begin), 'Content-Type': 'application/offset+octet-stream' },
      body, (sent) => onprogress?.(begin + sent)));
  };

  for (;;) {
    try {
      if (!url) await create();
      if (offset === undefined) await ask();
      onwait?.(undefined);
      if (offset >= file.size) return url;
      await sendPiece();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      onwait?.(error);
      await backOff(attempts++, signal);
    }
  }
}

// Give an upload up: the server forgets it.
export async function terminate({ url, token }) {
  await exchange({ method: 'DELETE', url, headers: { 'Tus-Resumable': '1.0.0', Authorization: `Bearer ${token}` }, signal: new AbortController().signal });
}
