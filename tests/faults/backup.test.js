// Backup and restore by the lines of docs/backup.md, while files are uploaded and deleted
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { allFiles, uploadFile, sha256 } from '../support/files.js';
import { commandsOf } from '../support/manual.js';
import { untilExit, pause, run, startStack } from '../support/stack.js';
import { newUpload, fileOf, offsetOf, patch } from '../support/tus.js';

const source = await startStack();
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-backup-'));
const backup = join(scratch, 'backup');
after(() => rmSync(scratch, { recursive: true, force: true }));

const variables = (stack, backup) => ({
  DATA: stack.path('data'),
  BACKUP: backup,
  KEYRING: stack.path('keys', 'keyring'),
  SETTINGS: `${stack.path('conf')} ${stack.path('keys')}`,
  SERVER: `--no-defaults --socket=${stack.path('mysql', 'sock')} --user=root`,
});
// The exit status of the backup is that of its last line.
const paste = (heading, env) => run('bash', [], { input: commandsOf('docs/backup.md', `## ${heading}`).join(''), env });

const content = () => randomBytes(1 + Math.floor(Math.random() * 3000));

// Upload and delete files until stop(). One in three stays; it is in `kept` once the answer was 201.
function traffic(stack, people) {
  const kept = new Map();
  let going = true;
  const worker = async (person) => {
    for (let n = 0; going; n++) {
      const bytes = content();
      const { id, url } = await uploadFile(stack, person, `busy-${n}`, bytes);
      if (n % 3 === 0) kept.set(id, bytes);
      else assertStatus(await stack.call('DELETE', url.replace('/download/', '/files/'), { token: person.token }), 204);
    }
  };
  const done = Promise.all(people.map(worker)).catch((error) => {
    going = false;
    return error;
  });
  return {
    kept,
    enough: async (count) => {
      while (going && kept.size < count) await pause(5);
    },
    stop: async () => {
      going = false;
      assert.ok(!((await done) instanceof Error), String(await done));
    },
  };
}

// A PATH whose dump program uploads a file just before the dump and deletes it just after: its row is in the dump,
// but its bytes are in neither set of links.
function momentAround(dump, person) {
  const folder = join(scratch, 'bin');
  mkdirSync(folder);
  const real = process.env.PATH.split(':').map((at) => join(at, dump)).find(existsSync);
  writeFileSync(join(folder, dump), `#!/bin/bash
auth='Authorization: Bearer ${person.token}'
id=$(curl -sS -H "$auth" -H 'Content-Type: text/plain' --data-binary short '${source.url}/upload?name=short-lived' | grep -oE '[0-9a-f-]{36}' | head -n 1)
${real} "$@"
status=$?
curl -sS -X DELETE -H "$auth" "${source.url}/files/$id"
echo "$id" >'${scratch}/short-lived'
exit $status
`);
  chmodSync(join(folder, dump), 0o755);
  return `${folder}:${process.env.PATH}`;
}

// The names of the objects in the store of an instance.
const objects = (data) => readdirSync(join(data, 'objects'), { recursive: true }).filter((path) => path.includes('/')).map((path) => path.split('/')[1]);

const ORPHAN = '0190b3a2-0000-7000-8000-0000000000ab';
const half = content(), rest = content();
const quiet = [];
let ann, bob, tokenOfBefore, link, halfWay, acknowledged, damaged;

async function backUp() {
  [ann, bob] = [await source.person(), await source.person()];
  tokenOfBefore = ann.token;
  for (let n = 0; n < 20; n++) {
    const bytes = n === 0 ? Buffer.alloc(0) : content();
    quiet.push({ ...(await uploadFile(source, ann, `quiet ('${n}',);`, bytes)), bytes });
  }
  const made = await source.call('POST', `/files/${quiet[1].id}/links`, { token: ann.token, json: {} });
  assertStatus(made, 201);
  link = made.json.url;
  halfWay = await newUpload(source, ann, half.length + rest.length, { name: 'half' });
  assertStatus(await patch(source, ann, halfWay, 0, half), 204);
  mkdirSync(source.path('data', 'objects', 'ab'), { recursive: true });
  writeFileSync(source.path('data', 'objects', 'ab', ORPHAN), 'left by a crash');

  const busy = traffic(source, [bob, bob, ann]);
  await busy.enough(10);
  acknowledged = new Map(busy.kept);
  const done = await paste('Make a backup', { ...variables(source, backup), PATH: momentAround('mariadb-dump', bob) });
  await busy.stop();
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.ok(!existsSync(join(backup, 'missing')));
}

// A second backup of the same instance, after the bytes of a file are lost: {code, missing}.
async function backUpDamaged() {
  rmSync(source.path('data', 'objects', quiet[2].id.slice(-2), quiet[2].id));
  const folder = join(scratch, 'damaged');
  const { code } = await paste('Make a backup', variables(source, folder));
  return { code, missing: readFileSync(join(folder, 'missing'), 'utf8') };
}

let target;
const idsIn = (list) => readFileSync(join(backup, list), 'utf8').split('\n').filter(Boolean);
const backedUp = () => idsIn('named').filter((id) => !idsIn('gone').includes(id));

async function withItsDatabase(stack, act) {
  const asRoot = process.getuid() === 0 ? ['--user=root'] : [];
  const server = spawn('mariadbd', [`--defaults-file=${stack.path('mysql', 'my.cnf')}`, ...asRoot], { stdio: 'ignore' });
  try {
    while ((await run('mariadb', ['--no-defaults', '-S', stack.path('mysql', 'sock'), '-u', 'root', '-e', 'SELECT 1'])).code !== 0) {
      assert.equal(server.exitCode, null, 'mariadbd has ended');
      await pause(50);
    }
    return await act();
  } finally {
    server.kill();
    await untilExit(server.pid);
  }
}

async function restore() {
  target = await startStack();
  await target.halt();
  rmSync(target.path('data'), { recursive: true });
  mkdirSync(target.path('data'));
  const restored = await withItsDatabase(target, () => paste('Restore', variables(target, backup)));
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(restored.stderr, '');
  await target.start();
  for (const person of [ann, bob]) {
    const login = await target.call('POST', '/login', { basic: [person.email, person.password] });
    assertStatus(login, 200);
    person.token = login.json.access_token;
  }
}

before(async () => {
  await backUp();
  damaged = await backUpDamaged();
  await source.stop();
  await restore();
});
after(() => target?.stop());

test('a file that existed only around the dump is not restored', async () => {
  const id = readFileSync(join(scratch, 'short-lived'), 'utf8').trim();
  assert.ok(idsIn('named').includes(id) && idsIn('gone').includes(id), id);
  assert.deepEqual(await target.sql('gateway', `SELECT id FROM file WHERE id = '${id}'`), []);
});

test('a backup with lost bytes names them and exits 1', () => {
  assert.deepEqual([damaged.code, damaged.missing], [1, `${quiet[2].id}\n`]);
});

test('verify finds no fault in the restored instance', async () => {
  const { code, stdout, stderr } = await target.gatewayAdmin(['verify', '--rate', '0', '--json']);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(JSON.parse(stdout.trim().split('\n').at(-1)).files, backedUp().length);
});

test('every file of the dump is restored with its SHA-256 and its owner', async () => {
  let count = 0;
  for (const person of [ann, bob])
    for (const { url, sha256: expected } of await allFiles(target, person)) {
      const answer = await target.call('GET', url, { token: person.token });
      assertStatus(answer, 200);
      assert.equal(sha256(answer.bytes), expected);
      count++;
    }
  assert.equal(count, backedUp().length);
});

test('every file uploaded before the backup is restored', async () => {
  for (const { id, name, bytes } of quiet) {
    const answer = await target.call('GET', `/files/${id}`, { token: ann.token });
    assertStatus(answer, 200);
    assert.deepEqual([answer.json.name, answer.json.sha256], [name, sha256(bytes)]);
  }
  const ids = new Set(backedUp());
  for (const id of acknowledged.keys()) assert.ok(ids.has(id), id);
});

test('a share link, an access token and a resumable upload from before the backup still work', async () => {
  const shared = await target.call('GET', link);
  assertStatus(shared, 200);
  assert.equal(sha256(shared.bytes), quiet[1].sha256);
  assertStatus(await target.call('GET', '/me', { token: tokenOfBefore }), 200);
  assert.equal(await offsetOf(target, ann, halfWay), half.length);
  assertStatus(await patch(target, ann, halfWay, half.length, rest), 204);
  assert.equal((await fileOf(target, ann, halfWay)).sha256, sha256(Buffer.concat([half, rest])));
});

test('quotas of the restored instance are correct', async () => {
  const { code, stdout, stderr } = await target.gatewayAdmin(['quota', 'recount', '--json']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).repaired, []);
});

test('gc removes exactly the objects without a row', async () => {
  const rows = (await target.sql('gateway', 'SELECT id FROM file ORDER BY id')).flat();
  const left = objects(target.path('data')).filter((id) => !rows.includes(id));
  assert.ok(left.includes(ORPHAN));
  const removed = await target.gatewayAdmin(['gc', '--grace', '0', '--json', '--verbose']);
  assert.equal(removed.code, 0, removed.stderr);
  const { orphans, expired, failed, held, told } = JSON.parse(removed.stdout);
  assert.deepEqual([orphans, expired, failed, held], [left.length, 0, 0, 0]);
  assert.deepEqual(told.filter(({ what }) => what === 'orphan').map(({ id }) => id).sort(), left.sort());
  assert.deepEqual(objects(target.path('data')).sort(), rows);
  assert.deepEqual((await target.sql('gateway', 'SELECT id FROM file ORDER BY id')).flat(), rows);
  assert.equal((await target.gatewayAdmin(['verify', '--rate', '0'])).code, 0);
});
