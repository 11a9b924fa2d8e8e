// One email and one password, however a keyboard, a browser or a program spells them
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const login = (email, password) => stack.call('POST', '/login', { basic: [email, password] });
const inLatin1 = (email, password) =>
  stack.call('POST', '/login', { headers: { Authorization: `Basic ${Buffer.from(`${email}:${password}`, 'latin1').toString('base64')}` } });
const add = async (email, password) => {
  const { code, stdout, stderr } = await stack.authAdmin(['user', 'add', email, '--password-stdin', '--json'], `${password}\n`);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
};
const sub = (answer) => Number(JSON.parse(Buffer.from(answer.json.access_token.split('.')[1], 'base64url')).sub);
const fresh = () => randomBytes(5).toString('hex');
// Store a hash of exactly these bytes, as it was before passwords were normalized
const oldHash = async (id, password) => {
  const { stdout, status } = spawnSync('openssl', ['passwd', '-6', '-stdin'], { input: `${password}\n`, encoding: 'utf8' });
  assert.equal(status, 0);
  await stack.sql('auth', `UPDATE user SET password='${stdout.trim()}' WHERE id=${id}`);
};
const hashOf = async (id) => (await stack.sql('auth', `SELECT password FROM user WHERE id=${id}`))[0][0];

describe('Basic credentials in ISO-8859-1', () => {
  test('an email and a password in ISO-8859-1, as Python sends them, log in', async () => {
    const email = `jürgen.${fresh()}@example.org`;
    const { id } = await add(email, 'Grüße für ß');
    for (const answer of [await login(email, 'Grüße für ß'), await inLatin1(email, 'Grüße für ß')]) {
      assertStatus(answer, 200);
      assert.equal(sub(answer), id);
    }
    assertProblem(await inLatin1(email, 'Grusse fur ss'), 401, 'invalid-credentials');
  });

  test('control characters of ISO-8859-1 are malformed credentials', async () => {
    const headers = { Authorization: `Basic ${Buffer.from([0x61, 0x3a, 0xfc, 0x80]).toString('base64')}` };
    assertProblem(await stack.call('POST', '/login', { headers }), 401, 'invalid-credentials');
  });
});

describe('passwords', () => {
  const composed = 'Zürich é  테스트'.normalize('NFC');
  const decomposed = composed.normalize('NFD');
  const noBreak = composed.replace(' ', '\u00a0');

  test('a password logs in however its characters are composed', async () => {
    for (const set of [composed, decomposed, noBreak]) {
      const email = `${fresh()}@example.org`;
      await add(email, set);
      for (const typed of [composed, decomposed, noBreak]) assertStatus(await login(email, typed), 200);
      assertProblem(await login(email, composed.replace('ü', 'u')), 401, 'invalid-credentials');
      assertProblem(await login(email, composed.toUpperCase()), 401, 'invalid-credentials');
    }
  });

  test('an old hash of either form logs in with either form, and is replaced', async () => {
    for (const stored of [composed, decomposed])
      for (const typed of [composed, decomposed]) {
        const email = `${fresh()}@example.org`;
        const { id } = await add(email, 'something else');
        await oldHash(id, stored);
        assertStatus(await login(email, typed), 200);
        const renewed = await hashOf(id);
        assert.match(renewed, /^\$argon2id\$/);
        assertStatus(await login(email, typed === composed ? decomposed : composed), 200);
        assert.equal(await hashOf(id), renewed, 'the hash is replaced once');
      }
  });

  test('POST /password takes the current one in any form, and stores the new one in one', async () => {
    const email = `${fresh()}@example.org`;
    await add(email, composed);
    const token = (await login(email, composed)).json.access_token;
    const change = (current, fresh) => stack.call('POST', '/password', { token, json: { current, new: fresh } });
    assertProblem(await change(composed, decomposed), 422, 'weak-password');
    assertProblem(await change(decomposed, noBreak), 422, 'weak-password');
    assertStatus(await change(decomposed, `${decomposed}!`), 204);
    for (const typed of [composed, decomposed, noBreak]) assertStatus(await login(email, `${typed}!`), 200);
  });

  test('the length of a password is that of its composed characters', async () => {
    const email = `${fresh()}@example.org`;
    const short = 'ü'.repeat(7).normalize('NFD');
    const { code, stderr } = await stack.authAdmin(['user', 'add', email, '--password-stdin'], `${short}\n`);
    assert.notEqual(code, 0);
    assert.match(stderr, /8 characters/);
    await add(email, `${short}${'ü'.normalize('NFD')}`);
    const token = (await login(email, 'ü'.repeat(8))).json.access_token;
    assertProblem(await stack.call('POST', '/password', { token, json: { current: 'ü'.repeat(8), new: short } }), 422, 'weak-password');
  });

  test('a new password that is the email in another case or form is refused', async () => {
    const email = `jürgen.${fresh()}@example.org`;
    await add(email, composed);
    const token = (await login(email, composed)).json.access_token;
    for (const same of [email, email.toUpperCase(), email.normalize('NFD')])
      assertProblem(await stack.call('POST', '/password', { token, json: { current: composed, new: same } }), 422, 'weak-password');
  });

  test('auth-admin user passwd stores a password in one form', async () => {
    const email = `${fresh()}@example.org`;
    await add(email, 'something else');
    const { code, stderr } = await stack.authAdmin(['user', 'passwd', email, '--password-stdin'], `${decomposed}\n`);
    assert.equal(code, 0, stderr);
    assertStatus(await login(email, composed), 200);
  });

  test('auth-admin user import-plaintext hashes a password in one form', async () => {
    const email = `${fresh()}@example.org`;
    const { id } = await add(email, 'something else');
    await stack.sql('auth', `UPDATE user SET password='${decomposed}' WHERE id=${id}`);
    assert.equal((await stack.authAdmin(['user', 'import-plaintext'])).code, 0);
    assertStatus(await login(email, composed), 200);
  });
});

describe('emails', () => {
  let name, accented, plain;
  before(async () => {
    name = `müller.${fresh()}`;
    accented = await add(`${name}@example.org`, 'a password of the first');
    plain = await add(`${name.replace('ü', 'u')}@example.org`, 'a password of the second');
  });

  test('emails that differ in an accent are two people', async () => {
    assert.notEqual(accented.id, plain.id);
    assert.equal(sub(await login(accented.email, 'a password of the first')), accented.id);
    assert.equal(sub(await login(plain.email, 'a password of the second')), plain.id);
    assertProblem(await login(accented.email, 'a password of the second'), 401, 'invalid-credentials');
    assertProblem(await login(plain.email, 'a password of the first'), 401, 'invalid-credentials');
  });

  test('an email is one in any case and composition', async () => {
    for (const email of [name.toUpperCase(), name.normalize('NFD'), name.toUpperCase().normalize('NFD')].map((n) => `${n}@Example.ORG`)) {
      assert.equal(sub(await login(email, 'a password of the first')), accented.id, email);
      const { code, stderr } = await stack.authAdmin(['user', 'add', email, '--password-stdin'], 'a good password\n');
      assert.notEqual(code, 0);
      assert.match(stderr, /exists already/);
      assert.equal(JSON.parse((await stack.authAdmin(['user', 'show', email, '--json'])).stdout).id, accented.id);
    }
  });

  test('an email that is typed on a Mac is stored composed', async () => {
    const email = `zoë.${fresh()}@example.org`;
    assert.equal((await add(email.normalize('NFD'), 'a good password')).email, email.normalize('NFC'));
    const token = (await login(email, 'a good password')).json.access_token;
    assert.equal((await stack.call('GET', '/me', { token })).json.email, email.normalize('NFC'));
  });

  test('a row that a program of before has stored decomposed is found by either form', async () => {
    const email = `renée.${fresh()}@example.org`;
    const { id } = await add(email, 'a good password');
    await stack.sql('auth', `UPDATE user SET email='${email.normalize('NFD')}' WHERE id=${id}`);
    for (const typed of [email.normalize('NFC'), email.normalize('NFD'), email.toUpperCase()])
      assert.equal(sub(await login(typed, 'a good password')), id);
    const { code } = await stack.authAdmin(['user', 'add', email, '--password-stdin'], 'a good password\n');
    assert.notEqual(code, 0);
  });

  test('the audit of one of two emails that differ in an accent has no row of the other', async () => {
    const rows = async (email) => JSON.parse((await stack.authAdmin(['audit', '--user', email, '--json'])).stdout);
    for (const { email } of [accented, plain]) {
      const found = await rows(email.toUpperCase());
      assert.ok(found.length > 0);
      for (const row of found) assert.equal(row.email.normalize('NFC').toLowerCase(), email);
    }
  });

  test('a token has the email as it is stored', async () => {
    const answer = await login(`${name.toUpperCase()}@example.org`, 'a password of the first');
    assert.equal(JSON.parse(Buffer.from(answer.json.access_token.split('.')[1], 'base64url')).username, accented.email);
  });
});
