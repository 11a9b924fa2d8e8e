// The number of database statements of each request: token, ownership and file are checked in one. They
// are counted in the server's general log. Without CHANGES_DIR, the database is asked each time; what it saves an upload is
// counted as well.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { pause, run, startStack } from '../support/stack.js';
import { transport } from '../support/transport.js';
import { claimsFor, forge } from '../support/tokens.js';
import { totp } from '../support/totp.js';

const UPLOAD = 1 + 5;
// Find the file; START TRANSACTION, UPDATE quota, lock the row, DELETE file_gram, DELETE file, COMMIT
const DELETION = 7;

// A CGI process serves one request and has nothing prepared.
describe('statements on an open connection', { skip: transport === 'cgi' }, () => {
  let stack, ann, script, log;
  async function open(settings) {
    stack = await startStack({ settings });
    ann = await stack.person();
    script = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'a script' } })).json.token;
    log = stack.path('log', 'asked.log');
    await root(`SET GLOBAL general_log_file='${log}'`);
  }
  before(() => open({ CHANGES_DIR: '' }));
  after(() => stack?.stop());

  const root = async (sql) => {
    const { code, stderr } = await run('mariadb', ['--no-defaults', '-S', stack.path('mysql', 'sock'), '-u', 'root', '-e', sql]);
    assert.equal(code, 0, stderr);
  };

  // The statements of the programs while `requests` run.
  async function statementsOf(requests) {
    writeFileSync(log, '');
    await root('SET GLOBAL general_log=ON');
    try {
      await requests();
    } finally {
      await root('SET GLOBAL general_log=OFF');
    }
    const lines = readFileSync(log, 'utf8').split('\n')
      .map((line) => /^(?:\d{6} [\d: ]{8})?\s+(\d+) (Connect|Query|Prepare|Execute|Fetch|Ping|Reset stmt)\t(.*)$/.exec(line))
      .filter(Boolean).map(([, id, what, text]) => ({ id, what, text }));
    const mine = new Set(lines.filter(({ what, text }) => what === 'Connect' && text.startsWith('root@')).map(({ id }) => id));
    // Which file announces changes is looked up at most once a second, whatever the requests are
    return lines.filter(({ id, text }) => !mine.has(id) && !/ FROM (session|file)_changes /.test(text)).map(({ what, text }) => `${what} ${text}`);
  }

  // One login in sixteen, by chance, deletes old rows of the audit.
  const isUpkeep = (statement) => /^(Prepare|Execute) DELETE FROM audit/.test(statement);

  // Commits of changes: each changing statement outside of a transaction is one.
  function commitsOf(statements) {
    let within = false, commits = 0;
    for (const statement of statements) {
      if (statement === 'Query START TRANSACTION') within = true;
      else if (statement === 'Query COMMIT') [within, commits] = [false, commits + 1];
      else if (statement === 'Query ROLLBACK') within = false;
      else if (!within && /^Execute (?!SELECT)/.test(statement)) commits++;
    }
    return commits;
  }

  // Statements and commits of ten calls of `request`, one after another, after two to warm up.
  async function costOf(request) {
    for (let i = 0; i < 2; i++) await request();
    const statements = (await statementsOf(async () => {
      for (let i = 0; i < 10; i++) await request();
    })).filter((s) => !isUpkeep(s));
    return { statements: statements.length / 10, commits: commitsOf(statements) / 10, seen: statements.slice(0, 10).join('\n') };
  }
  async function assertCommits(statements, commits, request) {
    const { seen, ...cost } = await costOf(request);
    assert.deepEqual(cost, { statements, commits }, seen);
  }

  // `want` statements for each of ten calls of `request`, after two to warm up.
  async function assertCost(want, request, prepare = () => {}) {
    const things = [];
    for (let i = 0; i < 12; i++) things.push(await prepare());
    for (const thing of things.splice(0, 2)) await request(thing);
    const statements = await statementsOf(async () => {
      for (const thing of things) await request(thing);
    });
    assert.equal(statements.length, 10 * want, statements.slice(0, 4).join('\n'));
    for (const statement of statements) assert.match(statement, /^Execute |^Query (START TRANSACTION|COMMIT)$/);
  }

  const upload = async (token = ann.token) => {
    const answer = await stack.call('PUT', '/upload/note.txt', { token, body: 'hello' });
    assertStatus(answer, 201);
    return answer.json.files[0].id;
  };
  const ask = (method, target, status, options) => async (thing) =>
    assertStatus(await stack.call(method, target.replace('{}', thing), options), status);

  describe('requests with an access token that cost one statement', () => {
    const token = () => ({ token: ann.token });
    test('a download costs one statement', () => assertCost(1, (id) => ask('GET', '/download/{}', 200, token())(id), upload));
    test('a range or a 304 costs one statement', async () => {
      await assertCost(1, (id) => ask('GET', '/download/{}', 206, { ...token(), headers: { Range: 'bytes=1-2' } })(id), upload);
      await assertCost(1, (id) => ask('GET', '/download/{}', 304, { ...token(), headers: { 'If-None-Match': '*' } })(id), upload);
    });
    test('a list costs one statement', () => assertCost(1, () => ask('GET', '/files?limit=3', 200, token())(), upload));
    test('a search costs two statements: one chooses the rarest part of the text', () => assertCost(2, () => ask('GET', '/files?q=note', 200, token())(), upload));
    test('one file costs one statement', () => assertCost(1, (id) => ask('GET', '/files/{}', 200, token())(id), upload));
    test('a file that does not exist costs one statement', () => assertCost(1, () => ask('GET', '/files/01890000-0000-7000-8000-000000000000', 404, token())()));
    test('the usage costs one statement', () => assertCost(1, () => ask('GET', '/usage', 200, token())()));
    test('/validate costs one statement', async () => {
      await assertCost(1, async () => assertStatus(await stack.callInternal('GET', '/validate', token()), 200));
    });
  });

  // The first, before the body, checks session and room; then START TRANSACTION, UPDATE quota, INSERT file,
  // INSERT file_gram, COMMIT
  test('an upload costs one statement to be admitted and the five of its transaction', async () => {
    await assertCost(UPLOAD, () => upload());
    await assertCost(UPLOAD, () => ask('POST', '/upload?name=a', 201, { token: ann.token, body: 'x', headers: { 'Content-Type': 'text/plain' } })());
  });

  // When its body has arrived, one finds the link; UPDATE upload_link comes after UPDATE quota
  test('an upload by a link costs two statements more than another', async () => {
    const { url } = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    await assertCost(UPLOAD + 2, () => ask('PUT', `${url}/a`, 201, { body: 'x' })());
    await assertCost(1, () => ask('GET', url, 200)());
    await assertCost(0, () => ask('GET', url, 303, { headers: { Accept: 'text/html' } })());
  });

  // START TRANSACTION, UPDATE admission_lock, SELECT the sums, INSERT, COMMIT; the room again; DELETE
  test('a large upload costs seven statements more, which reserve its bytes', () => assertCost(UPLOAD + 7,
    () => ask('PUT', '/upload/large', 201, { token: ann.token, body: Buffer.alloc(1 << 20) })()));

  test('a deletion costs one statement more than its transaction, which finds the file', () => assertCost(DELETION, (id) => ask('DELETE', '/files/{}', 204, { token: ann.token })(id), upload));

  // START TRANSACTION, SELECT … FOR UPDATE, DELETE and INSERT file_gram, UPDATE file, COMMIT
  test('a change of the name costs six statements more than finding the file', () => assertCost(1 + 6,
    (id) => ask('PATCH', '/files/{}', 200, { token: ann.token, json: { name: 'new' } })(id), upload));

  test('an empty search costs three statements', () => assertCost(3, () => ask('GET', '/files?q=nothing-is-called-so', 200, { token: ann.token })()));

  test('a change of the expiry and /me cost two statements', async () => {
    await assertCost(2, (id) => ask('PATCH', '/files/{}', 200, { token: ann.token, json: { expires_in: 1000 } })(id), upload);
    await assertCost(2, () => ask('GET', '/me', 200, { token: ann.token })());
  });

  test('an API token costs a statement of its own except at a download or of one file', async () => {
    const token = { token: script };
    await assertCost(1, (id) => ask('GET', '/download/{}', 200, token)(id), upload);
    await assertCost(1, (id) => ask('GET', '/files/{}', 200, token)(id), upload);
    await assertCost(2, () => ask('GET', '/files', 200, token)());
    await assertCost(1 + DELETION, (id) => ask('DELETE', '/files/{}', 204, token)(id), upload);
    await assertCost(1 + UPLOAD, () => upload(script));
  });

  test('a token with a wrong signature costs no statement', async () => {
    const key = { ...stack.signingKey(), secret: Buffer.alloc(32, 1) };
    const forged = forge(key.secret, { alg: 'HS256', typ: 'at+jwt', kid: key.kid }, claimsFor(ann));
    for (const token of [forged, `${ann.token}x`, 'gh_x', script.slice(0, -1)])
      for (const route of ['/files', '/me']) await assertCost(0, async () => assertProblem(await stack.call('GET', route, { token }), 401, 'invalid-token'));
  });

  // Before the hash: SELECT everything, UPDATE throttle. After it: START TRANSACTION, INSERT session,
  // INSERT refresh, INSERT audit, UPDATE throttle, COMMIT
  describe('logins', () => {
    const login = (password, status, headers) => async () =>
      assertStatus(await stack.call('POST', '/login', { basic: [ann.email, password], headers }), status);

    test('a login costs six statements and two commits', () => assertCommits(8, 2, login(ann.password, 200)));
    test('a wrong password costs four statements and two commits', () => assertCommits(6, 2, login('wrong', 401)));
    test('an unknown email costs what a wrong password costs', () => assertCommits(6, 2, async () =>
      assertStatus(await stack.call('POST', '/login', { basic: ['nobody@example.org', 'wrong'] }), 401)));

    test('a login with a one-time code costs one statement more', async () => {
      const bob = await stack.person();
      const { secret } = (await stack.call('POST', '/otp', { token: bob.token })).json;
      assertStatus(await stack.call('POST', '/otp/confirm', { token: bob.token, json: { code: totp(secret) } }), 200);
      const enter = async (headers, status) =>
        assertStatus(await stack.call('POST', '/login', { basic: [bob.email, bob.password], headers }), status);
      await assertCommits(6, 2, () => enter({}, 401));
      const free = async () => { await stack.sql('auth', 'UPDATE otp SET last_step = 0'); };
      for (let i = 0; i < 2; i++) {
        await free();
        await enter({ 'X-OTP': totp(secret) }, 200);
      }
      await free();
      const statements = (await statementsOf(() => enter({ 'X-OTP': totp(secret) }, 200))).filter((s) => !isUpkeep(s));
      assert.equal(statements.length, 9, statements.join('\n'));
      assert.equal(commitsOf(statements), 2);
    });

    // The first attempt inserts the rows in the transaction that reserves it, and looks for old ones
    test('a first attempt from an address costs two commits as well', async () => {
      await stack.sql('auth', 'DELETE FROM throttle; DELETE FROM known_address');
      const statements = (await statementsOf(login(ann.password, 200))).filter((s) => !isUpkeep(s));
      assert.equal(commitsOf(statements), 2, statements.join('\n'));
    });

    test('a login at the limit of logins costs two commits as well', async () => {
      for (let i = 0; i < 200; i++) await stack.sql('auth', `INSERT INTO session (id, user_id, kind, scope, created_at, expires_at)
        VALUES (LPAD('${i}', 22, 'x'), ${ann.id}, 'login', '', ${i}, UNIX_TIMESTAMP() + 9999)`);
      await assertCommits(8 + 2, 2, login(ann.password, 200));
      const [[left]] = await stack.sql('auth', `SELECT COUNT(*) FROM session WHERE user_id = ${ann.id} AND kind = 'login' AND revoked_at IS NULL`);
      assert.equal(Number(left), 200);
    });
  });

  // SELECT the token, its session and its user; START TRANSACTION, UPDATE and INSERT refresh, COMMIT
  test('a refresh costs three statements and one commit', async () => {
    let token = (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json.refresh_token;
    await assertCommits(5, 1, async () => {
      const answer = await stack.call('POST', '/refresh', { json: { refresh_token: token } });
      assertStatus(answer, 200);
      token = answer.json.refresh_token;
    });
  });

  // SELECT session; START TRANSACTION, UPDATE session, INSERT audit, COMMIT
  test('a logout, and the end of a session or API token, cost three statements and one commit', async () => {
    const people = [];
    for (let i = 0; i < 12; i++) people.push((await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json.access_token);
    await assertCommits(5, 1, async () => assertStatus(await stack.call('POST', '/logout', { token: people.pop() }), 204));
    for (let i = 0; i < 12; i++) await stack.call('POST', '/login', { basic: [ann.email, ann.password] });
    const { json: { sessions } } = await stack.call('GET', '/sessions', { token: ann.token });
    const others = sessions.filter(({ current, id }) => !current && !id.startsWith('x')).map(({ id }) => id);
    await assertCommits(5, 1, async () => assertStatus(await stack.call('DELETE', `/sessions/${others.pop()}`, { token: ann.token }), 204));
    const made = [];
    for (let i = 0; i < 12; i++) made.push((await stack.call('POST', '/tokens', { token: ann.token, json: { name: `t${i}` } })).json.id);
    await assertCommits(5, 1, async () => assertStatus(await stack.call('DELETE', `/tokens/${made.pop()}`, { token: ann.token }), 204));
  });

  test('last_used_at costs one statement every five minutes', async () => {
    const id = script.slice(3, 25);
    const used = async () => Number((await stack.sql('auth', `SELECT COALESCE(last_used_at, 0) FROM session WHERE id='${id}'`))[0][0]);
    const before = await used();
    assert.ok(before > 0);
    await stack.sql('auth', `UPDATE session SET last_used_at=last_used_at-301 WHERE id='${id}'`);
    const record = await upload();
    await ask('GET', `/files/${record}`, 200, { token: script })();
    const after = await used();
    assert.ok(after >= before);
    const statements = await statementsOf(async () => {
      for (let i = 0; i < 10; i++) await ask('GET', `/files/${record}`, 200, { token: script })();
    });
    assert.equal(statements.length, 10);
    assert.ok(statements.every((s) => s.startsWith('Execute SELECT')), statements[0]);
    assert.equal(await used(), after);
  });

  describe('with CHANGES_DIR', () => {
    before(async () => {
      await stack.stop();
      await open({});
      const file = await upload();
      // Until the file has been in force for long enough
      for (let tries = 0, asked = Infinity; asked > 0; tries++) {
        assert.ok(tries < 100, 'nothing is remembered');
        asked = (await statementsOf(async () => {
          for (let i = 0; i < 2; i++) await ask('GET', '/download/{}', 200, { token: ann.token })(file);
        })).length;
        await pause(50);
      }
    });

    // Head and body at once: after a pause between them the session is checked first, and once more at the end
    const put = (token, status = 201) => new Promise((done, fail) => {
      const sent = request(`${stack.url}/upload/note.txt`, { method: 'PUT', headers: { Authorization: `Bearer ${token}`, 'Content-Length': 5 } }, (answer) => {
        answer.resume().on('end', () => (answer.statusCode === status ? done() : fail(new Error(`status ${answer.statusCode}`))));
      });
      sent.on('error', fail).end('hello');
    });

    test('an upload costs the five statements of its transaction', async () => {
      for (const token of [ann.token, script]) await assertCost(UPLOAD - 1, () => put(token));
    });

    test('an upload without room costs one statement after the first that found none', async () => {
      const bob = await stack.person();
      await put(bob.token);
      const limit = async (files) => stack.sql('gateway', `UPDATE quota SET max_files = ${files} WHERE owner = ${bob.id}`);
      await limit(1);
      await assertCost(1, () => put(bob.token, 507));
      await limit('NULL');
      await assertCost(UPLOAD - 1, () => put(bob.token));
    });
  });
});
