// kill -9 of cgi-gateway at any moment of an upload: no row is without its bytes, and no file that was answered
// with 201 is lost.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { allFiles, sha256 } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { untilExit, pause, startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());
const data = () => stack.settings('gateway').DATA_DIR;

let ann;
before(async () => {
  ann = await stack.person();
});

const entries = (folder) => (existsSync(join(data(), folder)) ? readdirSync(join(data(), folder), { recursive: true }) : []);
const objects = () => entries('objects').filter((path) => path.includes('/'));
const bytesIn = (folder) => entries(folder).reduce((sum, path) => sum + (statSync(join(data(), folder, path), { throwIfNoEntry: false })?.size ?? 0), 0);

const SIZE = 6 << 20;
const content = (n) => Buffer.alloc(SIZE, `upload ${n} `);

// When to kill, by what has happened since the upload began.
const moments = [];
for (const share of [0, 0.01, 0.25, 0.5, 0.75, 0.99]) moments.push([`${share * 100} % of the bytes are written`, () => bytesIn('incoming') > share * SIZE]);
moments.push(['the bytes are in place', (was) => objects().length > was.objects]);
moments.push(['one of two files is in place', (was) => objects().length > was.objects, 2]);
for (let i = 0; i < 8; i++) moments.push([`${i * 3} ms have passed since the first byte`, async () => bytesIn('incoming') > 0 && (await pause(i * 3), true)]);
for (let i = 0; i < 4; i++) moments.push([`${i} ms have passed since the bytes were in place`, async (was) => objects().length > was.objects && (await pause(i), true)]);

let number = 0;
const promised = [];

async function uploadUntil(happened, files) {
  const was = { objects: objects().length };
  const names = Array.from({ length: files }, () => `${number++}`);
  const body = files === 1 ? content(names[0]) : form(...names.map((n) => filePart(n, content(n))));
  const headers = { Authorization: `Bearer ${ann.token}`, ...(files === 1 ? {} : { 'Content-Type': formType() }) };
  const target = files === 1 ? `/upload/${names[0]}` : '/upload';
  let answered = false;
  const answer = fetch(stack.url + target, { method: files === 1 ? 'PUT' : 'POST', headers, body })
    .then(async (response) => ({ status: response.status, text: await response.text() }), () => ({ status: 0 }))
    .finally(() => { answered = true; });

  while (!answered && !(await happened(was))) await pause(0);
  const pids = stack.processes('cgi-gateway');
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all(pids.map(untilExit));
  const { status, text } = await answer;
  if (status === 201) promised.push(...JSON.parse(text).files);
  return status;
}

async function hashOf(path) {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest('hex');
}

async function untilAlive() {
  for (;;) {
    const { status } = await fetch(`${stack.url}/healthz`).catch(() => ({ status: 0 }));
    if (status === 200) return;
    await pause(20);
  }
}

test('every row has its bytes and no file answered with 201 is lost, at any moment of kill -9', async (t) => {
  const seen = {};
  for (const [what, happened, files = 1] of moments) {
    const status = await uploadUntil(happened, files);
    seen[status] = (seen[status] ?? 0) + 1;
    await untilAlive();

    const rows = await stack.sql('gateway', 'SELECT id, size, LOWER(HEX(sha256)) FROM file');
    const stored = new Map(objects().map((path) => [path.split('/').at(-1), join(data(), 'objects', path)]));
    for (const [id, size, hash] of rows) {
      assert.ok(stored.has(id), `killed when ${what}: row ${id} has no bytes`);
      assert.equal(statSync(stored.get(id)).size, Number(size), `killed when ${what}`);
      assert.equal(await hashOf(stored.get(id)), hash, `killed when ${what}`);
    }
    const ids = new Set(rows.map(([id]) => id));
    for (const { id } of promised) assert.ok(ids.has(id), `killed when ${what}: ${id} was answered with 201 and has no row`);
  }
  t.diagnostic(`answers of the uploads under kill: ${JSON.stringify(seen)}`);
});

// Small uploads at the same time share their transaction.
test('no small upload that was answered with 201 is lost, and every row has its bytes, when many share a commit under kill -9', async (t) => {
  const small = (n) => Buffer.alloc(10_240, `small ${n} `);
  const headers = { Authorization: `Bearer ${ann.token}` };
  const kept = [], seen = {};
  const put = async (n) => {
    const response = await fetch(`${stack.url}/upload/small-${n}`, { method: 'PUT', headers, body: small(n) }).catch(() => null);
    const status = response?.status ?? 0;
    seen[status] = (seen[status] ?? 0) + 1;
    if (status === 201) return (await response.json().catch(() => ({ files: [] }))).files;
    await response?.text().catch(() => '');
    return [];
  };
  let next = 0;
  for (let round = 0; round < 6; round++) {
    let ended = false;
    const clients = Array.from({ length: 16 }, async () => {
      while (!ended) kept.push(...await put(next++));
    });
    const was = kept.length;
    while (kept.length < was + 8 + 5 * round) await pause(0);
    await pause(4 * round); // into the next ones, which begin together
    const pids = stack.processes('cgi-gateway');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    ended = true;
    await Promise.all([...clients, ...pids.map(untilExit)]);
    await untilAlive();
  }
  const rows = new Map((await stack.sql('gateway', "SELECT id, name FROM file WHERE name LIKE 'small-%'")));
  for (const { id } of kept) assert.ok(rows.has(id), `${id} was answered with 201 and has no row`);
  for (const [id, name] of rows) {
    const path = join(data(), 'objects', id.slice(-2), id);
    assert.equal(await hashOf(path), sha256(small(name.split('-')[1])), `row ${id}`);
  }
  const [[files]] = await stack.sql('gateway', `SELECT files FROM quota WHERE owner = ${ann.id}`);
  assert.equal(Number(files), (await allFiles(stack, ann)).length);
  for (const id of rows.keys()) assert.equal((await stack.call('DELETE', `/files/${id}`, { token: ann.token })).status, 204);
  t.diagnostic(`answers under kill: ${JSON.stringify(seen)}; ${rows.size} rows`);
});

test('gc removes exactly what killed uploads left', async () => {
  const records = await allFiles(stack, ann);
  const removed = await stack.gatewayAdmin(['gc', '--grace', '0']);
  assert.equal(removed.code, 0, removed.stderr);
  assert.deepEqual(entries('incoming'), []);
  assert.equal(objects().length, records.length);
  for (const { url, name } of records) {
    const { bytes } = await stack.call('GET', url, { token: ann.token });
    assert.equal(sha256(bytes), sha256(content(name)));
  }
});
