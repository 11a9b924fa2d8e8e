// POST /otp, POST /otp/confirm, DELETE /otp, and their effect on POST /login
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

// Forget the last accepted code, so that any current code is accepted again
const forgetLastCode = (person) => stack.sql('auth', `UPDATE otp SET last_step = 0 WHERE user_id = ${person.id}`);

// A user with a confirmed second factor and no code used
async function userWithOtp() {
  const person = await stack.person();
  const { secret, uri } = (await enrol(person)).json;
  const answer = await confirm(person, totp(secret));
  assertStatus(answer, 200);
  await forgetLastCode(person);
  return { ...person, secret, uri, codes: answer.json.recovery_codes };
}

const wrongCode = (secret) => {
  const near = [-2, -1, 0, 1, 2].map((s) => totp(secret, s));
  for (let n = 0; ; n++) if (!near.includes(String(n).padStart(6, '0'))) return String(n).padStart(6, '0');
};

describe('enrolment', () => {
  test('an enrolled secret has no effect before it is confirmed', async () => {
    const ann = await stack.person();
    const { secret, uri } = (await enrol(ann)).json;
    assert.equal(uri, `otpauth://totp/gatehouse:${encodeURIComponent(ann.email)}?secret=${secret}&issuer=gatehouse&algorithm=SHA1&digits=6&period=30`);
    assertStatus(await login(ann), 200);
    assertStatus(await login(ann, '000000'), 200);
  });

  test('a second factor is in force once a code confirms it, with ten recovery codes', async () => {
    const ann = await stack.person();
    const { secret } = (await enrol(ann)).json;
    const answer = await confirm(ann, totp(secret));
    assertStatus(answer, 200);
    assert.equal(new Set(answer.json.recovery_codes).size, 10);
    assertProblem(await login(ann), 401, 'otp-required');
  });

  test('a confirmation is refused with a wrong code, a second time, and without a secret', async () => {
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

  test('a second enrolment replaces the first secret', async () => {
    const ann = await stack.person();
    const first = (await enrol(ann)).json.secret;
    const second = (await enrol(ann)).json.secret;
    assert.notEqual(first, second);
    assertProblem(await confirm(ann, totp(first)), 422, 'invalid-value');
    assertStatus(await confirm(ann, totp(second)), 200);
  });

  test('operations on the second factor need a token and a valid body', async () => {
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

  test('operations on the second factor are refused for API tokens', async () => {
    const ann = await stack.person();
    const made = await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'script' } });
    assertStatus(made, 201);
    const script = { ...ann, token: made.json.token };
    assertProblem(await enrol(script), 403, 'insufficient-scope');
    assertProblem(await confirm(script, '123456'), 403, 'insufficient-scope');
    assertProblem(await remove(script, '123456'), 403, 'insufficient-scope');
  });
});

describe('logins with a second factor', () => {
  let ann;
  before(async () => {
    ann = await userWithOtp();
  });

  test('a login needs password and code, and asks for the code only after the correct password', async () => {
    assertProblem(await login(ann), 401, 'otp-required');
    assertProblem(await login({ ...ann, password: 'wrong' }, totp(ann.secret)), 401, 'invalid-credentials');
    assertProblem(await login({ ...ann, password: 'wrong' }), 401, 'invalid-credentials');
    assertProblem(await login(ann, wrongCode(ann.secret)), 401, 'invalid-otp');
    await forgetLastCode(ann);
    const answer = await login(ann, totp(ann.secret));
    assertStatus(answer, 200);
    assertStatus(await stack.call('GET', '/me', { token: answer.json.access_token }), 200);
  });

  test('a code is refused a second time, and after a later code', async () => {
    await forgetLastCode(ann);
    const [before, code] = [totp(ann.secret, -1), totp(ann.secret)];
    assertStatus(await login(ann, code), 200);
    assertProblem(await login(ann, code), 401, 'invalid-otp');
    assertProblem(await login(ann, before), 401, 'invalid-otp');
  });

  test('a code that is sent ten times at once is accepted once', async () => {
    await forgetLastCode(ann);
    const code = totp(ann.secret);
    const answers = await Promise.all(Array.from({ length: 10 }, () => login(ann, code)));
    assert.equal(answers.filter((a) => a.status === 200).length, 1);
  });

  test('a code of one step before or after is accepted, no other', async () => {
    for (const step of [-1, 1]) {
      await forgetLastCode(ann);
      // The clock may reach the next step between the two
      const answer = await login(ann, totp(ann.secret, step));
      if (answer.status !== 200) assertStatus(await login(ann, totp(ann.secret, step)), 200);
    }
    await forgetLastCode(ann);
    assertProblem(await login(ann, totp(ann.secret, -3)), 401, 'invalid-otp');
    assertProblem(await login(ann, totp(ann.secret, 4)), 401, 'invalid-otp');
  });

  test('a recovery code is accepted once, in any spelling', async () => {
    const [one, two] = ann.codes;
    assertStatus(await login(ann, one), 200);
    assertProblem(await login(ann, one), 401, 'invalid-otp');
    assertStatus(await login(ann, two.toUpperCase().replaceAll('-', ' ')), 200);
    assertProblem(await login(ann, 'aaaa-aaaa-aaaa-aaaa'), 401, 'invalid-otp');
  });

  test('a user without a second factor needs no code', async () => {
    assertStatus(await login(await stack.person(), 'whatever'), 200);
  });

  test('no code and no secret of the second factor is in the log', () => {
    assert.ok(!stack.logs.includes(ann.secret));
    for (const code of ann.codes) assert.ok(!stack.logs.includes(code));
  });
});

describe('removal', () => {
  test('removing the second factor needs a code', async () => {
    const ann = await userWithOtp();
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token }), 422, 'invalid-value');
    assertProblem(await remove(ann, wrongCode(ann.secret)), 422, 'invalid-value');
    assertProblem(await login(ann), 401, 'otp-required');
    await forgetLastCode(ann);
    assertStatus(await remove(ann, totp(ann.secret)), 204);
    assertStatus(await login(ann), 200);
    assertProblem(await remove(ann, totp(ann.secret, 1)), 404, 'not-found');
  });

  test('a recovery code removes the second factor, in the body too', async () => {
    const ann = await userWithOtp();
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token, body: '{', headers: { 'Content-Type': 'application/json' } }), 400, 'bad-request');
    assertProblem(await stack.call('DELETE', '/otp', { token: ann.token, body: 'code=1', headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported-media-type');
    assertStatus(await stack.call('DELETE', '/otp', { token: ann.token, json: { code: ann.codes[3] } }), 204);
    assertStatus(await login(ann), 200);
  });

  test('an operator can remove the second factor', async () => {
    const ann = await userWithOtp();
    const reset = await stack.authAdmin(['user', 'totp', 'reset', ann.email]);
    assert.equal(reset.code, 0, reset.stderr);
    assertStatus(await login(ann), 200);
    assert.equal((await stack.authAdmin(['user', 'totp', 'reset', ann.email])).code, 1);
  });
});

test('an operator can enrol a user, with a QR code on the terminal', async () => {
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
