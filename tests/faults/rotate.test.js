// `auth-admin key rotate` under load: no request fails, no session ends,
// no program restarts.
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { pause, startStack } from '../support/stack.js';
import { now } from '../support/tokens.js';

const stack = await startStack();
after(() => stack.stop());

let ann, record;
before(async () => {
  ann = await stack.person();
  record = await uploadFile(stack, ann, 'kept.txt', 'kept');
});

const keyring = () => stack.settings('auth').JWT_KEYRING;
const kidOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
const programs = () => ['cgi-auth', 'cgi-gateway'].flatMap((name) => stack.processes(name)).sort();
const rotate = async () => {
  const { code, stdout, stderr } = await stack.authAdmin(['key', 'rotate']);
  assert.equal(code, 0, stderr);
  return /^Key (\S+) signs/.exec(stdout)[1];
};
const loginBody = async () => (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json;

// Loops that end at the first answer that is not 200, which is in `failed`.
function startLoad() {
  const seen = { requests: 0, kids: new Set(), failed: [] };
  let stopped = false;
  const get = async (what, target, init = {}) => {
    const response = await fetch(stack.url + target, init).catch((error) => ({ status: 0, text: () => String(error.cause ?? error) }));
    const text = await response.text();
    seen.requests++;
    if (response.status !== 200) {
      seen.failed.push(`${what}: ${response.status} ${text}`);
      stopped = true;
    }
    return text;
  };
  const use = async (what, token) => {
    const headers = { Authorization: `Bearer ${token}` };
    seen.kids.add(kidOf(token));
    await get(`${what}, /download`, record.url, { headers });
    await get(`${what}, /files`, '/files', { headers });
    await get(`${what}, /me`, '/me', { headers });
  };
  const basic = 'Basic ' + Buffer.from(`${ann.email}:${ann.password}`).toString('base64');
  const login = async (what) => JSON.parse((await get(what, '/login', { method: 'POST', headers: { Authorization: basic } })) || '{}');

  const loop = async (turn) => {
    while (!stopped) await turn();
  };
  let refresh;
  const loops = [
    loop(() => use('an old token', ann.token)),
    loop(() => use('an old token', ann.token)),
    // signed by the newest key, and sent to the other program at once
    loop(async () => {
      const { access_token: token } = await login('a login');
      if (token) await use('a new token', token);
    }),
    loop(async () => {
      refresh ??= (await login('a login')).refresh_token;
      const body = JSON.stringify({ refresh_token: refresh });
      const text = await get('a refresh', '/refresh', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      if (stopped) return;
      const answer = JSON.parse(text);
      refresh = answer.refresh_token;
      await use('a refreshed token', answer.access_token);
    }),
  ];
  return {
    seen,
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

describe('rotations of the signing key', () => {
  test('rotations of the signing key under load fail no request', async (t) => {
    const before = programs();
    const load = startLoad();
    const kids = [kidOf(ann.token)];
    await pause(500);
    // slowly, and so fast that a program may see two rotations as one
    for (const wait of [2000, 2000, 100, 1200, 0, 0, 300, 2000]) {
      kids.push(await rotate());
      await pause(wait);
      if (wait === 2000) assert.ok(load.seen.kids.has(kids.at(-1)), 'the new key does not sign');
    }
    await load.stop();
    assert.deepEqual(load.seen.failed, []);
    assert.deepEqual(programs(), before, 'a program was restarted');
    assert.equal(new Set(kids).size, kids.length);
    t.diagnostic(`${load.seen.requests} requests, ${kids.length - 1} rotations, none dropped`);
  });

  test('a new signing key is in use after a second', async () => {
    const kid = await rotate();
    await pause(1100);
    assert.equal(kidOf((await loginBody()).access_token), kid);
  });

  test('a rotation does not affect tokens of the old key until they expire', async () => {
    for (const route of ['/me', '/files', record.url]) assertStatus(await stack.call('GET', route, { token: ann.token }), 200);
    const line = readFileSync(keyring(), 'utf8').split('\n').find((l) => l.startsWith(kidOf(ann.token)));
    const { exp } = JSON.parse(Buffer.from(ann.token.split('.')[1], 'base64url'));
    assert.ok(Number(line.split(' ')[2]) >= exp, 'a key retires before its tokens expire');
  });

  test('a retired key ends its tokens at both programs', async () => {
    const { access_token: token } = await loginBody();
    await rotate();
    await pause(1100);
    assertStatus(await stack.call('GET', '/files', { token }), 200);
    const text = readFileSync(keyring(), 'utf8').replace(new RegExp(`^(${kidOf(token)} \\d+) \\d+`, 'm'), `$1 ${now()}`);
    writeFileSync(`${keyring()}.new`, text, { mode: 0o600 });
    renameSync(`${keyring()}.new`, keyring());
    await pause(1100);
    for (const route of ['/me', '/files']) assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token');
    for (const route of ['/me', '/files']) assertStatus(await stack.call('GET', route, { token: ann.token }), 200);
  });
});

test('an invalid keyring leaves the old keys in use and is logged once by each program', async () => {
  const good = readFileSync(keyring(), 'utf8');
  const load = startLoad();
  const broken = good.replace(/ - \S+\n$/, ' - x\n');
  assert.notEqual(broken, good);
  writeFileSync(keyring(), broken);
  await pause(2500);
  await load.stop();
  writeFileSync(keyring(), good);
  assert.deepEqual(load.seen.failed, []);
  const logged = stack.logs.split('\n').filter((l) => l.includes('"event":"keyring"'));
  assert.equal(logged.length, programs().length, logged.join('\n'));
  for (const line of logged) assert.ok(line.includes(keyring()) && !line.includes(good.trim().split(' ').at(-1)), line);
  const kid = await rotate();
  await pause(1100);
  assert.equal(kidOf((await loginBody()).access_token), kid);
});
