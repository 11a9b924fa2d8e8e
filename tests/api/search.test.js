// GET /files?q=: a name is found by any part of it, however it was written.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
let ann, bob, root;
before(async () => {
  [ann, bob, root] = await Promise.all([stack.person(), stack.person(), stack.person({ admin: true })]);
});

const upload = async (who, name) => {
  const answer = await stack.call('PUT', `/upload/${encodeURIComponent(name)}`, { token: who.token, body: 'x' });
  assertStatus(answer, 201);
  return answer.json.files[0];
};
const search = async (who, q, more = '') => {
  const answer = await stack.call('GET', `/files?q=${encodeURIComponent(q)}${more}`, { token: who.token });
  assertStatus(answer, 200);
  return answer.json;
};
const names = async (...args) => (await search(...args)).files.map(({ name }) => name);

describe('a search', () => {
  for (const [what, name, ...parts] of [
    ['composed letters', 'Grüße.txt', 'Grüße', 'Gru\u0308ße', 'GRÜSSE', 'grusse', 'ü', 'u\u0308', 'ß', 'ru'],
    ['decomposed letters', 'Übung\u0308 Cafe\u0301.md'.normalize('NFD'), 'Café', 'Cafe\u0301', 'CAFE', 'é.', 'ubung'],
    ['Hangul', '테스트 문서.hwp'.normalize('NFD'), '테스트', '테스트'.normalize('NFD'), '스', '문서'],
    ['kanji', '日本語.pdf', '日', '本語', '日本語.pdf'],
    ['emoji', 'party 🎉.png', '🎉', ' 🎉'],
    ['one letter', 'q', 'q', 'Q'],
  ])
    test(`finds ${what}`, async () => {
      const who = await stack.person();
      await upload(who, 'something else');
      const { name: stored } = await upload(who, name);
      for (const part of parts) assert.deepEqual(await names(who, part), [stored], part);
      assert.deepEqual(await names(who, `${parts[0]}x`), []);
    });

  test('finds the files of its owner only, and those of another for an admin', async () => {
    await upload(ann, 'shared word 1');
    await upload(bob, 'shared word 2');
    assert.deepEqual(await names(ann, 'word'), ['shared word 1']);
    assert.deepEqual(await names(root, 'word', `&owner=${bob.id}`), ['shared word 2']);
    assert.deepEqual(await names(root, 'wo', `&owner=${bob.id}`), ['shared word 2']);
    assert.deepEqual(await names(root, 'word'), []);
  });

  test('has pages, newest first, each file once', async () => {
    const who = await stack.person();
    for (let i = 0; i < 7; i++) await upload(who, `Übung ${i}.txt`);
    await upload(who, 'none');
    const seen = [];
    for (let after = ''; after !== null;) {
      const page = await search(who, 'bung', `&limit=3${after && `&after=${after}`}`);
      seen.push(...page.files.map(({ name }) => name));
      after = page.next;
    }
    assert.deepEqual(seen, [6, 5, 4, 3, 2, 1, 0].map((i) => `Übung ${i}.txt`));
  });

  test('follows a change of the name and a deletion', async () => {
    const who = await stack.person();
    const { id } = await upload(who, 'before.txt');
    assertStatus(await stack.call('PATCH', `/files/${id}`, { token: who.token, json: { name: 'äfter.txt' } }), 200);
    assert.deepEqual(await names(who, 'before'), []);
    assert.deepEqual(await names(who, 'after'), ['äfter.txt']);
    assertStatus(await stack.call('DELETE', `/files/${id}`, { token: who.token }), 204);
    assert.deepEqual(await names(who, 'after'), []);
    assert.deepEqual(await stack.sql('gateway', `SELECT gram FROM file_gram WHERE owner = ${who.id}`), []);
  });

  test('refuses a text longer than a name', async () => {
    assertProblem(await stack.call('GET', `/files?q=${'x'.repeat(256)}`, { token: ann.token }), 422, 'invalid-value');
  });

  test('finds files of an older version, before and after gateway-admin index', async () => {
    const who = await stack.person();
    await upload(who, 'old Grüße');
    await upload(who, 'new Grüße');
    await stack.sql('gateway', `UPDATE file SET folded = NULL WHERE owner = ${who.id} AND name LIKE 'old%'`);
    await stack.sql('gateway', `DELETE g FROM file_gram g JOIN file f ON f.id = LOWER(INSERT(INSERT(INSERT(INSERT(HEX(g.id), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-'))
      WHERE f.folded IS NULL AND f.owner = ${who.id}`);
    const both = ['new Grüße', 'old Grüße'];
    assert.deepEqual(await names(who, 'grü'), both);
    const { code, stdout, stderr } = await stack.gatewayAdmin(['index', '--json']);
    assert.equal(code, 0, stderr);
    assert.ok(JSON.parse(stdout).indexed >= 1, stdout);
    assert.deepEqual(await names(who, 'GRÜSSE'), both);
    assert.equal((await stack.gatewayAdmin(['index'])).stdout, 'indexed 0 names\n');
  });
});
