// The command lines of every script: --help, a wrong option, and what needs no instance.
import assert from 'node:assert/strict';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { build, repository, run } from '../support/stack.js';

const EX_USAGE = 64;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-scripts-'));
after(() => rmSync(folder, { recursive: true }));

function executables(path) {
  return readdirSync(join(repository, path), { withFileTypes: true }).filter((f) => f.isFile()).map((f) => join(path, f.name)).filter((file) => {
    try {
      accessSync(join(repository, file), constants.X_OK);
    } catch {
      return false;
    }
    return readFileSync(join(repository, file), 'latin1').startsWith('#!');
  });
}

// compose passes every option on to another program, and the entrypoints take a part's name
const other = ['deploy/container/compose', 'deploy/container/entrypoint', 'deploy/container/database-entrypoint'];
const scripts = ['scripts', 'deploy', 'deploy/container', 'deploy/k8s', 'deploy/shared-hosting', 'tests/bench'].flatMap(executables).filter((file) => !other.includes(file));

// In a folder that is empty, so that a script that took a wrong option for a name would leave something.
const script = (file, ...args) => run(join(repository, file), args, { cwd: folder });

describe('a script', () => {
  test('is looked for where scripts are', () => {
    for (const file of ['scripts/run', 'scripts/stop', 'scripts/admin', 'deploy/container/up']) assert.ok(scripts.includes(file), file);
  });

  for (const file of scripts) {
    test(`${file} --help prints its usage and exits with 0`, async () => {
      const { code, stdout, stderr } = await script(file, '--help');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, new RegExp(file.split('/').at(-1)));
    });

    // gatehouse-setup needs an installation: see deploy/machine.test.js
    test(`${file} exits with 64 for a wrong option`, { skip: file === 'deploy/gatehouse-setup' && !existsSync('/usr/share/gatehouse/scripts/migrate') }, async () => {
      const { code, stdout, stderr } = await script(file, '--no-such-option');
      assert.deepEqual([code, stdout], [EX_USAGE, '']);
      assert.match(stderr, /usage:|--help/);
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  test('scripts/run, stop and bench exit with 64 for a missing or wrong value', async () => {
    for (const args of [['run', '--port'], ['run', '--port', 'x'], ['run', '--port', '70000'], ['run', '--transport', 'x'], ['run', '--state'], ['stop', '--state'], ['admin', '--state'], ['bench', '--size']]) {
      const { code, stderr } = await script(`scripts/${args[0]}`, ...args.slice(1));
      assert.equal(code, EX_USAGE, args.join(' '));
      assert.match(stderr, /; see --help\n$/);
    }
  });
});

describe('scripts/admin without an instance', () => {
  const admin = (...args) => script('scripts/admin', '--state', join(folder, 'none'), '--build', build, ...args);

  test('names an unknown command', async () => {
    for (const [args, named] of [[['foo'], /"foo"/], [['user', 'foo'], /"user foo"/], [['files', 'foo'], /"foo"/], [['user', 'list', '--foo'], /--foo/], [['--foo'], /--foo/]]) {
      const { code, stdout, stderr } = await admin(...args);
      assert.deepEqual([code, stdout], [EX_USAGE, ''], args.join(' '));
      assert.match(stderr, named);
      assert.doesNotMatch(stderr, /no instance/);
    }
  });

  test('prints the help of every command', async () => {
    for (const args of [['--help'], ['help'], ['user', '--help'], ['files', 'verify', '--help']]) {
      const { code, stdout, stderr } = await admin(...args);
      assert.deepEqual([code, stderr], [0, ''], args.join(' '));
      assert.match(stdout, /^usage: /);
    }
  });

  test('says how to start one if the command is right', async () => {
    for (const args of [['user', 'list'], ['user', 'add', 'ann@example.org'], ['key', 'new'], ['files', 'stat']]) {
      const { code, stderr } = await admin(...args);
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /^admin: there is no instance in .*scripts\/run/);
    }
    assert.equal(existsSync(join(folder, 'none')), false);
  });
});
