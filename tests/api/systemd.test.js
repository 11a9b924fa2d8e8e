// The units of deploy/systemd, as make install puts them: they are well formed, start programs that are there,
// and leave these little of the machine.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build, repository, run } from '../support/stack.js';

const root = mkdtempSync(join(tmpdir(), 'gatehouse-units-'));
after(() => rmSync(root, { recursive: true }));
const prefix = '/opt/gatehouse', folder = join(root, prefix, 'lib/systemd/system');
const units = readdirSync(join(repository, 'deploy/systemd')).sort();
const timed = units.filter((name) => name.endsWith('.timer')).map((name) => name.replace('.timer', '.service'));

before(async () => {
  // -o all: the programs are taken as they are, whatever they were built with
  const made = await run('make', ['-s', '-C', repository, '-o', 'all', 'install', `BUILD=${build}`, `PREFIX=${prefix}`, `DESTDIR=${root}`]);
  assert.equal(made.code, 0, made.stderr);
  assert.deepEqual(readdirSync(folder).sort(), units);
  // where they lie for now
  for (const name of units) writeFileSync(join(folder, name), readFileSync(join(folder, name), 'utf8').replace(/^(Exec\w+=)\//gm, `$1${root}/`));
});

describe('the units', () => {
  test('are found nothing wrong with by systemd-analyze verify', async () => {
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...units.map((name) => join(folder, name))]);
    assert.deepEqual([code, stdout + stderr], [0, '']);
  });

  test('start what make install has installed', () => {
    for (const name of timed) assert.match(readFileSync(join(folder, name), 'utf8'), new RegExp(`^ExecStart=${root}${prefix}/bin/(gateway|auth)-admin `, 'm'));
  });

  for (const name of timed)
    test(`let ${name} do at most 2.0 of what systemd-analyze security fears`, async () => {
      const { code, stdout, stderr } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', join(folder, name)]);
      assert.equal(code, 0, stdout.split('\n').at(-2) + stderr);
    });

  test('run daily or monthly, and make up for what was missed', async () => {
    for (const name of units.filter((n) => n.endsWith('.timer'))) {
      const text = readFileSync(join(folder, name), 'utf8');
      const calendar = /^OnCalendar=(.*)$/m.exec(text)[1];
      assert.equal((await run('systemd-analyze', ['calendar', calendar])).code, 0, calendar);
      assert.match(text, /^Persistent=yes$/m);
      assert.match(text, /^RandomizedDelaySec=/m);
    }
  });
});
