// http.js - one request to Gatehouse, and its answer or its problem.
//
// Every address is relative to the page, so the page works wherever it lies. Where the programs
// lie elsewhere (plain CGI without rewriting), data-auth and data-files of <html> say so.
//
// An answer that is not 2xx is thrown as a Problem, whose `detail` is a sentence for a person; so is
// a request that got no answer (`offline`). No cookie is sent or taken unless asked for.

const { auth = './', files = './' } = document.documentElement.dataset;
const roots = { auth: new URL(auth, document.baseURI), files: new URL(files, document.baseURI) };

const AUTH = /^\/(login|refresh|logout|me|password|tokens|sessions|otp)\b/;

// The address of a path of the API. Paths in answers ("/s/…") may have a prefix of the server's own,
// which the root has already.
export function address(path) {
  return new URL(path.replace(/^\//, ''), AUTH.test(path) ? roots.auth : roots.files).href;
}

export class Problem extends Error {
  constructor({ status = 0, type = '', detail, retryAfter = 0 }) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.slug = type.replace('urn:gatehouse:', '');
    this.detail = detail;
    this.retryAfter = retryAfter; // seconds
  }

  get offline() {
    return this.status === 0 && !this.slug;
  }
}

export const unreachable = () => new Problem({ detail: 'Gatehouse cannot be reached. Check the connection and try again.' });

const SORRY = {
  413: 'That is larger than this server takes.',
  502: 'The server is starting. Try again in a moment.',
  503: 'The server is busy or starting. Try again in a moment.',
};

// The problem in an answer: `text` is its body, `header(name)` its headers.
export function problemOf(status, text, header) {
  let said = {};
  try {
    said = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page; its status has to do.
  }
  const detail = typeof said.detail === 'string' ? said.detail : SORRY[status] ?? `The server answered ${status}. Try again, or tell whoever runs it.`;
  return new Problem({ status, type: String(said.type ?? ''), detail, retryAfter: Number(header('Retry-After')) || 0 });
}

// `json` is a value to send. Gives the JSON of the answer, undefined for one without a body, or with
// `raw` the Response itself.
export async function send(method, path, { headers = {}, json, credentials = 'omit', raw = false, keepalive = false, signal } = {}) {
  const body = json === undefined ? undefined : JSON.stringify(json);
  if (body !== undefined) headers = { ...headers, 'Content-Type': 'application/json' };
  let response;
  try {
    response = await fetch(address(path), { method, headers, body, credentials, keepalive, signal, cache: 'no-store' });
    if (response.ok && raw) return response;
    const text = await response.text();
    if (response.ok) return text ? JSON.parse(text) : undefined;
    throw problemOf(response.status, text, (name) => response.headers.get(name));
  } catch (error) {
    if (error instanceof Problem || error.name === 'AbortError') throw error;
    throw unreachable();
  }
}
