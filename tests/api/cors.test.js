// CORS: pages of the origins in CORS_ORIGINS may use the API; others may not.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';

const ALLOWED = ['https://app.example', 'https://other.example:8443']; // as startSharedStack() in support/stack.js sets
const FOREIGN = ['https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'https://app.example:443x', 'https://APP.example.', 'null', 'https://app.exampl', '*', 'https://app.example https://other.example:8443'];

const stack = await useStack();
let ann, record;
before(async () => {
  ann = await stack.person();
  record = await uploadFile(stack, ann, 'a', 'x');
});

const preflight = (target, origin, method, headers = 'authorization') =>
  stack.call('OPTIONS', target, { headers: { Origin: origin, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': headers } });

const routes = () => [['/login', 'POST'], ['/me', 'GET'], ['/upload', 'POST'], ['/upload/x', 'PUT'], [record.url, 'GET'], ['/files', 'GET'], [`/files/${record.id}`, 'PATCH'], [`/files/${record.id}`, 'DELETE'],
  ['/upload-links', 'POST'], [`/u/${'A'.repeat(32)}`, 'GET'], [`/u/${'A'.repeat(32)}`, 'POST'], [`/u/${'A'.repeat(32)}/x`, 'PUT']];
const list = (value) => (value ?? '').split(',').map((s) => s.trim().toLowerCase());

describe('a preflight', () => {
  test('a preflight of an allowed origin is granted for every route, its method and headers', async () => {
    for (const origin of ALLOWED)
      for (const [target, method] of routes()) {
        const { status, headers } = await preflight(target, origin, method, 'authorization,content-type,x-request-id,range,if-none-match,repr-digest');
        assert.equal(status, 204, `${method} ${target}`);
        assert.equal(headers.get('access-control-allow-origin'), origin);
        assert.ok(list(headers.get('access-control-allow-methods')).includes(method.toLowerCase()), target);
        for (const name of ['authorization', 'content-type']) assert.ok(list(headers.get('access-control-allow-headers')).includes(name), name);
        assert.ok(list(headers.get('vary')).includes('origin'));
      }
  });

  test('a preflight of another origin is not granted', async () => {
    for (const origin of FOREIGN)
      for (const [target, method] of routes()) {
        const { headers } = await preflight(target, origin, method);
        assert.equal(headers.get('access-control-allow-origin'), null, `${origin} ${target}`);
      }
  });
});

describe('an answer', () => {
  test('an answer can be read by an allowed origin, with its headers', async () => {
    for (const [target, method] of [['/me', 'GET'], ['/files', 'GET'], [record.url, 'GET']]) {
      const { headers } = await stack.call(method, target, { token: ann.token, headers: { Origin: ALLOWED[0] } });
      assert.equal(headers.get('access-control-allow-origin'), ALLOWED[0]);
      const exposed = list(headers.get('access-control-expose-headers'));
      for (const name of ['x-request-id', 'etag', 'content-disposition', 'location', 'link', 'content-range', 'retry-after']) assert.ok(exposed.includes(name) || exposed.includes('*'), `${target}: ${name}`);
      assert.ok(list(headers.get('vary')).includes('origin'), target);
    }
  });

  test('an error can be read by an allowed origin', async () => {
    const answer = await stack.call('GET', '/me', { headers: { Origin: ALLOWED[0] } });
    assertStatus(answer, 401);
    assert.equal(answer.headers.get('access-control-allow-origin'), ALLOWED[0]);
  });

  test('an answer cannot be read by another origin', async () => {
    for (const origin of FOREIGN) {
      const { headers } = await stack.call('GET', '/me', { token: ann.token, headers: { Origin: origin } });
      assert.equal(headers.get('access-control-allow-origin'), null, origin);
    }
  });

  test('an answer to a request without Origin has no CORS headers', async () => {
    const { headers } = await stack.call('GET', '/me', { token: ann.token });
    for (const [name] of headers) assert.doesNotMatch(name, /^access-control/);
  });
});
