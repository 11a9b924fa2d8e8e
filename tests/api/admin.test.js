// ?owner=: what an admin may do with the files of others, and ordinary users may not
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';

const stack = await useStack();
let root, ann, bob, record;
before(async () => {
  root = await stack.person({ admin: true });
  ann = await stack.person();
  bob = await stack.person();
  record = await uploadFile(stack, ann, 'ann.txt', 'ann');
});

const as = (person, method, target, options) => stack.call(method, target, { token: person.token, ...options });

describe('an admin with ?owner=', () => {
  test('an admin with ?owner= can list, show and download', async () => {
    assert.deepEqual((await as(root, 'GET', `/files?owner=${ann.id}`)).json.files, [record]);
    assert.deepEqual((await as(root, 'GET', `/files/${record.id}?owner=${ann.id}`)).json, record);
    assert.equal((await as(root, 'GET', `${record.url}?owner=${ann.id}`)).text, 'ann');
    assert.equal((await as(root, 'GET', `/download?fid=${record.id}&owner=${ann.id}`)).text, 'ann');
  });

  test('an admin with ?owner= can rename and delete', async () => {
    const own = await uploadFile(stack, ann, 'x', 'x');
    assert.equal((await as(root, 'PATCH', `/files/${own.id}?owner=${ann.id}`, { json: { name: 'y' } })).json.name, 'y');
    assertStatus(await as(root, 'DELETE', `/files/${own.id}?owner=${ann.id}`), 204);
    assertProblem(await as(ann, 'GET', `/files/${own.id}`), 404, 'not-found');
  });

  test('a file that an admin uploads with ?owner= belongs to that owner', async () => {
    const put = await as(root, 'PUT', `/upload/gift?owner=${bob.id}`, { body: 'x' });
    assertStatus(put, 201);
    const post = await as(root, 'POST', `/upload?owner=${bob.id}&name=gift`, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
    assertStatus(post, 201);
    assert.equal((await allFiles(stack, bob)).length, 2);
    assert.equal((await allFiles(stack, root)).length, 0);
  });

  test('an admin does not find a file under another owner', async () => {
    assertProblem(await as(root, 'GET', `/files/${record.id}?owner=${bob.id}`), 404, 'not-found');
    assertProblem(await as(root, 'GET', `/download/${record.id}?owner=${bob.id}`), 404, 'not-found');
  });

  test('the list of a user id that does not exist is empty', async () => {
    assert.deepEqual((await as(root, 'GET', '/files?owner=999999999')).json, { files: [], next: null });
  });

  test('the link to the next page keeps ?owner=', async () => {
    await uploadFile(stack, ann, 'second', 'x');
    const page = await as(root, 'GET', `/files?owner=${ann.id}&limit=1`);
    const next = /<([^>]+)>/.exec(page.headers.get('link'))[1];
    assert.equal(new URL(next, stack.url).searchParams.get('owner'), String(ann.id));
  });
});

test('an admin without ?owner= sees their own files only', async () => {
  assertProblem(await as(root, 'GET', `/files/${record.id}`), 404, 'not-found');
  assert.deepEqual((await as(root, 'GET', '/files')).json.files, []);
});

test('?owner= of another user needs the scope admin', async () => {
  for (const [method, target] of [['GET', `/files?owner=${ann.id}`], ['GET', `/files/${record.id}?owner=${ann.id}`], ['GET', `${record.url}?owner=${ann.id}`],
    ['DELETE', `/files/${record.id}?owner=${ann.id}`], ['PUT', `/upload/x?owner=${ann.id}`]]) {
    const answer = await as(bob, method, target);
    assertProblem(answer, 403, 'insufficient-scope');
  }
  assertStatus(await as(ann, 'GET', `/files/${record.id}`), 200);
});

test('the claim admin without the scope admin is not enough', async () => {
  const token = await mint(stack.signingKey(), claimsFor(root, { admin: true, scope: 'files:read files:write' }));
  assertProblem(await stack.call('GET', `/files?owner=${ann.id}`, { token }), 403, 'insufficient-scope');
});

test('an owner that is not an id is an invalid value', async () => {
  for (const owner of ['x', '', '-1', '0', '1.5', '99999999999999999999', '1;2', "'"])
    assertProblem(await as(root, 'GET', `/files?owner=${encodeURIComponent(owner)}`), 422, 'invalid-value');
});
