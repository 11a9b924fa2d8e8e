// Resumable uploads, request by request: tus 1.0.0 and its extensions
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { runCgi } from '../support/cgi.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, sha256 } from '../support/files.js';
import { pause, useStack } from '../support/stack.js';
import { TUS, create, newUpload, terminate, fileOf, head, metadata, offsetOf, openPatch, patch } from '../support/tus.js';

const stack = await useStack();
let ann, bob, root;
before(async () => {
  [ann, bob, root] = [await stack.person(), await stack.person(), await stack.person({ admin: true })];
});

const usage = async (person) => (await stack.call('GET', '/usage', { token: person.token })).json;
const bytesOf = async (person, path) => (await stack.call('GET', path.replace('/tus/', '/download/'), { token: person.token })).bytes;

// Wait until a HEAD returns at least this offset.
async function reaches(person, path, offset) {
  for (;;) {
    const at = await offsetOf(stack, person, path);
    if (at >= offset) return at;
    await pause(10);
  }
}

describe('OPTIONS', () => {
  test('OPTIONS /tus returns the server\'s capabilities without a token', async () => {
    for (const target of ['/tus', '/tus/']) {
      const { status, headers } = await stack.call('OPTIONS', target);
      assert.equal(status, 200);
      assert.equal(headers.get('tus-resumable'), '1.0.0');
      assert.equal(headers.get('tus-version'), '1.0.0');
      assert.deepEqual(headers.get('tus-extension').split(',').sort(), ['checksum', 'concatenation', 'creation', 'creation-defer-length', 'creation-with-upload', 'expiration', 'termination']);
      assert.deepEqual(headers.get('tus-checksum-algorithm').split(','), ['sha1', 'sha256', 'md5', 'crc32']);
      assert.match(headers.get('tus-max-size'), /^\d+$/);
    }
  });

  test('a preflight of an allowed origin allows the headers of tus', async () => {
    const { headers } = await stack.call('OPTIONS', '/tus/', { headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PATCH' } });
    if (!process.env.GATEHOUSE_STATE) return; // only suite.js sets CORS_ORIGINS
    for (const name of ['tus-resumable', 'upload-length', 'upload-offset', 'upload-metadata', 'upload-concat', 'upload-checksum', 'x-http-method-override'])
      assert.ok(headers.get('access-control-allow-headers').toLowerCase().includes(name), name);
    for (const name of ['upload-offset', 'location', 'upload-expires', 'tus-resumable'])
      assert.ok(headers.get('access-control-expose-headers').toLowerCase().includes(name), name);
  });
});

describe('uploads', () => {
  test('an upload in several requests becomes a file', async () => {
    const body = Buffer.alloc(300_000, 'gatehouse ');
    const path = await newUpload(stack, ann, body.length, { name: 'Übersicht – 概要.txt', metadata: { filetype: 'text/plain' } });
    assert.match(path, /^(\/cgi-bin\/cgi-gateway)?\/tus\/[0-9a-f-]{36}$/);
    assert.equal(await fileOf(stack, ann, path), null);
    assert.equal(await offsetOf(stack, ann, path), 0);
    for (const [from, to] of [[0, 1], [1, 200_000], [200_000, 200_000], [200_000, 300_000]]) {
      const answer = await patch(stack, ann, path, from, body.subarray(from, to));
      assertStatus(answer, 204);
      assert.equal(answer.headers.get('upload-offset'), String(to));
      assert.equal(answer.headers.get('tus-resumable'), '1.0.0');
      assert.ok(Date.parse(answer.headers.get('upload-expires')) > Date.now());
    }
    const record = await fileOf(stack, ann, path);
    assert.equal(record.name, 'Übersicht – 概要.txt');
    assert.equal(record.type, 'text/plain');
    assert.equal(record.size, body.length);
    assert.equal(record.sha256, sha256(body));
    assert.equal(sha256(await bytesOf(ann, path)), sha256(body));
    assert.deepEqual((await allFiles(stack, ann)).filter((f) => f.id === record.id).length, 1);
    assert.equal(await offsetOf(stack, ann, path), body.length); // a client that missed the last answer asks this
  });

  test('HEAD and GET return the state of an upload', async () => {
    const sent = metadata({ filename: 'a.bin', anything: 'else' }) + ',is_draft';
    const path = await newUpload(stack, ann, 10, { headers: { 'Upload-Metadata': sent } });
    await patch(stack, ann, path, 0, 'abc');
    const { status, headers, bytes } = await head(stack, ann, path);
    assert.equal(status, 200);
    assert.equal(bytes.length, 0);
    assert.equal(headers.get('upload-offset'), '3');
    assert.equal(headers.get('upload-length'), '10');
    assert.equal(headers.get('upload-metadata'), sent);
    assert.equal(headers.get('cache-control'), 'no-store');
    const { json } = await stack.call('GET', path, { token: ann.token });
    assert.deepEqual({ ...json, id: 0, expires_at: 0 }, { id: 0, name: 'a.bin', offset: 3, length: 10, finished: false, expires_at: 0 });
    assert.equal(json.id, path.split('/').at(-1));
  });

  test('an upload of zero bytes is complete at once', async () => {
    const path = await newUpload(stack, ann, 0, { name: 'empty' });
    assert.equal((await fileOf(stack, ann, path)).size, 0);
  });

  test('an upload without a name is called unnamed', async () => {
    const path = await newUpload(stack, ann, 1, { body: 'x' });
    assert.equal((await fileOf(stack, ann, path)).name, 'unnamed');
    const other = await newUpload(stack, ann, 1, { body: 'x', metadata: { name: 'uppy.txt', type: 'text/plain' } });
    const record = await fileOf(stack, ann, other);
    assert.deepEqual([record.name, record.type], ['uppy.txt', 'text/plain']);
  });

  test('a creation may include the first bytes, or all of them', async () => {
    const part = await create(stack, ann, 6, { name: 'a', body: 'abc' });
    assertStatus(part, 201);
    assert.equal(part.headers.get('upload-offset'), '3');
    assertStatus(await patch(stack, ann, part.headers.get('location'), 3, 'def'), 204);
    assert.equal((await bytesOf(ann, part.headers.get('location'))).toString(), 'abcdef');
    const whole = await create(stack, ann, 3, { name: 'a', body: 'xyz' });
    assert.equal(whole.headers.get('upload-offset'), '3');
    assert.equal((await fileOf(stack, ann, whole.headers.get('location'))).sha256, sha256('xyz'));
  });

  test('expires_in of an upload applies to its file', async () => {
    const path = await newUpload(stack, ann, 1, { body: 'x', metadata: { filename: 'a', expires_in: 3600 } });
    const { created_at: from, expires_at: to } = await fileOf(stack, ann, path);
    assert.equal(Date.parse(to) - Date.parse(from), 3600_000);
    assertProblem(await create(stack, ann, 1, { metadata: { expires_in: 'soon' } }), 422, 'invalid-value');
  });

  test('an upload can be continued with any token of its user', async () => {
    const script = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 's', scope: 'files:write' } })).json.token;
    const again = (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json.access_token;
    const path = await newUpload(stack, ann, 3, { name: 'a' });
    assertStatus(await patch(stack, { token: script }, path, 0, 'a'), 204);
    assertStatus(await patch(stack, { token: again }, path, 1, 'b'), 204);
    assertStatus(await patch(stack, ann, path, 2, 'c'), 204);
    assert.equal((await bytesOf(ann, path)).toString(), 'abc');
  });

  test('an upload of another user is not found', async () => {
    const path = await newUpload(stack, ann, 3, { name: 'a' });
    assertStatus(await head(stack, bob, path), 404);
    assertProblem(await stack.call('GET', path, { token: bob.token }), 404, 'not-found');
    assertProblem(await patch(stack, bob, path, 0, 'a'), 404, 'not-found');
    assertProblem(await terminate(stack, bob, path), 404, 'not-found');
    assertProblem(await patch(stack, ann, '/tus/none', 0, 'a'), 404, 'not-found');
    assert.equal(await offsetOf(stack, ann, path), 0);
  });

  test('an admin can upload for another owner', async () => {
    const path = await newUpload(stack, root, 2, { name: 'from the admin', query: `?owner=${bob.id}` });
    assert.match(path, new RegExp(`\\?owner=${bob.id}$`));
    assertStatus(await patch(stack, root, path, 0, 'hi'), 204);
    const { name } = await fileOf(stack, bob, path);
    assert.equal(name, 'from the admin');
    assertProblem(await create(stack, ann, 2, { query: `?owner=${bob.id}` }), 403, 'insufficient-scope');
    for (const method of ['GET', 'DELETE'])
      assertProblem(await stack.call(method, path.replace(/=.*/, '=nobody'), { token: root.token, headers: TUS }), 422, 'invalid-value');
  });

  test('every request of an upload needs a valid token with the scope files:write', async () => {
    const eve = await stack.person();
    const path = await newUpload(stack, eve, 3, { name: 'a' });
    const reader = (await stack.call('POST', '/tokens', { token: eve.token, json: { name: 'r', scope: 'files:read' } })).json.token;
    const steps = (token) => [create(stack, { token }, 1), patch(stack, { token }, path, 0, 'a'), terminate(stack, { token }, path), stack.call('GET', path, { token })];
    for (const step of steps(reader)) assertProblem(await step, 403, 'insufficient-scope');
    assertStatus(await stack.call('POST', '/logout', { token: eve.token, body: '' }), 204);
    for (const step of steps(eve.token)) assertProblem(await step, 401, 'invalid-token');
    for (const step of steps(undefined)) {
      const answer = await step;
      assertProblem(answer, 401, 'missing-token');
      assert.equal(answer.headers.get('tus-resumable'), '1.0.0');
    }
    for (const step of [create(stack, {}, 1, { headers: { Authorization: 'Bearer' } }), patch(stack, {}, path, 0, 'a', { Authorization: 'Bearer' }),
      ...['GET', 'DELETE'].map((method) => stack.call(method, path, { headers: { ...TUS, Authorization: 'Bearer' } }))])
      assertProblem(await step, 400, 'invalid-request');
  });
});

describe('the version', () => {
  test('Tus-Resumable is required and must be 1.0.0', async () => {
    const path = await newUpload(stack, ann, 1);
    for (const version of [undefined, '0.2.2', '1.0']) {
      for (const answer of [await create(stack, ann, 1, { headers: { 'Tus-Resumable': version } }), await patch(stack, ann, path, 0, 'x', { 'Tus-Resumable': version })]) {
        assertProblem(answer, 412, 'tus-version');
        assert.equal(answer.headers.get('tus-version'), '1.0.0');
      }
    }
    assertProblem(await stack.call('DELETE', path, { token: ann.token }), 412, 'tus-version');
    assertStatus(await stack.call('HEAD', path, { token: ann.token, headers: { 'Tus-Resumable': '2.0.0' } }), 412);
    assertStatus(await stack.call('HEAD', path, { token: ann.token }), 200); // by hand, without a tus client
    assert.equal(await offsetOf(stack, ann, path), 0);
  });
});

describe('X-HTTP-Method-Override', () => {
  const as = (method, path, options = {}) => stack.call('POST', path, { token: ann.token, ...options, headers: { ...TUS, 'X-HTTP-Method-Override': method, ...options.headers } });

  test('X-HTTP-Method-Override turns a POST into a PATCH, a HEAD or a DELETE', async () => {
    const path = await newUpload(stack, ann, 3, { name: 'a' });
    const bytes = { body: 'a', headers: { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0' } };
    assertStatus(await as('PATCH', path, bytes), 204);
    const shown = await as('HEAD', path, { body: '' });
    assertStatus(shown, 200);
    assert.equal(shown.headers.get('upload-offset'), '1');
    assertStatus(await as('DELETE', path, { body: '' }), 204);
    assertStatus(await head(stack, ann, path), 404);
  });

  test('X-HTTP-Method-Override is ignored for other paths and methods, and refused with an unknown value', async () => {
    const { id } = (await stack.call('PUT', '/upload/kept', { token: ann.token, body: 'x' })).json.files[0];
    assertProblem(await as('DELETE', `/files/${id}`, { body: '' }), 405, 'method-not-allowed');
    assertStatus(await stack.call('GET', `/files/${id}`, { token: ann.token, headers: { 'X-HTTP-Method-Override': 'DELETE' } }), 200);
    const path = await newUpload(stack, ann, 3);
    assertProblem(await as('BREW', path, { body: '' }), 405, 'method-not-allowed');
  });
});

describe('invalid requests', () => {
  const wrong = [
    ['no length', { 'Upload-Length': undefined }, 400, 'bad-request'],
    ['a length that is not a number', { 'Upload-Length': '-1' }, 400, 'bad-request'],
    ['two lengths', { 'Upload-Defer-Length': '1' }, 400, 'bad-request'],
    ['a deferred length of 2', { 'Upload-Length': undefined, 'Upload-Defer-Length': '2' }, 400, 'bad-request'],
    ['a length beyond the limit', { 'Upload-Length': String(2 ** 50) }, 413, 'too-large'],
    ['metadata that is not base64', { 'Upload-Metadata': 'filename a?b' }, 400, 'bad-request'],
    ['metadata that no header can repeat', { 'Upload-Metadata': 'a YQ==,\tb' }, 400, 'bad-request'],
    ['a key twice', { 'Upload-Metadata': 'a YQ==,a YQ==' }, 400, 'bad-request'],
    ['too much metadata', { 'Upload-Metadata': `a ${'YWFh'.repeat(1500)}` }, 413, 'too-large'],
    ['an invalid name', { 'Upload-Metadata': metadata({ filename: 'a\0b' }) }, 422, 'invalid-value'],
    ['an invalid digest', { 'Upload-Metadata': metadata({ sha256: 'abc' }) }, 400, 'bad-request'],
    ['an invalid Upload-Concat', { 'Upload-Concat': 'whole' }, 400, 'bad-request'],
  ];
  for (const [what, headers, status, slug] of wrong)
    test(`a creation with ${what} is refused`, async () => {
      const before = await usage(ann);
      assertProblem(await create(stack, ann, 5, { headers }), status, slug);
      assert.deepEqual(await usage(ann), before);
    });

  test('an invalid PATCH changes nothing', async () => {
    const path = await newUpload(stack, ann, 5, { name: 'a' });
    await patch(stack, ann, path, 0, 'ab');
    const refused = [
      [patch(stack, ann, path, 0, 'x'), 409, 'conflict'],
      [patch(stack, ann, path, 3, 'x'), 409, 'conflict'],
      [patch(stack, ann, path, 0, 'abcdef'), 409, 'conflict'],
      [patch(stack, ann, path, '', 'x'), 400, 'bad-request'],
      [patch(stack, ann, path, 'x', 'x'), 400, 'bad-request'],
      [patch(stack, ann, path, 2, 'cdef'), 413, 'too-large'],
      [patch(stack, ann, path, 2, 'c', { 'Content-Type': 'text/plain' }), 415, 'unsupported-media-type'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Length': '6' }), 400, 'bad-request'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Checksum': 'sha1' }), 400, 'bad-request'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Checksum': 'sha512 YQ==' }), 400, 'bad-request'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Checksum': 'sha1 not base64' }), 400, 'bad-request'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Checksum': 'sha1 YQ==' }), 460, 'checksum-mismatch'],
      [patch(stack, ann, path, 2, 'c', { 'Upload-Checksum': `md5 ${'A'.repeat(200)}` }), 460, 'checksum-mismatch'],
    ];
    for (const [answer, status, slug] of refused) assertProblem(await answer, status, slug);
    assert.equal((await patch(stack, ann, path, 0, 'x')).headers.get('upload-offset'), '2');
    assert.equal(await offsetOf(stack, ann, path), 2);
    assertStatus(await patch(stack, ann, path, 2, 'cde'), 204);
    assert.equal((await bytesOf(ann, path)).toString(), 'abcde');
    // the upload is a file now
    assertProblem(await patch(stack, ann, path, 2, 'cde'), 409, 'conflict');
    assertStatus(await patch(stack, ann, path, 5, ''), 204);
  });
});

describe('checksums', () => {
  const sums = {
    sha1: (b) => createHash('sha1').update(b).digest('base64'),
    sha256: (b) => createHash('sha256').update(b).digest('base64'),
    md5: (b) => createHash('md5').update(b).digest('base64'),
    crc32: (b) => { const four = Buffer.alloc(4); four.writeUInt32BE(crc32(b)); return four.toString('base64'); },
  };
  const body = Buffer.alloc(200_000, 'abcdefg');

  test('a checksum of each kind is verified before the bytes count', async () => {
    for (const [name, sum] of Object.entries(sums)) {
      const path = await newUpload(stack, ann, body.length, { name });
      const [first, rest] = [body.subarray(0, 150_000), body.subarray(150_000)];
      assertProblem(await patch(stack, ann, path, 0, first, { 'Upload-Checksum': `${name} ${sum(rest)}` }), 460, 'checksum-mismatch');
      assert.equal(await offsetOf(stack, ann, path), 0);
      assertStatus(await patch(stack, ann, path, 0, first, { 'Upload-Checksum': `${name} ${sum(first)}` }), 204);
      assertProblem(await patch(stack, ann, path, first.length, first.subarray(0, rest.length), { 'Upload-Checksum': `${name} ${sum(rest)}` }), 460, 'checksum-mismatch');
      assert.equal(await offsetOf(stack, ann, path), first.length);
      assertStatus(await patch(stack, ann, path, first.length, rest, { 'Upload-Checksum': `${name} ${sum(rest)}` }), 204);
      assert.equal((await fileOf(stack, ann, path)).sha256, sha256(body));
    }
  });

  test('a checksum may be sent with the creation', async () => {
    const right = await create(stack, ann, 3, { body: 'abc', headers: { 'Upload-Checksum': `sha1 ${sums.sha1('abc')}` } });
    assertStatus(right, 201);
    assertProblem(await create(stack, ann, 3, { body: 'abd', headers: { 'Upload-Checksum': `sha1 ${sums.sha1('abc')}` } }), 460, 'checksum-mismatch');
  });

  test('bytes of a request with a checksum do not count if the request is cut off', async () => {
    const path = await newUpload(stack, ann, body.length, { name: 'a' });
    assertStatus(await patch(stack, ann, path, 0, body.subarray(0, 1000)), 204);
    const broken = await openPatch(stack, ann, path, 1000, body.length - 1000, { 'Upload-Checksum': `sha1 ${sums.sha1(body.subarray(1000))}` });
    await broken.send(body.subarray(1000, 150_000));
    broken.cut();
    await broken.answer;
    assert.equal(await offsetOf(stack, ann, path), 1000);
    assertStatus(await patch(stack, ann, path, 1000, body.subarray(1000)), 204);
    assert.equal((await fileOf(stack, ann, path)).sha256, sha256(body));
  });

  test('sha256 in Upload-Metadata is verified for the whole file', async () => {
    const right = await newUpload(stack, ann, 3, { body: 'abc', metadata: { filename: 'a', sha256: sha256('abc') } });
    assert.equal((await fileOf(stack, ann, right)).size, 3);
    const before = await usage(ann);
    const path = await newUpload(stack, ann, 3, { metadata: { filename: 'a', sha256: sha256('abd') } });
    assertStatus(await patch(stack, ann, path, 0, 'ab'), 204);
    assertProblem(await patch(stack, ann, path, 2, 'c'), 422, 'digest-mismatch');
    assertStatus(await head(stack, ann, path), 404);
    assert.deepEqual(await usage(ann), before);
    assertProblem(await create(stack, ann, 3, { body: 'abc', metadata: { sha256: sha256('abd') } }), 422, 'digest-mismatch');
  });
});

describe('deferred length', () => {
  test('a deferred length may be sent with bytes or without', async () => {
    const path = await newUpload(stack, ann, null, { name: 'a' });
    const { headers } = await head(stack, ann, path);
    assert.equal(headers.get('upload-defer-length'), '1');
    assert.equal(headers.get('upload-length'), null);
    assert.equal((await stack.call('GET', path, { token: ann.token })).json.length, null);
    assertStatus(await patch(stack, ann, path, 0, 'abc'), 204);
    assertProblem(await patch(stack, ann, path, 3, 'd', { 'Upload-Length': '2' }), 400, 'bad-request');
    assertProblem(await patch(stack, ann, path, 3, 'd', { 'Upload-Length': String(2 ** 50) }), 413, 'too-large');
    assertStatus(await patch(stack, ann, path, 3, 'd', { 'Upload-Length': '5' }), 204);
    assert.equal((await head(stack, ann, path)).headers.get('upload-length'), '5');
    assertStatus(await patch(stack, ann, path, 4, 'e'), 204);
    assert.equal((await bytesOf(ann, path)).toString(), 'abcde');

    const other = await newUpload(stack, ann, null, { name: 'a' });
    await patch(stack, ann, other, 0, 'abc');
    assertStatus(await patch(stack, ann, other, 3, '', { 'Upload-Length': '3' }), 204);
    assert.equal((await fileOf(stack, ann, other)).size, 3);
  });

  test('a deferred length is not set by a refused request', async () => {
    const path = await newUpload(stack, ann, null, { name: 'a' });
    assertStatus(await patch(stack, ann, path, 0, 'abc'), 204);
    const refused = [
      [2, 'd', {}, 409],
      [3, 'defghij', {}, 413],
      [3, 'd', { 'Upload-Checksum': 'sha512 YQ==' }, 400],
      [3, 'd', { 'Upload-Checksum': `sha1 ${createHash('sha1').update('e').digest('base64')}` }, 460],
    ];
    for (const [at, bytes, headers, status] of refused) {
      assertStatus(await patch(stack, ann, path, at, bytes, { 'Upload-Length': '9', ...headers }), status);
      const shown = (await head(stack, ann, path)).headers;
      assert.deepEqual([shown.get('upload-length'), shown.get('upload-defer-length'), shown.get('upload-offset')], [null, '1', '3'], String(status));
    }
    const sum = { 'Upload-Checksum': `sha1 ${createHash('sha1').update('defghij').digest('base64')}` };
    assertStatus(await patch(stack, ann, path, 3, 'defghij', { 'Upload-Length': '10', ...sum }), 204);
    assert.equal((await bytesOf(ann, path)).toString(), 'abcdefghij');
  });

  test('an upload of deferred length reserves the bytes of each request, then its length', async () => {
    const eve = await stack.person();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(eve.id), '--bytes', '10'])).code, 0);
    const path = await newUpload(stack, eve, null, { name: 'a' });
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [0, 1]);
    assertProblem(await patch(stack, eve, path, 0, 'x'.repeat(11)), 507, 'quota-exceeded');
    assertStatus(await patch(stack, eve, path, 0, 'x'.repeat(10)), 204);
    assert.equal((await usage(eve)).bytes, 10);
    assertProblem(await create(stack, eve, 1), 507, 'quota-exceeded');
    assertProblem(await patch(stack, eve, path, 10, 'x'), 507, 'quota-exceeded');
    assertProblem(await patch(stack, eve, path, 10, '', { 'Upload-Length': '11' }), 507, 'quota-exceeded');
    assertStatus(await patch(stack, eve, path, 10, '', { 'Upload-Length': '10' }), 204);
    assert.equal((await usage(eve)).bytes, 10);
  });
});

test('a body of unknown length needs an upload of known length', async () => {
  const path = await newUpload(stack, ann, null);
  const answer = (more) => runCgi(stack, 'cgi-gateway', 'PATCH', path.replace('/cgi-bin/cgi-gateway', ''), {
    input: 'abc',
    variables: { HTTP_AUTHORIZATION: `Bearer ${ann.token}`, HTTP_TUS_RESUMABLE: '1.0.0', CONTENT_TYPE: 'application/offset+octet-stream', HTTP_UPLOAD_OFFSET: '0', CONTENT_LENGTH: '', ...more },
  });
  assertProblem(await answer(), 411, 'length-required');
  assertStatus(await answer({ HTTP_UPLOAD_LENGTH: '3' }), 204);
  assert.equal((await bytesOf(ann, path)).toString(), 'abc');
});

describe('quota of resumable uploads', () => {
  test('an upload reserves quota when it is created, and frees it when it is terminated', async () => {
    const eve = await stack.person();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(eve.id), '--bytes', '10', '--files', '2'])).code, 0);
    assertProblem(await create(stack, eve, 11), 507, 'quota-exceeded');
    const path = await newUpload(stack, eve, 10);
    assert.equal((await usage(eve)).bytes, 10);
    assertProblem(await create(stack, eve, 1), 507, 'quota-exceeded');
    assertProblem(await stack.call('PUT', '/upload/a', { token: eve.token, body: 'x' }), 507, 'quota-exceeded');
    assertStatus(await terminate(stack, eve, path), 204);
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [0, 0]);
    const again = await newUpload(stack, eve, 10, { body: 'x'.repeat(10), name: 'a' });
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [10, 1]);
    const { code, stdout } = await stack.gatewayAdmin(['quota', 'recount', '--json']);
    assert.equal(code, 0);
    assert.ok(!stdout.includes(`"owner":${eve.id},`), stdout);
    assertStatus(await stack.call('DELETE', again.replace('/tus/', '/files/'), { token: eve.token }), 204);
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [0, 0]);
  });

  test('exactly as many of fifty parallel creations succeed as fit into the quota', async () => {
    const eve = await stack.person();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(eve.id), '--bytes', '100'])).code, 0);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => create(stack, eve, 10, i % 2 ? { body: 'x'.repeat(10) } : {})));
    assert.equal(answers.filter((a) => a.status === 201).length, 10);
    for (const a of answers.filter((a) => a.status !== 201)) assertProblem(a, 507, 'quota-exceeded');
    assert.equal((await usage(eve)).bytes, 100);
  });
});

describe('termination', () => {
  test('terminating an upload removes its bytes', async () => {
    const path = await newUpload(stack, ann, 10);
    await patch(stack, ann, path, 0, 'abc');
    assertStatus(await terminate(stack, ann, path), 204);
    assertStatus(await head(stack, ann, path), 404);
    assertProblem(await terminate(stack, ann, path), 404, 'not-found');
    assertProblem(await patch(stack, ann, path, 3, 'd'), 404, 'not-found');
  });

  test('terminating a finished upload deletes the file', async () => {
    const path = await newUpload(stack, ann, 3, { body: 'abc', name: 'a' });
    assertStatus(await terminate(stack, ann, path), 204);
    assert.equal(await fileOf(stack, ann, path), null);
    assertStatus(await head(stack, ann, path), 404);
  });
});

describe('concatenation', () => {
  const part = (person, text, headers) => newUpload(stack, person, text.length, { body: text, headers: { 'Upload-Concat': 'partial', ...headers } });

  test('parts are concatenated into one file and removed', async () => {
    const eve = await stack.person();
    assert.equal((await stack.gatewayAdmin(['quota', 'set', String(eve.id), '--bytes', '12', '--files', '1'])).code, 0);
    const paths = [await part(eve, 'hello '), await part(eve, 'world!')];
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [12, 0]);
    assert.deepEqual(await allFiles(stack, eve), []);
    assert.equal((await head(stack, eve, paths[0])).headers.get('upload-concat'), 'partial');
    const list = `final;${paths[0]} ${stack.url}${paths[1]}`;
    const final = await create(stack, eve, null, { name: 'joined', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': list } });
    assertStatus(final, 201);
    const path = final.headers.get('location');
    assert.equal((await bytesOf(eve, path)).toString(), 'hello world!');
    const record = await fileOf(stack, eve, path);
    assert.deepEqual([record.name, record.size, record.sha256], ['joined', 12, sha256('hello world!')]);
    const shown = await head(stack, eve, path);
    assert.equal(shown.headers.get('upload-concat'), list);
    assert.equal(shown.headers.get('upload-length'), '12');
    assert.equal(shown.headers.get('upload-offset'), '12');
    assertProblem(await patch(stack, eve, path, 12, 'x'), 403, 'forbidden');
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [12, 1]);
    for (const p of paths) assertStatus(await head(stack, eve, p), 404);
    assertStatus(await terminate(stack, eve, path), 204);
    assertProblem(await patch(stack, eve, path, 12, 'x'), 404, 'not-found');
  });

  test('parts can be concatenated even if the quota is now smaller', async () => {
    const eve = await stack.person();
    const limit = async (bytes) => assert.equal((await stack.gatewayAdmin(['quota', 'set', String(eve.id), '--bytes', bytes])).code, 0);
    await limit('6');
    const paths = [await part(eve, 'abc'), await part(eve, 'def')];
    await limit('5');
    assertProblem(await create(stack, eve, 1), 507, 'quota-exceeded');
    const final = await create(stack, eve, null, { headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${paths.join(' ')}` } });
    assertStatus(final, 201);
    assert.equal((await bytesOf(eve, final.headers.get('location'))).toString(), 'abcdef');
    assert.deepEqual([(await usage(eve)).bytes, (await usage(eve)).files], [6, 1]);
  });

  test('parts that are incomplete, unknown or of another user are not concatenated', async () => {
    const join = (list, headers) => create(stack, ann, null, { name: 'j', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${list}`, ...headers } });
    const [done, other] = [await part(ann, 'abc'), await part(bob, 'abc')];
    const half = await newUpload(stack, ann, 6, { body: 'abc', headers: { 'Upload-Concat': 'partial' } });
    const whole = await newUpload(stack, ann, 3, { body: 'abc' });
    const before = await usage(ann);
    assertProblem(await join(`${done} ${half}`), 409, 'conflict');
    assertProblem(await join(`${done} ${other}`), 422, 'invalid-value');
    assertProblem(await join(`${done} ${whole}`), 422, 'invalid-value');
    assertProblem(await join(`${done} ${done}`), 422, 'invalid-value');
    assertProblem(await join(`${done} nonsense`), 422, 'invalid-value');
    assertProblem(await join(Array(101).fill(0).map((_, i) => done.replace(/..$/, String(i).padStart(2, '0').slice(-2))).join(' ')), 422, 'invalid-value');
    assertProblem(await join(done, { 'Upload-Length': '3' }), 400, 'bad-request');
    assertProblem(await join(''), 400, 'bad-request');
    assertProblem(await join(done, { 'Upload-Metadata': metadata({ sha256: sha256('abd') }) }), 422, 'digest-mismatch');
    assert.deepEqual(await usage(ann), before);
    assertStatus(await join(done), 201);
  });

  test('parts are concatenated once by parallel requests', async () => {
    const paths = [await part(ann, 'abc'), await part(ann, 'def')];
    const answers = await Promise.all(Array.from({ length: 8 }, () =>
      create(stack, ann, null, { name: 'j', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${paths.join(' ')}` } })));
    assert.equal(answers.filter((a) => a.status === 201).length, 1, answers.map((a) => a.status).join(' '));
    for (const a of answers) assert.ok([201, 404, 409, 422].includes(a.status), a.text);
  });
});

// Under plain CGI lighttpd also passes on what has arrived; each request is a process of its own.
describe('broken connections', {
  skip: { caddy: 'Caddy passes a body on in pieces of 64 KiB', 'apache-fcgid': 'mod_fcgid reads the whole body first' }[stack.front],
}, () => {
  const body = Buffer.alloc(1_000_000, (i) => i);
  for (let i = 0; i < body.length; i++) body[i] = (i * 7919) >> 3;

  test('a broken connection loses no byte that has arrived', async () => {
    const path = await newUpload(stack, ann, body.length, { name: 'broken' });
    let at = 0;
    for (const more of [1, 5000, 200_001, 0, 300_000]) {
      const broken = await openPatch(stack, ann, path, at, body.length - at);
      if (more) await broken.send(body.subarray(at, at + more));
      if (more) await reaches(ann, path, at + more); // it counts while the request is running
      broken.cut();
      await broken.answer;
      at = await reaches(ann, path, at + more);
    }
    assert.equal(at, 505_002);
    assertStatus(await patch(stack, ann, path, at, body.subarray(at)), 204);
    assert.equal((await fileOf(stack, ann, path)).sha256, sha256(body));
  });

  test('a silent connection is taken over at once by the next PATCH', { skip: stack.front?.startsWith('apache') && 'Apache passes an answer on when the body has ended' }, async () => {
    const path = await newUpload(stack, ann, body.length, { name: 'silent' });
    const silent = await openPatch(stack, ann, path, 0, body.length);
    await silent.send(body.subarray(0, 70_000));
    const at = await reaches(ann, path, 70_000);
    const answer = await patch(stack, ann, path, at, body.subarray(at, 400_000));
    assertStatus(answer, 204);
    // the older request is refused when it has more bytes
    await silent.send(Buffer.alloc(300_000, 'X'));
    assert.equal(await silent.answer, 409);
    assert.match(silent.text, /taken over/);
    silent.cut();
    assertStatus(await patch(stack, ann, path, 400_000, body.subarray(400_000)), 204);
    assert.equal((await fileOf(stack, ann, path)).sha256, sha256(body));
  });

  test('ten parallel writers never mix their bytes', async () => {
    const path = await newUpload(stack, ann, 2_000_000, { name: 'mixed' });
    const letters = 'ABCDEFGHIJ';
    const writers = await Promise.all([...letters].map(async (letter) => {
      const w = await openPatch(stack, ann, path, 0, 2_000_000);
      await w.send(Buffer.alloc(100_000, letter));
      return w;
    }));
    await reaches(ann, path, 1);
    for (const w of writers) w.cut();
    await Promise.all(writers.map((w) => w.answer));
    const at = await reaches(ann, path, 1);
    assertStatus(await patch(stack, ann, path, at, Buffer.alloc(2_000_000 - at, '.')), 204);
    const text = (await bytesOf(ann, path)).toString().replace(/\.+$/, '');
    assert.match(text, /^([A-J])\1*$/, 'one writer alone began at byte 0');
  });
});
