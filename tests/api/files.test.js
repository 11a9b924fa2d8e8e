// GET /files, and GET, PATCH, DELETE /files/{id}
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';
import { newUpload } from '../support/tus.js';

const stack = await useStack();
let ann, bob;
before(async () => {
  ann = await stack.person();
  bob = await stack.person();
});

const list = (query = '', { token = ann.token, method = 'GET' } = {}) => stack.call(method, `/files${query}`, { token });
const one = (method, id, options) => stack.call(method, `/files/${id}`, { token: ann.token, ...options });
const change = (id, json, options) => one('PATCH', id, { json, ...options });
const names = (answer) => answer.json.files.map((f) => f.name);
const readOnly = async () => mint(stack.signingKey(), claimsFor(ann, { scope: 'files:read' }));
const writeOnly = async () => mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write' }));

describe('the list', () => {
  let eve, kept;
  before(async () => {
    eve = await stack.person();
    kept = [];
    for (const name of ['one.txt', 'two.txt', '100%.txt', '1000.txt', 'a_b.txt', 'axb.txt', 'Größe.txt', 'back\u2216slash.txt', 'last.jpg'])
      kept.push(await uploadFile(stack, eve, name, name));
  });
  const eves = (query) => list(query, { token: eve.token });

  test('the list of a new user is empty', async () => {
    const answer = await list('', { token: (await stack.person()).token });
    assert.deepEqual(answer.json, { files: [], next: null });
    assert.equal(answer.headers.get('link'), null);
  });

  test('the list has every file, newest first, as the upload returned it', async () => {
    assert.deepEqual((await eves('')).json, { files: [...kept].reverse(), next: null });
  });

  test('the list has no files of other users', async () => {
    assert.deepEqual((await list('', { token: bob.token })).json.files, []);
  });

  test('the pages of a list join without a gap', async () => {
    for (const limit of [1, 2, 4, 8]) {
      const seen = [];
      let query = `?limit=${limit}`;
      for (let pages = 0; query; pages++) {
        assert.ok(pages < 20);
        const page = await eves(query);
        assertStatus(page, 200);
        assert.ok(page.json.files.length <= limit);
        seen.push(...page.json.files);
        const link = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
        assert.equal(Boolean(link), page.json.next !== null);
        if (link) assert.equal(new URL(link, stack.url + '/files').searchParams.get('after'), page.json.next);
        query = link ? new URL(link, stack.url + '/files').search : null;
      }
      assert.deepEqual(seen.map((f) => f.id), [...kept].reverse().map((f) => f.id));
    }
  });

  test('the list has no next page if the last page is full', async () => {
    assert.equal((await eves(`?limit=${kept.length}`)).json.next, null);
  });

  test('the next page is unaffected by a newer file', async () => {
    const first = await eves('?limit=3');
    const newer = await uploadFile(stack, eve, 'newer.txt', 'x');
    const second = await eves(`?limit=3&after=${first.json.next}`);
    assert.deepEqual(names(second), [...kept].reverse().slice(3, 6).map((f) => f.name));
    await one('DELETE', newer.id, { token: eve.token });
  });

  test('a search finds a part of the name', async () => {
    assert.deepEqual(names(await eves('?q=.txt')).length, 8);
    assert.deepEqual(names(await eves('?q=tw')), ['two.txt']);
    assert.deepEqual(names(await eves(`?q=${encodeURIComponent('röß')}`)), ['Größe.txt']);
    assert.deepEqual(names(await eves('?q=nothing')), []);
    assert.equal(names(await eves('?q=')).length, kept.length);
  });

  test('a search takes % and _ literally', async () => {
    assert.deepEqual(names(await eves('?q=100%25')), ['100%.txt']);
    assert.deepEqual(names(await eves('?q=a_b')), ['a_b.txt']);
    assert.deepEqual(names(await eves('?q=%25')), ['100%.txt']);
    assert.deepEqual(names(await eves('?q=_')), ['a_b.txt']);
    assert.deepEqual(names(await eves('?q=%5C')), []);
    assert.deepEqual(names(await eves('?q=%5C%25')), []);
  });

  test('a search takes quotes and SQL literally', async () => {
    for (const q of ["'", '"', "' OR 1=1 -- ", "%' OR '%'='", '|', '!']) assert.deepEqual(names(await eves(`?q=${encodeURIComponent(q)}`)), []);
  });

  test('the link to the next page keeps the search', async () => {
    const page = await eves('?q=.txt&limit=3');
    const next = new URL(/<([^>]+)>/.exec(page.headers.get('link'))[1], stack.url).searchParams;
    assert.equal(next.get('q'), '.txt');
    assert.equal(next.get('limit'), '3');
  });

  for (const query of ['limit=0', 'limit=-1', 'limit=1001', 'limit=x', 'limit=', 'limit=1.5', 'limit=99999999999999999999', 'after=x', "after='"])
    test(`the list with ?${query} is refused`, async () => {
      const answer = await list(`?${query}`);
      assertProblem(answer, 422, 'invalid-value');
      assert.match(answer.json.detail, new RegExp(query.split('=')[0]));
    });

  test('the list ignores unknown parameters', async () => {
    assertStatus(await list('?color=red&&=&x'), 200);
  });

  test('the list has no expired files', async () => {
    const dan = await stack.person();
    const record = await uploadFile(stack, dan, 'gone', 'x', { query: '?expires_in=60' });
    assert.equal((await allFiles(stack, dan)).length, 1);
    await stack.sql('gateway', `UPDATE file SET expires_at = created_at WHERE id = '${record.id}'`);
    assert.deepEqual(await allFiles(stack, dan), []);
  });

  test('the list is refused without a token, without the scope, and with a malformed header', async () => {
    assertProblem(await stack.call('GET', '/files'), 401, 'missing-token');
    assertProblem(await list('', { token: await writeOnly() }), 403, 'insufficient-scope');
    assertProblem(await list('', { token: 'a b' }), 400, 'invalid-request');
  });

  test('the list answers HEAD', async () => {
    const answer = await list('', { method: 'HEAD' });
    assertStatus(answer, 200);
    assert.equal(answer.text, '');
  });
});

describe('one file', () => {
  let record;
  before(async () => {
    record = await uploadFile(stack, ann, 'record.txt', 'x');
  });

  test('GET /files/{id} returns what the upload returned', async () => {
    const answer = await one('GET', record.id);
    assertStatus(answer, 200);
    assert.deepEqual(answer.json, record);
    assertStatus(await one('HEAD', record.id), 200);
  });

  test('a file of another user can be neither read, changed nor deleted', async () => {
    for (const answer of [
      await one('GET', record.id, { token: bob.token }),
      await change(record.id, { name: 'stolen' }, { token: bob.token }),
      await one('DELETE', record.id, { token: bob.token }),
    ])
      assertProblem(answer, 404, 'not-found');
    assert.equal((await one('GET', record.id)).json.name, 'record.txt');
  });

  test('a file needs the scope for each method', async () => {
    assertProblem(await one('GET', record.id, { token: await writeOnly() }), 403, 'insufficient-scope');
    assertProblem(await change(record.id, { name: 'x' }, { token: await readOnly() }), 403, 'insufficient-scope');
    assertProblem(await one('DELETE', record.id, { token: await readOnly() }), 403, 'insufficient-scope');
  });

  test('a file needs a valid token', async () => {
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const json = method === 'PATCH' ? { name: 'x' } : undefined;
      assertProblem(await one(method, record.id, { token: undefined, json }), 401, 'missing-token');
      assertProblem(await one(method, record.id, { token: 'a.b.c', json }), 401, 'invalid-token');
      assertProblem(await one(method, record.id, { token: 'a b', json }), 400, 'invalid-request');
    }
  });

  test('an id that does not exist is 404', async () => {
    for (const id of ['x', '00000000-0000-7000-8000-000000000000', encodeURIComponent("' OR 1=1 -- "), record.id.slice(0, -1), record.id + '0', 'a'.repeat(2000)])
      for (const method of ['GET', 'DELETE', 'PATCH'])
        assertProblem(await one(method, id, method === 'PATCH' ? { json: { name: 'x' } } : {}), 404, 'not-found');
  });

  test('a file answers GET, PATCH and DELETE only', async () => {
    for (const method of ['POST', 'PUT']) {
      const answer = await one(method, record.id, { body: 'x' });
      assertProblem(answer, 405, 'method-not-allowed');
      for (const allowed of ['GET', 'PATCH', 'DELETE']) assert.match(answer.headers.get('allow'), new RegExp(`\\b${allowed}\\b`));
    }
    const collection = await stack.call('DELETE', '/files', { token: ann.token });
    assertProblem(collection, 405, 'method-not-allowed');
  });
});

describe('changes', () => {
  let record;
  before(async () => {
    record = await uploadFile(stack, ann, 'old.txt', 'content', { type: 'text/plain' });
  });

  test('a change of the name changes nothing else', async () => {
    const answer = await change(record.id, { name: 'new ☂.txt' });
    assertStatus(answer, 200);
    assert.deepEqual(answer.json, { ...record, name: 'new ☂.txt' });
    assert.deepEqual((await one('GET', record.id)).json, answer.json);
    const { headers, text } = await stack.call('GET', record.url, { token: ann.token });
    assert.equal(text, 'content');
    assert.match(headers.get('content-disposition'), /%E2%98%82/);
  });

  test('a change of the expiry counts from now, and null means never', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const soon = await change(record.id, { expires_in: 3600 });
    assertStatus(soon, 200);
    assert.ok(Date.parse(soon.json.expires_at) >= before + 3600_000);
    const never = await change(record.id, { expires_in: null });
    assert.equal(never.json.expires_at, null);
  });

  test('a change of name and expiry at once is possible', async () => {
    const answer = await change(record.id, { name: 'both', expires_in: 60 });
    assert.equal(answer.json.name, 'both');
    assert.notEqual(answer.json.expires_at, null);
  });

  test('a change to the current value is accepted', async () => {
    const { json: now } = await change(record.id, { expires_in: null });
    assert.deepEqual((await change(record.id, { name: now.name })).json, now);
  });

  test('a change of the name to a path keeps its last segment', async () => {
    const answer = await change(record.id, { name: '../../etc/passwd' });
    assert.ok([200, 422].includes(answer.status), answer.text);
    if (answer.status === 200) assert.equal(answer.json.name, 'passwd');
  });

  for (const value of [{ name: '' }, { name: 1 }, { name: null }, { name: ['x'] }, { name: 'a\nb' }, { name: 'x'.repeat(256) }, { name: '..' },
    { expires_in: 0 }, { expires_in: -1 }, { expires_in: '60' }, { expires_in: 1.5 }, { expires_in: 1e300 }, { expires_in: 316224001 }, { expires_in: true }, { expires_in: [] }])
    test(`a change to ${JSON.stringify(value).slice(0, 40)} is an invalid value`, async () => {
      const { json: was } = await one('GET', record.id);
      assertProblem(await change(record.id, value), 422, 'invalid-value');
      assert.deepEqual((await one('GET', record.id)).json, was);
    });

  for (const [what, body] of [['no bytes', ''], ['invalid JSON', '{name:1}'], ['truncated JSON', '{"name":"x"'], ['an array', '[]'], ['a string', '"x"'], ['two values', '{"name":"x"}{}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])], ['a thousand levels', '['.repeat(1000)], ['a member twice', '{"name":"x","name":"y"}'], ['a NUL in a name', '{"name":"a\\u0000b"}'], ['half of a character', '{"name":"a\\ud800b"}']])
    test(`a change with a body of ${what} is a bad request`, async () => {
      const { json: was } = await one('GET', record.id);
      const answer = await one('PATCH', record.id, { body, headers: { 'Content-Type': 'application/json' } });
      assertProblem(answer, 400, 'bad-request');
      assert.deepEqual((await one('GET', record.id)).json, was);
    });

  test('a change with a body of 20,000 bytes is too large for the gateway, of a megabyte for lighttpd', async () => {
    for (const size of [20_000, 1 << 20]) {
      const answer = await one('PATCH', record.id, { body: `{"name":"x"${' '.repeat(size)}}`, headers: { 'Content-Type': 'application/json' } });
      assertProblem(answer, 413, 'too-large');
    }
  });

  test('a change with another content type is refused', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'application/jsonx'])
      assertProblem(await one('PATCH', record.id, { body: '{"name":"x"}', headers: { 'Content-Type': type } }), 415, 'unsupported-media-type');
    assertStatus(await one('PATCH', record.id, { body: '{"name":"x"}', headers: { 'Content-Type': 'application/json; charset=utf-8' } }), 200);
  });

  test('a change of unknown or fixed members changes nothing', async () => {
    const { json: was } = await one('GET', record.id);
    const answer = await change(record.id, { size: 1, owner: bob.id, id: 'x', sha256: 'x' });
    assert.ok([200, 422].includes(answer.status), answer.text);
    assert.deepEqual((await one('GET', record.id)).json, was);
  });
});

describe('deletion', () => {
  test('a deleted file is gone at once, with its bytes', async () => {
    const record = await uploadFile(stack, ann, 'gone.txt', 'x');
    const path = `${stack.settings('gateway').DATA_DIR}/objects`;
    const object = (id) => [id.slice(0, 2), id.slice(-2)].map((aa) => `${path}/${aa}/${id}`).some(existsSync);
    assert.ok(object(record.id), 'the bytes are under objects/');
    const answer = await one('DELETE', record.id);
    assertStatus(answer, 204);
    assert.equal(answer.text, '');
    assert.ok(!object(record.id));
    assertProblem(await one('GET', record.id), 404, 'not-found');
    assertProblem(await stack.call('GET', record.url, { token: ann.token }), 404, 'not-found');
    assertProblem(await one('DELETE', record.id), 404, 'not-found');
    assert.ok(!(await allFiles(stack, ann)).some((f) => f.id === record.id));
  });
});

describe('ids in capitals', () => {
  const upper = (path) => path.replace(/[0-9a-f-]{36}/g, (id) => id.toUpperCase());

  test('an id in capitals names the same file on every route (RFC 9562)', async () => {
    const person = await stack.person();
    const older = await uploadFile(stack, person, 'older.txt', 'older');
    const record = await uploadFile(stack, person, 'ids.txt', 'content');
    const ask = (method, target, options) => stack.call(method, upper(target), { token: person.token, ...options });
    const id = record.id.toUpperCase();
    assert.notEqual(id, record.id);
    assert.deepEqual((await ask('GET', `/files/${record.id}`)).json, record);
    for (const target of [`/download/${record.id}`, `/download?fid=${record.id}`]) {
      assertStatus(await ask('HEAD', target), 200);
      assert.equal((await ask('GET', target)).text, 'content');
    }
    assert.deepEqual(names(await ask('GET', `/files?after=${record.id}`)), ['older.txt']);
    const link = await ask('POST', `/files/${record.id}/links`, { json: {} });
    assertStatus(link, 201);
    assert.equal((await ask('GET', `/files/${record.id}/links`)).json.links.length, 1);
    assert.equal((await ask('PATCH', `/files/${record.id}`, { json: { name: 'renamed' } })).json.id, record.id);
    assertStatus(await ask('DELETE', `/files/${record.id}`), 204);
    const path = `${stack.settings('gateway').DATA_DIR}/objects`;
    assert.ok(![record.id.slice(0, 2), record.id.slice(-2)].some((aa) => existsSync(`${path}/${aa}/${record.id}`)), 'the bytes are removed');
    assert.deepEqual((await allFiles(stack, person)).map((f) => f.id), [older.id]);
  });

  test('an upload in capitals is continued, joined and removed', async () => {
    const headers = { 'Tus-Resumable': '1.0.0' };
    const ask = (method, target, more, body) => stack.call(method, upper(target), { token: ann.token, headers: { ...headers, ...more }, body });
    const send = (target, bytes) => ask('PATCH', target, { 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' }, bytes);
    const parts = [];
    for (const bytes of ['first ', 'second']) {
      parts.push(await newUpload(stack, ann, bytes.length, { headers: { 'Upload-Concat': 'partial' } }));
      assertStatus(await send(parts.at(-1), bytes), 204);
      assertStatus(await ask('HEAD', parts.at(-1)), 200);
    }
    const twice = await stack.call('POST', '/tus/', { token: ann.token, headers: { ...headers, 'Upload-Concat': `final;${parts[0]} ${upper(parts[0])}` } });
    assertProblem(twice, 422, 'invalid-value');
    const joined = await stack.call('POST', '/tus/', { token: ann.token, headers: { ...headers, 'Upload-Concat': `final;${parts.map(upper).join(' ')}` } });
    assertStatus(joined, 201);
    const path = new URL(joined.headers.get('location'), stack.url).pathname;
    assert.equal((await stack.call('GET', upper(path.replace('/tus/', '/download/')), { token: ann.token })).text, 'first second');
    assertStatus(await ask('DELETE', path), 204);
    assertProblem(await ask('GET', path), 404, 'not-found');
  });
});
