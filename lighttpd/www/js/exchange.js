// exchange.js - a request with a body whose progress is told. XMLHttpRequest, for fetch tells nothing of
// how much has been sent.
import { Problem, problemOf, unreachable } from './http.js';

const STALLED = 45_000; // ms without a byte moving: the line is dead, though nobody has said so
const SLOW_END = 180_000; // ms for the answer once all bytes are gone: the server writes them out

export const aborted = () => new DOMException('aborted', 'AbortError');

// The browser says nothing of why a request failed, and it fails also when the file was changed or
// removed after it was chosen.
async function whyNot(body) {
  const readable = !body?.size || (await body.slice(0, 1).arrayBuffer().catch(() => undefined));
  return readable ? unreachable() : new Problem({ type: 'unreadable', detail: 'The file has changed or is gone. Choose it again.' });
}

// Gives {status, header(name), text} of an answer that is 2xx; else throws a Problem, or an AbortError when
// `signal` says so. `onprogress` is called with how many bytes of `body` have been sent.
export function exchange({ method, url, headers, body, signal, onprogress }) {
  return new Promise((done, fail) => {
    if (signal.aborted) return fail(aborted());
    const xhr = new XMLHttpRequest();
    let watch;
    const arm = (ms) => {
      clearTimeout(watch);
      watch = setTimeout(() => xhr.abort(), ms);
    };
    const stop = () => xhr.abort();
    const end = (settle) => {
      clearTimeout(watch);
      signal.removeEventListener('abort', stop);
      settle();
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      arm(loaded < body.size ? STALLED : SLOW_END);
      onprogress?.(loaded);
    };
    xhr.onload = () => end(() => {
      const header = (name) => xhr.getResponseHeader(name);
      if (xhr.status >= 200 && xhr.status < 300) done({ status: xhr.status, header, text: xhr.responseText });
      else fail(problemOf(xhr.status, xhr.responseText, header));
    });
    xhr.onerror = xhr.onabort = () => end(async () => fail(signal.aborted ? aborted() : await whyNot(body)));
    signal.addEventListener('abort', stop);
    arm(STALLED);
    xhr.send(body ?? null);
    return undefined;
  });
}
