// make install and make uninstall: what they install, and that nothing else is changed.
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { make } from '../support/installed.js';
import { build, repository, run } from '../support/stack.js';

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gatehouse-tree-'));
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  mkdirSync(join(root, 'etc/logrotate.d'), { recursive: true });
  writeFileSync(join(root, 'usr/bin/other'), 'not ours');
});
afterEach(() => rmSync(root, { recursive: true }));

// Every path with its kind, mode and bytes.
const tree = () => readdirSync(root, { recursive: true }).sort().map((path) => {
  const file = join(root, path), { mode } = statSync(file);
  return `${path} ${mode.toString(8)} ${statSync(file).isFile() ? readFileSync(file, 'base64') : ''}`;
});

describe('make install', () => {
  test('a second make install changes nothing', async () => {
    await make('install', root);
    const once = tree();
    await make('install', root);
    assert.deepEqual(tree(), once);
  });

  test('installed files contain the paths of the installation', async () => {
    await make('install', root);
    for (const file of ['usr/lib/systemd/system/gatehouse-edge.service', 'etc/gatehouse/gateway.env', 'etc/gatehouse/site.conf', 'usr/bin/gatehouse-setup']) {
      const text = readFileSync(join(root, file), 'utf8').replaceAll(`${root}/`, '@');
      assert.match(text, /@(etc|run|usr\/\w+|var\/\w+)\/gatehouse/, `${file} has no installed path`);
      assert.doesNotMatch(text, /\/(etc|run|usr\/(bin|lib|share)|var\/(lib|log))\/gatehouse/, file);
    }
  });

  test('links of installed pages lead to installed files', async () => {
    await make('install', root);
    const doc = join(root, 'usr/share/doc/gatehouse');
    const pages = readdirSync(doc, { recursive: true }).filter((file) => file.endsWith('.md'));
    for (const page of ['README.md', 'CHANGELOG.md', 'backup.md', 'settings.md', 'decisions/README.md', 'systemd.md', 'examples/caddy/README.md']) assert.ok(pages.includes(page), page);
    let count = 0;
    for (const page of pages)
      for (const [, target] of readFileSync(join(doc, page), 'utf8').replaceAll(/^```.*?^```/gms, '').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^https?:/.test(target)) continue;
        assert.ok(existsSync(join(doc, dirname(page), target)), `${page}: ${target}`);
        count++;
      }
    assert.ok(count > 30, String(count));
  });

  test('make install keeps an existing configuration', async () => {
    mkdirSync(join(root, 'etc/gatehouse'));
    writeFileSync(join(root, 'etc/gatehouse/auth.env'), 'MYSQL_USER=mine\n');
    await make('install', root);
    assert.equal(readFileSync(join(root, 'etc/gatehouse/auth.env'), 'utf8'), 'MYSQL_USER=mine\n');
  });

  test('make install with DESTDIR writes below it, with the final paths in the files', async () => {
    const dest = join(root, 'dest');
    await make('install', '', [`DESTDIR=${dest}`, 'PREFIX=/usr']);
    assert.match(readFileSync(join(dest, 'usr/lib/systemd/system/gatehouse-auth.service'), 'utf8'), /^ExecStart=\/usr\/lib\/gatehouse\/cgi-auth$/m);
    assert.ok(existsSync(join(dest, 'etc/gatehouse/site.conf')));
  });

  test('make install removes files of an earlier version', async () => {
    await make('install', root);
    writeFileSync(join(root, 'usr/share/gatehouse/old.sql'), '');
    appendFileSync(join(root, 'usr/share/gatehouse/installed'), `${root}/usr/share/gatehouse/old.sql\n`);
    await make('install', root);
    assert.ok(!existsSync(join(root, 'usr/share/gatehouse/old.sql')));
  });
});

describe('make uninstall', () => {
  test('make uninstall restores the tree, and may be repeated', async () => {
    const before = tree();
    await make('install', root);
    assert.ok(tree().length > before.length + 50);
    await make('uninstall', root);
    assert.deepEqual(tree(), before);
    await make('uninstall', root);
    assert.deepEqual(tree(), before);
  });

  test('make uninstall restores the tree after a second install', async () => {
    const before = tree();
    await make('install', root);
    await make('install', root);
    await make('uninstall', root);
    assert.deepEqual(tree(), before);
  });

  test('make uninstall keeps and reports a changed configuration, and keeps keys', async () => {
    await make('install', root);
    appendFileSync(join(root, 'etc/gatehouse/auth.env'), 'DB_POOL=4\n');
    mkdirSync(join(root, 'etc/gatehouse/keys'));
    const output = await make('uninstall', root);
    assert.match(output, /auth\.env was changed: it is kept/);
    assert.deepEqual(readdirSync(join(root, 'etc/gatehouse')).sort(), ['auth.env', 'keys']);
  });
});

describe('manual pages', () => {
  const page = (name) => readFileSync(join(repository, 'docs/man', `${name}.8`), 'utf8');

  test('every program has a manual page', () => {
    assert.deepEqual(readdirSync(join(repository, 'docs/man')).sort(), ['auth-admin.8', 'cgi-auth.8', 'cgi-gateway.8', 'fcgi-probe.8', 'gatehouse-setup.8', 'gateway-admin.8']);
  });

  for (const tool of ['auth-admin', 'gateway-admin'])
    test(`the manual page of ${tool} has every command`, async () => {
      const { stdout } = await run(join(build, tool), ['--help']);
      const commands = [...stdout.matchAll(new RegExp(`^  ${tool} +([a-z]+)(?: ([a-z-]+) )? `, 'gm'))];
      assert.ok(commands.length > 4, stdout);
      for (const [, ...words] of commands)
        for (const word of words.filter(Boolean)) assert.match(page(tool), new RegExp(`(Cm|\\|) (\\w+ )*${word}\\b`), `${tool}.8 does not have ${word}`);
    });
});
