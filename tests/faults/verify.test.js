// gateway-admin verify reports damaged files, and continues after each.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { uploadFile } from '../support/files.js';
import { build, pause, run, startStack } from '../support/stack.js';

const stack = await startStack();
after(() => stack.stop());
const objectOf = ({ id }) => join(stack.settings('gateway').DATA_DIR, 'objects', id.slice(-2), id);

let ann, records;
before(async () => {
  ann = await stack.person();
  records = [];
  for (let i = 0; i < 7; i++) records.push(await uploadFile(stack, ann, `file ${i}`, Buffer.alloc(300_000, i)));
});

// {code, stderr, faults (by id), total}
function parseReport({ code, stdout, stderr }) {
  const lines = stdout.trim().split('\n').map((line) => JSON.parse(line));
  const total = lines.pop();
  return { code, stderr, total, faults: Object.fromEntries(lines.map((line) => [line.id, line])) };
}
const verify = async (...args) => parseReport(await stack.gatewayAdmin(['verify', '--json', '--rate', '0', ...args]));

test('verify of undamaged files reports nothing', async () => {
  const { code, total, faults } = await verify();
  assert.equal(code, 0);
  assert.deepEqual(faults, {});
  assert.deepEqual(total, { files: 7, bytes: 2_100_000, bad: 0, missing: 0, other_size: 0, other_bytes: 0, unreadable: 0, whole: true, last: records[6].id });
});

test('verify reports a changed bit, another size, and missing and unreadable bytes, and continues', async () => {
  const [, changed, longer, shorter, missing, unreadable, good] = records;
  const bytes = new Map(records.map((r) => [r, readFileSync(objectOf(r))]));
  const flipped = Buffer.from(bytes.get(changed));
  flipped[123_456] ^= 4;
  writeFileSync(objectOf(changed), flipped);
  writeFileSync(objectOf(longer), 'x', { flag: 'a' });
  truncateSync(objectOf(shorter), 0);
  rmSync(objectOf(missing));
  rmSync(objectOf(unreadable));
  mkdirSync(objectOf(unreadable));

  const { code, total, faults } = await verify();
  assert.equal(code, 1);
  assert.deepEqual(Object.fromEntries(Object.entries(faults).map(([id, { fault }]) => [id, fault])),
    { [changed.id]: 'other_bytes', [longer.id]: 'other_size', [shorter.id]: 'other_size', [missing.id]: 'missing', [unreadable.id]: 'unreadable' });
  assert.equal(faults[longer.id].problem, 'has 300001 bytes instead of 300000');
  assert.equal(faults[shorter.id].problem, 'has 0 bytes instead of 300000');
  assert.match(faults[unreadable.id].problem, /^cannot be read: .*directory/);
  assert.deepEqual([faults[changed.id].owner, faults[changed.id].name], [ann.id, 'file 1']);
  assert.deepEqual([total.files, total.bad, total.whole, total.last], [7, 5, true, good.id]);
  assert.deepEqual([total.missing, total.other_size, total.other_bytes, total.unreadable], [1, 2, 1, 1]);

  const { stdout } = await stack.gatewayAdmin(['verify', '--rate', '0']);
  assert.ok(stdout.includes(`${changed.id} checksum mismatch (owner ${ann.id}, "file 1")\n`), stdout);
  assert.match(stdout, /^7 files, \d+ bytes read, 5 damaged or missing$/m);

  rmSync(objectOf(unreadable), { recursive: true });
  for (const [record, content] of bytes) writeFileSync(objectOf(record), content);
  assert.equal((await verify()).code, 0);
});

test('verify --after continues after that file', async () => {
  const rest = await verify('--after', records[4].id);
  assert.deepEqual([rest.code, rest.total.files, rest.total.last], [0, 2, records[6].id]);
  const none = await verify('--after', records[6].id);
  assert.deepEqual([none.code, none.total.files], [0, 0]);
  const wrong = await stack.gatewayAdmin(['verify', '--after', 'x']);
  assert.equal(wrong.code, 64);
  assert.match(wrong.stderr, /--after must be the id of a file/);
});

for (const signal of ['SIGTERM', 'SIGINT'])
  test(`verify ends on ${signal} in the middle of a file and reports where to continue`, async () => {
    // at a byte a second the second file takes longer than any test waits
    const child = spawn(join(build, 'gateway-admin'), ['verify', '--json', '--rate', '1'],
      { env: { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') }, stdio: ['ignore', 'pipe', 'inherit'] });
    const output = child.stdout.toArray();
    const ended = new Promise((done) => child.on('exit', (code) => done(code)));
    const reads = (record) => {
      try {
        return readdirSync(`/proc/${child.pid}/fd`).some((fd) => readlinkSync(`/proc/${child.pid}/fd/${fd}`) === objectOf(record));
      } catch {
        return false; // the file was just closed
      }
    };
    while (!records.some(reads)) await pause(5);
    child.kill(signal);
    assert.equal(await ended, 75);
    const { total } = parseReport({ stdout: Buffer.concat(await output).toString() });
    assert.deepEqual([total.whole, total.bad], [false, 0]);
    const rest = await verify(...(total.last ? ['--after', total.last] : []));
    assert.equal(total.files + rest.total.files, records.length);
  });

test('verify without the database exits 69 and reports where to continue', async () => {
  const { code, stdout, stderr } = await run(join(build, 'gateway-admin'), ['verify', '--after', records[2].id],
    { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), MYSQL_SOCKET: stack.path('nowhere') } });
  assert.equal(code, 69);
  assert.match(stderr, /^gateway-admin verify: /);
  assert.match(stdout, new RegExp(`--after ${records[2].id}`));
});
