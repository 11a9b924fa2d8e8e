// xhr.js - send a request with a body and report its progress. It uses XMLHttpRequest, because fetch does not
// report how much of a body has been sent.
import { Problem, connectionProblem, problemOf } from './http.js';

const STALL_TIMEOUT = 45_000; // ms without progress after which the connection counts as lost
const ANSWER_TIMEOUT = 180_000; // ms from the last byte to the answer: the server first writes the file to disk

export const abortError = () => new DOMException('aborted', 'AbortError');

// The browser does not report why a request failed. A file that was changed or removed after it was
// chosen cannot be read any more, so reading a byte tells the two cases apart.
async function problemWith(body) {
  const readable = !body?.size || (await body.slice(0, 1).arrayBuffer().catch(() => undefined));
  return readable ? connectionProblem() : new Problem({ type: 'unreadable', detail: 'The file was changed or removed. Choose it again.' });
}

// Returns {status, header(name), text} of a 2xx answer. Throws a Problem for every other answer, and an
// AbortError if `signal` is aborted. `onprogress` is called with the number of bytes of `body` sent so far.
export function xhrRequest({ method, url, headers, body, signal, onprogress }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError());
    const xhr = new XMLHttpRequest();
    let timer;
    const restartTimer = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), ms);
    };
    const abort = () => xhr.abort();
    const finish = (settle) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      settle();
    };
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      restartTimer(loaded < body.size ? STALL_TIMEOUT : ANSWER_TIMEOUT);
      onprogress?.(loaded);
    };
    xhr.onload = () => finish(() => {
      const header = (name) => xhr.getResponseHeader(name);
      if (xhr.status >= 200 && xhr.status < 300) resolve({ status: xhr.status, header, text: xhr.responseText });
      else reject(problemOf(xhr.status, xhr.responseText, header));
    });
    xhr.onerror = xhr.onabort = () => finish(async () => reject(signal.aborted ? abortError() : await problemWith(body)));
    signal.addEventListener('abort', abort);
    restartTimer(STALL_TIMEOUT);
    xhr.send(body ?? null);
    return undefined;
  });
}
