// Uploads are admitted or refused when they begin: before their body is received, and with a token that is valid then.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { BOUNDARY, filePart, form, formType } from '../support/multipart.js';
import { openRequest } from '../support/open-request.js';
import { pause, startStack, useStack } from '../support/stack.js';
import { claimsFor, mint, now } from '../support/tokens.js';
import { front, transport } from '../support/transport.js';
import { newUpload, TUS } from '../support/tus.js';

const MAX = 64 << 20, GIB = 1 << 30;
const spooled = front === 'apache-fcgid' && 'mod_fcgid receives every body before it starts a program';
let stack, ann, bob;

before(async () => {
  stack = await startStack({ settings: { MAX_UPLOAD: MAX, MAX_FILES: 5 } });
  ann = await stack.person();
  bob = await stack.person();
});
after(() => stack?.stop());

const linkOf = async (person, json) => {
  const answer = await stack.call('POST', '/upload-links', { token: person.token, json });
  assertStatus(answer, 201);
  return new URL(answer.json.url, 'http://any').pathname;
};

// Every way to send a file of `bytes` bytes: [method, target, headers], below /upload or an upload link.
const ways = (place, bytes) => [
  ['PUT', `${place}/x.bin`, { 'Content-Length': bytes }],
  ['POST', `${place}?name=x.bin`, { 'Content-Length': bytes, 'Content-Type': 'application/octet-stream' }],
  ['POST', place, { 'Content-Length': bytes, 'Content-Type': formType() }],
];

// The answer to a head without a byte of the body that it announces. It would not come if the body were read first.
const refusal = (method, target, headers, token) => openRequest(stack, method, target, { token, headers }).answer;

describe('a refusal does not wait for the body', { skip: spooled, timeout: 60_000 }, () => {
  test('a missing, malformed, forged or expired token', async () => {
    const old = await mint(stack.signingKey(), claimsFor(ann, { iat: now() - 900, nbf: now() - 900, exp: now() - 600 }));
    for (const [token, slug] of [[undefined, 'missing-token'], ['nonsense', 'invalid-token'], [`${ann.token}x`, 'invalid-token'], [old, 'invalid-token']])
      for (const [method, target, headers] of ways('/upload', 1000)) {
        const answer = await refusal(method, target, headers, token);
        assertProblem(answer, 401, slug);
        assert.match(answer.headers.get('www-authenticate'), /^Bearer realm="gatehouse"/);
      }
  });

  test('a token without the scope', async () => {
    const { token } = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'reader', scope: 'files:read' } })).json;
    const reader = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:read' }));
    for (const weak of [token, reader])
      for (const [method, target, headers] of ways('/upload', 1000)) assertProblem(await refusal(method, target, headers, weak), 403, 'insufficient-scope');
  });

  test('a session that has ended, a revoked API token', async () => {
    const eve = await stack.person();
    const api = (await stack.call('POST', '/tokens', { token: eve.token, json: { name: 'script' } })).json;
    assertStatus(await stack.call('DELETE', `/tokens/${api.id}`, { token: eve.token }), 204);
    assertStatus(await stack.call('POST', '/logout', { token: eve.token }), 204);
    for (const token of [eve.token, api.token])
      for (const [method, target, headers] of ways('/upload', 2 << 20)) assertProblem(await refusal(method, target, headers, token), 401, 'invalid-token');
  });

  test('a small upload of a session that has ended', async () => {
    const eve = await stack.person();
    assertStatus(await stack.call('POST', '/logout', { token: eve.token }), 204);
    for (const [method, target, headers] of ways('/upload', 10)) assertProblem(await refusal(method, target, headers, eve.token), 401, 'invalid-token');
  });

  test('a file over MAX_UPLOAD', async () => {
    for (const [method, target, headers] of ways('/upload', MAX + 1).slice(0, 2)) assertProblem(await refusal(method, target, headers, ann.token), 413, 'too-large');
  });

  test('a file that the quota has no room for', async () => {
    const cy = await stack.person();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(cy.id), '--bytes', String(5 << 20)])).code, 0);
    for (const [method, target, headers] of ways('/upload', 8 << 20)) assertProblem(await refusal(method, target, headers, cy.token), 507, 'quota-exceeded');
    const link = await linkOf(cy, { max_bytes: GIB });
    for (const [method, target, headers] of ways(link, 8 << 20)) assertProblem(await refusal(method, target, headers), 507, 'quota-exceeded');
  });

  test('an unknown, revoked or expired link', async () => {
    const unknown = `/u/${'a'.repeat(32)}`;
    for (const [method, target, headers] of ways(unknown, 1000)) assertProblem(await refusal(method, target, headers), 404, 'not-found');
    const link = await linkOf(ann, {});
    const [{ id }] = (await stack.call('GET', '/upload-links', { token: ann.token })).json.links;
    assertStatus(await stack.call('DELETE', `/upload-links/${id}`, { token: ann.token }), 204);
    for (const [method, target, headers] of ways(link, 1000)) assertProblem(await refusal(method, target, headers), 410, 'gone');
  });

  test('more bytes than a link accepts', async () => {
    const link = await linkOf(ann, { max_bytes: 2 << 20 });
    for (const [method, target, headers] of ways(link, 4 << 20)) assertProblem(await refusal(method, target, headers), 507, 'quota-exceeded');
    const small = await linkOf(ann, { max_file_bytes: 1000 });
    for (const [method, target, headers] of ways(small, 1001).slice(0, 2)) assertProblem(await refusal(method, target, headers), 413, 'too-large');
  });

  test('a request that no body could make right', async () => {
    const length = { 'Content-Length': 1000 };
    for (const [method, target, headers, status] of [
      ['POST', '/upload', { ...length, 'Content-Type': 'text/plain' }, 400],
      ['POST', '/upload', { ...length, 'Content-Type': 'multipart/form-data' }, 400],
      ['POST', '/upload?name=x&sha256=no', { ...length, 'Content-Type': 'text/plain' }, 400],
      ['POST', '/upload?name=x&owner=1', { ...length, 'Content-Type': 'text/plain' }, 403],
      ['PUT', '/upload/x?expires_in=0', length, 422],
      ['PUT', '/upload/..%0A', length, 422],
      ['PATCH', '/upload', length, 405],
      ['DELETE', '/upload/x', length, 405],
    ]) {
      if (target.includes('%0A')) continue; // lighttpd refuses it
      assertStatus(await refusal(method, target, headers, ann.token), status);
    }
  });

  test('a large body of a method that takes none', { skip: front && 'the body is not stored there either' }, async () => {
    const request = openRequest(stack, 'OPTIONS', '/upload', { headers: { 'Content-Length': 100_000 } });
    request.answer.catch(() => {}); // our document has no OPTIONS
    while (!/^HTTP\/1\.1 \d+ [^]*\r\n\r\n/.test(request.received())) await pause(5);
    assert.match(request.received(), transport === 'cgi' ? /^HTTP\/1\.1 204/ : /^HTTP\/1\.1 413/);
  });

  test('a resumable upload', { skip: front === 'caddy' && 'Caddy passes the body on before it reads the answer; the body is not stored' }, async () => {
    const path = await newUpload(stack, ann, 10 << 20, { name: 'x' });
    const headers = { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': 0, 'Content-Length': 10 << 20 };
    assertProblem(await refusal('PATCH', path, headers), 401, 'missing-token');
    assertProblem(await refusal('PATCH', path, headers, bob.token), 404, 'not-found');
    assertProblem(await refusal('PATCH', path, { ...headers, 'Content-Length': 11 << 20 }, ann.token), 413, 'too-large');
    assertProblem(await refusal('POST', '/tus/', { ...TUS, 'Upload-Length': 10, 'Content-Type': 'application/offset+octet-stream', 'Content-Length': 10 }), 401, 'missing-token');
  });
});

describe('a client that waits for 100 Continue', { skip: spooled, timeout: 60_000 }, () => {
  const expect = { Expect: '100-continue', 'Content-Length': 3 << 20 };

  test('a refused upload gets its answer instead', async () => {
    const request = openRequest(stack, 'PUT', '/upload/x', { headers: expect });
    assertProblem(await request.answer, 401, 'missing-token');
    if (transport !== 'cgi' && !front) assert.doesNotMatch(request.received(), /^HTTP\/1\.1 100/);
  });

  test('an admitted upload is asked for its body', async () => {
    const request = openRequest(stack, 'PUT', '/upload/x', { token: ann.token, headers: expect });
    while (!/^HTTP\/1\.1 100/.test(request.received())) await pause(5);
    await request.send(Buffer.alloc(3 << 20));
    assertStatus(await request.answer, 201);
  });
});

test('an origin reads the refusal of an upload', { skip: spooled }, async () => {
  const shared = await useStack();
  const answer = await openRequest(shared, 'PUT', '/upload/x', { headers: { 'Content-Length': 1000, Origin: 'https://app.example' } }).answer;
  assertProblem(answer, 401, 'missing-token');
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example');
});

test('an admitted upload is one request in the log and in the metrics, under one id', { skip: transport === 'cgi' || front !== undefined }, async () => {
  const count = async () => {
    const text = await (await fetch(`${stack.internalUrl}/cgi-gateway/metrics`)).text();
    return text.split('\n').filter((line) => /^\w+requests_total\{.*route="\/upload\/\*"/.test(line)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  const before = await count();
  const answer = await stack.call('PUT', '/upload/once', { token: ann.token, body: 'once' });
  assertStatus(answer, 201);
  const id = answer.headers.get('x-request-id');
  await stack.logLine(id);
  assert.equal(await count(), before + 1);
  assert.equal(stack.logs.split('\n').filter((line) => line.includes(id) && line.includes('"event":"request"')).length, 1);
  const refused = await refusal('PUT', '/upload/refused', { 'Content-Length': 10 });
  const line = JSON.parse(await stack.logLine(refused.headers.get('x-request-id')));
  assert.deepEqual([line.method, line.path, line.status], ['PUT', '/upload/refused', 401]);
  assert.equal(await count(), before + 2);
});

test('the program starts with a small upload at once, and with a large one when its body is there', { skip: transport === 'cgi' || front !== undefined, timeout: 60_000 }, async () => {
  const inFlight = async () => {
    const text = await (await fetch(`${stack.internalUrl}/cgi-gateway/metrics`)).text();
    return Number(/^gatehouse_http_requests_in_flight.* (\d+)$/m.exec(text)[1]);
  };
  const link = await linkOf(ann, {});
  const idle = await inFlight();
  for (const [place, token] of [['/upload', ann.token], [link]]) {
    for (const [method, target, headers] of ways(place, 59_999)) {
      const request = openRequest(stack, method, target, { token, headers });
      while ((await inFlight()) !== idle + 1) await pause(5);
      request.cut();
      while ((await inFlight()) !== idle) await pause(5);
    }
    // Reserved by the authorizer, and no thread has it
    const request = openRequest(stack, 'PUT', `${place}/x`, { token, headers: { 'Content-Length': 2 << 20 } });
    while ((await stack.sql('gateway', 'SELECT 1 FROM admission')).length === 0) await pause(5);
    while ((await inFlight()) !== idle) await pause(5);
    await request.send(Buffer.alloc(2 << 20));
    assertStatus(await request.answer, 201);
  }
});

test('an upload of every length around the limits of lighttpd is stored whole', async () => {
  for (const size of [0, 1, 9_999, 10_000, 59_999, 60_000, 65_536, 65_537, 99_999, 100_000]) {
    const content = Buffer.alloc(size, `${size} `);
    const answer = await stack.call('PUT', '/upload/x', { token: ann.token, body: content });
    assertStatus(answer, 201);
    assert.equal(answer.json.files[0].sha256, createHash('sha256').update(content).digest('hex'));
  }
});

test('the log of a refused upload by a link does not contain its secret', { skip: spooled }, async () => {
  const secret = 'b'.repeat(32);
  const answer = await refusal('PUT', `/u/${secret}/x`, { 'Content-Length': 10 });
  await stack.logLine(answer.headers.get('x-request-id'));
  assert.ok(!stack.logs.includes(secret));
});

test('variables of admission cannot be sent as headers', async () => {
  const old = await mint(stack.signingKey(), claimsFor(ann, { iat: now() - 900, nbf: now() - 900, exp: now() - 600 }));
  const headers = { 'Admitted-At': String(now() - 700), 'Admission-Only': '1', Admission: 'a'.repeat(22) };
  assertProblem(await stack.call('PUT', '/upload/x', { token: old, body: 'x', headers }), 401, 'invalid-token');
  assertStatus(await stack.call('PUT', '/upload/x', { token: ann.token, body: 'x', headers }), 201);
});

describe('a token is judged as of the beginning of its request', { skip: spooled, timeout: 60_000 }, () => {
  const content = Buffer.alloc(3 << 20, 'long ');
  const sum = createHash('sha256').update(content).digest('hex');

  const shortToken = (life) => mint(stack.signingKey(), claimsFor(ann, { exp: now() + life }));
  async function untilExpired(token) {
    while ((await stack.call('GET', '/files', { token })).status !== 401) await pause(50);
  }

  const upload = {
    'PUT /upload/x': ['PUT', '/upload/x', {}, content],
    'POST /upload?name=': ['POST', '/upload?name=x', { 'Content-Type': 'text/plain' }, content],
    'POST /upload with a form': ['POST', '/upload', { 'Content-Type': formType() }, form(filePart('x', content))],
    'a small PUT': ['PUT', '/upload/x', {}, content.subarray(0, 10)],
  };
  for (const [name, [method, target, headers, body]] of Object.entries(upload)) {
    test(`${name} with a token that expires meanwhile is stored`, async () => {
      const token = await shortToken(3);
      const request = openRequest(stack, method, target, { token, headers: { ...headers, 'Content-Length': body.length } });
      await request.send(body.subarray(0, 5));
      await untilExpired(token);
      await request.send(body.subarray(5));
      const answer = await request.answer;
      assertStatus(answer, 201);
      if (body !== content.subarray(0, 10) && body.length >= content.length) assert.equal(answer.json.files[0].sha256, sum);
    });

    test(`${name} of a session that ends meanwhile is refused`, async () => {
      const eve = await stack.person();
      const request = openRequest(stack, method, target, { token: eve.token, headers: { ...headers, 'Content-Length': body.length } });
      await request.send(body.subarray(0, 5));
      if (body.length > 1 << 20 && (transport !== 'cgi' && !front)) while ((await stack.sql('gateway', `SELECT 1 FROM admission WHERE owner = ${eve.id}`)).length === 0) await pause(10);
      assertStatus(await stack.call('POST', '/logout', { token: eve.token }), 204);
      await request.send(body.subarray(5));
      assertProblem(await request.answer, 401, 'invalid-token');
    });
  }

  test('an API token that expires meanwhile is enough', async () => {
    const made = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'short', expires_in: 3 } })).json;
    const request = openRequest(stack, 'PUT', '/upload/x', { token: made.token, headers: { 'Content-Length': content.length } });
    await request.send(content.subarray(0, 5));
    await untilExpired(made.token);
    await request.send(content.subarray(5));
    assertStatus(await request.answer, 201);
  });

  test('a link that expires meanwhile is enough', async () => {
    const link = await linkOf(ann, { expires_in: 3 });
    const request = openRequest(stack, 'PUT', `${link}/x`, { headers: { 'Content-Length': content.length } });
    await request.send(content.subarray(0, 5));
    while ((await stack.call('GET', link)).status !== 410) await pause(50);
    await request.send(content.subarray(5));
    assertStatus(await request.answer, 201);
  });

  test('PATCH /tus/ with a token that expires meanwhile is stored, of a session that ends is refused', async () => {
    const eve = await stack.person();
    for (const [ends, status] of [[false, 204], [true, 401]]) {
      const path = await newUpload(stack, eve, content.length, { name: 'x' });
      const token = await mint(stack.signingKey(), claimsFor(eve, { exp: now() + 3 }));
      const request = openRequest(stack, 'PATCH', path, { token, headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': 0, 'Content-Length': content.length } });
      await request.send(content.subarray(0, 5));
      if (ends) assertStatus(await stack.call('POST', '/logout', { token: eve.token }), 204);
      await untilExpired(token);
      await request.send(content.subarray(5));
      assertStatus(await request.answer, status);
    }
  });
});

test('a form whose files fit exactly into the quota is stored', async () => {
  const cy = await stack.person();
  assert.equal((await stack.gatewayAdmin(['quota', 'set', String(cy.id), '--bytes', String(2 << 20)])).code, 0);
  const body = form(filePart('a', Buffer.alloc(1 << 20)), filePart('b', Buffer.alloc(1 << 20)));
  assertStatus(await stack.call('POST', '/upload', { token: cy.token, body, headers: { 'Content-Type': formType(BOUNDARY) } }), 201);
});

test('a body without a length is stored', { skip: front && front !== 'nginx' }, async () => {
  const body = new ReadableStream({ start(c) { c.enqueue(Buffer.alloc(60_000)); c.close(); } });
  const answer = await stack.call('PUT', '/upload/chunked', { token: ann.token, body, fetch: (url, options) => fetch(url, { ...options, duplex: 'half' }) });
  assertStatus(answer, 201);
  assert.equal(answer.json.files[0].size, 60_000);
});

test('uploads that were admitted leave nothing reserved', async () => {
  await stack.sql('gateway', 'DELETE FROM admission');
  await uploadFile(stack, ann, 'big', Buffer.alloc(2 << 20));
  assert.deepEqual(await stack.sql('gateway', 'SELECT owner, bytes FROM admission'), []);
});
