// Rules for every answer: request ids, methods, paths, errors, headers.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { document, operations } from '../support/contract.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const raw = (method, target, headers) => sendRaw(stack.url, requestHead(method, target, headers));
const publicRoutes = ['/login', '/me', '/files', '/healthz'];

describe('X-Request-ID', () => {
  test('X-Request-ID of the client is kept if it is well formed', async () => {
    for (const id of ['a', 'A-b_9', 'x'.repeat(64)])
      for (const route of publicRoutes)
        assert.equal((await stack.call('GET', route, { headers: { 'X-Request-ID': id } })).headers.get('x-request-id'), id);
  });

  test('X-Request-ID is replaced if it is malformed', async () => {
    for (const id of ['', ' ', 'a b', 'x'.repeat(65), 'a;b', '<script>', 'ä', '../x', 'a,b', '%0a'])
      for (const route of publicRoutes) {
        const answer = await raw('GET', route, { 'X-Request-ID': id });
        assert.match(answer.headers.get('x-request-id'), /^[A-Za-z0-9_-]{1,64}$/, route);
        assert.notEqual(answer.headers.get('x-request-id'), id);
      }
  });

  test('X-Request-ID is different for every request', async () => {
    const ids = new Set();
    for (let i = 0; i < 10; i++) ids.add((await stack.call('GET', '/healthz')).headers.get('x-request-id'));
    assert.equal(ids.size, 10);
  });

  test('X-Request-ID is in the problem and in the log', async () => {
    for (const route of ['/me', '/files']) {
      const id = `find-me-${route.slice(1)}`;
      const answer = await stack.call('GET', route, { headers: { 'X-Request-ID': id } });
      assert.equal(answer.json.request_id, id);
      assert.match(await stack.logLine(`"${id}"`), /"status":401/);
    }
  });
});

describe('a log line', () => {
  test('a log line is one JSON object with time, level, event, id, status and microseconds', async () => {
    await stack.call('GET', '/me', { token: ann.token, headers: { 'X-Request-ID': 'log-line' } });
    const entry = JSON.parse(await stack.logLine('"log-line"'));
    assert.deepEqual([entry.program, entry.level, entry.event, entry.method, entry.path, entry.status, entry.user], ['cgi-auth', 'info', 'request', 'GET', '/me', 200, ann.email]);
    assert.ok(Number.isInteger(entry.us) && Number.isInteger(entry.bytes_out));
    assert.ok(Math.abs(Date.parse(entry.time) - Date.now()) < 60_000);
  });

  test('a log line stays one JSON object, whatever the client sent', { skip: stack.front?.startsWith('apache') && 'Apache writes it down in its own way' }, async () => {
    const evil = '/files/%0a%7b%22level%22%3a%22fake%22%7d%1b[31m"\\';
    await raw('GET', evil, { Authorization: `Bearer ${ann.token}`, 'User-Agent': '"}\t{' });
    for (const line of stack.logs.split('\n').filter((l) => l.startsWith('{'))) assert.doesNotThrow(() => JSON.parse(line), line);
  });
});

describe('a method', () => {
  test('an unknown, odd or long method is refused', async () => {
    // Caddy turns "get" into GET
    for (const method of ['BREW', ...(stack.front === 'caddy' ? [] : ['get']), 'PROPFIND', 'X'.repeat(200)])
      for (const route of publicRoutes) {
        const answer = await raw(method, route, { Authorization: `Bearer ${ann.token}` });
        assert.ok([400, 405, 501].includes(answer.status), `${method} ${route}: ${answer.status}`);
      }
  });

  test('TRACE and CONNECT echo nothing', async () => {
    // .htaccess cannot forbid TRACE
    for (const [method, target] of [...(stack.front?.startsWith('apache') ? [] : [['TRACE', '/me']]), ['CONNECT', 'localhost:1']]) {
      const answer = await raw(method, target, { 'X-Secret': 'echo-me' });
      assert.ok(answer.status === 0 || answer.status >= 400);
      assert.ok(!answer.text.includes('echo-me'));
    }
  });

  test('OPTIONS without an origin returns the allowed methods', async () => {
    const allowed = { '/login': /POST/, '/me': /GET/, '/files': /GET/, '/upload': /POST/, '/healthz': /GET/ };
    for (const [route, pattern] of Object.entries(allowed)) {
      const answer = await stack.call('OPTIONS', route);
      assert.ok([200, 204, 405].includes(answer.status));
      assert.match(answer.headers.get('allow'), pattern, route);
    }
  });

  test('HEAD works wherever GET does', async () => {
    for (const path of Object.keys(document.paths).filter((p) => document.paths[p].get && !document.paths[p].servers)) {
      const target = path.replace('{id}', '019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21');
      const get = await stack.call('GET', target, { token: ann.token });
      const head = await stack.call('HEAD', target, { token: ann.token });
      assert.equal(head.status, get.status, target);
      assert.equal(head.text, '');
      assert.equal(head.headers.get('content-type'), get.headers.get('content-type'));
    }
  });
});

describe('a path', () => {
  const unknown = ['/nothing', '/css', '/css/', '/js/', '/js/nothing.js', '/login/x', '/loginx', '/LOGIN', '/healthz/x', '/upload/a/b/c', '/download/a/b',
    '/cgi-auth', '/cgi-gateway', '/favicon.ico', '/.git/config', '/conf/auth.env'];
  test('an unknown path is 404', async () => {
    for (const path of unknown) {
      const answer = await stack.call('GET', path, { token: ann.token });
      assertStatus(answer, 404);
      assert.equal(answer.headers.get('set-cookie'), null);
    }
  });

  test('a path of the internal listener is 404 outside', async () => {
    for (const path of ['/validate', '/introspect', '/metrics', '/readyz', '/cgi-auth/healthz', '/cgi-auth/readyz', '/cgi-auth/validate', '/cgi-gateway/readyz',
      '/cgi-auth/login', '/cgi-gateway/files', '/validate/', '//validate', '/./validate', '/x/../validate', '/%76alidate', '/validate%00', '/validate?x', '/validate;x']) {
      const answer = await raw('GET', path, { Authorization: `Bearer ${ann.token}` });
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.ok(!answer.text.includes(ann.email), path);
    }
  });

  test('dots and slashes in a path do not reach another route', async () => {
    for (const path of ['/download/../files', '/download/%2e%2e/files', '//files', '/files/../files', '/./files', '/%66iles', '/download/..%2f..%2f..%2fetc%2fpasswd', '/../../../etc/passwd', '/files%2f..', '/files/..;/']) {
      const answer = await raw('GET', path, { Authorization: `Bearer ${ann.token}` });
      // a server other than lighttpd may return the page, or redirect
      assert.ok([200, 400, 403, 404, ...(stack.front ? [308] : [])].includes(answer.status), `${path}: ${answer.status}`);
      assert.ok(!answer.text.includes('root:'), path);
      if (answer.status === 200 && !(stack.front && answer.text.startsWith('<!doctype html>'))) assert.deepEqual(Object.keys(answer.json), ['files', 'next'], path);
    }
  });

  test('a path of eight thousand bytes is answered below 500', async () => {
    for (const path of [`/files/${'a'.repeat(7500)}`, `/files?q=${'a'.repeat(7500)}`, `/upload/${'%41'.repeat(2500)}`]) {
      const answer = await raw('GET', path, { Authorization: `Bearer ${ann.token}` });
      assert.ok(answer.status >= 200 && answer.status < 500, `${path.slice(0, 20)}: ${answer.status}`);
    }
  });

  test('a request target may be a whole URL', async () => {
    const answer = await raw('GET', `${stack.url}/healthz`, {});
    assert.ok([200, 400].includes(answer.status));
  });
});

describe('a query', () => {
  test('a malformed query is answered with 200, 400 or 422', async () => {
    for (const query of ['?', '?&&&', '?=', '?=x', '?%', '?%zz=%zz', '?q', '?q=%ff%fe', '?q=%00', '?q=a&q=b', '?' + 'a&'.repeat(2000), '?q=' + '%25'.repeat(1000)]) {
      const answer = await raw('GET', `/files${query}`, { Authorization: `Bearer ${ann.token}` });
      assert.ok([200, 400, 422].includes(answer.status), `${query.slice(0, 20)}: ${answer.status}`);
    }
  });

  test('an owner that is not a number is an invalid value on every route', async () => {
    const root = await stack.person({ admin: true });
    const id = '019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21';
    for (const { path, method, parameters } of operations.filter((o) => o.parameters.some(({ name }) => name === 'owner'))) {
      const isTus = path.startsWith('/tus/');
      const answer = await stack.call(method.toUpperCase(), `${path.replace(/\{\w+\}/, id)}?owner=x&fid=${id}`, {
        token: root.token,
        headers: isTus ? { 'Tus-Resumable': '1.0.0', 'Upload-Length': '1' } : {},
        json: !isTus && /^(patch|post)$/.test(method) ? {} : undefined,
      });
      assertProblem(answer, 422, 'invalid-value');
    }
  });
});

describe('a header', () => {
  test('a client cannot set CGI variables by headers', async () => {
    // A client can set HTTP_* only; REMOTE_USER, SCRIPT_NAME and others come from the server
    const answer = await raw('GET', '/me', { 'Remote-User': 'root', 'Script-Name': '/validate', 'Path-Info': '/validate', 'Redirect-Http-Authorization': `Bearer ${ann.token}`, Proxy: 'http://x' });
    assertProblem(answer, 401, 'missing-token');
  });

  test('a repeated Authorization header is refused', async () => {
    const answer = await sendRaw(stack.url,
      `GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${ann.token}\r\nAuthorization: Bearer x\r\n\r\n`);
    assert.ok([400, 401].includes(answer.status), String(answer.status));
  });

  test('every answer has X-Content-Type-Options: nosniff', async () => {
    for (const route of ['/me', '/files', '/healthz', '/nothing'])
      assert.equal((await stack.call('GET', route)).headers.get('x-content-type-options'), 'nosniff', route);
  });

  test('no answer has a version or an internal header', { skip: stack.front?.startsWith('apache') && 'what Apache says of itself is up to the host' }, async () => {
    for (const route of ['/me', '/nothing', '/healthz']) {
      const { headers } = await stack.call('GET', route);
      assert.doesNotMatch(headers.get('server') ?? '', /\d/);
      assert.equal(headers.get('x-powered-by'), null);
    }
  });
});

test('an HTTP/1.0 request is answered', async () => {
  const answer = await sendRaw(stack.url, 'GET /healthz HTTP/1.0\r\n\r\n');
  assertStatus(answer, 200);
});

test('a malformed request is answered with 400 or not at all', async () => {
  for (const bytes of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', 'GET /healthz HTTP/9.9\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00', 'GET /healthz HTTP/1.1\r\nA\r\n\r\n']) {
    const answer = await sendRaw(stack.url, bytes, { end: true });
    assert.ok(answer.cut || answer.status === 400 || answer.status === 505 || answer.status === 200, `${JSON.stringify(bytes)}: ${answer.status}`);
  }
});
