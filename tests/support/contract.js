// Check real answers against docs/openapi.yaml.
//
// Every answer that the tests get through client.js or raw.js is checked, and its operation and
// status are noted, so that every-answer.js can list what is documented but was never seen.
import { appendFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { document, operations, resolved } from './document.js';

export { document, documentPath, operations } from './document.js';

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ ...document, $id: 'openapi' });

const pointer = (...steps) =>
  '#/' + steps.map((s) => encodeURIComponent(String(s).replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

// Follow a $ref of the document; returns the value and the path to it.
function at(...steps) {
  const value = steps.reduce((node, step) => node?.[step], document);
  if (value?.$ref && Object.keys(value).length === 1) {
    const path = value.$ref.slice(2).split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
    return at(...path);
  }
  return { value, steps };
}

const compiled = new Map();
export function schemaErrors(steps, instance) {
  const ref = `openapi${pointer(...steps)}`;
  if (!compiled.has(ref)) compiled.set(ref, ajv.compile({ $ref: ref }));
  const valid = compiled.get(ref);
  return valid(instance) ? [] : valid.errors.map((e) => `${e.instancePath || 'it'} ${e.message}`);
}

const routes = Object.entries(document.paths).map(([path, { servers, 'x-internal-too': both }]) => ({
  path,
  inside: Boolean(servers),
  both: Boolean(both),
  pattern: new RegExp('^' + path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+') + '$'),
}));

// The document's path for a request target, or undefined. Also undefined if the target hides a slash, is not
// UTF-8 or is longer than a path in a file system, because lighttpd may refuse it before it routes.
function findRoute(target, inside) {
  const path = target.split('?')[0];
  if (path.length > 4000) return undefined;
  try {
    if (decodeURIComponent(path).split('/').length !== path.split('/').length) return undefined;
  } catch {
    return undefined;
  }
  return routes.find((route) => (route.inside === inside || route.both) && route.pattern.test(path))?.path;
}

const mediaType = (contentType) => contentType?.split(';')[0].trim().toLowerCase();

// Headers that the document lists somewhere. The three that are deleted are described there in prose only.
const knownHeaders = new Set(operations.flatMap(({ operation }) => Object.values(operation.responses)).flatMap((response) => Object.keys(resolved(response).headers ?? {})).map((name) => name.toLowerCase()));
for (const name of ['accept-ranges', 'x-content-type-options', 'tus-resumable']) knownHeaders.delete(name);

function checkHeaders(response, headers, status) {
  const faults = [];
  const names = Object.keys(response.value.headers ?? {}).map((name) => name.toLowerCase());
  // A 304 may have any header of the 200
  for (const [name] of headers)
    if (status !== 304 && knownHeaders.has(name) && !names.includes(name)) faults.push(`the header ${name} is not documented`);
  for (const name of Object.keys(response.value.headers ?? {})) {
    const { value: header, steps } = at(...response.steps, 'headers', name);
    const sent = headers.get(name);
    if (sent === null && header.required) faults.push(`the header ${name} is missing`);
    if (sent !== null)
      for (const error of schemaErrors([...steps, 'schema'], sent)) faults.push(`${name}: ${sent}: ${error}`);
  }
  return faults;
}

function checkBody(response, headers, text) {
  const content = response.value.content;
  const type = mediaType(headers.get('content-type'));
  if (!content) return text ? [`a body of ${type} where none is documented`] : [];
  const documented = content[type] ? type : content['*/*'] ? '*/*' : undefined;
  if (!documented) return [`the content type ${type} is not documented`];
  if (text === undefined || !content[documented].schema) return [];

  let body = text;
  if (type.endsWith('json')) {
    try {
      body = JSON.parse(text);
    } catch {
      return [`the body is not JSON: ${text.slice(0, 200)}`];
    }
  }
  return schemaErrors([...response.steps, 'content', documented, 'schema'], body).map((e) => `body: ${e}`);
}

// The rules for 404 and 405 of every path, and for OPTIONS.
function checkUnlisted(method, status, headers, text) {
  const faults = [];
  if (status === 405 && !headers.get('allow')) faults.push('a 405 without Allow');
  if (method === 'OPTIONS' && [200, 204].includes(status)) return faults;
  if (status !== 405) return [...faults, `${status} to a method that is not documented`];
  if (!headers.get('x-request-id')) faults.push('the header X-Request-ID is missing');
  if (text) faults.push(...schemaErrors(['components', 'schemas', 'Problem'], JSON.parse(text)));
  return faults;
}

// A program answers in the place of lighttpd what lighttpd refuses before it routes, with these sentences of
// common/http/problem.c. Without a program, lighttpd answers in the same form but without an id.
const SERVERS_OWN = {
  400: 'The request is not valid HTTP, is a GET with a body, or its body broke off.',
  408: 'The request did not arrive in time. Send it again.',
  411: 'A body without Content-Length is not accepted here.',
  413: 'The body is larger than this server accepts.',
  414: 'The URL is longer than this server accepts.',
  417: 'The only supported value of Expect is 100-continue.',
  431: 'The header fields are larger than this server accepts.',
  501: 'The server does not support the method or the Transfer-Encoding.',
  502: 'The program behind this address sent no usable response. Try again in a few seconds.',
  503: 'The program behind this address is not running or is overloaded. Try again in a few seconds.',
  504: 'The program behind this address did not respond in time. Try again in a few seconds.',
  505: 'Use HTTP/1.1, or HTTP/2 over TLS.',
};
function isServersOwn(status, headers, text) {
  if (!(status in SERVERS_OWN) || mediaType(headers.get('content-type')) !== 'application/problem+json') return false;
  return !headers.get('x-request-id') || !text || JSON.parse(text).detail === SERVERS_OWN[status];
}

function note(line) {
  if (process.env.GATEHOUSE_SEEN) appendFileSync(process.env.GATEHOUSE_SEEN, line + '\n');
}

// What is wrong with an answer, as a list of sentences. `text` is undefined for a body that was not kept
// (HEAD, large downloads). Paths that are not in the document are not checked.
export function faultsOf({ method, target, inside = false, status, headers, text }) {
  const path = findRoute(target, inside);
  if (!path || isServersOwn(status, headers, text)) return [];
  if (headers.has('x-sendfile')) return []; // an instruction of a program to its server, not yet the answer
  const item = document.paths[path];
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
  if (!item[verb]) return checkUnlisted(method, status, headers, text);

  const response = at('paths', path, verb, 'responses', String(status));
  if (!response.value) return [`${status} ${STATUS_CODES[status]} is not documented`];
  note(`${verb} ${path} ${status}`);
  return [
    ...checkHeaders(response, headers, status),
    ...checkBody(response, headers, method === 'HEAD' ? undefined : text),
  ];
}

export function assertDocumented(answer) {
  const faults = faultsOf(answer);
  if (faults.length === 0) return;
  const error = new Error(
    `${answer.method} ${answer.target} -> ${answer.status} is not what docs/openapi.yaml says:\n` +
      faults.map((f) => `  - ${f}`).join('\n') +
      (answer.text ? `\n  ${answer.text.slice(0, 500)}` : ''));
  error.code = 'ERR_ASSERTION';
  throw error;
}
