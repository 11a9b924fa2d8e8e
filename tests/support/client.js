// Send one request, read the whole answer, and check it against docs/openapi.yaml.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { assertDocumented } from './contract.js';
import { front } from './transport.js';

export const basic = (email, password) =>
  'Basic ' + Buffer.from(`${email}:${password}`, 'utf8').toString('base64');

// `base` is the URL of a listener; `target` is path and query. Options: token (bearer), basic ([email,
// password]), headers, body, json (a value to send), inside (the listener is the internal one), fetch
// (in place of Node's own). Returns {status, headers, bytes, text, json}.
export async function call(base, method, target, options = {}) {
  const headers = new Headers(options.headers);
  if (options.token) headers.set('Authorization', `Bearer ${options.token}`);
  if (options.basic) headers.set('Authorization', basic(...options.basic));
  if (options.json !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);

  const response = await (options.fetch ?? fetch)(base + target, { method, headers, body, redirect: 'manual' });
  const bytes = Buffer.from(await response.arrayBuffer());
  return finish({ method: effectiveMethod(method, target, headers), target, inside: options.inside, status: response.status, headers: response.headers, bytes });
}

// A resumable upload accepts POST with X-HTTP-Method-Override in place of any method.
const effectiveMethod = (method, target, headers) =>
  method === 'POST' && /\/tus\/[^/]+$/.test(target) ? headers.get('X-HTTP-Method-Override') ?? method : method;

// Answers that a server other than lighttpd makes by itself are not in our document: Apache and Caddy refuse
// much before they read our configuration. The programs put an id on every answer.
const madeByFront = ({ headers }) => front && !headers.has('X-Request-ID');

export function finish(answer) {
  const text = answer.bytes.toString('utf8');
  const whole = {
    ...answer,
    text,
    get json() {
      return JSON.parse(text);
    },
  };
  if (!madeByFront(answer)) assertDocumented({ ...answer, text });
  // RFC 9530 2: a Content-Digest is that of exactly these bytes
  const digest = answer.headers.get('content-digest');
  if (digest !== null && !answer.headers.has('x-sendfile')) assert.equal(digest, `sha-256=:${createHash('sha256').update(answer.bytes).digest('base64')}:`);
  return whole;
}

export function assertStatus(answer, status) {
  assert.equal(answer.status, status, `${answer.method} ${answer.target}: ${answer.text.slice(0, 500)}`);
}

// Assert that an answer is a problem of this status and kind (`slug` as in urn:gatehouse:slug).
export function assertProblem(answer, status, slug) {
  assertStatus(answer, status);
  if (answer.method === 'HEAD') return;
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.json.type, `urn:gatehouse:${slug}`, answer.text);
  assert.equal(answer.json.status, status);
  assert.equal(answer.json.request_id ?? null, answer.headers.get('x-request-id'));
}
