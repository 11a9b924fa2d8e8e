// POST, GET /files/{id}/links; DELETE /links/{id}; GET and HEAD /s/{token}
import assert from 'node:assert/strict';
import net from 'node:net';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile, sha256 } from '../support/files.js';
import { png } from '../support/pictures.js';
import { useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';

const stack = await useStack();
const content = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const size = content.length;
const etag = `"${sha256(content)}"`;
const NOWHERE = '00000000-0000-7000-8000-000000000000';

let ann, bob, record;
before(async () => {
  ann = await stack.person();
  bob = await stack.person();
  record = await uploadFile(stack, ann, 'grüße.bin', content, { type: 'application/x-data' });
});

const links = (method, { file = record, token = ann.token, query = '', ...options } = {}) =>
  stack.call(method, `/files/${file.id}/links${query}`, { token, ...options });

// Make a share link; returns its JSON, with `path` as a request target.
async function share(params = {}, file = record, person = ann) {
  const answer = await links('POST', { file, token: person.token, json: params });
  assertStatus(answer, 201);
  return { ...answer.json, path: new URL(answer.json.url, stack.url).pathname };
}

const get = (link, headers = {}, method = 'GET') => stack.call(method, link.path, { headers });
const from = (n) => ({ Range: `bytes=${n}-` });
const setLink = (link, assignment) => stack.sql('gateway', `UPDATE link SET ${assignment} WHERE id = '${link.id}'`);
const downloads = async (link) => Number((await stack.sql('gateway', `SELECT downloads FROM link WHERE id = '${link.id}'`))[0][0]);

async function assertWhole(link, headers) {
  const answer = await get(link, headers);
  assertStatus(answer, 200);
  assert.equal(Buffer.compare(answer.bytes, content), 0);
}

async function assertPart(link, first, headers = from(first)) {
  const answer = await get(link, headers);
  assertStatus(answer, 206);
  assert.equal(answer.headers.get('content-range'), `bytes ${first}-${size - 1}/${size}`);
  assert.equal(Buffer.compare(answer.bytes, content.subarray(first)), 0);
}

const assertGone = async (link, headers, method) => assertProblem(await get(link, headers, method), 410, 'gone');

describe('share links', () => {
  test('a share link gives the file without a token, with the headers of /download', async () => {
    const link = await share();
    const owned = await stack.call('GET', record.url, { token: ann.token });
    for (const method of ['GET', 'HEAD']) {
      const answer = await get(link, {}, method);
      assertStatus(answer, 200);
      for (const name of ['content-type', 'content-length', 'etag', 'content-disposition', 'last-modified', 'repr-digest', 'accept-ranges',
        'cache-control', 'content-security-policy', 'x-content-type-options', 'referrer-policy'])
        assert.equal(answer.headers.get(name), owned.headers.get(name), name);
      for (const name of ['x-sendfile', 'status']) assert.equal(answer.headers.get(name), null, name);
      assert.equal(answer.headers.get('content-digest'), method === 'HEAD' ? null : owned.headers.get('repr-digest'));
      assert.equal(answer.bytes.length, method === 'HEAD' ? 0 : size);
    }
    await assertWhole(link);
  });

  test('a share link lives for seven days, for expires_in, or until it is revoked', async () => {
    const life = (link) => (Date.parse(link.expires_at) - Date.parse(link.created_at)) / 1000;
    assert.equal(life(await share()), 7 * 86_400);
    assert.equal(life(await share({ expires_in: 60 })), 60);
    assert.equal((await share({ expires_in: null })).expires_at, null);
    const empty = await links('POST');
    assertStatus(empty, 201);
    assert.equal(life(empty.json), 7 * 86_400);
  });

  test('a share link has 192 random bits, stored as a hash only', async () => {
    const made = [];
    for (let i = 0; i < 5; i++) made.push(await share());
    assert.equal(new Set(made.flatMap(({ id, path }) => [id, path])).size, 10);
    for (const { id, path } of made) {
      assert.match(path, /\/s\/[A-Za-z0-9_-]{32}$/);
      const [[hash, row]] = await stack.sql('gateway', `SELECT HEX(hash), CONCAT_WS(' ', id, file_id, owner) FROM link WHERE id = '${id}'`);
      assert.equal(hash.toLowerCase(), sha256(path.split('/s/')[1]));
      assert.ok(!row.includes(path.split('/s/')[1]));
    }
  });

  test('a share link accepts ?inline=1 like /download', async () => {
    const shown = await uploadFile(stack, ann, 'a.png', png, { type: 'image/png' });
    const link = await share({}, shown);
    assert.match((await stack.call('GET', `${link.path}?inline=1`)).headers.get('content-disposition'), /^inline/);
    assert.match((await get(link)).headers.get('content-disposition'), /^attachment/);
  });

  test('an unknown share link is not found', async () => {
    const { path } = await share();
    const base = path.slice(0, path.lastIndexOf('/') + 1);
    for (const token of ['x', 'A'.repeat(32), path.slice(base.length, -1), `${path.slice(base.length)}A`, "'", ...(stack.front ? [] : [`${path.slice(base.length).slice(0, 31)}%2f`])])
      assertProblem(await stack.call('GET', base + token), 404, 'not-found');
  });

  test('a share link answers GET and HEAD only', async () => {
    const link = await share({ max_downloads: 1 });
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await get(link, {}, method);
      assertProblem(answer, 405, 'method-not-allowed');
      assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    }
    await assertWhole(link);
  });
});

describe('share links that are gone', () => {
  test('a share link is gone from the second of its expiry', async () => {
    const link = await share({ expires_in: 3600 });
    await assertWhole(link);
    await setLink(link, 'expires_at = UNIX_TIMESTAMP()');
    for (const headers of [{}, from(10), { 'If-None-Match': etag }]) await assertGone(link, headers);
    assertStatus(await get(link, {}, 'HEAD'), 410);
  });

  test('a revoked share link is gone, and no other', async () => {
    const [link, other] = [await share({ max_downloads: 5 }), await share()];
    await assertWhole(link);
    assertStatus(await stack.call('DELETE', `/links/${link.id}`, { token: ann.token }), 204);
    await assertGone(link);
    await assertGone(link, from(10)); // a revoked link cannot be resumed either
    await assertWhole(other);
    assertProblem(await stack.call('DELETE', `/links/${link.id}`, { token: ann.token }), 404, 'not-found');
  });

  test('a share link is gone when its file is deleted or expires', async () => {
    const [deleted, expired] = [await uploadFile(stack, ann, 'd', 'x'), await uploadFile(stack, ann, 'e', 'x', { query: '?expires_in=3600' })];
    const [a, b] = [await share({}, deleted), await share({ expires_in: null }, expired)];
    assertStatus(await get(a), 200);
    assertStatus(await get(b), 200);
    assertStatus(await stack.call('DELETE', `/files/${deleted.id}`, { token: ann.token }), 204);
    await stack.sql('gateway', `UPDATE file SET expires_at = created_at WHERE id = '${expired.id}'`);
    await assertGone(a);
    await assertGone(b);
  });

  test('a share link is gone after max_downloads downloads', async () => {
    const link = await share({ max_downloads: 2 });
    await assertWhole(link);
    await assertWhole(link);
    await assertGone(link);
    assertStatus(await get(link, {}, 'HEAD'), 410);
    await assertGone(link, { 'If-None-Match': etag });
    assert.equal(await downloads(link), 2);
  });
});

describe('max_downloads', () => {
  test('max_downloads 1 allows one of 20 parallel downloads', async () => {
    for (let round = 0; round < 5; round++) {
      const link = await share({ max_downloads: 1 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(link)));
      const given = answers.filter(({ status }) => status === 200);
      assert.equal(given.length, 1);
      assert.equal(Buffer.compare(given[0].bytes, content), 0);
      assert.equal(answers.filter(({ status }) => status === 410).length, 19);
      assert.equal(await downloads(link), 1);
    }
  });

  test('max_downloads 7 allows seven of 20 parallel downloads, by range or not', async () => {
    const link = await share({ max_downloads: 7 });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => get(link, i % 2 ? from(0) : {})));
    assert.equal(answers.filter(({ status }) => [200, 206].includes(status)).length, 7);
    assert.equal(await downloads(link), 7);
  });

  test('max_downloads counts every answer that sends the file again', async () => {
    const link = await share({ max_downloads: 100 });
    const counted = [{}, from(0), { Range: `bytes=-${size}` }, { Range: 'bytes=10-19,30-39' }, { Range: 'items=5-' }, { ...from(5), 'If-Range': '"other"' },
      { 'If-None-Match': '"other"' }];
    for (const [i, headers] of counted.entries()) {
      assert.ok([200, 206].includes((await get(link, headers)).status));
      assert.equal(await downloads(link), i + 1, JSON.stringify(headers));
    }
  });

  test('max_downloads does not count HEAD, 304 and 416', async () => {
    const link = await share({ max_downloads: 1 });
    assertStatus(await get(link, {}, 'HEAD'), 200);
    assertStatus(await get(link, { 'If-None-Match': etag }), 304);
    assertStatus(await get(link, from(size)), 416);
    assert.equal(await downloads(link), 0);
    await assertWhole(link);
  });

  test('max_downloads counts a resumed download once', async () => {
    const link = await share({ max_downloads: 1 });
    assertStatus(await get(link, { Range: 'bytes=0-999' }), 206);
    await assertPart(link, 1000);
    await assertPart(link, 50_000, { ...from(50_000), 'If-Range': etag });
    assert.equal(await downloads(link), 1);
    await assertGone(link);
    await assertGone(link, from(0));
  });

  test('max_downloads counts a range without a recent download as one', async () => {
    const link = await share({ max_downloads: 2 });
    await assertPart(link, 10);
    assert.equal(await downloads(link), 1);
    await setLink(link, 'last_download_at = last_download_at - 3600');
    await assertPart(link, 10);
    assert.equal(await downloads(link), 2);
    await setLink(link, 'last_download_at = last_download_at - 3600');
    await assertGone(link, from(10));
  });

  test('max_downloads lets resumed requests send half of the file again at most', async () => {
    const link = await share({ max_downloads: 1 });
    await assertWhole(link);
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(link, from(99_000))));
    assert.equal(answers.filter(({ status }) => status === 206).length, 50);
    assert.equal(answers.filter(({ status }) => status === 410).length, 10);
  });

  test('max_downloads holds for a range of HTTP/1.0, which lighttpd would answer with the whole file', async () => {
    const link = await share({ max_downloads: 1 });
    await assertWhole(link);
    const text = await new Promise((done, fail) => {
      const { hostname, port } = new URL(stack.url);
      const socket = net.connect(port, hostname);
      const chunks = [];
      socket.on('data', (c) => chunks.push(c)).on('error', fail).on('close', () => done(Buffer.concat(chunks).toString('latin1')));
      socket.write(`GET ${link.path} HTTP/1.0\r\nHost: ${hostname}\r\nRange: bytes=99990-\r\n\r\n`);
    });
    assert.match(text, /^HTTP\/1\.\d 206 /);
    assert.ok(text.length < 2000);
  });

  test('a share link without max_downloads allows every range and counts full downloads', async () => {
    const link = await share();
    for (let i = 0; i < 3; i++) await assertPart(link, 5);
    assert.equal(await downloads(link), 0);
    for (let i = 0; i < 3; i++) await assertWhole(link);
    assert.equal(await downloads(link), 3);
  });
});

describe('owners of share links', () => {
  test('an owner lists the share links of a file, newest first, without their secrets', async () => {
    const file = await uploadFile(stack, ann, 'list', 'x');
    assert.deepEqual((await links('GET', { file })).json, { links: [] });
    const [one, two, three] = [await share({ max_downloads: 3 }, file), await share({}, file), await share({}, file)];
    await setLink(one, 'created_at = created_at - 10');
    assertStatus(await get(one), 200);
    assertStatus(await stack.call('DELETE', `/links/${three.id}`, { token: ann.token }), 204);
    const answer = await links('GET', { file });
    assertStatus(answer, 200);
    assert.deepEqual(answer.json.links.map(({ id, downloads: n, max_downloads: max }) => [id, n, max]), [[two.id, 0, null], [one.id, 1, 3]]);
    assert.ok(![one, two].some(({ path }) => answer.text.includes(path.split('/s/')[1])));
  });

  test('a user can neither create, list nor revoke share links of another user\'s file', async () => {
    const link = await share();
    assertProblem(await links('POST', { token: bob.token, json: {} }), 404, 'not-found');
    assertProblem(await links('GET', { token: bob.token }), 404, 'not-found');
    assertProblem(await stack.call('DELETE', `/links/${link.id}`, { token: bob.token }), 404, 'not-found');
    assertProblem(await links('POST', { file: { id: NOWHERE }, json: {} }), 404, 'not-found');
    assertProblem(await links('GET', { file: { id: NOWHERE } }), 404, 'not-found');
    await assertWhole(link);
  });

  test('an admin who names the owner can create, list and revoke share links', async () => {
    const admin = await stack.person({ admin: true });
    const query = `?owner=${ann.id}`;
    const made = await links('POST', { token: admin.token, query, json: {} });
    assertStatus(made, 201);
    assert.ok((await links('GET', { token: admin.token, query })).json.links.some(({ id }) => id === made.json.id));
    assertProblem(await stack.call('DELETE', `/links/${made.json.id}`, { token: admin.token }), 404, 'not-found');
    assertStatus(await stack.call('DELETE', `/links/${made.json.id}${query}`, { token: admin.token }), 204);
    assertProblem(await links('POST', { token: bob.token, query, json: {} }), 403, 'insufficient-scope');
  });

  test('operations on share links need a valid token with the scope', async () => {
    const link = await share();
    const reader = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:read' }));
    const end = (token) => stack.call('DELETE', `/links/${link.id}`, { token });
    for (const answer of [await links('POST', { token: null, json: {} }), await links('GET', { token: null }), await end(null)])
      assertProblem(answer, 401, 'missing-token');
    assertProblem(await links('POST', { token: reader, json: {} }), 403, 'insufficient-scope');
    assertProblem(await end(reader), 403, 'insufficient-scope');
    assertStatus(await links('GET', { token: reader }), 200);
    const writer = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write' }));
    assertProblem(await links('GET', { token: writer }), 403, 'insufficient-scope');
    for (const answer of [await links('GET', { token: 'a b' }), await end('a b')]) assertProblem(answer, 400, 'invalid-request');
    const cy = await stack.person();
    const file = await uploadFile(stack, cy, 'x', 'x');
    const kept = await share({}, file, cy);
    assertStatus(await stack.call('POST', '/logout', { token: cy.token }), 204);
    for (const answer of [await links('POST', { file, token: cy.token, json: {} }), await links('GET', { file, token: cy.token }),
      await stack.call('DELETE', `/links/${kept.id}`, { token: cy.token })])
      assertProblem(answer, 401, 'invalid-token');
    assertStatus(await get(kept), 200); // a share link does not depend on a session
  });

  test('a token that may only write, or only read, cannot publish a file by a link', async () => {
    for (const scope of ['files:write', 'files:read', 'files:write admin', '']) {
      const login = await mint(stack.signingKey(), claimsFor(ann, { scope }));
      const answer = await links('POST', { token: login, json: {} });
      assertProblem(answer, 403, 'insufficient-scope');
      assert.match(answer.headers.get('www-authenticate'), /insufficient_scope/);
    }
    for (const scope of ['files:write', 'files:read']) {
      const made = await stack.call('POST', '/tokens', { token: ann.token, json: { name: scope, scope } });
      assertProblem(await links('POST', { token: made.json.token, json: {} }), 403, 'insufficient-scope');
    }
    const api = await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'both', scope: 'files:write files:read' } });
    assertStatus(await links('POST', { token: api.json.token, json: {} }), 201);
    assertStatus(await links('POST', { token: await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write files:read' })), json: {} }), 201);
    assertProblem(await links('POST', { token: `${api.json.token.slice(0, -1)}${api.json.token.endsWith('A') ? 'B' : 'A'}`, json: {} }), 401, 'invalid-token');
  });

  test('a token that may only write makes upload links and revokes links', async () => {
    const link = await share();
    const writer = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'w', scope: 'files:write' } })).json.token;
    assertStatus(await stack.call('DELETE', `/links/${link.id}`, { token: writer }), 204);
    const made = await stack.call('POST', '/upload-links', { token: writer, json: {} });
    assertStatus(made, 201);
    assertStatus(await stack.call('DELETE', `/upload-links/${made.json.id}`, { token: writer }), 204);
  });

  test('a share link with invalid parameters is refused', async () => {
    for (const params of [{ expires_in: 0 }, { expires_in: 'x' }, { expires_in: 1e12 }, { max_downloads: 0 }, { max_downloads: -1 }, { max_downloads: 1.5 },
      { max_downloads: 1_000_001 }, { max_downloads: '1' }])
      assertProblem(await links('POST', { json: params }), 422, 'invalid-value');
    assertProblem(await links('POST', { body: 'x', headers: { 'Content-Type': 'application/json' } }), 400, 'bad-request');
    assertProblem(await links('POST', { body: 'x=1', headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported-media-type');
    assertProblem(await links('POST', { body: JSON.stringify({ x: 'x'.repeat(20_000) }), headers: { 'Content-Type': 'application/json' } }), 413, 'too-large');
  });

  test('a file can have a hundred share links', async () => {
    const file = await uploadFile(stack, ann, 'many', 'x');
    const first = await share({}, file);
    const row = (_, n) => `('${String(n).padStart(22, 'm')}', UNHEX(SHA2('${file.id}${n}', 256)), '${file.id}', ${ann.id}, 0)`;
    await stack.sql('gateway', `INSERT INTO link (id, hash, file_id, owner, created_at) VALUES ${Array.from({ length: 99 }, row)}`);
    assertProblem(await links('POST', { file, json: {} }), 409, 'conflict');
    assertStatus(await stack.call('DELETE', `/links/${first.id}`, { token: ann.token }), 204);
    assertStatus(await links('POST', { file, json: {} }), 201);
    await stack.sql('gateway', `DELETE FROM link WHERE file_id = '${file.id}'`);
  });

  for (const id of ['x', 'A'.repeat(22), '%c3%a9'.repeat(11), "'".repeat(22)])
    test(`revoking the unknown share link ${id.slice(0, 25)} is not found`, async () => {
      assertProblem(await stack.call('DELETE', `/links/${id}`, { token: ann.token }), 404, 'not-found');
    });
});

test('no log has the secret of a share link', { skip: stack.front && stack.front !== 'nginx' && 'its log is not ours' }, async () => {
  const [link, used] = [await share(), await share({ max_downloads: 1 })];
  const secret = (l) => l.path.split('/s/')[1];
  await assertWhole(link);
  await assertWhole(used);
  await assertGone(used);
  await get(link, {}, 'POST');
  await get(link, {}, 'OPTIONS');
  for (const target of [`${link.path}?x=1`, `${link.path}/`, `/s/${secret(link)}`, `/files/../s/${secret(link)}`, `/tus/%2e%2e/s/${secret(link)}`, `/%73/${secret(link)}`, `//s/${secret(link)}`, `/./s/${secret(link)}`,
    `/cgi-gateway/s/${secret(link)}`, `/cgi-bin/cgi-gateway/s/${secret(link)}`])
    await (await fetch(stack.url + target, { headers: { 'X-Request-ID': 'link-log-test' } })).arrayBuffer();
  await raw(`GET ${link.path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`);
  await raw(`GET ${link.path} HTTP/1.1\r\n\r\n`);
  await raw(`GET ${link.path} HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n`);
  await raw(`GET http://a${link.path} HTTP/1.1\r\nHost: a\r\nX-Request-ID: link-log-last\r\nConnection: close\r\n\r\n`);
  const last = await get(link);
  const line = await stack.logLine(`"request_id":"${last.headers.get('x-request-id')}"`);
  assert.match(line, /"path":"\/s\/…"/);
  const access = await stack.logLine(` ${last.headers.get('x-request-id')} GET /s/`);
  assert.match(access, / GET \/s\/\.\.\. HTTP\/1\.1 200 /);
  for (const l of [link, used]) assert.ok(!stack.logs.includes(secret(l)), stack.logs.split('\n').find((x) => x.includes(secret(l))));
  // the paths of other requests are still logged
  const other = await stack.call('GET', `/files/${record.id}`, { token: ann.token });
  assert.match(await stack.logLine(` ${other.headers.get('x-request-id')} GET `), new RegExp(`/files/${record.id}`));
});

function raw(bytes) {
  return new Promise((done, fail) => {
    const { hostname, port } = new URL(stack.url);
    const socket = net.connect(port, hostname, () => socket.end(bytes));
    socket.on('data', () => {}).on('error', fail).on('close', done);
  });
}

test('gc removes share links that ended 30 days ago, and no others', async () => {
  const file = await uploadFile(stack, ann, 'gc', 'x');
  const lost = await uploadFile(stack, ann, 'lost', 'x');
  const day = 86_400, old = 31 * day, young = 29 * day;
  const ago = (n) => `UNIX_TIMESTAMP() - ${n}`;
  const dead = { revoked: `revoked_at = ${ago(old)}`, expired: `expires_at = ${ago(old)}`, used: `max_downloads = 1, downloads = 1, last_download_at = ${ago(old)}` };
  const alive = { revoked: `revoked_at = ${ago(young)}`, expired: `expires_at = ${ago(young)}`, used: `max_downloads = 1, downloads = 1, last_download_at = ${ago(young)}`,
    unused: `max_downloads = 2, downloads = 1, last_download_at = ${ago(old)}`, free: `max_downloads = NULL, expires_at = NULL, downloads = 9, last_download_at = ${ago(old)}` };
  const made = async (states) => {
    const ids = [];
    for (const state of Object.values(states)) {
      const link = await share({}, file);
      await setLink(link, state);
      ids.push(link.id);
    }
    return ids;
  };
  const [gone, stay] = [await made(dead), await made(alive)];
  const orphan = await share({ expires_in: null }, lost);
  assertStatus(await stack.call('DELETE', `/files/${lost.id}`, { token: ann.token }), 204);
  const rows = async () => (await stack.sql('gateway', `SELECT id FROM link WHERE file_id IN ('${file.id}', '${lost.id}')`)).flat().sort();

  const dry = await stack.gatewayAdmin(['gc', '--dry-run', '--json']);
  assert.equal(JSON.parse(dry.stdout).links, 3, dry.stderr);
  assert.equal((await rows()).length, 9);
  const swept = await stack.gatewayAdmin(['gc', '--json']);
  assert.equal(JSON.parse(swept.stdout).links, 3, swept.stderr);
  assert.deepEqual(await rows(), [...stay, orphan.id].sort());
  assert.ok(!gone.some((id) => stay.includes(id)));
  // the 30 days of a deleted file's link begin here
  await assertGone(orphan);
  await setLink(orphan, `revoked_at = revoked_at - ${old}`);
  assert.equal(JSON.parse((await stack.gatewayAdmin(['gc', '--json'])).stdout).links, 1);
  assertProblem(await get(orphan), 404, 'not-found');
});
