// Quotas: GET /usage, uploads over the quota, and gateway-admin quota
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { build, run, repository, useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';

const stack = await useStack();
let root;
before(async () => {
  root = await stack.person({ admin: true });
});

const usage = async (person, query = '') => {
  const answer = await stack.call('GET', `/usage${query}`, { token: person.token });
  assertStatus(answer, 200);
  return answer.json;
};
const put = (person, body, name = 'a', options) => stack.call('PUT', `/upload/${name}`, { token: person.token, body, ...options });
const remove = (person, id) => stack.call('DELETE', `/files/${id}`, { token: person.token });
const quota = async (...args) => {
  const { code, stdout, stderr } = await stack.gatewayAdmin(['quota', ...args.map(String), '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
};
const limited = async (...limits) => {
  const person = await stack.person();
  await quota('set', person.id, ...limits);
  return person;
};
const none = { unfinished_bytes: 0, unfinished_files: 0 };
const unlimited = { ...none, quota_bytes: null, quota_files: null };

// Assert that usage and list agree.
async function assertAgrees(person) {
  const files = await allFiles(stack, person);
  const { bytes, files: count } = await usage(person);
  assert.deepEqual([bytes, count], [files.reduce((sum, f) => sum + f.size, 0), files.length]);
}
const objects = () => readdirSync(stack.path('data', 'objects'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).length;

describe('the usage', () => {
  test('the usage of a new user is zero, without limits', async () => {
    assert.deepEqual(await usage(await stack.person()), { bytes: 0, files: 0, ...unlimited });
  });

  test('the usage grows with every upload and shrinks with every deletion', async () => {
    const ann = await stack.person();
    const first = await uploadFile(stack, ann, 'a', 'hello');
    await stack.call('POST', '/upload', { token: ann.token, headers: { 'Content-Type': formType() }, body: form(filePart('b', 'bb'), filePart('c', 'ccc')) });
    assert.deepEqual(await usage(ann), { bytes: 10, files: 3, ...unlimited });
    assertStatus(await remove(ann, first.id), 204);
    assertProblem(await remove(ann, first.id), 404, 'not-found');
    assert.deepEqual(await usage(ann), { bytes: 5, files: 2, ...unlimited });
    assertProblem(await put(ann, 'x', 'a?sha256=' + '0'.repeat(64)), 422, 'digest-mismatch');
    await assertAgrees(ann);
  });

  test('the usage shows a user\'s own limits', async () => {
    const ann = await limited('--bytes', 1000, '--files', 3);
    assert.deepEqual(await usage(ann), { bytes: 0, files: 0, ...none, quota_bytes: 1000, quota_files: 3 });
  });

  test('the usage of others is shown to admins only', async () => {
    const ann = await limited('--files', 7);
    await uploadFile(stack, ann, 'a', 'hello');
    assert.deepEqual(await usage(root, `?owner=${ann.id}`), { bytes: 5, files: 1, ...none, quota_bytes: null, quota_files: 7 });
    assertProblem(await stack.call('GET', `/usage?owner=${root.id}`, { token: ann.token }), 403, 'insufficient-scope');
    assertProblem(await stack.call('GET', '/usage?owner=x', { token: root.token }), 422, 'invalid-value');
  });

  test('the usage needs a valid token with the scope files:read', async () => {
    const ann = await stack.person();
    assertProblem(await stack.call('GET', '/usage'), 401, 'missing-token');
    assertProblem(await stack.call('GET', '/usage', { headers: { Authorization: 'Bearer' } }), 400, 'invalid-request');
    const writer = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write' }));
    assertProblem(await stack.call('GET', '/usage', { token: writer }), 403, 'insufficient-scope');
    assertStatus(await stack.call('HEAD', '/usage', { token: ann.token }), 200);
    assertProblem(await stack.call('POST', '/usage', { token: ann.token, body: '' }), 405, 'method-not-allowed');
    const { token } = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 't', scope: 'files:read' } })).json;
    assertStatus(await stack.call('GET', '/usage', { token }), 200);
    assertStatus(await stack.call('POST', '/logout', { token: ann.token, body: '' }), 204);
    assertProblem(await stack.call('GET', '/usage', { token: ann.token }), 401, 'invalid-token');
  });
});

test('the usage tells unfinished uploads from files', async () => {
  const ann = await stack.person();
  await uploadFile(stack, ann, 'a', 'hello');
  const create = (length) => stack.call('POST', '/tus/', { token: ann.token, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(length) } });
  const made = await create(100);
  assertStatus(made, 201);
  const unfinished = { bytes: 105, files: 2, unfinished_bytes: 100, unfinished_files: 1, quota_bytes: null, quota_files: null };
  assert.deepEqual(await usage(ann), unfinished);
  assert.deepEqual(await usage(root, `?owner=${ann.id}`), unfinished);
  assertStatus(await stack.call('PATCH', new URL(made.headers.get('location'), stack.url).pathname, { token: ann.token, body: 'x'.repeat(100),
    headers: { 'Tus-Resumable': '1.0.0', 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' } }), 204);
  assert.deepEqual(await usage(ann), { bytes: 105, files: 2, ...unlimited });
});

describe('uploads within and over a quota', () => {
  test('a refusal says whether bytes or files are too many, by every way to upload', async () => {
    const tus = (person, length) => stack.call('POST', '/tus/', { token: person.token, headers: { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(length) } });
    const inForm = (person, body) => stack.call('POST', '/upload', { token: person.token, headers: { 'Content-Type': formType() }, body: form(filePart('b', body)) });
    for (const [limits, text] of [[['--files', 1], /^Your quota of files is used up\./], [['--files', 1, '--bytes', 1000000], /^Your quota of files is used up\./],
      [['--bytes', 10], /^This needs more bytes than your quota has left\./], [['--files', 100, '--bytes', 10], /^This needs more bytes than your quota has left\./]]) {
      const ann = await limited(...limits);
      assertStatus(await put(ann, 'xxx'), 201);
      for (const answer of [await put(ann, 'x'.repeat(8)), await inForm(ann, 'x'.repeat(8)), await tus(ann, 8)]) {
        assertProblem(answer, 507, 'quota-exceeded');
        assert.match(answer.json.detail, text);
      }
    }
  });

  test('an upload may fill the quota to the last byte, and no further', async () => {
    const ann = await limited('--bytes', 10);
    assertProblem(await put(ann, 'x'.repeat(11)), 507, 'quota-exceeded');
    const { id } = (await put(ann, 'x'.repeat(9))).json.files[0];
    assertProblem(await put(ann, 'xx'), 507, 'quota-exceeded');
    assertStatus(await put(ann, 'x'), 201);
    assertProblem(await put(ann, 'x'), 507, 'quota-exceeded');
    assertStatus(await remove(ann, id), 204);
    assertStatus(await put(ann, 'xxx'), 201);
    await assertAgrees(ann);
    assert.equal((await usage(ann)).bytes, 4);
  });

  test('an upload may be the last file of the quota, and no further one', async () => {
    const ann = await limited('--files', 1);
    const { id } = (await put(ann, 'x')).json.files[0];
    assertProblem(await put(ann, ''), 507, 'quota-exceeded');
    assertStatus(await remove(ann, id), 204);
    assertStatus(await put(ann, ''), 201);
  });

  test('a form over the quota is refused as a whole and leaves no bytes', async () => {
    const ann = await limited('--bytes', 5, '--files', 3);
    const post = (...parts) => stack.call('POST', '/upload', { token: ann.token, headers: { 'Content-Type': formType() }, body: form(...parts) });
    const before = objects();
    assertProblem(await post(filePart('a', 'aaa'), filePart('b', 'bbb')), 507, 'quota-exceeded');
    assertProblem(await post(...['a', 'b', 'c', 'd'].map((name) => filePart(name, ''))), 507, 'quota-exceeded');
    assert.deepEqual(await allFiles(stack, ann), []);
    assert.equal((await usage(ann)).files, 0);
    assert.ok(process.env.GATEHOUSE_STATE || objects() === before); // others write to a shared instance
    assertStatus(await post(filePart('a', 'aa'), filePart('b', 'bbb')), 201);
    await assertAgrees(ann);
  });

  test('an upload whose length exceeds the quota is refused before its bytes', async () => {
    const ann = await limited('--bytes', 1 << 20);
    assertProblem(await put(ann, Buffer.alloc((1 << 20) + 1)), 507, 'quota-exceeded');
    assertStatus(await put(ann, Buffer.alloc(1 << 20)), 201);
    await assertAgrees(ann);
  });

  test('an upload by an admin counts towards the owner\'s quota', async () => {
    const ann = await limited('--files', 1);
    assertStatus(await stack.call('PUT', `/upload/gift?owner=${ann.id}`, { token: root.token, body: 'gift' }), 201);
    assertProblem(await stack.call('PUT', `/upload/gift?owner=${ann.id}`, { token: root.token, body: 'gift' }), 507, 'quota-exceeded');
    assert.deepEqual((await usage(ann)).bytes, 4);
  });

  test('an expired file counts until gc removes it', async () => {
    const ann = await limited('--files', 1);
    const record = await uploadFile(stack, ann, 'a', 'hello', { query: '?expires_in=1000' });
    await stack.sql('gateway', `UPDATE file SET expires_at=1 WHERE id='${record.id}'`);
    assert.deepEqual(await allFiles(stack, ann), []);
    assertProblem(await put(ann, 'x'), 507, 'quota-exceeded');
    assert.equal((await stack.gatewayAdmin(['gc'])).code, 0);
    assert.equal((await usage(ann)).files, 0);
    assertStatus(await put(ann, 'x'), 201);
  });

  for (const limits of [['--files', 10], ['--bytes', 54]])
    test(`exactly ten of 50 parallel uploads fit into ${limits.join(' ')}`, async () => {
      const ann = await limited(...limits);
      const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => put(ann, 'hello', `n${i}`)));
      assert.equal(answers.filter((a) => a.status === 201).length, 10, answers.map((a) => a.status).join(' '));
      for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 507, 'quota-exceeded');
      const { bytes, files } = await usage(ann);
      assert.deepEqual([bytes, files], [50, 10]);
      await assertAgrees(ann);
      const gone = await Promise.all((await allFiles(stack, ann)).flatMap(({ id }) => [remove(ann, id), remove(ann, id)]));
      assert.deepEqual(gone.map((a) => a.status).sort(), [...Array(10).fill(204), ...Array(10).fill(404)]);
      assert.equal((await usage(ann)).files, 0);
    });

  test('30 parallel first uploads of a user are all counted', async () => {
    const ann = await stack.person();
    const answers = await Promise.all(Array.from({ length: 30 }, () => put(ann, 'hello')));
    for (const answer of answers) assertStatus(answer, 201);
    assert.deepEqual(await usage(ann), { bytes: 150, files: 30, ...unlimited });
  });
});

describe('gateway-admin quota', () => {
  test('quota show and set work, and set leaves other limits unchanged', async () => {
    const { id: owner } = await stack.person();
    assert.deepEqual(await quota('show', owner), { owner, bytes: 0, files: 0, quota_bytes: null, quota_files: null });
    assert.deepEqual(await quota('set', owner, '--bytes', 5000), { owner, bytes: 0, files: 0, quota_bytes: 5000, quota_files: null });
    assert.deepEqual(await quota('set', owner, '--files', 5), { owner, bytes: 0, files: 0, quota_bytes: 5000, quota_files: 5 });
    assert.deepEqual(await quota('set', owner, '--bytes', 'none', '--files', 'default'), { owner, bytes: 0, files: 0, quota_bytes: null, quota_files: null });
    const { stdout } = await stack.gatewayAdmin(['quota', 'show', String(owner)]);
    assert.equal(stdout, 'bytes 0 of any number\nfiles 0 of any number\n');
  });

  test('quota show falls back to QUOTA_BYTES and QUOTA_FILES', async () => {
    const { id: owner } = await stack.person();
    const show = async () => JSON.parse((await run(`${build}/gateway-admin`, ['quota', 'show', String(owner), '--json'],
      { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), QUOTA_BYTES: '77', QUOTA_FILES: '8' } })).stdout);
    assert.deepEqual(await show(), { owner, bytes: 0, files: 0, quota_bytes: 77, quota_files: 8 });
    await quota('set', owner, '--bytes', 'none');
    assert.deepEqual(await show(), { owner, bytes: 0, files: 0, quota_bytes: null, quota_files: 8 });
  });

  test('quota recount repairs and reports wrong counts', async () => {
    const ann = await limited('--files', 9);
    await uploadFile(stack, ann, 'a', 'hello');
    await stack.sql('gateway', `UPDATE quota SET bytes=7, files=-1 WHERE owner=${ann.id}`);
    const { repaired, owners } = await quota('recount');
    assert.ok(owners >= 1);
    assert.deepEqual(repaired.filter(({ owner }) => owner === ann.id), [{ owner: ann.id, bytes: 5, files: 1, bytes_before: 7, files_before: -1 }]);
    assert.deepEqual(await usage(ann), { bytes: 5, files: 1, ...none, quota_bytes: null, quota_files: 9 });
    assert.deepEqual((await quota('recount')).repaired, []);
  });

  test('scripts/admin runs gateway-admin quota', async () => {
    const { code, stdout } = await run(`${repository}/scripts/admin`, ['--state', stack.state, '--build', build, 'files', 'quota', 'show', '1']);
    assert.equal(code, 0);
    assert.match(stdout, /^bytes \d+ of/);
  });

  test('wrong usage of quota exits 64 and points to --help', async () => {
    for (const args of [[], ['show'], ['show', 'x'], ['show', '0'], ['set', '1'], ['set', '1', '--bytes', '-1'], ['set', '1', '--bytes', '0'],
      ['set', '1', '--files', 'many'], ['set', '1', '--bytes', '99999999999999999999'], ['recount', '1'], ['forget', '1']]) {
      const { code, stderr } = await stack.gatewayAdmin(['quota', ...args]);
      assert.equal(code, 64, args.join(' '));
      assert.match(stderr, /^gateway-admin .*--help\n$/);
    }
    assert.match((await stack.gatewayAdmin(['quota', '--help'])).stdout, /recount/);
  });
});
