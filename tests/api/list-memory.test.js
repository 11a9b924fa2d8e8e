// The memory that long lists need, and that it is given back: a list is written row by row, and what it
// needed does not stay in the program.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { startStack } from '../support/stack.js';
import { transport } from '../support/transport.js';

const FILES = 1000;
const CONNECTIONS = 16;
const MIB = 1 << 20;

// A CGI process ends with its list. A sanitizer's shadow memory does not count.
const sanitized = /san/.test(process.env.GATEHOUSE_BUILD ?? '');
describe('the memory of lists', { skip: transport === 'cgi' || sanitized }, () => {
  let stack, ann;
  before(async () => {
    stack = await startStack();
    ann = await stack.person();
    assertStatus(await stack.call('PUT', '/upload/first.txt', { token: ann.token, body: 'x' }), 201);
    const columns = (await stack.sql('gateway',
      "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'file'")).flat();
    const digits = (name) => `(SELECT 0 AS n ${Array.from({ length: 9 }, (_, i) => `UNION SELECT ${i + 1}`).join(' ')}) ${name}`;
    const value = (column) => ({
      id: "CONCAT('01890000-0000-7000-8000-', LPAD(a.n + 10 * b.n + 100 * c.n, 12, '0'))",
      name: "CONCAT(REPEAT('\"a long name ', 15), a.n, b.n, c.n)",
    })[column] ?? `f.${column}`;
    await stack.sql('gateway', `INSERT INTO file (${columns}) SELECT ${columns.map(value)} FROM file f
      JOIN ${digits('a')} JOIN ${digits('b')} JOIN ${digits('c')} WHERE f.owner = ${ann.id}`);
  });
  after(() => stack?.stop());

  // Bytes of a process's own memory, now and at most
  function memoryOf(name) {
    const of = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)[1]) * 1024;
    const status = readFileSync(`/proc/${stack.processes(name)[0]}/status`, 'utf8');
    return { now: of('RssAnon'), peak: of('VmHWM') - of('RssFile') - of('RssShmem') };
  }

  test('sixteen connections that list a thousand files each need 20 MiB, and leave 8', async () => {
    const list = async () => {
      const answer = await stack.call('GET', `/files?limit=${FILES}`, { token: ann.token });
      assertStatus(answer, 200);
      assert.equal(answer.json.files.length, FILES);
      assert.match(answer.headers.get('link'), /rel="next"/);
    };
    await stack.call('GET', '/files?limit=1', { token: ann.token });
    const before = memoryOf('cgi-gateway').now;
    for (let round = 0; round < 4; round++) await Promise.all(Array.from({ length: CONNECTIONS }, list));
    const { now, peak } = memoryOf('cgi-gateway');
    assert.ok(peak - before < 20 * MIB, `${(peak - before) / MIB} MiB at the most`);
    assert.ok(now - before < 8 * MIB, `${(now - before) / MIB} MiB are left`);
  });
});
