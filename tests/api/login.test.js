// POST /login
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { assertProblem, assertStatus } from '../support/client.js';
import { curl } from '../support/curl.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const login = (credentials, options) => stack.call('POST', '/login', { basic: credentials, ...options });
const loginWith = (authorization) => stack.call('POST', '/login', { headers: { Authorization: authorization } });
const encode = (text) => Buffer.from(text).toString('base64');

let ann;
before(async () => {
  ann = await stack.person();
});

describe('correct passwords', () => {
  test('a login returns a bearer token with its life and scope', async () => {
    const answer = await login([ann.email, ann.password]);
    assertStatus(answer, 200);
    assert.equal(answer.json.token_type, 'Bearer');
    assert.equal(answer.json.expires_in, 900);
    assert.equal(answer.json.scope, 'files:read files:write');
  });

  test('a login returns the bare token if plain text is requested', async () => {
    const answer = await login([ann.email, ann.password], { headers: { Accept: 'text/plain' } });
    assertStatus(answer, 200);
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
    assert.equal((await stack.call('GET', '/me', { token: answer.text })).json.email, ann.email);
  });

  test('a login returns JSON to browsers and other clients that accept anything', async () => {
    for (const accept of ['*/*', 'application/json', 'text/html,application/xhtml+xml,*/*;q=0.8', 'application/json, text/plain, */*']) {
      const answer = await login([ann.email, ann.password], { headers: { Accept: accept } });
      assert.match(answer.headers.get('content-type'), /^application\/json/, accept);
    }
  });

  test('the access token verifies in jose with the key of the keyring', async () => {
    const { access_token: token } = (await login([ann.email, ann.password])).json;
    const key = stack.signingKey();
    const { payload } = await jwtVerify(token, key.secret, { issuer: 'gatehouse', algorithms: ['HS256'], typ: 'at+jwt', subject: String(ann.id) });
    assert.deepEqual(decodeProtectedHeader(token), { alg: 'HS256', typ: 'at+jwt', kid: key.kid });
    assert.equal(payload.username, ann.email);
    assert.equal(payload.admin, false);
    assert.equal(payload.exp - payload.iat, 900);
    assert.equal(payload.nbf, payload.iat);
  });

  test('each access token has its own id', async () => {
    const ids = new Set();
    for (let i = 0; i < 3; i++) {
      const { access_token: token } = (await login([ann.email, ann.password])).json;
      ids.add(JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).jti);
    }
    assert.equal(ids.size, 3);
  });

  test('email and the word Basic are case-insensitive', async () => {
    assertStatus(await login([ann.email.toUpperCase(), ann.password]), 200);
    assertStatus(await loginWith(`basic ${encode(`${ann.email}:${ann.password}`)}`), 200);
    assertStatus(await loginWith(`BASIC ${encode(`${ann.email}:${ann.password}`)}`), 200);
  });

  const user = () => ['-u', `${ann.email}:${ann.password}`, '-H', 'Accept: text/plain', `${stack.url}/login`];

  test('a login with curl -u and an empty body works', async () => {
    assert.match((await curl('-d', '', ...user())).stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  test('a login with curl -X POST, which sends no length, works', async () => {
    assert.match((await curl('-X', 'POST', ...user())).stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  test('the body of a login is ignored', async () => {
    assertStatus(await login([ann.email, ann.password], { json: { email: 'x' } }), 200);
    assertStatus(await login([ann.email, ann.password], { body: new URLSearchParams({ a: 'b' }) }), 200);
  });

  for (const [what, password] of [
    ['colons', ':ab:cd::e:'],
    ['letters of many scripts', 'Żółć 密码 пароль 🔑'],
    ['blanks at both ends', '  spaced  '],
    ['every printable character of ASCII', Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('')],
    ['a hundred bytes', 'x'.repeat(100)],
  ])
    test(`a password may contain ${what}`, async () => {
      const person = await stack.person({ password });
      assertStatus(await login([person.email, password]), 200);
      assertProblem(await login([person.email, password + 'x']), 401, 'invalid-credentials');
    });
});

describe('refused logins', () => {
  test('a login without credentials is refused and asks for them', async () => {
    assertProblem(await stack.call('POST', '/login'), 401, 'missing-credentials');
    assertProblem(await loginWith(''), 401, 'missing-credentials');
  });

  test('a wrong password and an unknown user get the same answer', async () => {
    const wrong = await login([ann.email, 'wrong']);
    const unknown = await login(['nobody@example.org', 'wrong']);
    assertProblem(wrong, 401, 'invalid-credentials');
    assertProblem(unknown, 401, 'invalid-credentials');
    const words = ({ json: { request_id: _, ...rest } }) => rest;
    assert.deepEqual(words(wrong), words(unknown));
    const names = (answer) => [...answer.headers.keys()].filter((n) => n !== 'date').sort();
    assert.deepEqual(names(wrong), names(unknown));
  });

  test('an empty email or an empty password is refused', async () => {
    assertProblem(await login(['', ann.password]), 401, 'invalid-credentials');
    assertProblem(await login([ann.email, '']), 401, 'invalid-credentials');
    assertProblem(await login(['', '']), 401, 'invalid-credentials');
  });

  for (const [what, authorization] of [
    ['another scheme', 'Digest username="ann"'],
    ['a bearer token in place of Basic', 'Bearer abc.def.ghi'],
    ['no base64 at all', 'Basic'],
    ['characters outside base64', 'Basic !!!!'],
    ['base64 that ends too soon', 'Basic YW5uOn'],
    ['no colon', `Basic ${encode('ann')}`],
    ['two credentials', `Basic ${encode('a:b')} ${encode('c:d')}`],
    ['a NUL in the email', `Basic ${encode('ann@example.org\0:x')}`],
    ['bytes that are not UTF-8', `Basic ${Buffer.from([0x61, 0xff, 0xfe, 0x3a, 0x62]).toString('base64')}`],
    ['a control character', `Basic ${encode('a\nb:c')}`],
    ['an email of five thousand bytes', `Basic ${encode('a'.repeat(5000) + ':b')}`],
  ])
    test(`a login with ${what} is refused`, async () => {
      const answer = await loginWith(authorization);
      assertStatus(answer, 401);
      assert.match(answer.json.type, /missing-credentials|invalid-credentials/);
    });

  test('a correct password followed by a NUL is refused', async () => {
    assertProblem(await login([ann.email, `${ann.password}\0`]), 401, 'invalid-credentials');
    assertProblem(await login([ann.email, `${ann.password}\0x`]), 401, 'invalid-credentials');
  });

  test('an email that is SQL is refused', async () => {
    for (const email of ["' OR 1=1 -- ", `${ann.email}' -- `, '%', '\\'])
      assertProblem(await login([email, ann.password]), 401, 'invalid-credentials');
  });

  test('a disabled user is refused until enabled again', async () => {
    const bob = await stack.person();
    assert.equal((await stack.authAdmin(['user', 'disable', bob.email])).code, 0);
    assertProblem(await login([bob.email, bob.password]), 401, 'invalid-credentials');
    assert.equal((await stack.authAdmin(['user', 'enable', bob.email])).code, 0);
    assertStatus(await login([bob.email, bob.password]), 200);
  });

  test('the old password is refused after a change', async () => {
    const bob = await stack.person();
    assert.equal((await stack.authAdmin(['user', 'passwd', bob.email, '--password-stdin'], 'another one\n')).code, 0);
    assertProblem(await login([bob.email, bob.password]), 401, 'invalid-credentials');
    assertStatus(await login([bob.email, 'another one']), 200);
  });

  test('a deleted user is refused', async () => {
    const bob = await stack.person();
    const deleted = await stack.authAdmin(['user', 'delete', bob.email, '--yes']);
    assert.equal(deleted.code, 0, deleted.stderr);
    assertProblem(await login([bob.email, bob.password]), 401, 'invalid-credentials');
  });

  test('a login by another method is refused, with Allow: POST', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']) {
      const answer = await stack.call(method, '/login', { basic: [ann.email, ann.password] });
      assertProblem(answer, 405, 'method-not-allowed');
      assert.match(answer.headers.get('allow'), /\bPOST\b/);
    }
  });
});

// Rows as other systems left them: the hash is in the table before the first login.
describe('password hashes of other systems', () => {
  const foreign = [
    ['PHP and htpasswd ($2y$)', 'a bcrypt password', '$2y$04$6kYCVmy3xstOoBjdGHveTum.qh1MI4iMz23OKCLuLdODq0dmg6uVK'],
    ['SHA-512 crypt ($6$)', 'Hello world!', '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1'],
    ['yescrypt ($y$)', 'a yescrypt password', '$y$j75$lG.zZidZwJSJzIHGa4n2i/$GHJDBshMmi9SyLlSdOr0fci3RgOqx5tzxTy5CvVJi64'],
  ];

  async function userWithHash(hash) {
    const person = await stack.person();
    await stack.sql('auth', `UPDATE user SET password='${hash}' WHERE id=${person.id}`);
    return person;
  }
  const storedHash = async (person) => (await stack.sql('auth', `SELECT password FROM user WHERE id=${person.id}`))[0][0];

  for (const [name, password, hash] of foreign)
    test(`a hash of ${name} is verified and replaced by argon2id`, async () => {
      const person = await userWithHash(hash);
      assertProblem(await login([person.email, 'wrong']), 401, 'invalid-credentials');
      assert.equal(await storedHash(person), hash, 'a wrong password changes nothing');
      assertStatus(await login([person.email, password]), 200);
      assert.match(await storedHash(person), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      assertStatus(await login([person.email, password]), 200);
      assertProblem(await login([person.email, 'wrong']), 401, 'invalid-credentials');
    });

  for (const hash of ['', '*', '!', 'x', '$', '$6$', '$y$', '$2y$', '$1$', '$argon2id$', '$argon2id$v=19$m=19456,t=2,p=1$$', '*0', '*1', '$2y$99$abc'])
    test(`the invalid hash ${hash || '(empty)'} matches no password`, async () => {
      const person = await userWithHash(hash);
      for (const password of ['', 'x', hash || 'y', '*0', '*1'])
        assertProblem(await login([person.email, password]), 401, 'invalid-credentials');
    });

  test('a plain-text password is refused; the log names import-plaintext, which converts it', async () => {
    const person = await userWithHash('secret as in the tutorials');
    const password = 'secret as in the tutorials';
    assertProblem(await login([person.email, password]), 401, 'invalid-credentials');
    await stack.logLine('auth-admin user import-plaintext');

    const imported = await stack.authAdmin(['user', 'import-plaintext']);
    assert.equal(imported.code, 0, imported.stderr);
    assert.match(await storedHash(person), /^\$argon2id\$/);
    assertStatus(await login([person.email, password]), 200);
  });
});

test('no password and no token is in a log', async () => {
  const password = randomBytes(12).toString('hex');
  const person = await stack.person({ password });
  await login([person.email, 'wrong' + password]);
  await stack.call('GET', '/me', { token: person.token });
  assert.ok(!stack.logs.includes(password));
  assert.ok(!stack.logs.includes(person.token.split('.')[2]));
  assert.ok(!stack.logs.includes(encode(`${person.email}:${password}`)));
});
