// What runs out: the disk of the database, its connections and threads, and the descriptors of the programs. Each
// answer says whether to try again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { begin } from '../support/fastcgi.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { startStackWithDatabase } from '../support/database.js';
import { build, pause, run } from '../support/stack.js';
import { totp } from '../support/totp.js';
import { TUS } from '../support/tus.js';

const { stack, database } = await startStackWithDatabase();
after(async () => {
  await stack.stop();
  await database.stop();
});

let ann;
before(async () => {
  ann = await stack.person();
});

async function asRoot(sql, name = 'gateway') {
  const { code, stderr } = await run('mariadb', ['--no-defaults', '-S', database.socket, '-u', 'root', name], { input: sql });
  assert.equal(code, 0, stderr);
}

// The server refuses each change of a table with an error of its own, by triggers.
async function withRefusing(table, name, number, text, use) {
  const events = ['INSERT', 'UPDATE', 'DELETE'];
  await asRoot(events.map((event) => `CREATE TRIGGER refuse_${event} BEFORE ${event} ON ${table} FOR EACH ROW
    SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${number}, MESSAGE_TEXT = '${text}';`).join('\n'), name);
  try {
    return await use();
  } finally {
    await asRoot(events.map((event) => `DROP TRIGGER refuse_${event};`).join('\n'), name);
  }
}

const requests = {
  'an upload': ['gateway', 'file', () => stack.call('PUT', '/upload/x', { token: ann.token, body: 'x' })],
  'a form': ['gateway', 'file', () => stack.call('POST', '/upload?name=x', { token: ann.token, body: 'x', headers: { 'Content-Type': 'text/plain' } })],
  'a resumable upload': ['gateway', 'upload', () => stack.call('POST', '/tus/', { token: ann.token, body: '', headers: { ...TUS, 'Upload-Length': '5' } })],
  'an upload link': ['gateway', 'upload_link', () => stack.call('POST', '/upload-links', { token: ann.token, json: {} })],
  'a login': ['auth', 'session', () => stack.call('POST', '/login', { basic: [ann.email, ann.password] })],
  'an API token': ['auth', 'session', () => stack.call('POST', '/tokens', { token: ann.token, json: { name: 'x' } })],
};

async function userWithSecret() {
  const user = await stack.person();
  return { ...user, secret: (await stack.call('POST', '/otp', { token: user.token, json: {} })).json.secret };
}
const userWithFile = async () => {
  const user = await stack.person();
  return { ...user, file: (await stack.call('PUT', '/upload/x', { token: user.token, body: 'x' })).json.files[0] };
};
const created = async (user, path, json) => (await stack.call('POST', path, { token: user.token, json })).json;

// Requests that change rows which exist: [database, table, what is there before, request]
const changes = {
  'a refresh': ['auth', 'refresh', async () => {
    const user = await stack.person();
    return (await stack.call('POST', '/login', { basic: [user.email, user.password] })).json;
  }, ({ refresh_token: token }) => stack.call('POST', '/refresh', { json: { refresh_token: token } })],
  'a logout': ['auth', 'session', () => stack.person(), ({ token }) => stack.call('POST', '/logout', { token })],
  'a new password': ['auth', 'user', () => stack.person(),
    ({ token, password }) => stack.call('POST', '/password', { token, json: { current: password, new: 'four lamps in a barn' } })],
  'a new second factor': ['auth', 'otp', () => stack.person(), ({ token }) => stack.call('POST', '/otp', { token, json: {} })],
  'the confirmation of a second factor': ['auth', 'otp', userWithSecret,
    ({ token, secret }) => stack.call('POST', '/otp/confirm', { token, json: { code: totp(secret) } })],
  'the removal of a second factor': ['auth', 'otp', async () => {
    const user = await userWithSecret();
    assertStatus(await stack.call('POST', '/otp/confirm', { token: user.token, json: { code: totp(user.secret) } }), 200);
    await asRoot(`UPDATE otp SET last_step = 0 WHERE user_id = ${user.id}`, 'auth');
    return user;
  }, ({ token, secret }) => stack.call('DELETE', '/otp', { token, headers: { 'X-OTP': totp(secret) } })],
  'the end of a session': ['auth', 'session', async () => {
    const user = await stack.person();
    return { ...user, session: (await stack.call('GET', '/sessions', { token: user.token })).json.sessions[0] };
  }, ({ token, session }) => stack.call('DELETE', `/sessions/${session.id}`, { token })],
  'the end of an API token': ['auth', 'session', async () => {
    const user = await stack.person();
    return { ...user, made: await created(user, '/tokens', { name: 'x' }) };
  }, ({ token, made }) => stack.call('DELETE', `/tokens/${made.id}`, { token })],
  'a new name': ['gateway', 'file', userWithFile, ({ token, file }) => stack.call('PATCH', `/files/${file.id}`, { token, json: { name: 'y' } })],
  'a deletion': ['gateway', 'file', userWithFile, ({ token, file }) => stack.call('DELETE', `/files/${file.id}`, { token })],
  'a share link': ['gateway', 'link', userWithFile, ({ token, file }) => stack.call('POST', `/files/${file.id}/links`, { token, json: {} })],
  'the revocation of a share link': ['gateway', 'link', async () => {
    const user = await userWithFile();
    return { ...user, link: await created(user, `/files/${user.file.id}/links`, {}) };
  }, ({ token, link }) => stack.call('DELETE', `/links/${link.id}`, { token })],
  'a download by a counted share link': ['gateway', 'link', async () => {
    const user = await userWithFile();
    return created(user, `/files/${user.file.id}/links`, { max_downloads: 1 });
  }, ({ url }) => stack.call('GET', url.replace(/^https?:..[^/]*/, ''))],
  'the end of a resumable upload': ['gateway', 'upload', async () => {
    const user = await stack.person();
    const made = await stack.call('POST', '/tus/', { token: user.token, body: '', headers: { ...TUS, 'Upload-Length': '5' } });
    return { ...user, path: made.headers.get('location').replace(/^https?:..[^/]*/, '') };
  }, ({ token, path }) => stack.call('DELETE', path, { token, headers: TUS })],
  'the revocation of an upload link': ['gateway', 'upload_link', async () => {
    const user = await stack.person();
    return { ...user, link: await created(user, '/upload-links', {}) };
  }, ({ token, link }) => stack.call('DELETE', `/upload-links/${link.id}`, { token })],
};

describe('the database refuses a change', () => {
  for (const [what, [name, table, prepare, request]] of Object.entries(changes))
    test(`of ${what}: 507 storage-full, and the same request succeeds later`, async () => {
      const before = await prepare();
      const answer = await withRefusing(table, name, 1026, 'Error writing file (errno: 28 No space left on device)', () => request(before));
      assertProblem(answer, 507, 'storage-full');
      assert.ok((await request(before)).status < 300);
    });
});

describe('the database refuses a row', () => {
  for (const [what, [name, table, request]] of Object.entries(requests)) {
    for (const [number, text] of [[1114, 'The table is full'], [1026, 'Error writing file (errno: 28 No space left on device)']])
      test(`of ${what} with ${number}: 507 storage-full`, async () => {
        assertProblem(await withRefusing(table, name, number, text, request), 507, 'storage-full');
      });

    for (const number of [1041, 1213, 1226, 1836])
      test(`of ${what} with ${number}: 503 with Retry-After`, async () => {
        const answer = await withRefusing(table, name, number, 'try again', request);
        assertProblem(answer, 503, 'unavailable');
        assert.ok(Number(answer.headers.get('retry-after')) > 0);
      });
  }

  test('no row of the refused requests is left', async () => {
    assert.deepEqual((await stack.call('GET', '/files', { token: ann.token })).json.files, []);
    assert.deepEqual((await stack.call('GET', '/usage', { token: ann.token })).json.files, 0);
  });
});

// A program of its own, behind a limit of the shell: {ask, hold, lines, stop}.
async function startProgram(name, limit, env = {}) {
  const socket = stack.path('run', `exhausted-${name}.sock`);
  const child = spawn('sh', ['-c', `${limit}; exec spawn-fcgi -n -s "$1" -- "$2"`, 'sh', socket, join(build, name)], {
    env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', `${name.replace('cgi-', '')}.env`), METRICS_FILE: stack.path('run', 'exhausted.metrics'), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => { stderr += text; });
  const ended = new Promise((done) => child.on('exit', done));
  const lines = () => stderr.split('\n').slice(0, -1).map((line) => {
    try {
      return JSON.parse(line);
    } catch {
      throw new Error(`no line of the log: ${line}`);
    }
  });
  while (!stderr.includes('"detail":"ready"')) {
    assert.equal(child.exitCode, null, stderr);
    await pause(20);
  }
  const variables = (method, path, more) => ({ REQUEST_METHOD: method, SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1', ...more });
  return {
    lines,
    hold: () => begin(socket, variables('GET', '/healthz'), { half: true }),
    async ask(method, path, more = {}, body = undefined) {
      const request = begin(socket, variables(method, path, more));
      if (body) request.send(Buffer.from(body));
      const { status, text } = await request.finish();
      return { status, text, retryAfter: Number(/^Retry-After: (\d+)/mi.exec(text)?.[1]) };
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(socket, { force: true });
    },
  };
}

const withToken = () => ({ HTTP_AUTHORIZATION: `Bearer ${ann.token}` });
const upload = (under) => under.ask('PUT', '/upload/x', { ...withToken(), CONTENT_LENGTH: 5, CONTENT_TYPE: 'text/plain' }, 'bytes');

test('an account with too many connections is 503 with Retry-After', async () => {
  // The server counts the connections of an account from then on
  await asRoot("ALTER USER 'gatehouse_gateway'@'localhost' WITH MAX_USER_CONNECTIONS 1");
  const holder = spawn('mariadb', ['--no-defaults', '-N', '-S', database.socket, '-u', 'gatehouse_gateway', '--unbuffered', 'gateway'],
    { env: { ...process.env, MYSQL_PWD: stack.databasePassword('gateway') }, stdio: ['pipe', 'pipe', 'inherit'] });
  const held = new Promise((done) => holder.stdout.once('data', done));
  holder.stdin.write("SELECT 'held';\n");
  await held;
  const under = await startProgram('cgi-gateway', 'true');
  try {
    const answer = await under.ask('GET', '/files', withToken());
    assert.equal(answer.status, 503, answer.text);
    assert.ok(answer.retryAfter > 0);
  } finally {
    await asRoot("ALTER USER 'gatehouse_gateway'@'localhost' WITH MAX_USER_CONNECTIONS 0");
    holder.stdin.end();
    await under.stop();
  }
});

describe('a program without descriptors', () => {
  for (const name of ['cgi-gateway', 'cgi-auth'])
    test(`${name} logs which limit to raise, and serves the requests that waited`, async () => {
      const under = await startProgram(name, 'ulimit -n 40');
      const held = Array.from({ length: 60 }, under.hold);
      const accepts = () => under.lines().filter(({ event }) => event === 'accept');
      while (accepts().length === 0) await pause(20);
      assert.match(accepts()[0].detail, /raise the process's limit of open files \(ulimit -n, LimitNOFILE=\)/);
      const waiting = under.ask('GET', '/healthz');
      for (const one of held) one.disconnect();
      assert.equal((await waiting).status, 200);
      assert.equal(accepts().length, 1, 'one line for many failures');
      await under.stop();
    });

  // A thread that waits for a connection occupies a descriptor too. From a limit that leaves one for nothing to one
  // that is enough, each upload either succeeds or may be repeated.
  test('an upload that cannot open its file is 503 with Retry-After', async () => {
    const whys = [];
    let stored = false;
    for (let limit = 12; !stored; limit++) {
      const under = await startProgram('cgi-gateway', `ulimit -n ${limit}`, { DB_POOL: '1', THREADS: '4' });
      const { status, text, retryAfter } = await upload(under);
      stored = status === 201;
      assert.ok(stored || (status === 503 && retryAfter > 0), `${limit}: ${text}`);
      await under.stop();
      whys.push(...under.lines().filter(({ event }) => event === 'request').map(({ why }) => why ?? ''));
      assert.ok(limit < 60, whys.join('\n'));
    }
    assert.ok(whys.some((why) => /^(open|create|write).* Too many open files; raise the process's limit of open files/.test(why)), whys.join('\n'));
  });
});
