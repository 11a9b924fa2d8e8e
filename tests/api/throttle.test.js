// Password guessing at POST /login. 127.0.0.1 is a trusted proxy here, so a test can use any address; time
// passes by moving the rows back.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { repository, startStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const HOME = '192.0.2.10';
const ELSEWHERE = '198.51.100.20';
const FAILURES = 5; // the default
const ADDRESS = 30;

let stack;
before(async () => {
  stack = await startStack({
    settings: { THROTTLE_FAILURES: null, THROTTLE_ADDRESS: null, TRUSTED_PROXIES: '10.0.0.0/8 127.0.0.1' },
  });
});
after(() => stack?.stop());
beforeEach(() => stack.sql('auth', 'DELETE FROM throttle; DELETE FROM known_address'));

const login = (person, from, { password = person.password, forwarded = from } = {}) =>
  stack.call('POST', '/login', { basic: [person.email, password], headers: { 'X-Forwarded-For': forwarded } });
const wrong = (person, from) => login(person, from, { password: 'wrong' });
async function fail(person, from, times = FAILURES) {
  for (let i = 0; i < times; i++) assertProblem(await wrong(person, from), 401, 'invalid-credentials');
}
// A user without known addresses
async function person() {
  const made = await stack.person();
  await stack.sql('auth', 'DELETE FROM throttle; DELETE FROM known_address');
  return made;
}
const unknownUser = () => ({ email: `n${randomBytes(6).toString('hex')}@example.org`, password: 'x' });
const passTime = (seconds) =>
  stack.sql('auth', `UPDATE throttle SET blocked_until = blocked_until - ${seconds}, since = since - ${seconds}, updated_at = updated_at - ${seconds};
                     UPDATE known_address SET last_seen = last_seen - ${seconds}`);

function assertLimited(answer, least, most) {
  assertProblem(answer, 429, 'too-many-attempts');
  const seconds = Number(answer.headers.get('retry-after'));
  assert.ok(seconds >= least && seconds <= most, `Retry-After: ${seconds}, not ${least} to ${most}`);
  return seconds;
}

describe('throttling an account', () => {
  test('an account is refused after five failures until the delay ends, even with the correct password', async () => {
    const ann = await person();
    await fail(ann, ELSEWHERE, FAILURES + 0);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await login(ann, HOME), 95, 101);
    await passTime(200);
    assertStatus(await login(ann, HOME), 200);
  });

  test('the delay of an account doubles with each failure, up to fifteen minutes', async () => {
    const ann = await person();
    await fail(ann, ELSEWHERE);
    let before = 1;
    for (let i = 0; i < 12; i++) {
      await passTime(1000);
      assertProblem(await wrong(ann, `203.0.113.${i}`), 401, 'invalid-credentials');
      const seconds = Number((await wrong(ann, HOME)).headers.get('retry-after'));
      const due = Math.min(before * 2, 900);
      assert.ok(seconds >= due - 2 && seconds <= due, `${seconds} seconds, not ${due}`);
      before = due;
    }
    assert.equal(before, 900);
  });

  test('refused attempts do not lengthen the delay', async () => {
    const ann = await person();
    await fail(ann, ELSEWHERE);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    const rows = () => stack.sql('auth', 'SELECT HEX(bucket), failures, pending, blocked_until FROM throttle ORDER BY bucket');
    const was = await rows();
    for (let i = 0; i < 20; i++) assertLimited(await wrong(ann, ELSEWHERE), 1, 101);
    assert.deepEqual(await rows(), was);
  });

  test('an owner can log in from a known address during an attack from elsewhere', async () => {
    const ann = await person();
    assertStatus(await login(ann, HOME), 200);
    await fail(ann, ELSEWHERE);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await login(ann, ELSEWHERE), 95, 101);
    for (let i = 0; i < 3; i++) assertStatus(await login(ann, HOME), 200);
    assertLimited(await login(ann, ELSEWHERE), 95, 101);
  });

  test('a known address is delayed by its own failures only', async () => {
    const ann = await person();
    assertStatus(await login(ann, HOME), 200);
    await fail(ann, HOME);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'b%'");
    assertLimited(await login(ann, HOME), 95, 101);
    assertStatus(await login(ann, ELSEWHERE), 200);
  });

  test('a known address is forgotten after ninety days without a login', async () => {
    const ann = await person();
    assertStatus(await login(ann, HOME), 200);
    await passTime(91 * 86400);
    await fail(ann, ELSEWHERE);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await login(ann, HOME), 95, 101);
  });

  test('a correct password clears the failures of an account', async () => {
    const ann = await person();
    for (let i = 0; i < 4; i++) {
      await fail(ann, HOME, FAILURES - 1);
      assertStatus(await login(ann, HOME), 200);
    }
  });

  test('an unknown account is throttled like an existing one', async () => {
    const [ann, ghost] = [await person(), unknownUser()];
    for (const who of [ann, ghost]) {
      await fail(who, ELSEWHERE);
      await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    }
    const words = async (who) => {
      const { request_id: _, ...rest } = (await wrong(who, HOME)).json;
      return rest;
    };
    assertLimited(await wrong(ghost, HOME), 95, 201);
    assert.deepEqual(await words(ghost), await words(ann));
  });

  test('all spellings of an email share one count', async () => {
    for (const who of [await person(), unknownUser()]) {
      for (const email of [who.email.toUpperCase(), `${who.email} `, `${who.email.toUpperCase()} `, who.email.replace('p', 'P'), who.email])
        await fail({ ...who, email }, ELSEWHERE, 1);
      await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
      assertLimited(await wrong(who, HOME), 95, 101);
      await stack.sql('auth', 'DELETE FROM throttle');
    }
  });

  test('an email with an accent more has a count of its own', async () => {
    const who = unknownUser();
    const accented = { ...who, email: `é${who.email}` };
    for (const email of [accented.email, accented.email.normalize('NFD'), `É${who.email}`, `${accented.email} `, accented.email]) await fail({ ...who, email }, ELSEWHERE, 1);
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await wrong(accented, HOME), 95, 101);
    assertStatus(await wrong({ ...who, email: `e${who.email}` }, HOME), 401);
  });

  test('a hundred parallel guesses are all counted', async () => {
    const ann = await person();
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => wrong(ann, `203.0.113.${i}`)));
    const looked = answers.filter((a) => a.status === 401).length;
    assert.ok(looked >= FAILURES && looked < 40, `${looked} passwords were checked`);
    for (const answer of answers) if (answer.status !== 401) assertLimited(answer, 1, 900);
    const [[failures, pending]] = await stack.sql('auth', "SELECT failures, pending FROM throttle WHERE bucket LIKE 'a%'");
    assert.equal(Number(failures), looked);
    assert.equal(Number(pending), 0);
  });

  test('twenty parallel logins with the correct password succeed', async () => {
    const ann = await person();
    for (const answer of await Promise.all(Array.from({ length: 20 }, () => login(ann, HOME)))) assertStatus(answer, 200);
  });
});

describe('throttling an address', () => {
  test('an address is refused after thirty failures over all accounts', async () => {
    const ann = await person();
    for (let i = 0; i < ADDRESS; i++) await fail(unknownUser(), ELSEWHERE, 1);
    assertLimited(await login(ann, ELSEWHERE), 590, 600);
    assertStatus(await login(ann, HOME), 200);
    await passTime(600);
    assertStatus(await login(ann, ELSEWHERE), 200);
  });

  test('an IPv6 address counts by its /64', async () => {
    const ann = await person();
    for (let i = 0; i < ADDRESS; i++) await fail(unknownUser(), `2001:db8:0:7::${i.toString(16)}`, 1);
    assertLimited(await login(ann, '2001:db8:0:7:ffff::1'), 590, 600);
    assertStatus(await login(ann, '2001:db8:0:8::1'), 200);
  });

  test('the client\'s address is the first untrusted one in X-Forwarded-For, read from the end', async () => {
    const ann = await person();
    for (let i = 0; i < ADDRESS; i++)
      assertProblem(await login(unknownUser(), null, { forwarded: `203.0.113.${i}, ${ELSEWHERE}, 10.1.2.3` }), 401, 'invalid-credentials');
    assertLimited(await login(ann, null, { forwarded: `${HOME}, ${ELSEWHERE}` }), 590, 600);
    assertStatus(await login(ann, null, { forwarded: `${ELSEWHERE}, ${HOME}` }), 200);
  });
});

describe('throttling a second factor', () => {
  const userWithOtp = async () => {
    const ann = await person();
    const { secret } = (await stack.call('POST', '/otp', { token: ann.token })).json;
    assertStatus(await stack.call('POST', '/otp/confirm', { token: ann.token, json: { code: totp(secret) } }), 200);
    await stack.sql('auth', 'UPDATE otp SET last_step = 0');
    return { ...ann, secret };
  };

  test('wrong codes delay the account like wrong passwords', async () => {
    const ann = await userWithOtp();
    const enter = (code) => stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { 'X-Forwarded-For': ELSEWHERE, 'X-OTP': code } });
    for (let i = 0; i < FAILURES; i++) assertProblem(await enter(`wrong-${i}`), 401, 'invalid-otp');
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await enter(totp(ann.secret)), 95, 101);
    await passTime(200);
    assertStatus(await enter(totp(ann.secret)), 200);
  });

  test('a login without a code is no failure', async () => {
    const ann = await userWithOtp();
    for (let i = 0; i < 2 * FAILURES; i++) assertProblem(await login(ann, ELSEWHERE), 401, 'otp-required');
  });

  test('a correct password does not clear the count of wrong codes', async () => {
    const ann = await userWithOtp();
    const words = [ann.password, 'another password'];
    const statuses = [];
    for (let i = 0; i < 3 * FAILURES; i++) {
      const headers = { 'X-Forwarded-For': ELSEWHERE };
      if (i % FAILURES === FAILURES - 1) {
        await stack.call('POST', '/password', { token: ann.token, headers, json: { current: words[0], new: words[1] } });
        words.reverse();
      }
      statuses.push((await stack.call('DELETE', '/otp', { token: ann.token, headers: { ...headers, 'X-OTP': 'wrong' } })).status);
    }
    assert.ok(statuses.includes(429), statuses.join(' '));
  });

  test('wrong codes at DELETE /otp delay the account', async () => {
    const ann = await userWithOtp();
    const remove = (code) => stack.call('DELETE', '/otp', { token: ann.token, headers: { 'X-Forwarded-For': ELSEWHERE, 'X-OTP': code } });
    for (let i = 0; i < FAILURES; i++) assertProblem(await remove(`wrong-${i}`), 422, 'invalid-value');
    await stack.sql('auth', "UPDATE throttle SET blocked_until = blocked_until + 100 WHERE bucket LIKE 'a%'");
    assertLimited(await remove(totp(ann.secret)), 95, 101);
    await passTime(200);
    assertStatus(await remove(totp(ann.secret)), 204);
  });
});

test('X-Forwarded-For is ignored without a trusted proxy', async () => {
  const plain = await startStack({ settings: { THROTTLE_FAILURES: null, THROTTLE_ADDRESS: 3 } });
  try {
    for (let i = 0; i < 3; i++)
      assertProblem(await plain.call('POST', '/login', { basic: [`n${i}@example.org`, 'x'], headers: { 'X-Forwarded-For': `203.0.113.${i}` } }), 401, 'invalid-credentials');
    const answer = await plain.call('POST', '/login', { basic: ['n@example.org', 'x'], headers: { 'X-Forwarded-For': '203.0.113.99' } });
    assertProblem(answer, 429, 'too-many-attempts');
  } finally {
    await plain.stop();
  }
});

// Under plain CGI each process has a waiting room of its own
test('strangers do not take the places of clients that wait at a known address', { skip: process.env.GATEHOUSE_TRANSPORT === 'cgi' }, async () => {
  const busy = await startStack({ settings: { THREADS: 8, PASSWORD_HASHERS: 1, PASSWORD_PASSES: 12, TRUSTED_PROXIES: '127.0.0.1' } });
  let going = true;
  try {
    const ann = await busy.person();
    const from = (address, email, password) => busy.call('POST', '/login', { basic: [email, password], headers: { 'X-Forwarded-For': address } });
    assertStatus(await from(HOME, ann.email, ann.password), 200);
    let guesses = 0;
    const statuses = {};
    const guess = async () => {
      while (going) {
        const { status } = await from(`2001:db8:1:${(++guesses).toString(16)}::1`, `n${guesses}@example.org`, 'wrong');
        statuses[status] = (statuses[status] ?? 0) + 1;
      }
    };
    // 36 strangers wait at most, and one is served
    const guessers = Array.from({ length: 48 }, guess);
    while (!statuses[503] && guesses < 480) await new Promise((done) => setTimeout(done, 20));
    assert.ok(statuses[503] > 0, `the strangers' places were never all taken: ${JSON.stringify(statuses)}`);
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push((await from(HOME, ann.email, ann.password)).status);
    going = false;
    await Promise.all(guessers);
    assert.deepEqual(answers, [200, 200, 200, 200, 200, 200]);
    // and strangers are served meanwhile
    assert.ok(statuses[401] > 0, JSON.stringify(statuses));
  } finally {
    going = false;
    await busy.stop();
  }
});

test('no connection is slowed down by lighttpd: the page and a login after it share one', () => {
  const parts = join(repository, 'lighttpd', 'parts');
  for (const name of readdirSync(parts)) assert.doesNotMatch(readFileSync(join(parts, name), 'utf8'), /kbytes-per-second/, name);
});
