// An expired file is gone on every route from that second on, before gc has removed it.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
let ann, root, record, link;
before(async () => {
  root = await stack.person({ admin: true });
});
beforeEach(async () => {
  ann = await stack.person();
  record = await uploadFile(stack, ann, 'soon', 'hello', { query: '?expires_in=1000' });
  const shared = await as(ann, 'POST', `/files/${record.id}/links`, { json: { expires_in: null } });
  assertStatus(shared, 201);
  link = new URL(shared.json.url, stack.url).pathname;
});

const as = (person, method, target, options) => stack.call(method, target, { token: person.token, ...options });
const usage = async () => (await as(ann, 'GET', '/usage')).json;
// By the server's clock, which is ours: expired as of this second
const expire = () => stack.sql('gateway', `UPDATE file SET expires_at = UNIX_TIMESTAMP() WHERE id = '${record.id}'`);

const routes = [
  ['GET', ({ id }) => `/files/${id}`], ['HEAD', ({ id }) => `/files/${id}`],
  ['GET', ({ id }) => `/download/${id}`], ['HEAD', ({ id }) => `/download/${id}`], ['GET', ({ id }) => `/download?fid=${id}`],
  ['PATCH', ({ id }) => `/files/${id}`, { name: 'renamed' }], ['PATCH', ({ id }) => `/files/${id}`, { expires_in: null }],
  ['GET', ({ id }) => `/files/${id}/links`], ['POST', ({ id }) => `/files/${id}/links`, {}],
];

for (const [method, target, json] of routes)
  test(`${method} ${target({ id: '{id}' })} ${json ? JSON.stringify(json) : ''} finds a file until its expiry`, async () => {
    const alive = await as(ann, method, target(record), { json });
    assert.ok([200, 201].includes(alive.status), String(alive.status));
    await expire();
    assertProblem(await as(ann, method, target(record), { json }), 404, 'not-found');
    const named = target(record);
    assertProblem(await as(root, method, `${named}${named.includes('?') ? '&' : '?'}owner=${ann.id}`, { json }), 404, 'not-found');
  });

test('an expired file is in no list', async () => {
  const other = await uploadFile(stack, ann, 'stays', 'x');
  await expire();
  assert.deepEqual(await allFiles(stack, ann), [other]);
  assert.deepEqual((await as(ann, 'GET', '/files?q=soon')).json.files, []);
  assert.deepEqual((await as(ann, 'GET', '/files?limit=1')).json, { files: [other], next: null });
  assert.deepEqual((await as(root, 'GET', `/files?owner=${ann.id}`)).json.files, [other]);
});

test('a link of an expired file is gone, for a resumed download too', async () => {
  assertStatus(await stack.call('GET', link), 200);
  await expire();
  for (const headers of [{}, { Range: 'bytes=1-' }, { 'If-None-Match': '*' }]) assertProblem(await stack.call('GET', link, { headers }), 410, 'gone');
});

test('an expired file counts towards the quota until it is removed, and its owner can delete it', async () => {
  await expire();
  assert.deepEqual([(await usage()).files, (await usage()).bytes], [1, 5]);
  assertStatus(await as(ann, 'DELETE', `/files/${record.id}`), 204);
  assert.deepEqual([(await usage()).files, (await usage()).bytes], [0, 0]);
  assertProblem(await as(ann, 'DELETE', `/files/${record.id}`), 404, 'not-found');
});

test('an expiry that was removed or postponed in time does not take effect', async () => {
  for (const expires_in of [null, 2000]) {
    assertStatus(await as(ann, 'PATCH', `/files/${record.id}`, { json: { expires_in } }), 200);
    const { json } = await as(ann, 'GET', `/files/${record.id}`);
    const until = await stack.sql('gateway', `SELECT expires_at FROM file WHERE id = '${record.id}'`);
    assert.equal(until[0][0], expires_in === null ? 'NULL' : String(Date.parse(json.expires_at) / 1000));
    assert.equal((await stack.call('GET', link)).text, 'hello');
  }
});
