// MAX_UNFINISHED: how many resumable uploads a user may have begun and not finished.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { startStack } from '../support/stack.js';
import { create, newUpload, patch, terminate } from '../support/tus.js';

let stack, ann, bob, admin;

before(async () => {
  stack = await startStack({ settings: { MAX_UNFINISHED: 5 } });
  ann = await stack.person();
  bob = await stack.person();
  admin = await stack.person({ admin: true });
});
after(() => stack?.stop());

test('of many creations at once, MAX_UNFINISHED succeed and the others get 429', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) =>
    create(stack, ann, i % 2 ? 10 : null, { name: `n${i}`, headers: i % 3 ? {} : { 'Upload-Concat': 'partial' } })));
  assert.equal(answers.filter(({ status }) => status === 201).length, 5);
  for (const answer of answers.filter(({ status }) => status !== 201)) {
    assertProblem(answer, 429, 'too-many-uploads');
    assert.match(answer.json.detail, /MAX_UNFINISHED/);
    assert.equal(answer.headers.get('retry-after'), '60');
  }
  assert.equal(Number((await stack.sql('gateway', `SELECT COUNT(*) FROM upload WHERE owner = ${ann.id}`))[0][0]), 5);
});

test('the uploads of another user, and other ways to upload, are not affected', async () => {
  await newUpload(stack, bob, 10, { name: 'b' });
  assertStatus(await stack.call('PUT', '/upload/x', { token: ann.token, body: 'x' }), 201);
});

test('an admin who uploads for a user is limited by the uploads of that user', async () => {
  assertProblem(await create(stack, admin, 10, { name: 'x', query: `?owner=${ann.id}` }), 429, 'too-many-uploads');
  await newUpload(stack, admin, 10, { name: 'own' });
});

test('an upload that is finished, deleted or expired makes room', async () => {
  const eve = await stack.person();
  const paths = [];
  for (let i = 0; i < 5; i++) paths.push(await newUpload(stack, eve, 3, { name: `e${i}` }));
  assertProblem(await create(stack, eve, 3, { name: 'more' }), 429, 'too-many-uploads');
  assertStatus(await patch(stack, eve, paths[0], 0, 'abc'), 204);
  await newUpload(stack, eve, 3, { name: 'after a finished one' });
  assertStatus(await terminate(stack, eve, paths[1]), 204);
  await newUpload(stack, eve, 3, { name: 'after a deleted one' });
  await stack.sql('gateway', `UPDATE upload SET expires_at = UNIX_TIMESTAMP() - 1 WHERE id = '${paths[2].split('/').at(-1)}'`);
  await newUpload(stack, eve, 3, { name: 'after an expired one' });
  assertProblem(await create(stack, eve, 3, { name: 'more' }), 429, 'too-many-uploads');
  assertStatus(await create(stack, eve, 3, { name: 'complete', body: 'abc' }), 429);
});
