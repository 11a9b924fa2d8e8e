// The Markdown of this repository: its links, its lines, and the settings that it lists.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fenced } from '../support/manual.js';
import { build, repository, run } from '../support/stack.js';

const { stdout } = await run('bash', ['-c', `find . \\( -name node_modules -o -name .git -o -path ./build -o -path ./var \\) -prune \
  -o -name '*.md' -print`], { cwd: repository });
const pages = stdout.trim().split('\n').map((path) => path.slice(2)).sort();
const read = (path) => readFileSync(join(repository, path), 'utf8');

// A page without its fenced and indented code, its `code` and its comments
const prose = (text) => text.replaceAll(/^( *)```.*?^\1```$/gms, '').replaceAll(/^ {4}.*$/gm, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, '_'))
  .replaceAll(/<!--.*?-->/gs, '');

// The anchors of a page, as GitHub makes them of its headings
function anchors(text) {
  const seen = new Map();
  return new Set([...text.replaceAll(/^( *)```.*?^\1```$/gms, '').matchAll(/^#+ +(.+)$/gm)].map(([, heading]) => {
    const slug = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'), times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
  }));
}

const linksOf = (text) => [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target).filter((target) => !/^[a-z]+:/.test(target));

// What is wrong with the links of a page
function deadLinks(page, text) {
  return linksOf(text).filter((link) => {
    const [path, anchor] = link.split('#');
    const target = path ? join(dirname(page), path) : page;
    if (!existsSync(join(repository, target))) return true;
    if (anchor === undefined) return false;
    return statSync(join(repository, target)).isDirectory() || !anchors(path ? read(target) : text).has(anchor);
  });
}

test('pages are found', () => {
  for (const page of ['README.md', 'CHANGELOG.md', 'docs/backup.md', 'deploy/k8s/README.md']) assert.ok(pages.includes(page), page);
  assert.ok(pages.length > 40, pages.join('\n'));
});

for (const page of pages) {
  test(`links of ${page} lead somewhere`, () => assert.deepEqual(deadLinks(page, read(page)), []));

  test(`lines of ${page} have at most 120 columns`, () => {
    assert.deepEqual(read(page).split('\n').filter((line) => [...line.replaceAll('\t', '        ')].length > 120), []);
  });
}

// A check that cannot fail is none.
test('dead links and anchors are noticed', () => {
  const text = '[a](nowhere.md) [b](docs/backup.md#nothing) [c](#here)\n\n## Here\n\n`[d](code)`\n[e](docs/backup.md#restore) [f](https://example.org/)';
  assert.deepEqual(deadLinks('README.md', text), ['nowhere.md', 'docs/backup.md#nothing']);
});

test('README.md has at most 90 lines', () => assert.ok(read('README.md').trimEnd().split('\n').length <= 90));

test('every page of docs/ is linked from README.md', () => {
  for (const page of pages.filter((path) => /^docs\/[^/]+$/.test(path))) assert.ok(linksOf(read('README.md')).includes(page), page);
});

test('decisions are numbered without gaps, and the index has the title of each', () => {
  const decisions = pages.filter((path) => /^docs\/decisions\/\d/.test(path)), index = read('docs/decisions/README.md').replaceAll(/\n +/g, ' ');
  decisions.forEach((path, i) => {
    const number = String(i + 1).padStart(4, '0'), name = relative('docs/decisions', path);
    assert.ok(name.startsWith(`${number}-`), `${path} should have the number ${number}`);
    const [, title] = /^# \d{4} (.+)$/m.exec(read(path)) ?? [];
    assert.ok(read(path).startsWith(`# ${number} `), `${path} has another number in its title`);
    assert.ok(index.includes(`[${number}](${name}) ${title}`), `docs/decisions/README.md does not have "[${number}](${name}) ${title}"`);
  });
  assert.ok(decisions.length > 20);
});

test('docs/security.md names tests that exist', () => {
  const named = [...read('docs/security.md').matchAll(/`((?:api|bench|deploy|faults|fuzz|unit|web)\/[\w./-]*)`/g)].map(([, path]) => path);
  assert.ok(named.length > 100, String(named.length));
  for (const path of named) assert.ok(existsSync(join(repository, 'tests', path)), path);
});

describe('docs/settings.md', () => {
  const sections = new Map(read('docs/settings.md').split(/^## /m).slice(1).map((part) => [part.slice(0, part.indexOf('\n')), part]));
  const listed = (...headings) => new Map(headings.flatMap((heading) => [...sections.get(heading).matchAll(/^\| `([A-Z_]+)` \| ([^|]*?) ?\|/gm)]
    .map(([, name, value]) => [name, value])));

  for (const [program, which] of [['cgi-auth', 0], ['cgi-gateway', 1]])
    test(`lists the settings of ${program} --help, with their defaults`, async () => {
      const { stdout: help } = await run(join(build, program), ['--help']);
      const offered = new Map([...help.matchAll(/^ {2}([A-Z_]+) +.*?(?: \(([^()]*)\))?$/gm)].map(([, name, value]) => [name, value ?? '']));
      const ours = listed('Database', 'Tokens and keys', 'Service', program);
      assert.deepEqual([...ours.keys()].sort(), [...offered.keys()].sort());
      for (const [name, value] of offered) {
        const values = ours.get(name).split(', ');
        // A remark in brackets at the end is no default
        if (!/ /.test(value)) assert.equal(values[values.length > 1 ? which : 0], value, name);
      }
      assert.ok(offered.size > 25);
    });
});

// scripts/admin takes some commands of both tools under its own names.
test('every command of scripts/admin in a page exists', async () => {
  const commands = pages.flatMap((page) => [...read(page).matchAll(/scripts\/admin ((?:[a-z]+ ?)+)/g)].map(([, words]) => [page, words.trim().split(' ')]));
  assert.ok(commands.length > 4);
  for (const [page, words] of commands) {
    const { code, stderr } = await run(join(repository, 'scripts/admin'), ['--build', build, ...words.slice(0, 2), '--help']);
    assert.equal(code, 0, `${page}: scripts/admin ${words.join(' ')}: ${stderr}`);
  }
});

// A line of a file of settings has no comment behind its value.
test('lines of settings can be copied as they are', () => {
  const settings = new Set([...read('docs/settings.md').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, name]) => name));
  assert.ok(settings.has('EVENT_SECRET') && settings.has('LOGIN_ANSWER'));
  for (const page of pages)
    for (const [, name, rest] of fenced(read(page), '').join('\n').matchAll(/^([A-Z_]+)=(.*)$/gm)) assert.ok(!settings.has(name) || !/\s#/.test(rest), `${page}: ${name}=${rest}`);
});
