// Rows that processes remember: whatever ends, changes or removes something, no request that begins after the answer to
// the change gets what was before. Two processes of cgi-gateway, and cgi-auth, are asked as fast as they answer; with the
// folder that they share (CHANGES_DIR), and without one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { build, pause, run, startStack, untilExit } from '../support/stack.js';

const sessionOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sid;

for (const rows of ['remembered', 'asked']) describe(`rows are ${rows}`, () => {
  let stack, places, children;

  before(async () => {
    stack = await startStack({ settings: rows === 'asked' ? { CHANGES_DIR: '' } : {} });
    children = [];
    places = [await startProgram('cgi-gateway', '1'), await startProgram('cgi-gateway', '2'), await startProgram('cgi-auth', '3')];
    if (rows === 'remembered') await untilRemembered();
  });
  after(async () => {
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(children.map((child) => untilExit(child.pid)));
    await stack?.stop();
  });

  // A program of the test's own beside those of the web server: {ask(path, token), child}.
  async function startProgram(name, number) {
    const socket = stack.path('run', `${number}.sock`);
    const child = spawn('spawn-fcgi', ['-n', '-s', socket, '--', join(build, name)],
      { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.slice(4)}.env`) }, stdio: 'ignore' });
    children.push(child);
    // A path of /upload/ is asked to store a small file
    const ask = (path, token) => {
      const body = path.startsWith('/upload/') ? Buffer.from('hello') : Buffer.alloc(0);
      const asked = begin(socket, { REQUEST_METHOD: body.length ? 'PUT' : 'GET', SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', REQUEST_URI: path,
        SERVER_PROTOCOL: 'HTTP/1.1', ...(body.length && { CONTENT_LENGTH: body.length }), ...(token && { HTTP_AUTHORIZATION: `Bearer ${token}` }) });
      if (body.length) asked.send(body);
      return asked.finish();
    };
    while ((await ask('/healthz')).cut) await pause(10);
    return { name, ask, child };
  }

  const asRoot = async (sql) => {
    const { code, stdout, stderr } = await run('mariadb', ['--no-defaults', '-N', '-B', '-S', stack.path('mysql', 'sock'), '-u', 'root', '-e', sql]);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  };
  const executed = async () => Number((await asRoot("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")).split('\t')[1]);

  // A new user with a file: what the tests end.
  async function someone() {
    const ann = await stack.person();
    const answer = await stack.call('PUT', '/upload/before.txt', { token: ann.token, body: 'hello' });
    assertStatus(answer, 201);
    return { ...ann, file: answer.json.files[0].id };
  }

  // Until downloads and /validate ask the database no more: else the tests would test nothing.
  async function untilRemembered() {
    const ann = await someone();
    for (let tries = 0; ; tries++) {
      const first = await executed();
      for (let i = 0; i < 10; i++)
        for (const place of places) assert.equal((await place.ask(place.name === 'cgi-auth' ? '/validate' : `/download/${ann.file}`, ann.token)).status, 200);
      if ((await executed()) - first < 10) return;
      assert.ok(tries < 100, 'nothing is remembered');
      await pause(100);
    }
  }

  // Ask `path` as fast as it is answered while `change` is made. `isOld` says that an answer is as before the change.
  async function changeUnderLoad({ paths, token, change, isOld = ({ status }) => status === 200, until = () => true }) {
    const asked = [];
    let changed = Infinity, over = false;
    const worker = async (place, path) => {
      while (!over) {
        const request = { begun: performance.now(), place: place.name };
        const answer = await place.ask(path, token);
        asked.push({ ...request, old: isOld(answer), answer });
      }
    };
    const workers = places.filter(({ name }) => paths[name]).flatMap((place) => [1, 2, 3].map(() => worker(place, paths[place.name])));
    while (asked.filter(({ old }) => old).length < 60) {
      assert.ok(asked.length < 1000, `${asked.at(-1)?.answer.text}`);
      await pause(5);
    }
    await change();
    while (!until()) await pause(20);
    changed = performance.now();
    while (asked.filter(({ begun }) => begun > changed).length < 60) await pause(5);
    over = true;
    await Promise.all(workers);
    const wrong = asked.filter(({ begun, old }) => begun > changed && old);
    assert.deepEqual(wrong.map(({ place, answer }) => `${place} ${answer.text.slice(0, 100)}`), []);
    assert.ok(new Set(asked.map(({ place }) => place)).size === Object.keys(paths).length);
  }

  const both = (ann) => ({ 'cgi-gateway': `/download/${ann.file}`, 'cgi-auth': '/validate' });
  const authAdmin = async (...args) => {
    const { code, stderr } = await stack.authAdmin(args, 'another long password\n');
    assert.equal(code, 0, stderr);
  };
  const login = async (ann) => {
    const answer = await stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { Accept: 'application/json' } });
    assertStatus(answer, 200);
    return answer.json.access_token;
  };

  describe('a session', () => {
    const ways = {
      'POST /logout': (ann) => stack.call('POST', '/logout', { token: ann.token }),
      'POST /logout?all=1': async (ann) => stack.call('POST', '/logout?all=1', { token: await login(ann) }),
      'DELETE /sessions/{id}': async (ann) => stack.call('DELETE', `/sessions/${sessionOf(ann.token)}`, { token: await login(ann) }),
      'a change of the password': async (ann) => stack.call('POST', '/password',
        { token: await login(ann), json: { current: ann.password, new: 'quite another one' } }),
      'auth-admin session end ID': (ann) => authAdmin('session', 'end', sessionOf(ann.token)),
      'auth-admin session end EMAIL': (ann) => authAdmin('session', 'end', ann.email),
      'auth-admin user disable': (ann) => authAdmin('user', 'disable', ann.email),
      'auth-admin user delete': (ann) => authAdmin('user', 'delete', ann.email, '--yes'),
      'auth-admin user passwd': (ann) => authAdmin('user', 'passwd', ann.email, '--password-stdin'),
      'auth-admin user set --scope': (ann) => authAdmin('user', 'set', ann.email, '--scope', 'files:write'),
      'auth-admin user set --email': (ann) => authAdmin('user', 'set', ann.email, '--email', `new-${ann.email}`),
      'SQL and auth-admin changed': (ann) => stack.sql('auth', `UPDATE session SET revoked_at = 1 WHERE id = '${sessionOf(ann.token)}'`),
      'SQL that disables the user, and auth-admin changed': (ann) => stack.sql('auth', `UPDATE user SET disabled_at = 1 WHERE id = ${ann.id}`),
    };
    for (const [name, end] of Object.entries(ways)) test(`that was ended by ${name} is refused from then on`, async () => {
      const ann = await someone();
      await changeUnderLoad({ paths: both(ann), token: ann.token, change: async () => {
        const answer = await end(ann);
        if (answer?.status) assert.ok(answer.status < 300, answer.text);
      } });
    });

    for (const name of ['POST /logout', 'auth-admin user disable', 'auth-admin user delete']) test(`that was ended by ${name} uploads no more from then on`, async () => {
      const ann = await someone();
      await changeUnderLoad({ paths: { 'cgi-gateway': '/upload/small.txt' }, token: ann.token, change: () => ways[name](ann), isOld: ({ status }) => status === 201 });
    });

    test('that is the oldest of too many is ended by the next login', async () => {
      const ann = await someone();
      await stack.sql('auth', `INSERT INTO session (id, user_id, kind, scope, created_at, expires_at)
        SELECT LEFT(CONCAT(seq, '-', id, id), 22), user_id, kind, scope, created_at + 1, expires_at FROM session JOIN seq_1_to_199 WHERE id = '${sessionOf(ann.token)}'`);
      await changeUnderLoad({ paths: both(ann), token: ann.token, change: () => login(ann) });
    });
  });

  describe('an API token', () => {
    const made = async (ann) => (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'a script', scope: 'files:read files:write' } })).json;
    test('that was deleted is refused from then on', async () => {
      const ann = await someone(), { token, id } = await made(ann);
      await changeUnderLoad({ paths: both(ann), token, change: async () => assertStatus(await stack.call('DELETE', `/tokens/${id}`, { token: ann.token }), 204) });
    });
    test('that lost a scope uploads no more from then on', async () => {
      const ann = await someone(), { token } = await made(ann);
      await changeUnderLoad({ paths: { 'cgi-gateway': '/upload/small.txt' }, token, change: () => authAdmin('user', 'set', ann.email, '--scope', 'files:read'),
        isOld: ({ status }) => status === 201 });
    });
    test('that lost a scope is refused where it needs it', async () => {
      const ann = await someone(), { token } = await made(ann);
      await changeUnderLoad({ paths: { 'cgi-gateway': `/download/${ann.file}` }, token, change: () => authAdmin('user', 'set', ann.email, '--scope', 'files:write') });
    });
    test('has the claims of its row', async () => {
      const ann = await someone(), { token } = await made(ann);
      await changeUnderLoad({ paths: { 'cgi-auth': '/validate' }, token, change: () => authAdmin('user', 'set', ann.email, '--email', `new-${ann.email}`),
        isOld: ({ status, text }) => status === 200 && !text.includes(`new-${ann.email}`) });
    });
  });

  describe('a file', () => {
    const gateway = (ann) => ({ 'cgi-gateway': `/download/${ann.file}` });
    test('that was deleted is not found from then on', async () => {
      const ann = await someone();
      await changeUnderLoad({ paths: gateway(ann), token: ann.token, change: async () => assertStatus(await stack.call('DELETE', `/files/${ann.file}`, { token: ann.token }), 204) });
    });
    test('that was renamed has its new name from then on', async () => {
      const ann = await someone();
      await changeUnderLoad({ paths: gateway(ann), token: ann.token,
        change: async () => assertStatus(await stack.call('PATCH', `/files/${ann.file}`, { token: ann.token, json: { name: 'after.txt' } }), 200),
        isOld: ({ text }) => text.includes('before.txt') });
    });
    test('that was given an expiry is not found from that second on', async () => {
      const ann = await someone();
      let expires;
      await changeUnderLoad({ paths: gateway(ann), token: ann.token, change: async () => {
        const answer = await stack.call('PATCH', `/files/${ann.file}`, { token: ann.token, json: { expires_in: 2 } });
        assertStatus(answer, 200);
        expires = Date.parse(answer.json.expires_at);
        assert.ok(expires > 0, answer.text);
      }, until: () => Date.now() >= expires });
    });
    test('that was changed by SQL is as it is after gateway-admin changed', async () => {
      const ann = await someone();
      await changeUnderLoad({ paths: gateway(ann), token: ann.token, change: () => stack.sql('gateway', `UPDATE file SET owner = 0 WHERE id = '${ann.file}'`) });
    });
    test('of a link that was revoked, or was deleted, is gone', async () => {
      for (const end of ['link', 'file']) {
        const ann = await someone();
        const { id, url } = (await stack.call('POST', `/files/${ann.file}/links`, { token: ann.token, json: {} })).json;
        await changeUnderLoad({ paths: { 'cgi-gateway': new URL(url, stack.url).pathname },
          change: async () => assertStatus(await stack.call('DELETE', end === 'link' ? `/links/${id}` : `/files/${ann.file}`, { token: ann.token }), 204) });
      }
    });
  });

  test('a process that was stopped during the change refuses what begins after it', async () => {
    const ann = await someone();
    await changeUnderLoad({ paths: both(ann), token: ann.token, change: async () => {
      const { pid } = places[1].child;
      process.kill(pid, 'SIGSTOP');
      try {
        assertStatus(await stack.call('POST', '/logout', { token: ann.token }), 204);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
    } });
  });

  // The server delays the statement; the writer is killed meanwhile, and then the server continues.
  test('a writer that is killed while its change is in doubt leaves no old row', async () => {
    const ann = await someone(), lock = spawn('mariadb', ['--no-defaults', '-S', stack.path('mysql', 'sock'), '-u', 'root', '--unbuffered'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const isRevoked = async () => (await asRoot(`SELECT revoked_at IS NOT NULL FROM auth.session WHERE id = '${sessionOf(ann.token)}'`)) === '1';
    const waiting = () => asRoot("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'UPDATE session%'");
    const statuses = async () => Promise.all(places.map(async ({ name, ask }) => (await ask(both(ann)[name], ann.token)).status));
    assert.deepEqual(await statuses(), [200, 200, 200]);
    lock.stdin.write(`BEGIN; SELECT 'locked' FROM auth.session WHERE id = '${sessionOf(ann.token)}' FOR UPDATE;\n`);
    await new Promise((done) => lock.stdout.once('data', done));
    const writer = spawn(join(build, 'auth-admin'), ['session', 'end', sessionOf(ann.token)], { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'auth.env') }, stdio: 'ignore' });
    const ended = new Promise((done) => writer.once('exit', done));
    while ((await waiting()) !== '1') await pause(20);
    assert.deepEqual(await statuses(), [200, 200, 200]);
    writer.kill('SIGKILL');
    await ended;
    lock.stdin.end('ROLLBACK;\n');
    for (let tries = 0; tries < 100 && ((await waiting()) !== '0' || !(await isRevoked())); tries++) {
      // Whatever was asked meanwhile is not remembered
      await statuses();
      await pause(10);
    }
    const expected = (await isRevoked()) ? [401, 401, 401] : [200, 200, 200];
    assert.deepEqual(await statuses(), expected);
    await authAdmin('session', 'end', ann.email);
    assert.deepEqual(await statuses(), [401, 401, 401]);
  });

  if (rows === 'remembered') test('a tool that lacks CHANGES_DIR ends all remembering before it changes anything', async () => {
    const ann = await someone(), conf = stack.path('conf', 'without.env');
    const { CHANGES_DIR, ...settings } = stack.settings('auth');
    assert.ok(CHANGES_DIR);
    writeFileSync(conf, Object.entries(settings).map(([name, value]) => `${name}=${value}\n`).join(''), { mode: 0o600 });
    await changeUnderLoad({ paths: both(ann), token: ann.token, change: async () => {
      const { code, stderr } = await run(join(build, 'auth-admin'), ['user', 'disable', ann.email], { env: { GATEHOUSE_CONF: conf } });
      assert.equal(code, 0, stderr);
    } });
    assert.equal(await asRoot('SELECT file FROM auth.session_changes'), '');
  });
});
