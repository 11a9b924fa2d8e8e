// However a session ends, every route of the gateway refuses its very next request and changes nothing.
// The same for invalid tokens.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { filePart, form, formType } from '../support/multipart.js';
import { useStack } from '../support/stack.js';
import { claimsFor, forge, now, sessionOf } from '../support/tokens.js';

const stack = await useStack();

// Every request that the routes of the gateway accept, on the file `id`.
const ROUTES = {
  'PUT /upload/{name}': { method: 'PUT', target: () => '/upload/late.txt', body: 'too late' },
  'POST /upload, the body a file': { method: 'POST', target: () => '/upload?name=late.txt', body: 'too late', headers: { 'Content-Type': 'text/plain' } },
  'POST /upload, a form': { method: 'POST', target: () => '/upload', body: form(filePart('late.txt', 'too late')), headers: { 'Content-Type': formType() } },
  'GET /download/{id}': { method: 'GET', target: (id) => `/download/${id}` },
  'HEAD /download/{id}': { method: 'HEAD', target: (id) => `/download/${id}` },
  'GET /download/{id}, a range': { method: 'GET', target: (id) => `/download/${id}`, headers: { Range: 'bytes=0-1' } },
  'GET /download/{id}, If-None-Match': { method: 'GET', target: (id) => `/download/${id}`, headers: { 'If-None-Match': '*' } },
  'GET /download?fid=': { method: 'GET', target: (id) => `/download?fid=${id}` },
  'GET /files': { method: 'GET', target: () => '/files' },
  'GET /files?q=, without a match': { method: 'GET', target: () => '/files?q=nothing-is-called-so' },
  'GET /files/{id}': { method: 'GET', target: (id) => `/files/${id}` },
  'GET /files/{id}, not found': { method: 'GET', target: () => '/files/01890000-0000-7000-8000-000000000000' },
  'PATCH /files/{id}': { method: 'PATCH', target: (id) => `/files/${id}`, json: { name: 'renamed', expires_in: 1 } },
  'GET /files/{id}/links': { method: 'GET', target: (id) => `/files/${id}/links` },
  'POST /files/{id}/links': { method: 'POST', target: (id) => `/files/${id}/links`, json: {} },
  'DELETE /links/{link}, not found': { method: 'DELETE', target: () => '/links/AAAAAAAAAAAAAAAAAAAAAA' },
  'GET /upload-links': { method: 'GET', target: () => '/upload-links' },
  'POST /upload-links': { method: 'POST', target: () => '/upload-links', json: {} },
  'DELETE /upload-links/{link}, not found': { method: 'DELETE', target: () => '/upload-links/AAAAAAAAAAAAAAAAAAAAAA' },
  'DELETE /files/{id}': { method: 'DELETE', target: (id) => `/files/${id}` },
};

const ask = ({ method, target, ...options }, id, token) => stack.call(method, target(id), { ...options, token });

function assertRefused(answer) {
  assertProblem(answer, 401, 'invalid-token');
  assert.match(answer.headers.get('www-authenticate'), /^Bearer realm="gatehouse", error="invalid_token"/);
  for (const name of ['etag', 'content-range', 'content-disposition', 'location', 'x-sendfile', 'repr-digest'])
    assert.equal(answer.headers.get(name), null);
}

const login = async (person) => {
  const answer = await stack.call('POST', '/login', { basic: [person.email, person.password] });
  assertStatus(answer, 200);
  return answer.json;
};
const apiToken = async (token, json) => {
  const answer = await stack.call('POST', '/tokens', { token, json: { name: 'a script', ...json } });
  assertStatus(answer, 201);
  return answer.json;
};
const upload = async (token, name, content) => {
  const answer = await stack.call('PUT', `/upload/${name}`, { token, body: content });
  assertStatus(answer, 201);
  return answer.json.files[0];
};
const admin = async (...args) => {
  const { code, stderr } = await stack.authAdmin(args);
  assert.equal(code, 0, stderr);
};
const files = async (person) => stack.sql('gateway', `SELECT id, name, expires_at FROM file WHERE owner=${person.id}`);

// Each ends the session of `doomed`, the answer of a login or of POST /tokens.
let passwords = 0;
const ENDS = {
  'POST /logout': (person, doomed) => stack.call('POST', '/logout', { token: doomed.access_token, body: '' }),
  'POST /logout?all=1 in another session': async (person) => stack.call('POST', '/logout?all=1', { token: (await login(person)).access_token, body: '' }),
  'DELETE /sessions/{id} in another session': async (person, doomed) =>
    stack.call('DELETE', `/sessions/${sessionOf(doomed.access_token)}`, { token: (await login(person)).access_token }),
  'a change of the password in another session': async (person) => {
    const fresh = `a better password ${++passwords}`;
    const answer = await stack.call('POST', '/password', { token: (await login(person)).access_token, json: { current: person.password, new: fresh } });
    person.password = fresh;
    return answer;
  },
  'reuse of a refresh token': async (person, doomed) => {
    const refresh = () => stack.call('POST', '/refresh', { json: { refresh_token: doomed.refresh_token } });
    assertStatus(await refresh(), 200);
    await stack.sql('auth', `UPDATE refresh SET spent_at=spent_at-1000 WHERE session_id='${sessionOf(doomed.access_token)}'`);
    assertProblem(await refresh(), 401, 'invalid-token');
  },
  'its expiry': (person, doomed) => stack.sql('auth', `UPDATE session SET expires_at=${now()} WHERE id='${sessionOf(doomed.access_token)}'`),
  'auth-admin session end': (person, doomed) => admin('session', 'end', sessionOf(doomed.access_token)),
  'auth-admin user disable': (person) => admin('user', 'disable', person.email),
  'auth-admin user passwd': async (person) => {
    const fresh = `a better password ${++passwords}`;
    assert.equal((await stack.authAdmin(['user', 'passwd', person.email, '--password-stdin'], `${fresh}\n`)).code, 0);
    person.password = fresh;
  },
};
// The same for an API token.
const API_ENDS = {
  'DELETE /tokens/{id}': async (person, { id }) => stack.call('DELETE', `/tokens/${id}`, { token: (await login(person)).access_token }),
  'its expiry': (person, { id }) => stack.sql('auth', `UPDATE session SET expires_at=${now()} WHERE id='${id}'`),
  'auth-admin session end': (person, { id }) => admin('session', 'end', id),
  'auth-admin user disable': (person) => admin('user', 'disable', person.email),
};

// Rotates the routes, so that each of them is the first one in some test.
let turn = 0;
const inTurn = () => {
  const all = Object.entries(ROUTES);
  const first = turn++ % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
};

function endings(subject, ends, make) {
  for (const [how, end] of Object.entries(ends))
    test(`${subject} ends at once by ${how}`, async () => {
      const ann = await stack.person();
      const file = await upload(ann.token, 'kept.txt', 'kept');
      const { doomed, token } = await make(ann);
      assertStatus(await stack.call('GET', `/files/${file.id}`, { token }), 200);
      const answer = await end(ann, doomed);
      if (answer?.status) assertStatus(answer, 204);
      for (const [, route] of inTurn()) assertRefused(await ask(route, file.id, token));
      assert.deepEqual(await files(ann), [[file.id, 'kept.txt', 'NULL']]);

      await admin('user', 'enable', ann.email);
      assertRefused(await ask(ROUTES['GET /files'], file.id, token));
      const { access_token: next } = await login(ann);
      assert.equal((await stack.call('GET', `/download/${file.id}`, { token: next })).text, 'kept');
    });
}

describe('logins that have ended', () => {
  endings('a login', ENDS, async (ann) => {
    const doomed = await login(ann);
    return { doomed, token: doomed.access_token };
  });
});

describe('API tokens that have ended', () => {
  endings('an API token', API_ENDS, async (ann) => {
    const doomed = await apiToken((await login(ann)).access_token);
    return { doomed, token: doomed.token };
  });
});

describe('sessions that end during an upload', () => {
  const SLOW_BYTES = 412_347; // no other file has this size
  const kept = () => readdirSync(stack.settings('gateway').DATA_DIR, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && statSync(join(f.path, f.name), { throwIfNoEntry: false })?.size === SLOW_BYTES).length;
  // Send half of the body, run `between`, send the rest; returns the status.
  const uploadSlowly = (token, between) => new Promise((done, fail) => {
    const body = Buffer.alloc(SLOW_BYTES, 'x');
    const sent = request(`${stack.url}/upload/slow.bin`, { method: 'PUT', headers: { Authorization: `Bearer ${token}`, 'Content-Length': body.length } }, (answer) => {
      answer.resume();
      done(answer.statusCode);
    });
    sent.on('error', fail);
    sent.write(body.subarray(0, 200_000), async () => {
      try {
        await between();
        sent.end(body.subarray(200_000));
      } catch (error) {
        fail(error);
      }
    });
  });

  test('an upload whose session ends leaves neither a row nor bytes', async () => {
    const ann = await stack.person();
    assert.equal(await uploadSlowly(ann.token, () => {}), 201);
    const rows = await files(ann);
    assert.equal(kept(), 1);
    assert.equal(rows.length, 1);
    assert.equal(await uploadSlowly(ann.token, () => stack.call('POST', '/logout', { token: ann.token, body: '' })), 401);
    assert.deepEqual(await files(ann), rows);
    assert.equal(kept(), 1);
  });
});

describe('invalid tokens', () => {
  let ann, bob, root, file, key, head, api;
  before(async () => {
    [ann, bob, root] = [await stack.person(), await stack.person(), await stack.person({ admin: true })];
    file = await upload(ann.token, 'kept.txt', 'kept');
    key = stack.signingKey();
    head = { alg: 'HS256', typ: 'at+jwt', kid: key.kid };
    api = await apiToken(ann.token);
  });
  const claims = (changes) => claimsFor(ann, changes);
  const forged = (changes) => forge(key.secret, head, claims(changes));
  const parts = (token) => token.split('.');

  const TOKENS = {
    'has expired': () => forged({ exp: now() }),
    'is not valid yet': () => forged({ nbf: now() + 120 }),
    'was cut off': () => ann.token.slice(0, -1),
    'has lost its MAC': () => parts(ann.token).slice(0, 2).join('.') + '.',
    'has the MAC of another': () => [...parts(ann.token).slice(0, 2), parts(bob.token)[2]].join('.'),
    'has the claims of another': () => [parts(bob.token)[0], parts(ann.token)[1], parts(bob.token)[2]].join('.'),
    'was signed with another key': () => forge(Buffer.alloc(32, 1), head, claims()),
    'was signed by a key that was removed': () => forge(Buffer.alloc(32, 1), { ...head, kid: 'ffffffffffffffff' }, claims()),
    'is for another audience': () => forged({ aud: 'elsewhere' }),
    'has another issuer': () => forged({ iss: 'elsewhere' }),
    'says alg none': () => forge(key.secret, { ...head, alg: 'none' }, claims()).replace(/[^.]+$/, ''),
    'says alg RS256': () => forge(key.secret, { ...head, alg: 'RS256' }, claims()),
    'says alg HS512': () => forge(key.secret, { ...head, alg: 'HS512' }, claims(), 'sha512'),
    'has a claim twice': () => forge(key.secret, head, JSON.stringify(claims()).replace('}', ',"scope":"files:read files:write admin"}')),
    'names two sessions': () => forge(key.secret, head, JSON.stringify(claims()).replace('}', `,"sid":"${sessionOf(bob.token)}"}`)),
    'names no session': () => forged({ sid: undefined }),
    'names a session that does not exist': () => forged({ sid: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    'names the session of an API token': () => forged({ sid: api.id }),
    'is larger than any of ours': () => forged({ padding: 'x'.repeat(2500) }),
    'is a refresh token': async () => (await login(ann)).refresh_token,
    'is an API token with another secret': () => `gh_${api.id}_${'A'.repeat(43)}`,
    'is an API token with the secret of another': async () => `gh_${api.id}_${(await apiToken(ann.token)).token.slice(26)}`,
    'is an API token that was cut off': () => api.token.slice(0, -1),
    'is an API token with a character more': () => `${api.token}A`,
    'is an API token in capital letters': () => api.token.replace('gh_', 'GH_'),
    'is an API token of a session that does not exist': () => `gh_${'A'.repeat(22)}_${api.token.slice(26)}`,
    'is an API token with the session of a login': () => `gh_${sessionOf(ann.token)}_${api.token.slice(26)}`,
  };
  for (const [what, make] of Object.entries(TOKENS))
    test(`a token that ${what} is refused by every route`, async () => {
      const token = await make();
      for (const route of Object.values(ROUTES)) assertRefused(await ask(route, file.id, token));
      assert.deepEqual(await files(ann), [[file.id, 'kept.txt', 'NULL']]);
    });

  test('a token of another user does not find the file', async () => {
    const outside = ['GET /download/{id}', 'HEAD /download/{id}', 'GET /download?fid=', 'GET /files/{id}', 'PATCH /files/{id}', 'DELETE /files/{id}'];
    for (const token of [bob.token, (await apiToken(bob.token)).token]) {
      for (const what of outside) assertProblem(await ask(ROUTES[what], file.id, token), 404, 'not-found');
      assert.deepEqual((await stack.call('GET', '/files', { token })).json.files, []);
    }
    assert.deepEqual(await files(ann), [[file.id, 'kept.txt', 'NULL']]);
  });

  test('an API token without the scope is refused by every route', async () => {
    const read = await apiToken(ann.token, { scope: 'files:read' });
    const write = await apiToken(ann.token, { scope: 'files:write' });
    for (const [what, route] of Object.entries(ROUTES)) {
      const { token } = /^(GET|HEAD)/.test(what) ? write : read;
      assertProblem(await ask(route, file.id, token), 403, 'insufficient-scope');
    }
    assert.deepEqual(await files(ann), [[file.id, 'kept.txt', 'NULL']]);
  });

  test('an API token may name an owner only with the scope admin of an admin', async () => {
    const theirs = async (token) => stack.call('GET', `/files?owner=${ann.id}`, { token });
    const right = await apiToken(root.token, { scope: 'files:read admin' });
    for (const { token } of [await apiToken(bob.token), await apiToken(root.token, { scope: 'files:read' })])
      assertProblem(await theirs(token), 403, 'insufficient-scope');
    assert.deepEqual((await theirs(right.token)).json.files.map((f) => f.id), [file.id]);
    assertProblem(await theirs(`gh_${right.id}_${api.token.slice(26)}`), 401, 'invalid-token');
    assertProblem(await stack.call('DELETE', `/files/${file.id}?owner=${ann.id}`, { token: right.token }), 403, 'insufficient-scope');
    await stack.sql('auth', `UPDATE user SET admin=0 WHERE id=${root.id}`);
    assertProblem(await theirs(right.token), 403, 'insufficient-scope');
  });
});
