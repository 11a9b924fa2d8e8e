// POST /otp, POST /otp/confirm, DELETE /otp, and what they make of POST /login
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
const login = (person, otp, options) =>
  stack.call('POST', '/login', { basic: [person.email, person.password], headers: otp === undefined ? {} : { 'X-OTP': otp }, ...options });
const enrol = (person) => stack.call('POST', '/otp', { token: person.token, json: {} });
const confirm = (person, code) => stack.call('POST', '/otp/confirm', { token: person.token, json: { code } });
const remove = (person, code) => stack.call('DELETE', '/otp', { token: person.token, headers: { 'X-OTP': code } });

// As if so many steps had passed since the last code was taken
const forget = (person) => stack.sql('auth', `UPDATE otp SET last_step = 0 WHERE user_id = ${person.id}`);

// A person with a second factor, of which no code has been used
async function guarded() {
  const person = await stack.person();
  const { secret, uri } = (await enrol(person)).json;
  const answer = await confirm(person, totp(secret));
  assertStatus(answer, 200);
  await forget(person);
  return { ...person, secret, uri, codes: answer.json.recovery_codes };
}

const wrongCode = (secret) => {
  const near = [-2, -1, 0, 1, 2].map((s) => totp(secret, s));
  for (let n = 0; ; n++) if (!near.includes(String(n).padStart(6, '0'))) return String(n).padStart(6, '0');
};

describe('enrolling', () => {
  test('gives a secret that has no force yet', async () => {
    const ann = await stack.person();
    const { secret, uri } = (await enrol(ann)).json;
    assert.equal(uri, `otpauth://totp/gatehouse:${encodeURIComponent(ann.email)}?secret=${secret}&issuer=gatehouse&algorithm=SHA1&digits=6&period=30`);
    assertStatus(await login(ann), 200);
    assertStatus(await login(ann, '000000'), 200);
  });

  test('is in force after a code of it, and the answer has ten recovery codes', async () => {
    const ann = await stack.person();
    const { secret } = (await enrol(ann)).json;
    const answer = await confirm(ann, totp(secret));
    assertStatus(answer, 200);
    assert.equal(new Set(answer.json.recovery_codes).size, 10);
    assertProblem(await login(ann), 401, 'otp-required');
  });

  test('is not confirmed by a wrong code, nor twice, nor without a secret', async () => {
    const ann = await stack.person();
    assertProblem(await confirm(ann, '123456'), 409, 'conflict');
    const { secret } = (await enrol(ann)).json;
    for (const code of [wrongCode(secret), '', '12345', totp(secret, 5), 'abcd-efgh-ijkl-mnop'])
      assertProblem(await confirm(ann, code), 422, 'invalid-value');
    assertStatus(await login(ann), 200);
    assertStatus(await confirm(ann, totp(secret)), 200);
    assertProblem(await confirm(ann, totp(secret, 1)), 409, 'conflict');
    assertProblem(await enrol(ann), 409, 'conflict');
  });

  test('takes the last of two secrets', async () => {
    const ann = await stack.person();
    const first = (await enrol(ann)).json.secret;
    const second = (await enrol(ann)).json.secret;
    assert.notEqual(first, second);
    assertProblem(await confirm(ann, totp(first)), 422, 'invalid-value');
    assertStatus(await confirm(ann, totp(second)), 200);
  });

  test('needs a token, and a body that can be read', async () => {
    const ann = await stack.person();
    assertProblem(await stack.call('POST', '/otp'), 401, 'missing-token');
    assertProblem(await stack.call('POST', '/otp/confirm', { json: { code: '123456' } }), 401, 'missing-token');
    assertProblem(await stack.call('DELETE', '/otp'), 401, 'missing-token');
    for (const token of ['a', 'a b'])
      for (const [method, path] of [['POST', '/otp'], ['POST', '/otp/confirm'], ['DELETE', '/otp']])
        assert.ok([400, 401].includes((await stack.call(method, path, { token, headers: { 'X-OTP': '1' } })).status));
    const send = (body, type = 'application/json') =>
      stack.call('POST', '/otp/confirm', { token: ann.token, body, headers: { 'Content-Type': type } });
    assertProblem(await send('{'), 400, 'bad-request');
    assertProblem(await send('code=123456', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type');
    assertProblem(await send('{}'), 422, 'invalid-value');
    assertProblem(await send('{"code":123456}'), 422, 'invalid-value');
    assertProblem(await send(JSON.stringify({ code: 'x'.repeat(20000) })), 413, 'too-large');
  });

  test('is not for API tokens', async () => {
    const ann = await stack.person();
    const made = await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'script' } });
    assertStatus(made, 201);
    const script = { ...ann, token: made.json.token };
    assertProblem(await enrol(script), 403, 'insufficient-scope');
    assertProblem(await confirm(script, '123456'), 403, 'insufficient-scope');
    assertProblem(await remove(script, '123456'), 403, 'insufficient-scope');
  });
});

describe('a login with a second factor', () => {
  let ann;
  before(async () => {
    ann = await guarded();
  });

  test('needs the password and the code, and says which is missing only to who has the first', async () => {
    assertProblem(await login(ann), 401, 'otp-required');
    assertProblem(await login({ ...ann, password: 'wrong' }, totp(ann.secret)), 401, 'invalid-credentials');
    assertProblem(await login({ ...ann, password: 'wrong' }), 401, 'invalid-credentials');
    assertProblem(await login(ann, wrongCode(ann.secret)), 401, 'invalid-otp');
    await forget(ann);
    const answer = await login(ann, totp(ann.secret));
    assertStatus(answer, 200);
    assertStatus(await stack.call('GET', '/me', { token: answer.json.access_token }), 200);
  });

  test('takes no code twice, nor one from before a code that was taken', async () => {
    await forget(ann);
    const [before, code] = [totp(ann.secret, -1), totp(ann.secret)];
    assertStatus(await login(ann, code), 200);
    assertProblem(await login(ann, code), 401, 'invalid-otp');
    assertProblem(await login(ann, before), 401, 'invalid-otp');
  });

  test('takes one code once of ten that come together', async () => {
    await forget(ann);
    const code = totp(ann.secret);
    const answers = await Promise.all(Array.from({ length: 10 }, () => login(ann, code)));
    assert.equal(answers.filter((a) => a.status === 200).length, 1);
  });

  test('takes the code of one step to either side, and of no more', async () => {
    for (const step of [-1, 1]) {
      await forget(ann);
      // The clock may pass into the next step between the two
      const answer = await login(ann, totp(ann.secret, step));
      if (answer.status !== 200) assertStatus(await login(ann, totp(ann.secret, step)), 200);
    }
    await forget(ann);
    assertProblem(await login(ann, totp(ann.secret, -3)), 401, 'invalid-otp');
    assertProblem(await login(ann, totp(ann.secret, 4)), 401, 'invalid-otp');
  });

  test('takes each recovery code once, however it is written', async () => {
    const [one, two] = ann.codes;
    assertStatus(await login(ann, one), 200);
    assertProblem(await login(ann, one), 401, 'invalid-otp');
    assertStatus(await login(ann, two.toUpperCase().replaceAll('-', ' ')), 200);
    assertProblem(await login(ann, 'aaaa-aaaa-aaaa-aaaa'), 401, 'invalid-otp');
  });

  test('is asked of nobody else', async () => {
    assertStatus(await login(await stack.person(), 'whatever'), 200);
  });

  test('keeps no code and no secret in the log', () => {
    assert.ok(!stack.logs.includes(ann.secret));
    for (const code of ann.codes) assert.ok(!stack.logs.includes(code));
  });
});

describe('taking it away', () => {
  test('needs a code', async () => {
    const ann = await guarded();
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token }), 422, 'invalid-value');
    assertProblem(await remove(ann, wrongCode(ann.secret)), 422, 'invalid-value');
    assertProblem(await login(ann), 401, 'otp-required');
    await forget(ann);
    assertStatus(await remove(ann, totp(ann.secret)), 204);
    assertStatus(await login(ann), 200);
    assertProblem(await remove(ann, totp(ann.secret, 1)), 404, 'not-found');
  });

  test('goes with a recovery code, and in the body too', async () => {
    const ann = await guarded();
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token, body: '{', headers: { 'Content-Type': 'application/json' } }), 400, 'bad-request');
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token, body: 'code=1', headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported-media-type');
    assertStatus(await stack.call('DELETE', '/otp', { token: ann.token, json: { code: ann.codes[3] } }), 204);
    assertStatus(await login(ann), 200);
  });

  test('is possible for the operator', async () => {
    const ann = await guarded();
    const reset = await stack.authAdmin(['user', 'totp', 'reset', ann.email]);
    assert.equal(reset.code, 0, reset.stderr);
    assertStatus(await login(ann), 200);
    assert.equal((await stack.authAdmin(['user', 'totp', 'reset', ann.email])).code, 1);
  });
});

test('the operator can enrol a user, and the terminal shows a QR code', async () => {
  const ann = await stack.person();
  const made = await stack.authAdmin(['user', 'totp', 'enrol', ann.email]);
  assert.equal(made.code, 0, made.stderr);
  const secret = made.stdout.match(/secret=([A-Z2-7]{32})&/)[1];
  const drawn = made.stdout.split('\n').filter((l) => /^[█▀▄ ]{40,}$/u.test(l));
  assert.ok(drawn.length >= 20, made.stdout);
  assert.equal(new Set(drawn.map((l) => [...l].length)).size, 1);
  assertStatus(await login(ann), 200);

  assert.equal((await stack.authAdmin(['user', 'totp', 'confirm', ann.email, '--code', wrongCode(secret)])).code, 1);
  const done = await stack.authAdmin(['user', 'totp', 'confirm', ann.email, '--code', totp(secret)]);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(done.stdout.match(/^ {2}\S{19}$/gm).length, 10);
  assertProblem(await login(ann), 401, 'otp-required');
  assert.equal((await stack.authAdmin(['user', 'totp', 'enrol', ann.email])).code, 1);
  assert.equal((await stack.authAdmin(['user', 'totp', 'whatever', ann.email])).code, 64);
});
