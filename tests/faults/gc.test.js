// gateway-admin gc beside a running service: it leaves no row without its bytes, and one failure does not
// prevent the rest.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { allFiles, uploadFile, sha256 } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { build, untilExit, pause, run, startStack } from '../support/stack.js';
import { create, newUpload, head, patch } from '../support/tus.js';

const stack = await startStack();
after(() => stack.stop());
const data = (...steps) => join(stack.settings('gateway').DATA_DIR, ...steps);
const objects = () => readdirSync(data('objects'), { recursive: true }).filter((path) => path.includes('/'));
const incoming = () => readdirSync(data('incoming'));
const objectOf = (id) => data('objects', id.slice(-2), id);

let ann;
beforeEach(async () => {
  ann = await stack.person();
});

// {code, stderr} and the JSON report.
async function gc(...args) {
  const { code, stdout, stderr } = await stack.gatewayAdmin(['gc', '--json', ...args]);
  return { code, stderr, ...JSON.parse(stdout) };
}
const names = ({ told }, what) => told.filter((t) => t.what === what).map((t) => t.id).sort();

const numbered = (n, aa = 'ab') => `0190b3a2-0000-7000-8000-${n.toString(16).padStart(10, '0')}${aa}`;

// Write what a crash leaves: bytes without a row, finished or not.
function addLeftover(folder, id, content = 'left') {
  const path = folder === 'incoming' ? data('incoming', id) : objectOf(id);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
}

// Add `count` expired rows of `person`, with their bytes; returns their ids.
async function addExpired(person, count, name = 'old') {
  const ids = Array.from({ length: count }, (_, i) => numbered(person.id * 100_000 + i));
  for (const id of ids) addLeftover('objects', id, 'old');
  const hash = `UNHEX('${sha256('old')}')`;
  for (let i = 0; i < count; i += 500)
    await stack.sql('gateway', `INSERT INTO file (id, owner, name, type, size, sha256, created_at, expires_at) VALUES
      ${ids.slice(i, i + 500).map((id, n) => `('${id}', ${person.id}, '${name}', 'text/plain', 3, ${hash}, 1, ${2 + ((i + n) % 7)})`)}`);
  await stack.sql('gateway', `INSERT INTO quota (owner, bytes, files) VALUES (${person.id}, ${3 * count}, ${count})
    ON DUPLICATE KEY UPDATE bytes = bytes + ${3 * count}, files = files + ${count}`);
  return ids;
}

const mariadb = (user) => ['--no-defaults', '-n', '-N', '-B', '-S', stack.settings('gateway').MYSQL_SOCKET, '-u', user, stack.settings('gateway').MYSQL_DB];
const asRoot = (sql) => run('mariadb', mariadb('root'), { input: sql });

// Start a transaction and run `sql`, which must return a row; end('COMMIT') or end('ROLLBACK') ends it.
async function transaction(sql) {
  const child = spawn('mariadb', mariadb(stack.settings('gateway').MYSQL_USER),
    { env: { ...process.env, MYSQL_PWD: stack.databasePassword('gateway') }, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`START TRANSACTION; ${sql};\n`);
  await new Promise((done) => child.stdout.once('data', done));
  return {
    async end(how) {
      child.stdin.end(`${how};\n`);
      await new Promise((done) => child.once('exit', done));
    },
  };
}

// Wait until a transaction waits for a lock. MariaDB renews this table ten times a second at most.
async function untilLockWait() {
  while ((await asRoot("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")).stdout === '') await pause(120);
}

async function assertConsistent() {
  const verified = await stack.gatewayAdmin(['verify', '--rate', '0']);
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
  const recount = await stack.gatewayAdmin(['quota', 'recount', '--json']);
  assert.equal(recount.code, 0, recount.stdout);
  const rows = await stack.sql('gateway', `SELECT f.owner, COUNT(*), SUM(f.size) FROM file f GROUP BY f.owner`);
  const counted = new Map((await stack.sql('gateway', 'SELECT owner, files, bytes FROM quota')).map(([owner, ...n]) => [owner, n]));
  for (const [owner, ...n] of rows) assert.deepEqual(counted.get(owner), n, `the quota of ${owner}`);
}

// --- an upload in progress ---------------------------------------------------------

// A program of the test's own, which gets bytes when the test sends them: lighttpd would spool the whole body.
let gateway;
before(async () => {
  const socket = stack.path('run', 'gc.sock');
  const child = spawn('spawn-fcgi', ['-n', '-s', socket, '--', join(build, 'cgi-gateway')],
    { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') }, stdio: 'ignore' });
  const alive = { REQUEST_METHOD: 'GET', SCRIPT_NAME: '/healthz', PATH_INFO: '', QUERY_STRING: '', SERVER_PROTOCOL: 'HTTP/1.1' };
  while ((await begin(socket, alive).finish()).cut) await pause(10);
  gateway = { socket, child };
});
after(async () => {
  gateway.child.kill();
  await untilExit(gateway.child.pid);
});

const upload = (path, length, more) => begin(gateway.socket, {
  REQUEST_METHOD: path === '/upload' ? 'POST' : 'PUT', SCRIPT_NAME: path, PATH_INFO: '', QUERY_STRING: '', REQUEST_URI: path, SERVER_PROTOCOL: 'HTTP/1.1',
  GATEWAY_INTERFACE: 'CGI/1.1', HTTP_AUTHORIZATION: `Bearer ${ann.token}`, CONTENT_LENGTH: length, ...more,
});
const recordsOf = ({ text }) => JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)).files;

async function assertStored(answer, ...contents) {
  assert.equal(answer.status, 201, answer.text);
  const records = recordsOf(answer);
  assert.equal(records.length, contents.length);
  for (const [i, { url }] of records.entries()) {
    const { status, text } = await stack.call('GET', url, { token: ann.token });
    assert.deepEqual([status, text], [200, contents[i]]);
  }
}

describe('gc --grace 0 beside an upload in progress', () => {
  test('gc keeps an upload whose bytes are arriving', async () => {
    const content = 'x'.repeat(300_000);
    const request = upload('/upload/slow', content.length);
    request.send(Buffer.from(content.slice(0, 200_000)));
    while (incoming().length === 0) await pause(5);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.unfinished, report.held], [0, 0, 1], report.stderr);
    request.send(Buffer.from(content.slice(200_000)));
    await assertStored(await request.finish(), content);
  });

  test('gc keeps an upload with one finished and one unfinished file', async () => {
    const second = 'second'.repeat(50_000);
    const body = form(filePart('one', 'first'), filePart('two', second));
    const cut = body.indexOf('second') + 200_000;
    const request = upload('/upload', body.length, { CONTENT_TYPE: formType() });
    const before = objects().length;
    request.send(body.subarray(0, cut));
    while (objects().length === before || incoming().length === 0) await pause(5);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.orphans, report.unfinished, report.held], [0, 0, 0, 2], report.stderr);
    request.send(body.subarray(cut));
    await assertStored(await request.finish(), 'first', second);
  });

  test('gc keeps an upload whose bytes are complete and whose row is not committed', async () => {
    await uploadFile(stack, ann, 'first', 'creates the row of quota that is locked');
    const lock = await transaction(`SELECT 'locked' FROM quota WHERE owner = ${ann.id} FOR UPDATE`);
    const before = objects().length;
    const request = upload('/upload/waits', 5);
    request.send(Buffer.from('hello'));
    const answer = request.finish();
    while (objects().length === before) await pause(5);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.orphans, report.held], [0, 0, 1], report.stderr);
    await lock.end('ROLLBACK');
    await assertStored(await answer, 'hello');
  });

  test('gc removes an upload whose program was killed', async () => {
    const before = await gc('--grace', '0');
    // Of a small one nothing is on the disk yet
    const small = upload('/upload/small', 1000);
    small.send(Buffer.alloc(500));
    const request = upload('/upload/lost', 300_000);
    request.send(Buffer.alloc(200_000));
    while (incoming().length === 0) await pause(5);
    assert.equal((await gc('--grace', '0')).held, 1);
    gateway.child.kill('SIGKILL');
    await untilExit(gateway.child.pid);
    await request.answer;
    const young = await gc();
    assert.deepEqual([young.unfinished, young.held, young.young], [0, 0, 1]);
    const lost = await gc('--grace', '0');
    assert.deepEqual([before.unfinished, lost.unfinished, incoming().length], [0, 1, 0]);
  });
});

describe('gc --grace 0 beside a resumable upload', () => {
  // The report of gc while `request` waits for rows that the test has locked.
  async function meanwhile(rows, request, happened) {
    const lock = await transaction(rows);
    const answer = request();
    while (!happened()) await pause(5);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.unfinished, report.orphans, report.failed], [0, 0, 0, 0], report.stderr);
    await lock.end('ROLLBACK');
    return { report, answer: await answer };
  }
  const quotaRow = () => `SELECT 'locked' FROM quota WHERE owner = ${ann.id} FOR UPDATE`;
  const uploadRow = (path) => `SELECT 'locked' FROM upload WHERE id = '${path.split('/').at(-1)}' FOR UPDATE`;
  const bytesOf = async (path) => (await stack.call('GET', path.replace('/tus/', '/download/'), { token: ann.token })).text;

  beforeEach(async () => {
    await uploadFile(stack, ann, 'first', 'creates the row of quota that is locked');
  });

  test('gc keeps a resumable upload that has no row yet', async () => {
    const { report, answer } = await meanwhile(quotaRow(), () => create(stack, ann, 5, { name: 'a' }), () => incoming().length === 2);
    assert.equal(report.held, 1);
    assertStatus(answer, 201);
    const path = answer.headers.get('location');
    assertStatus(await patch(stack, ann, path, 0, 'hello'), 204);
    assert.equal(await bytesOf(path), 'hello');
    assert.deepEqual(incoming(), []);
  });

  test('gc keeps a resumable upload between two requests', async () => {
    const path = await newUpload(stack, ann, 10, { name: 'a' });
    assertStatus(await patch(stack, ann, path, 0, 'hello'), 204);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.unfinished, report.uploads, report.foreign], [0, 0, 0, 0], report.stderr);
    assertStatus(await patch(stack, ann, path, 5, 'world'), 204);
    assert.equal(await bytesOf(path), 'helloworld');
  });

  test('gc keeps a resumable upload that is about to become a file', async () => {
    const path = await newUpload(stack, ann, 5, { name: 'a' });
    const before = objects().length;
    const { answer } = await meanwhile(uploadRow(path), () => patch(stack, ann, path, 0, 'hello'), () => objects().length > before);
    assertStatus(answer, 204);
    assert.equal(await bytesOf(path), 'hello');
    assert.deepEqual(incoming(), []);
  });

  test('gc keeps a resumable upload that is concatenated from parts', async () => {
    const part = async (text) => {
      const path = await newUpload(stack, ann, text.length, { headers: { 'Upload-Concat': 'partial' } });
      assertStatus(await patch(stack, ann, path, 0, text), 204);
      return path;
    };
    const paths = [await part('hello '), await part('world')];
    const before = objects().length;
    const { report, answer } = await meanwhile(quotaRow(), () => create(stack, ann, null, { name: 'joined', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${paths.join(' ')}` } }),
      () => objects().length > before);
    assert.ok(report.held >= 1);
    assertStatus(answer, 201);
    assert.equal(await bytesOf(answer.headers.get('location')), 'hello world');
    assert.deepEqual(incoming(), []);
  });

  test('gc removes expired resumable uploads, and continues after a damaged one', async () => {
    const paths = [await newUpload(stack, ann, 5), await newUpload(stack, ann, 5), await newUpload(stack, ann, 5)];
    const ids = paths.map((path) => path.split('/').at(-1)).sort();
    await patch(stack, ann, paths[0], 0, 'abc');
    await stack.sql('gateway', `UPDATE upload SET expires_at = 1 WHERE id IN (${ids.map((id) => `'${id}'`)})`);
    // the time of the last byte decides, too
    for (const id of ids) utimesSync(data('incoming', id), 1, 1);
    rmSync(data('incoming', `${ids[0]}.mark`));
    mkdirSync(data('incoming', `${ids[0]}.mark`));
    rmSync(data('incoming', ids[1]));
    const dry = await gc('--dry-run');
    assert.deepEqual([dry.code, dry.uploads, dry.failed], [1, 2, 1], dry.stderr);
    const report = await gc();
    assert.deepEqual([report.code, report.uploads, report.failed], [1, 2, 1], report.stderr);
    assert.deepEqual(names(report, 'failed'), [ids[0]]);
    assert.equal((await head(stack, ann, `/tus/${ids[2]}`)).status, 404);
    await stack.sql('gateway', `DELETE FROM upload WHERE id = '${ids[0]}'`);
    assert.equal((await stack.gatewayAdmin(['quota', 'recount'])).code, 0);
    rmSync(data('incoming', `${ids[0]}.mark`), { recursive: true });
    const rest = await gc('--grace', '0');
    assert.deepEqual([rest.code, rest.unfinished], [0, 1], rest.stderr);
    assert.deepEqual(incoming(), []);
  });

  test('gc removes a checkpoint that a crash left alone', async () => {
    addLeftover('incoming', `${numbered(1)}.mark`);
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.unfinished, report.foreign], [0, 1, 0], report.stderr);
    assert.deepEqual(incoming(), []);
  });
});

// --- what gc finds ---------------------------------------------------------------

describe('gc', () => {
  test('gc counts and removes more than one page of expired files', async () => {
    const ids = await addExpired(ann, 2345);
    const dry = await gc('--dry-run');
    assert.deepEqual([dry.code, dry.dry_run, dry.expired, dry.bytes], [0, true, 2345, 3 * 2345]);
    assert.ok(ids.every((id) => existsSync(objectOf(id))));
    const report = await gc();
    assert.deepEqual([report.code, report.expired, report.bytes, report.orphans], [0, 2345, 3 * 2345, 0]);
    assert.ok(!ids.some((id) => existsSync(objectOf(id))));
    assert.deepEqual((await stack.call('GET', '/usage', { token: ann.token })).json.files, 0);
  });

  test('gc keeps foreign files and reports them', async () => {
    const places = ['incoming/notes.txt', 'incoming/folder', 'objects/stray', 'objects/lost+found', 'objects/ab/README', `objects/ab/${numbered(1, 'cd')}`];
    for (const place of places) {
      mkdirSync(join(data(place), '..'), { recursive: true });
      if (/folder|found/.test(place)) mkdirSync(data(place));
      else writeFileSync(data(place), '');
    }
    mkdirSync(data('objects', '00'), { recursive: true }); // empty, which is normal
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.foreign, report.orphans, report.unfinished], [0, places.length, 0, 0]);
    assert.deepEqual(names(report, 'foreign'), places.sort());
    const { stdout } = await stack.gatewayAdmin(['gc', '--verbose']);
    for (const place of places) assert.ok(stdout.includes(`foreign    ${place}\n`), stdout);
    for (const place of places) rmSync(data(place), { recursive: true });
  });

  test('gc continues after what it cannot read or remove, reports it and exits 1', async () => {
    addLeftover('objects', numbered(1, '01'));
    addLeftover('incoming', numbered(2, '01'));
    const ids = await addExpired(ann, 3);
    // bytes that cannot be removed, because a folder is in their place; and a folder that cannot be read
    rmSync(objectOf(ids[1]));
    mkdirSync(objectOf(ids[1]));
    mkdirSync(data('objects', '02'), { recursive: true });
    renameSync(data('objects', '02'), data('away'));
    writeFileSync(data('objects', '02'), '');
    const report = await gc('--grace', '0');
    assert.deepEqual([report.code, report.expired, report.orphans, report.unfinished, report.failed], [1, 3, 1, 1, 2], report.stderr);
    assert.deepEqual(names(report, 'failed'), [ids[1], 'objects/02'].sort());
    assert.match(report.stderr, new RegExp(`${ids[1]}: .*directory`, 'i'));
    assert.match(report.stderr, /objects\/02: Not a directory/);
    assert.deepEqual(await stack.sql('gateway', `SELECT id FROM file WHERE owner = ${ann.id}`), []);
    rmSync(data('objects', '02'));
    renameSync(data('away'), data('objects', '02'));
    rmSync(objectOf(ids[1]), { recursive: true });
    assert.equal((await gc('--grace', '0')).code, 0);
  });

  test('gc continues after a row that cannot be deleted', async () => {
    const ids = await addExpired(ann, 1200);
    const { code, stderr } = await asRoot(`DELIMITER //
      CREATE TRIGGER stuck BEFORE DELETE ON file FOR EACH ROW
      IF OLD.id = '${ids[0]}' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'this one stays'; END IF //`);
    assert.equal(code, 0, stderr);
    const report = await gc();
    await asRoot('DROP TRIGGER stuck');
    assert.deepEqual([report.code, report.expired, report.failed], [1, 1199, 1]);
    assert.deepEqual(names(report, 'failed'), [ids[0]]);
    assert.match(report.stderr, /this one stays/);
    assert.ok(existsSync(objectOf(ids[0])));
    const rest = await gc();
    assert.deepEqual([rest.code, rest.expired], [0, 1]);
  });

  test('four parallel runs of gc succeed, and each counts what it removes itself', async () => {
    const ids = await addExpired(ann, 400);
    for (let i = 0; i < 200; i++) addLeftover('objects', numbered(1000 + i, (i % 256).toString(16).padStart(2, '0')));
    for (let i = 0; i < 200; i++) addLeftover('incoming', numbered(2000 + i));
    const all = await Promise.all([0, 1, 2, 3].map(() => gc('--grace', '0')));
    const sum = (what) => all.reduce((n, one) => n + one[what], 0);
    for (const { code, stderr } of all) assert.equal(code, 0, stderr);
    // the bytes of a row that one run has just deleted are an orphan to another run, which may be faster
    assert.equal(sum('expired'), ids.length);
    assert.equal(sum('unfinished'), 200);
    assert.ok(sum('orphans') >= 200 && sum('orphans') <= 200 + ids.length, String(sum('orphans')));
    assert.equal(sum('failed'), 0);
    assert.deepEqual(incoming(), []);
    await assertConsistent();
  });

  test('gc keeps a file whose owner removes its expiry at the same moment', async () => {
    const { id, url } = await uploadFile(stack, ann, 'soon', 'hello', { query: '?expires_in=1000' });
    await stack.sql('gateway', `UPDATE file SET expires_at = 1 WHERE id = '${id}'`);
    // gc reads the committed row, and then waits for this transaction
    const owner = await transaction(`UPDATE file SET expires_at = NULL WHERE id = '${id}'; SELECT 'lifted'`);
    const running = gc();
    await untilLockWait();
    await owner.end('COMMIT');
    const report = await running;
    assert.deepEqual([report.code, report.expired, report.failed], [0, 0, 0], report.stderr);
    assert.equal((await stack.call('GET', url, { token: ann.token })).text, 'hello');
    await assertConsistent();
  });

  test('a PATCH after gc does not find an expired file', async () => {
    const { id } = await uploadFile(stack, ann, 'late', 'x', { query: '?expires_in=1000' });
    await stack.sql('gateway', `UPDATE file SET expires_at = UNIX_TIMESTAMP() WHERE id = '${id}'`);
    assert.equal((await gc()).expired, 1);
    assertProblem(await stack.call('PATCH', `/files/${id}`, { token: ann.token, json: { expires_in: null } }), 404, 'not-found');
  });

  test('gc without the database exits 69', async () => {
    const { code, stderr } = await run(join(build, 'gateway-admin'), ['gc', '--json'],
      { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), MYSQL_SOCKET: stack.path('nowhere') } });
    assert.equal(code, 69);
    assert.match(stderr, /^gateway-admin gc: /);
  });

  test('gc that is killed at any moment leaves a consistent state to the next run', async () => {
    for (let i = 0; i < 12; i++) {
      await addExpired(ann, 100, `round ${i}`);
      const child = spawn(join(build, 'gateway-admin'), ['gc', '--grace', '0'], { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') }, stdio: 'ignore' });
      const left = async () => Number((await stack.sql('gateway', `SELECT COUNT(*) FROM file WHERE owner = ${ann.id}`))[0][0]);
      while (child.exitCode === null && (await left()) > 100 - i * 8) await pause(0);
      child.kill('SIGKILL');
      await untilExit(child.pid);
      await assertConsistent();
      assert.equal((await gc('--grace', '0')).code, 0);
      assert.deepEqual(await stack.sql('gateway', `SELECT id FROM file WHERE owner = ${ann.id}`), []);
    }
    assert.equal(objects().length, (await stack.sql('gateway', 'SELECT id FROM file')).length);
  });
});

// --- all at once ----------------------------------------------------------

test('parallel uploads, deletions, verify and gc --grace 0 lose nothing and leave nothing', async (t) => {
  const people = [ann, await stack.person(), await stack.person()];
  const promised = new Map(); // id: the person and hash of an upload that is not deleted
  const counts = { uploads: 0, deletions: 0, runs: 0, removed: 0 };
  let busy = true, number = 0;

  const resumable = async (person, content) => {
    const half = content.length >> 1;
    const path = await newUpload(stack, person, content.length, { name: 'resumed', body: content.slice(0, half) });
    assertStatus(await patch(stack, person, path, half, content.slice(half)), 204);
    promised.set(path.split('/').at(-1), { person, sha256: sha256(content) });
    counts.uploads++;
  };
  const uploader = async (person) => {
    while (counts.uploads < 600) {
      if (number++ % 5 === 0) {
        await resumable(person, `${number} `.repeat(5000));
        continue;
      }
      const several = number % 3 === 0;
      const contents = Array.from({ length: several ? 4 : 1 }, (_, i) => `${number} ${i} `.repeat(1 + (number % 50) * 100));
      const answer = several
        ? await stack.call('POST', '/upload', { token: person.token, body: form(...contents.map((c, i) => filePart(`f${i}`, c))), headers: { 'Content-Type': formType() } })
        : await stack.call('PUT', '/upload/one', { token: person.token, body: contents[0] });
      assertStatus(answer, 201);
      answer.json.files.forEach(({ id }, i) => promised.set(id, { person, sha256: sha256(contents[i]) }));
      counts.uploads++;
    }
  };
  const remover = async () => {
    while (busy) {
      const [id, { person } = {}] = [...promised].at(Math.floor(promised.size / 2)) ?? [];
      if (!id || promised.size < 20) {
        await pause(1);
        continue;
      }
      promised.delete(id);
      // one in two is deleted, the other expires
      if (number % 2) assertStatus(await stack.call('DELETE', `/files/${id}`, { token: person.token }), 204);
      else await stack.sql('gateway', `UPDATE file SET expires_at = 1 WHERE id = '${id}'`);
      counts.deletions++;
    }
  };
  const collector = async () => {
    while (busy) {
      const report = await gc('--grace', '0');
      assert.equal(report.code, 0, report.stderr);
      counts.runs++;
      counts.removed += report.expired + report.orphans;
    }
  };

  const verifier = async () => {
    while (busy) {
      const verified = await stack.gatewayAdmin(['verify', '--rate', '0']);
      assert.equal(verified.code, 0, verified.stdout + verified.stderr);
    }
  };

  const work = [collector(), collector(), verifier(), remover(), remover()];
  await Promise.all([...people, ...people].map(uploader)).finally(() => { busy = false; });
  await Promise.all(work);
  t.diagnostic(JSON.stringify(counts));

  const last = await gc('--grace', '0');
  assert.deepEqual([last.code, last.orphans, last.unfinished, last.held], [0, 0, 0, 0]);
  const rows = new Map(await stack.sql('gateway', 'SELECT id, LOWER(HEX(sha256)) FROM file'));
  for (const [id, { sha256: hash }] of promised) assert.equal(rows.get(id), hash);
  for (const person of people) assert.equal((await allFiles(stack, person)).length, [...promised.values()].filter((p) => p.person === person).length);
  for (const path of objects()) assert.equal(sha256(readFileSync(data('objects', path))), rows.get(path.split('/').at(-1)), path);
  assert.equal(objects().length, rows.size);
  assert.deepEqual(incoming(), []);
  await assertConsistent();
});
