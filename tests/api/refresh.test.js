// POST /refresh: rotation, families, two tabs, the cookie
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { now } from '../support/tokens.js';

const stack = await useStack();
const hash = (token) => createHash('sha256').update(token).digest('hex');
const refresh = (token, options) => stack.call('POST', '/refresh', { json: { refresh_token: token }, ...options });
const login = async (person, options) => {
  const answer = await stack.call('POST', '/login', { basic: [person.email, person.password], ...options });
  assertStatus(answer, 200);
  return answer.json;
};
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const works = async (token) => (await stack.call('GET', '/files', { token })).status === 200;
const rows = (session) => stack.sql('auth', `SELECT LOWER(HEX(hash)), spent_at, LOWER(HEX(next_hash)) FROM refresh WHERE session_id='${session}' ORDER BY created_at`);
// Moves the time when a token was spent to `seconds` ago.
const spentAgo = (token, seconds) => stack.sql('auth', `UPDATE refresh SET spent_at=${now() - seconds} WHERE hash=UNHEX('${hash(token)}')`);

let ann;
before(async () => {
  ann = await stack.person();
});

describe('refresh tokens of a login', () => {
  test('a refresh token has 256 bits, lives thirty days and is stored as a hash', async () => {
    const { refresh_token: token, refresh_expires_in: life, access_token: access } = await login(ann);
    assert.match(token, /^ghr_[\w-]{43}$/);
    assert.equal(life, 2592000);
    const found = await rows(claims(access).sid);
    assert.deepEqual(found, [[hash(token), 'NULL', 'NULL']]);
    const dump = JSON.stringify(await stack.sql('auth', 'SELECT HEX(hash), session_id FROM refresh'));
    assert.ok(!dump.includes(token.slice(4)));
  });

  test('a login in plain text creates no refresh token', async () => {
    const answer = await stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { Accept: 'text/plain' } });
    assert.deepEqual(await rows(claims(answer.text).sid), []);
  });
});

describe('rotation', () => {
  test('a refresh returns a new pair of the same session', async () => {
    const first = await login(ann);
    const answer = await refresh(first.refresh_token);
    assertStatus(answer, 200);
    const next = answer.json;
    assert.notEqual(next.refresh_token, first.refresh_token);
    assert.equal(next.expires_in, 900);
    assert.equal(next.scope, first.scope);
    assert.equal(claims(next.access_token).sid, claims(first.access_token).sid);
    assert.notEqual(claims(next.access_token).jti, claims(first.access_token).jti);
    assert.ok(await works(next.access_token));
    assertStatus(await refresh(next.refresh_token), 200);
  });

  test('every refresh returns a new refresh token', async () => {
    let { refresh_token: token } = await login(ann);
    const seen = new Set([token]);
    for (let i = 0; i < 10; i++) {
      token = (await refresh(token)).json.refresh_token;
      seen.add(token);
    }
    assert.equal(seen.size, 11);
  });

  test('a refresh returns the bare access token if plain text is requested', async () => {
    const { refresh_token: token } = await login(ann);
    const answer = await refresh(token, { headers: { Accept: 'text/plain' } });
    assertStatus(answer, 200);
    assert.ok(await works(answer.text));
  });

  test('a refresh returns the user\'s current scope', async () => {
    const bob = await stack.person();
    const { refresh_token: token } = await login(bob);
    await stack.sql('auth', `UPDATE user SET scope='files:read' WHERE id=${bob.id}`);
    const { json } = await refresh(token);
    assert.equal(json.scope, 'files:read');
    assert.equal(claims(json.access_token).scope, 'files:read');
  });

  test('a refresh token is no access token, nor the reverse', async () => {
    const { refresh_token: token, access_token: access } = await login(ann);
    assertProblem(await stack.call('GET', '/me', { token }), 401, 'invalid-token');
    assertProblem(await stack.call('GET', '/files', { token }), 401, 'invalid-token');
    assertProblem(await refresh(access), 401, 'invalid-token');
  });
});

describe('parallel refreshes', () => {
  test('two parallel refreshes with one token get the same successor', async () => {
    const first = await login(ann);
    const [a, b] = await Promise.all([refresh(first.refresh_token), refresh(first.refresh_token)]);
    assertStatus(a, 200);
    assertStatus(b, 200);
    assert.equal(a.json.refresh_token, b.json.refresh_token);
    assert.ok(await works(a.json.access_token));
    assert.ok(await works(b.json.access_token));
    assertStatus(await refresh(a.json.refresh_token), 200);
  });

  test('a second refresh within the grace period gets the same successor', async () => {
    const first = await login(ann);
    const a = await refresh(first.refresh_token);
    await spentAgo(first.refresh_token, 7);
    const b = await refresh(first.refresh_token);
    assertStatus(b, 200);
    assert.equal(a.json.refresh_token, b.json.refresh_token);
  });

  test('fifty parallel refreshes leave one successor', async () => {
    const first = await login(ann);
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(first.refresh_token)));
    for (const answer of answers) assertStatus(answer, 200);
    assert.equal(new Set(answers.map((a) => a.json.refresh_token)).size, 1);
    const found = await rows(claims(first.access_token).sid);
    assert.equal(found.length, 2);
    const spent = found.find(([h]) => h === hash(first.refresh_token));
    const fresh = found.find(([h]) => h !== hash(first.refresh_token));
    assert.deepEqual([spent[2], fresh[0], fresh[1]], [fresh[0], hash(answers[0].json.refresh_token), 'NULL']);
    for (const answer of answers) assert.ok(await works(answer.json.access_token));
  });

  test('a second refresh after a key rotation gets the same successor', async () => {
    const first = await login(ann);
    const a = await refresh(first.refresh_token);
    const rotated = await stack.authAdmin(['key', 'rotate']);
    assert.equal(rotated.code, 0, rotated.stderr);
    const until = Date.now() + 5000;
    let kid;
    do {
      const fresh = await login(ann);
      kid = JSON.parse(Buffer.from(fresh.access_token.split('.')[0], 'base64url')).kid;
    } while (kid !== stack.signingKey().kid && Date.now() < until);
    await spentAgo(first.refresh_token, 3);
    const b = await refresh(first.refresh_token);
    assertStatus(b, 200);
    assert.equal(b.json.refresh_token, a.json.refresh_token);
  });
});

describe('reuse of a spent token', () => {
  test('reuse of a spent token ends the session at once, at the gateway too', async () => {
    const first = await login(ann);
    const second = (await refresh(first.refresh_token)).json;
    await spentAgo(first.refresh_token, 11);
    assertProblem(await refresh(first.refresh_token), 401, 'invalid-token');
    assertProblem(await refresh(second.refresh_token), 401, 'invalid-token');
    for (const token of [first.access_token, second.access_token])
      for (const route of ['/me', '/files']) assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token');
  });

  test('reuse of a spent token ends no other session', async () => {
    const other = await login(ann);
    const first = await login(ann);
    await refresh(first.refresh_token);
    await spentAgo(first.refresh_token, 60);
    assertProblem(await refresh(first.refresh_token), 401, 'invalid-token');
    assert.ok(await works(other.access_token));
    assertStatus(await refresh(other.refresh_token), 200);
  });

  test('reuse of any spent token of the chain ends the session', async () => {
    const first = await login(ann);
    const second = (await refresh(first.refresh_token)).json;
    const third = (await refresh(second.refresh_token)).json;
    await spentAgo(first.refresh_token, 3600);
    assertProblem(await refresh(first.refresh_token), 401, 'invalid-token');
    assertProblem(await refresh(third.refresh_token), 401, 'invalid-token');
  });

  test('reuse of a spent token is logged as refresh-reuse without any token', async () => {
    const bob = await stack.person();
    const first = await login(bob);
    const next = (await refresh(first.refresh_token)).json;
    await spentAgo(first.refresh_token, 11);
    await refresh(first.refresh_token, { headers: { 'X-Request-ID': `reuse-${bob.id}` } });
    const entry = JSON.parse(await stack.logLine(`"refresh-reuse","outcome":"session ended","request_id":"reuse-${bob.id}"`));
    assert.equal(entry.user, bob.email);
    assert.equal(entry.session, claims(first.access_token).sid);
    assert.ok(entry.client);
    for (const secret of [first.refresh_token, next.refresh_token]) assert.ok(!stack.logs.includes(secret.slice(4)));
  });
});

describe('refused refreshes', () => {
  test('an unknown refresh token is refused', async () => {
    for (const token of [`ghr_${randomBytes(32).toString('base64url')}`, 'x', '', 'ghr_', `ghr_${'A'.repeat(42)}B`, `GHR_${'A'.repeat(43)}`, 'ghr_' + 'A'.repeat(5000)])
      assertProblem(await refresh(token), 401, 'invalid-token');
  });

  test('a refresh token that is not a string is refused by the name of its member', async () => {
    for (const token of [7, null, [], {}]) {
      const answer = await refresh(token);
      assertProblem(answer, 422, 'invalid-value');
      assert.match(answer.json.detail, /^refresh_token must be a string/);
    }
  });

  test('an expired refresh token is refused', async () => {
    const { refresh_token: token } = await login(ann);
    await stack.sql('auth', `UPDATE refresh SET expires_at=${now()} WHERE hash=UNHEX('${hash(token)}')`);
    assertProblem(await refresh(token), 401, 'invalid-token');
  });

  test('a refresh of an expired session is refused', async () => {
    const { refresh_token: token, access_token: access } = await login(ann);
    await stack.sql('auth', `UPDATE session SET expires_at=${now()} WHERE id='${claims(access).sid}'`);
    assertProblem(await refresh(token), 401, 'invalid-token');
    assert.ok(!(await works(access)));
  });

  test('a refresh of a disabled user is refused, also after enabling', async () => {
    const bob = await stack.person();
    const { refresh_token: token, access_token: access } = await login(bob);
    await stack.authAdmin(['user', 'disable', bob.email]);
    assertProblem(await refresh(token), 401, 'invalid-token');
    await stack.authAdmin(['user', 'enable', bob.email]);
    assertProblem(await refresh(token), 401, 'invalid-token');
    assert.ok(!(await works(access)));
  });

  test('a refresh of a deleted user is refused', async () => {
    const bob = await stack.person();
    const { refresh_token: token } = await login(bob);
    await stack.authAdmin(['user', 'delete', bob.email, '--yes']);
    assertProblem(await refresh(token), 401, 'invalid-token');
  });

  test('a refresh without a token, or with a malformed body, is refused', async () => {
    assertProblem(await stack.call('POST', '/refresh', { body: '' }), 400, 'bad-request');
    assertProblem(await stack.call('POST', '/refresh', { json: {} }), 400, 'bad-request');
    const typed = (body, type) => stack.call('POST', '/refresh', { body, headers: { 'Content-Type': type } });
    assertProblem(await typed('{', 'application/json'), 400, 'bad-request');
    assertProblem(await typed('[]', 'application/json'), 400, 'bad-request');
    assertProblem(await typed('{"refresh_token":"a","refresh_token":"b"}', 'application/json'), 400, 'bad-request');
    assertProblem(await typed('refresh_token=x', 'application/x-www-form-urlencoded'), 415, 'unsupported-media-type');
    assertProblem(await typed(JSON.stringify({ refresh_token: 'x'.repeat(20000) }), 'application/json'), 413, 'too-large');
  });

  test('a refresh by another method is refused', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) assertProblem(await stack.call(method, '/refresh'), 405, 'method-not-allowed');
  });
});

test('tokens expire with their session at the latest', async () => {
  const first = await login(ann);
  const { sid } = claims(first.access_token);
  const end = now() + 100;
  await stack.sql('auth', `UPDATE session SET expires_at=${end} WHERE id='${sid}'`);
  const { json } = await refresh(first.refresh_token);
  assert.ok(json.expires_in <= 100, String(json.expires_in));
  assert.ok(json.refresh_expires_in <= 100);
  assert.ok(claims(json.access_token).exp <= end);
});

describe('the cookie', () => {
  const wantCookie = { headers: { 'X-Refresh-Cookie': '1' } };
  const send = (cookie, headers) => stack.call('POST', '/refresh', { body: '', headers: { Cookie: cookie, ...headers } });
  const pair = (answer) => answer.headers.get('set-cookie').split(';')[0];
  const loginForCookie = () => stack.call('POST', '/login', { basic: [ann.email, ann.password], ...wantCookie });

  test('the refresh cookie is HttpOnly, Secure, SameSite=Strict and limited to /refresh', async () => {
    const answer = await loginForCookie();
    assertStatus(answer, 200);
    const parts = answer.headers.get('set-cookie').split('; ');
    assert.match(parts[0], /^gatehouse_refresh=ghr_[\w-]{43}$/);
    assert.deepEqual(parts.slice(1).sort(), ['HttpOnly', 'Max-Age=2592000', 'Path=/refresh', 'SameSite=Strict', 'Secure']);
    assert.ok(!('refresh_token' in answer.json));
    assert.equal(answer.json.refresh_expires_in, 2592000);
  });

  test('the refresh cookie is set only with X-Refresh-Cookie: 1', async () => {
    const answer = await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    assert.equal(answer.headers.get('set-cookie'), null);
    for (const value of ['0', 'true', '']) {
      const other = await stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { 'X-Refresh-Cookie': value } });
      assert.equal(other.headers.get('set-cookie'), null, value);
    }
  });

  test('a refresh by cookie returns the successor in the cookie only', async () => {
    const first = await loginForCookie();
    const answer = await send(pair(first));
    assertStatus(answer, 200);
    assert.ok(!answer.text.includes('ghr_'));
    assert.notEqual(pair(answer), pair(first));
    assert.ok(await works(answer.json.access_token));
    const among = await send(`a=b; ${pair(answer)}; gatehouse_refreshed=x`, { 'Sec-Fetch-Site': 'same-origin' });
    assertStatus(among, 200);
  });

  test('a refresh token in JSON can be moved into the cookie', async () => {
    const { refresh_token: token } = await login(ann);
    const answer = await refresh(token, wantCookie);
    assertStatus(answer, 200);
    assert.ok(!answer.text.includes('ghr_'));
    assert.match(pair(answer), /^gatehouse_refresh=ghr_/);
  });

  for (const site of ['cross-site', 'same-site', 'anything'])
    test(`the refresh cookie is ignored in a request that is ${site}`, async () => {
      const first = await loginForCookie();
      assertProblem(await send(pair(first), { 'Sec-Fetch-Site': site }), 401, 'invalid-token');
      assertStatus(await send(pair(first), { 'Sec-Fetch-Site': 'none' }), 200);
    });

  for (const [what, origin] of [['another site', 'https://evil.example'], ['a sandboxed page', 'null'], ['a host that ends like ours', () => `https://evil-${new URL(stack.url).host}`],
    ['another port', () => `http://${new URL(stack.url).hostname}:1`], ['our host as its user', () => `http://${new URL(stack.url).host}@evil.example`], ['no URL', 'x']])
    test(`the refresh cookie is ignored in a request of a page of ${what}, and is not spent`, async () => {
      const first = await loginForCookie();
      const Origin = typeof origin === 'string' ? origin : origin();
      for (const more of [{}, { 'Sec-Fetch-Site': 'none' }, { 'X-Forwarded-Host': new URL('http://evil.example').host }])
        assertProblem(await send(pair(first), { Origin, ...more }), 401, 'invalid-token');
      assertStatus(await send(pair(first), { Origin: new URL(stack.url).origin }), 200);
    });

  test('the refresh cookie is accepted of a page of this host, by http and by https', async () => {
    for (const Origin of [new URL(stack.url).origin, new URL(stack.url).origin.replace('http:', 'https:')]) assertStatus(await send(pair(await loginForCookie()), { Origin }), 200);
    // behind a proxy that changes Host, the browser still knows
    assertStatus(await send(pair(await loginForCookie()), { Origin: 'https://files.example.org', 'Sec-Fetch-Site': 'same-origin' }), 200);
  });

  test('an invalid refresh cookie is removed', async () => {
    const answer = await send('gatehouse_refresh=nonsense');
    assertProblem(answer, 401, 'invalid-token');
    assert.match(answer.headers.get('set-cookie'), /^gatehouse_refresh=; .*Max-Age=0$/);
  });

  test('the refresh token in the body takes precedence over the cookie', async () => {
    const mine = await login(ann);
    const other = await loginForCookie();
    const answer = await refresh(mine.refresh_token, { headers: { Cookie: pair(other) } });
    assertStatus(answer, 200);
    assert.equal(claims(answer.json.access_token).sid, claims(mine.access_token).sid);
  });
});
