// What a client sends and no handler reads is refused by name, on every route that changes something.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { operations } from '../support/contract.js';
import { uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { newUpload, terminate, TUS } from '../support/tus.js';

const stack = await useStack();
const ID = '019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21';
let ann, record;
before(async () => {
  ann = await stack.person();
  record = await uploadFile(stack, ann, 'a.txt', 'text');
});

// Without those that only say what is missing in the address
const changes = operations.filter(({ inside, method, statuses }) => !inside && method !== 'get' && statuses.some((status) => /^2/.test(status)));
const takesJson = ({ operation }) => Boolean(operation.requestBody?.content['application/json']);
const takesNone = ({ path, operation }) => !operation.requestBody && path !== '/login' && !path.startsWith('/tus');
const named = ({ method, path }) => `${method.toUpperCase()} ${path}`;

// Call an operation with all that it needs but the parts under test. The file in its path exists.
function send({ method, path }, { query = '', ...options }) {
  const target = path.replace('/files/{id}', `/files/${record.id}`).replace('{token}', 'A'.repeat(32)).replace(/\{\w+\}/g, ID);
  const login = path === '/login' ? { basic: [ann.email, ann.password] } : { token: ann.token };
  return stack.call(method.toUpperCase(), target + query, { ...login, ...options });
}

const raw = (body) => ({ body, headers: { 'Content-Type': 'application/json' } });

function assertNames(answer, name) {
  assertProblem(answer, 422, 'invalid-value');
  assert.ok(answer.json.detail.includes(name), answer.json.detail);
}

describe('an unknown member of a JSON body', () => {
  for (const operation of changes.filter(takesJson))
    test(`an unknown member of ${named(operation)} is refused by name`, async () => {
      assertNames(await send(operation, { json: { max_download: 1 } }), 'max_download');
      assertNames(await send(operation, { json: { 'größe': 1 } }), 'größe');
      assertNames(await send(operation, { json: { [`x${'ü'.repeat(5000)}`]: 1 } }), 'xüüü');
    });

  test('a misspelled limit makes neither a link nor a token', async () => {
    const links = `/files/${record.id}/links`;
    for (const [target, json] of [[links, { max_download: 1 }], [links, { password: 'x' }], [links, { expires: 60 }], ['/upload-links', { maxfiles: 1 }],
      ['/tokens', { name: 'a', scopes: 'files:read' }], ['/tokens', { name: 'a', expires: 60 }], [links, { Max_downloads: 1 }]])
      assertNames(await stack.call('POST', target, { token: ann.token, json }), Object.keys(json).at(-1));
    assert.deepEqual((await stack.call('GET', links, { token: ann.token })).json, { links: [] });
    assert.deepEqual((await stack.call('GET', '/upload-links', { token: ann.token })).json, { links: [] });
    assert.deepEqual((await stack.call('GET', '/tokens', { token: ann.token })).json, { tokens: [] });
  });

  test('an unknown member without a name is shown as ""', async () => {
    assertNames(await send({ method: 'post', path: '/tokens' }, { json: { name: 'a', '': 1 } }), '"" is not a member');
  });

  test('the answer to an unknown member lists the known ones', async () => {
    const answer = await stack.call('POST', `/files/${record.id}/links`, { token: ann.token, json: { x: 1 } });
    assert.match(answer.json.detail, /expires_in, max_downloads/);
  });

  test('a member that occurs twice is refused by name', async () => {
    for (const operation of changes.filter(takesJson)) {
        const answer = await send(operation, raw('{"expires_in":60,"name":"a","expires_in":null}'));
        assertProblem(answer, 400, 'bad-request');
        assert.match(answer.json.detail, /expires_in occurs twice/);
      }
  });

  test('a value of another type is refused, not converted', async () => {
    const wrong = [['/tokens', { name: 1 }], ['/tokens', { name: 'a', expires_in: '60' }],
      ['/tokens', { name: 'a', scope: ['files:read'] }], [`/files/${record.id}/links`, { max_downloads: '1' }], ['/upload-links', { max_files: true }],
      ['/upload-links', { name: 7 }], ['/password', { current: 1, new: 'x' }], ['/otp/confirm', { code: 123456 }],
      ...[5, null, ['x'], { refresh_token: 'x' }, true].map((value) => ['/refresh', { refresh_token: value }])];
    for (const [target, json] of wrong) assertProblem(await stack.call('POST', target, { token: ann.token, json }), 422, 'invalid-value');
    assertProblem(await stack.call('PATCH', `/files/${record.id}`, { token: ann.token, json: { name: 5 } }), 422, 'invalid-value');
  });
});

describe('the text of a JSON body', () => {
  const links = (options) => stack.call('POST', `/files/${record.id}/links`, { token: ann.token, ...options });

  test('JSON that is nested too deep is refused with the limit', async () => {
    for (const text of ['{"a":{"b":{"c":{"d":1}}}}', '{"a":[[[1]]]}', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`]) {
      const answer = await links(raw(text));
      assertProblem(answer, 400, 'bad-request');
      assert.match(answer.json.detail, /nested more than 3 levels/);
    }
  });

  test('an empty body of a route that needs one is refused as empty', async () => {
    const answer = await stack.call('POST', '/tokens', { token: ann.token, ...raw('') });
    assertProblem(answer, 400, 'bad-request');
    assert.match(answer.json.detail, /empty/);
  });
});

describe('a JSON body that is too long', () => {
  for (const operation of changes.filter(takesJson))
    test(`a body of ${named(operation)} over its limit is refused`, async () => {
      assertProblem(await send(operation, { json: { x: 'x'.repeat(20_000) } }), 413, 'too-large');
    });
});

test('/introspect refuses an unknown query parameter by name', async () => {
  const body = new URLSearchParams({ token: ann.token });
  assertNames(await stack.callInternal('POST', '/introspect?hint=x', { body }), 'hint');
});

describe('a body without a reader', () => {
  for (const operation of changes.filter(takesNone))
    test(`a body of ${named(operation)} is refused, but for an empty one`, async () => {
      assertNames(await send(operation, { json: { all: true } }), 'all');
      assertProblem(await send(operation, raw('x')), 400, 'bad-request');
      assertProblem(await send(operation, { json: { x: 'x'.repeat(20_000) } }), 413, 'too-large');
      assertProblem(await send(operation, { body: 'all=1', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }), 415, 'unsupported-media-type');
    });

  test('a long body of DELETE of a resumable upload is refused, and the upload stays', async () => {
    const upload = await newUpload(stack, ann, 5);
    assertProblem(await stack.call('DELETE', upload, { token: ann.token, headers: TUS, json: { x: 'x'.repeat(20_000) } }), 413, 'too-large');
    assertStatus(await terminate(stack, ann, upload), 204);
  });

  test('an empty object and an empty body are taken as no body', async () => {
    const cy = await stack.person();
    assertStatus(await stack.call('POST', '/logout', { token: cy.token, ...raw('') }), 204);
    const bob = await stack.person();
    assertStatus(await stack.call('POST', '/logout', { token: bob.token, json: {} }), 204);
  });

  test('credentials in the body of a login are answered with where they belong', async () => {
    const answer = await stack.call('POST', '/login', { json: { email: ann.email, password: ann.password } });
    assertProblem(answer, 401, 'missing-credentials');
  });

  test('a refused body changes nothing', async () => {
    const bob = await stack.person();
    assertNames(await stack.call('POST', '/logout', { token: bob.token, json: { all: true } }), 'all');
    assertStatus(await stack.call('GET', '/me', { token: bob.token }), 200);
    const file = await uploadFile(stack, bob, 'kept', 'x');
    assertNames(await stack.call('DELETE', `/files/${file.id}`, { token: bob.token, json: { dry_run: true } }), 'dry_run');
    assertStatus(await stack.call('GET', `/files/${file.id}`, { token: bob.token }), 200);
  });
});

describe('an unknown query parameter', () => {
  for (const operation of changes.filter(({ path }) => !path.startsWith('/u/')))
    test(`an unknown query parameter of ${named(operation)} is refused by name`, async () => {
      assertNames(await send(operation, { query: '?max_downloads=1' }), 'max_downloads');
      assertNames(await send(operation, { query: '?%C3%A9=1' }), '%C3%A9');
    });

  test('a parameter that occurs twice is refused by name', async () => {
    const answer = await stack.call('PUT', '/upload/b.txt?expires_in=60&expires_in=9999', { token: ann.token, body: 'x' });
    assertNames(answer, 'expires_in');
  });

  test('a misspelled expiry stores nothing', async () => {
    const bob = await stack.person();
    for (const query of ['?expires=60', '?expiresin=60', '?EXPIRES_IN=60'])
      assertNames(await stack.call('PUT', `/upload/b.txt${query}`, { token: bob.token, body: 'x' }), query.slice(1, -3));
    assert.deepEqual((await stack.call('GET', '/files', { token: bob.token })).json.files, []);
  });

  test('a documented query parameter is known', async () => {
    for (const operation of changes)
      for (const { name } of operation.parameters.filter(({ in: where }) => where === 'query')) {
        const answer = await send(operation, { query: `?${name}=` });
        assert.ok(!/is not a query parameter/.test(answer.text), `${named(operation)}: ${answer.text}`);
      }
  });

  test('an unknown query parameter of GET is ignored', async () => {
    assertStatus(await stack.call('GET', '/files?utm_source=mail&_=123', { token: ann.token }), 200);
    assertStatus(await stack.call('GET', `/download/${record.id}?fbclid=x&fbclid=y`, { token: ann.token }), 200);
  });
});

test('the name of an upload link counts characters, as that of a token does', async () => {
  for (const [target, list] of [['/upload-links', 'links'], ['/tokens', 'tokens']]) {
    const name = 'ü€😀'.repeat(33) + 'x'; // 100 characters, 298 bytes
    assertStatus(await stack.call('POST', target, { token: ann.token, json: { name } }), 201);
    assert.equal((await stack.call('GET', target, { token: ann.token })).json[list][0].name, name);
    const answer = await stack.call('POST', target, { token: ann.token, json: { name: name + 'x' } });
    assertProblem(answer, 422, 'invalid-value');
    assert.match(answer.json.detail, /100 characters/);
  }
});
