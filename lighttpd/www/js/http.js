// http.js - send one request to Gatehouse and return its answer, or throw its problem.
//
// Every address is relative to the page, so the page works below any path. Where the programs have
// addresses of their own (plain CGI without rewriting), data-auth and data-files of <html> name them.
//
// An answer that is not 2xx is thrown as a Problem, whose `detail` is a sentence for the user. A request
// without an answer is thrown as a Problem with `offline`. Cookies are sent and stored only on request.

const { auth = './', files = './' } = document.documentElement.dataset;
const roots = { auth: new URL(auth, document.baseURI), files: new URL(files, document.baseURI) };

const AUTH = /^\/(login|refresh|logout|me|password|tokens|sessions|otp)\b/;

// The full address of a path of the API.
export function address(path) {
  return new URL(path.replace(/^\//, ''), AUTH.test(path) ? roots.auth : roots.files).href;
}

// The full address of a `url` in an answer: "/s/…", which a proxy may have put below another path, or a whole URL.
export const answerAddress = (url) => (/^[a-z]+:/.test(url) ? url : address(`/${url.split('/').slice(-2).join('/')}`));

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

export const connectionProblem = () => new Problem({ detail: 'Gatehouse cannot be reached. Check your connection and try again.' });

// For answers without a `detail`, such as the error page of a proxy.
const DEFAULT_DETAILS = {
  413: 'The file is too large for this server. Choose a smaller one.',
  502: 'The server is starting. Try again in a moment.',
  503: 'The server is busy or starting. Try again in a moment.',
};

const defaultDetail = (status) => DEFAULT_DETAILS[status] ?? `The server reported an error (${status}). Try again, or contact the administrator.`;

// The problem in an answer: `text` is its body, `header(name)` returns one of its headers.
export function problemOf(status, text, header) {
  let body = {};
  try {
    body = JSON.parse(text) ?? {};
  } catch {
    // Not JSON: only the status is known.
  }
  const detail = typeof body.detail === 'string' ? body.detail : defaultDetail(status);
  return new Problem({ status, type: String(body.type ?? ''), detail, retryAfter: Number(header('Retry-After')) || 0 });
}

// `json` is a value to send. Returns the JSON of the answer, undefined if it has no body, or with `raw`
// the Response itself.
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
    throw connectionProblem();
  }
}
