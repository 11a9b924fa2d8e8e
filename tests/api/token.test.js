// Valid and invalid bearer tokens. Each is sent to both programs: cgi-auth (/me) and cgi-gateway
// (/files).
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { SignJWT, UnsecuredJWT, exportSPKI, generateKeyPair } from 'jose';
import { assertProblem, assertStatus } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { claimsFor, forge, mint, now } from '../support/tokens.js';

const stack = await useStack();
const guarded = ['/me', '/files'];

let ann, key, head;
before(async () => {
  ann = await stack.person();
  key = stack.signingKey();
  head = { alg: 'HS256', typ: 'at+jwt', kid: key.kid };
});

const claims = (changes) => claimsFor(ann, changes);
const forged = (changes, headChanges) => forge(key.secret, { ...head, ...headChanges }, claims(changes));

async function assertAccepted(token) {
  for (const route of guarded) assertStatus(await stack.call('GET', route, { token }), 200);
}

async function assertRefused(token) {
  for (const route of guarded) {
    const answer = await stack.call('GET', route, { token });
    assertProblem(answer, 401, 'invalid-token');
    assert.match(answer.headers.get('www-authenticate'), /^Bearer realm="gatehouse", error="invalid_token"/);
  }
}

describe('accepted tokens', () => {
  test('a token made by jose with the signing key is accepted', async () => assertAccepted(await mint(key, claims())));
  test('a token with typ JWT or without typ is accepted', async () => {
    await assertAccepted(forge(key.secret, { ...head, typ: 'JWT' }, claims()));
    await assertAccepted(forge(key.secret, { alg: 'HS256', kid: key.kid }, claims()));
  });
  test('a token with unknown claims is accepted', async () =>
    assertAccepted(forged({ nonce: 'x', groups: ['a', 'b'], nested: { a: 1 } })));
  test('a token with white space in its JSON is accepted', async () =>
    assertAccepted(forge(key.secret, JSON.stringify(head, null, 2), JSON.stringify(claims(), null, 2))));
  test('the word Bearer is case-insensitive', async () => {
    for (const scheme of ['bearer', 'BEARER'])
      assertStatus(await stack.call('GET', '/me', { headers: { Authorization: `${scheme} ${ann.token}` } }), 200);
  });
});

// Another machine issues the token, and its clock is ahead of ours
describe('tokens of a clock that is ahead', () => {
  test('a token is accepted if its clock is ahead by less than a minute', async () => {
    await assertAccepted(forged({ iat: now() + 1, nbf: now() + 1 }));
    await assertAccepted(forged({ iat: now() + 50, nbf: now() + 50, exp: now() + 950 }));
  });

  test('the answer to a token of a clock further ahead, and the log, say by how much', async () => {
    for (const changes of [{ iat: now() + 300, nbf: now() + 300, exp: now() + 1200 }, { nbf: now() + 300, exp: now() + 1200 }, { iat: now() + 300, exp: now() + 1200 }])
      for (const route of guarded) {
        const answer = await stack.call('GET', route, { token: forged(changes) });
        assertProblem(answer, 401, 'invalid-token');
        assert.match(answer.headers.get('www-authenticate'), /error_description="not valid yet"/);
        assert.match(answer.json.detail, /not valid yet: it begins (29\d|300) seconds from now, because the clocks of the servers differ/);
        const line = JSON.parse(await stack.logLine(`"request_id":"${answer.json.request_id}"`));
        assert.equal(line.error, 'token not valid yet');
        assert.match(line.why, /^the token begins (29\d|300) seconds from now: the clock of the machine that issued it is ahead/);
      }
  });

  test('the end of a token is exact', async () => {
    const answer = await stack.call('GET', '/me', { token: forged({ iat: now() - 60, nbf: now() - 60, exp: now() }) });
    assertProblem(answer, 401, 'invalid-token');
    assert.match(answer.headers.get('www-authenticate'), /error_description="expired"/);
  });
});

describe('refused tokens', () => {
  const hostile = {
    'with alg none and no MAC': () => new UnsecuredJWT(claims()).encode(),
    'with alg none in mixed case': () => forge(key.secret, { ...head, alg: 'nOnE' }, claims()).replace(/[^.]+$/, ''),
    'with alg none and a correct MAC': () => forged({}, { alg: 'none' }),
    'with alg HS512 and its MAC': () => forge(key.secret, { ...head, alg: 'HS512' }, claims(), 'sha512'),
    'with alg HS384 and its MAC': () => forge(key.secret, { ...head, alg: 'HS384' }, claims(), 'sha384'),
    'with alg hs256 in lower case': () => forged({}, { alg: 'hs256' }),
    'with an empty alg': () => forged({}, { alg: '' }),
    'with alg null': () => forged({}, { alg: null }),
    'with an array of algs': () => forged({}, { alg: ['HS256'] }),
    'without alg': () => forge(key.secret, { typ: 'at+jwt', kid: key.kid }, claims()),
    'with alg RS256 over an HMAC': () => forged({}, { alg: 'RS256' }),
    'with alg RS256 and a valid RSA signature': async () => {
      const { privateKey } = await generateKeyPair('RS256');
      return new SignJWT(claims()).setProtectedHeader({ ...head, alg: 'RS256' }).sign(privateKey);
    },
    'with an HMAC made by a public key': async () => {
      const { publicKey } = await generateKeyPair('RS256', { extractable: true });
      return forge(await exportSPKI(publicKey), head, claims());
    },
    'with a key in its header': () => {
      const own = Buffer.alloc(32, 7);
      return forge(own, { ...head, jwk: { kty: 'oct', k: own.toString('base64url') } }, claims());
    },
    'with an unknown "crit"': () => forged({}, { crit: ['exp'], exp: 1 }),
    'of another type': () => forged({}, { typ: 'refresh+jwt' }),
    'with a typ that is not a string': () => forged({}, { typ: 1 }),

    'with another secret': () => forge(Buffer.alloc(32, 1), head, claims()),
    'with an empty secret': () => forge('', head, claims()),
    'with the kid as the secret': () => forge(key.kid, head, claims()),
    'without kid': () => forge(key.secret, { alg: 'HS256', typ: 'at+jwt' }, claims()),
    'with an unknown kid': () => forged({}, { kid: 'ffffffffffffffff' }),
    'with an empty kid': () => forged({}, { kid: '' }),
    'with a path as kid': () => forge('', { ...head, kid: '../../../../dev/null' }, claims()),
    'with SQL as kid': () => forge('x', { ...head, kid: "' UNION SELECT 'x" }, claims()),
    'with a kid that continues after a NUL': () => forged({}, { kid: `${key.kid}\0x` }),
    'with a number as kid': () => forged({}, { kid: 0 }),
    'with an array as kid': () => forged({}, { kid: [key.kid] }),
    'with an object as kid': () => forged({}, { kid: { [key.kid]: 1 } }),
    'with null as kid': () => forged({}, { kid: null }),
    'with a kid of a thousand bytes': () => forged({}, { kid: 'a'.repeat(1000) }),

    'that has expired': () => forged({ exp: now() - 1 }),
    'in the second of exp': () => forged({ exp: now() }),
    'that is not valid yet': () => forged({ nbf: now() + 3600 }),
    'from another issuer': () => forged({ iss: 'elsewhere' }),
    'with an unexpected audience': () => forged({ aud: 'elsewhere' }),

    'with admin twice, the last time true': () =>
      forge(key.secret, head, JSON.stringify(claims()).replace('}', ',"admin":true}')),
    'with two subs': () => forge(key.secret, head, JSON.stringify(claims()).replace('}', `,"sub":"1"}`)),
    'with two subs, one written with an escape': () =>
      forge(key.secret, head, JSON.stringify(claims()).replace('}', `,"s\\u0075b":"1"}`)),
    'with two sids': () => forge(key.secret, head, JSON.stringify(claims()).replace('}', `,"sid":"x"}`)),
    'with two kids': () => forge(key.secret, JSON.stringify(head).replace('}', `,"kid":"x"}`), claims()),
    'with two algs': () => forge(key.secret, JSON.stringify(head).replace('}', `,"alg":"none"}`), claims()),

    'with a NUL in sub': () => forged({ sub: `${ann.id}\0` }),
    'with a NUL in the scope': () => forged({ scope: 'files:read\0 admin' }),
    'with a newline in the username': () => forged({ username: 'a\r\nX-Auth-Id: 1' }),
    'with a username of a thousand bytes': () => forged({ username: 'a'.repeat(1000) }),
    'with bytes after the claims': () => forge(key.secret, head, JSON.stringify(claims()) + '{}'),
    'with claims that are an array': () => forge(key.secret, head, [claims()]),
    'with claims that are a string': () => forge(key.secret, head, '"x"'),
    'with claims that are not JSON': () => forge(key.secret, head, '{sub:1}'),
    'with claims that are not UTF-8': () => {
      const bytes = Buffer.from(JSON.stringify(claims({ username: '@' })));
      bytes[bytes.indexOf('@')] = 0xff;
      return forge(key.secret, head, bytes);
    },
    'with a head that is not JSON': () => forge(key.secret, 'alg=HS256', claims()),
    'with claims a hundred levels deep': () => forge(key.secret, head, JSON.stringify(claims()).replace('}', `,"x":${'['.repeat(100)}${']'.repeat(100)}}`)),
    'that is larger than any of ours': () => forged({ padding: 'x'.repeat(2500) }),
  };
  for (const member of ['iss', 'sub', 'username', 'scope', 'exp', 'jti', 'sid'])
    hostile[`without ${member}`] = () => forged({ [member]: undefined });
  for (const [member, values] of Object.entries({
    sub: [1, '', '0', '-1', '+1', ' 1', '1 ', '1.0', '1e0', '0x1', '01', '18446744073709551616', '99999999999999999999999', null, true, ['1'], { a: 1 }],
    exp: ['9999999999', null, true, [], -1, 1e300, ''],
    nbf: ['0', null, [], true],
    admin: ['false', 0, null, []],
    scope: [1, null, ['files:read'], {}],
    username: [1, null, []],
    sid: [1, null, [], '', 'x', 'A'.repeat(22), 'A'.repeat(5000), "' OR 1=1 -- ", '%', 'ż'.repeat(11)],
  }))
    for (const value of values)
      hostile[`with ${member} ${JSON.stringify(value)}`] = () => forged({ [member]: value });

  for (const [what, make] of Object.entries(hostile))
    test(`a token ${what} is refused`, async () => assertRefused(await make()));

  test('a token with a changed byte is refused', async () => {
    const parts = ann.token.split('.');
    for (const part of [0, 1, 2]) {
      const bytes = Buffer.from(parts[part], 'base64url');
      for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
        const changed = Buffer.from(bytes);
        changed[at] ^= 1;
        await assertRefused(parts.map((p, i) => (i === part ? changed.toString('base64url') : p)).join('.'));
      }
    }
  });

  test('a truncated token is refused', async () => {
    const token = await mint(key, claims());
    const places = [1, 10, token.indexOf('.'), token.indexOf('.') + 1, token.lastIndexOf('.'), token.lastIndexOf('.') + 1, token.length - 1];
    for (const length of places) await assertRefused(token.slice(0, length));
  });

  test('a token with non-canonical base64url is refused', async () => {
    const [h, c, mac] = (await mint(key, claims())).split('.');
    // 32 bytes leave two unused bits in the last of 43 characters: three other spellings
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = alphabet.indexOf(mac.at(-1));
    for (const other of [1, 2, 3]) await assertRefused(`${h}.${c}.${mac.slice(0, -1)}${alphabet[last ^ other]}`);
  });

  test('a token with padded base64url or another alphabet is refused', async () => {
    const [h, c, mac] = (await mint(key, claims())).split('.');
    const ordinary = (text) => text.replaceAll('-', '+').replaceAll('_', '/');
    const spelled = [`${h}.${c}.${mac}=`];
    if (ordinary(mac) !== mac) spelled.push(`${h}.${c}.${ordinary(mac)}`);
    for (const token of spelled) {
      const answer = await stack.call('GET', '/me', { token });
      assert.ok([400, 401].includes(answer.status), answer.text);
    }
  });

  test('a token with too few or too many parts is refused', async () => {
    const [h, c, mac] = ann.token.split('.');
    for (const token of [h, `${h}.${c}`, `${ann.token}.`, `${ann.token}.${mac}`, `.${ann.token}`, '..', '.', 'x', 'a.b.c', `${h}..${mac}`])
      await assertRefused(token);
  });
});

describe('malformed Authorization headers', () => {
  for (const [what, value] of [
    ['without a token', () => 'Bearer'],
    ['with two tokens', () => `Bearer ${ann.token} ${ann.token}`],
    ['with a comma', () => `Bearer ${ann.token},${ann.token}`],
    ['with invalid characters', () => 'Bearer {"a":1}'],
    ['with quotes', () => `Bearer "${ann.token}"`],
  ])
    test(`an Authorization header ${what} is a malformed request`, async () => {
      for (const route of guarded) {
        const answer = await stack.call('GET', route, { headers: { Authorization: value() } });
        assertProblem(answer, 400, 'invalid-request');
        assert.match(answer.headers.get('www-authenticate'), /^Bearer realm="gatehouse", error="invalid_request"/);
      }
    });
});

test('a very long Authorization header is refused', async () => {
  for (const length of [3000, 7000, 60000]) {
    const { status } = await fetch(`${stack.url}/me`, { headers: { Authorization: `Bearer ${'a'.repeat(length)}` } });
    assert.ok([400, 401, 431].includes(status), `${length}: ${status}`);
  }
});

test('a token in the query is ignored', async () => {
  assertProblem(await stack.call('GET', `/me?access_token=${ann.token}`), 401, 'missing-token');
});
