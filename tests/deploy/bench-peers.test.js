// scripts/bench --peers: every row is measured, with tiny sizes, and the figures are written as they should be.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { rowNames } from '../../scripts/bench-peers/options.js';
import { chart, judge, replaceBetween, table } from '../../scripts/bench-peers/report.js';
import { repository, run } from '../support/stack.js';

const bench = join(repository, 'scripts/bench');
const setup = await run(join(repository, 'scripts/setup'), ['--bench']);
const missing = setup.code !== 0 && `the peers cannot be installed: ${setup.stderr.trim().split('\n')[0]}`;

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-test-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name) => join(folder, name);
const files = ['--json', file('peers.json'), '--svg', file('peers.svg')];

// An SVG that is not well-formed is refused by the parser of Python, which the peers need anyway.
const assertPicture = async (path) => assert.equal((await run('python3', ['-c', 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])', path])).code, 0);

describe('scripts/bench --peers', { skip: missing }, () => {
  let report, printed;
  before(async () => {
    cpSync(join(repository, 'docs/performance.md'), file('page.md'));
    const { code, stdout, stderr } = await run(bench, ['--peers', '--trial', ...files, '--write', file('page.md')]);
    assert.equal(code, 0, stderr);
    printed = stdout;
    report = JSON.parse(readFileSync(file('peers.json'), 'utf8'));
  });

  for (const name of rowNames)
    test(`measures the row ${name}`, () => {
      const row = report.rows.find((r) => r.name === name), goals = report.goals.filter((g) => g.row === name);
      assert.ok(row?.rounds.length > 0 && goals.length > 0);
      for (const goal of goals) {
        for (const value of [goal.ours, goal.theirs, goal.ratio].filter(Boolean))
          assert.ok([value.median, value.least, value.most].every(Number.isFinite), `${goal.title}: ${JSON.stringify(value)}`);
        assert.ok(printed.includes(`| ${goal.title} |`), goal.title);
      }
    });

  test('draws a chart, and puts it and the table into a page', async () => {
    await assertPicture(file('peers.svg'));
    await assertPicture(file('page.svg'));
    const page = readFileSync(file('page.md'), 'utf8');
    assert.ok(page.includes(table(report.goals)) && page.includes('](page.svg)'));
    assert.deepEqual(page.split('\n').filter((line) => [...line].length > 120), []);
  });

  test('measures only the rows that --only names', async () => {
    const { code, stderr } = await run(bench, ['--peers', '--trial', '--only', 'large-download,validate', ...files]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(readFileSync(file('peers.json'), 'utf8')).rows.map((row) => row.name), ['validate', 'large-download']);
  });

  test('exits with 73 if a file cannot be written', async () => {
    writeFileSync(file('plain'), '');
    const { code, stderr } = await run(bench, ['--peers', '--trial', '--only', 'large-download', '--svg', file('peers.svg'), '--json', file('plain/peers.json')]);
    assert.equal(code, 73);
    assert.match(stderr, /^bench: .*plain/m);
  });
});

test('scripts/bench --peers and --quick exit with 64 for a wrong option or value', async () => {
  for (const args of [['--peers', '--foo'], ['--peers', '--only'], ['--peers', '--only', 'foo'], ['--peers', '--rounds', '0'], ['--peers', '--size', 'x'], ['--quick', '--foo']]) {
    const { code, stderr } = await run(bench, args);
    assert.equal(code, 64, args.join(' '));
    assert.match(stderr, /; see --help\n$/);
  }
});

describe('the report of scripts/bench --peers', () => {
  const rounds = [1, 2, 3].map((n) => ({ gatehouse: { cpu: n / 1e6, rate: 10 }, a: { cpu: 2e-6, rate: 4 }, b: { cpu: 2e-6, rate: 1 } }));
  const row = { name: 'row', title: 'Row & <tag>' };

  test('takes the median of the ratios of the rounds, with the least and the most', () => {
    const judged = judge(row, { title: 'CPU', figure: 'cpu', unit: 'µs', peers: ['a', 'b'], most: 0.5 }, rounds);
    assert.deepEqual([judged.ours, judged.theirs.median, judged.ratio, judged.met], [{ median: 2, least: 1, most: 3 }, 4, { median: 0.5, least: 0.25, most: 0.75 }, true]);
  });

  test('a goal that is missed is not met, by a ratio or by the figure itself', () => {
    assert.equal(judge(row, { title: 'CPU', figure: 'cpu', unit: 'µs', peers: ['a'], most: 0.9 }, rounds).met, false);
    assert.equal(judge(row, { title: 'rate', figure: 'rate', unit: '/s', peers: ['a'], least: 2.6 }, rounds).met, false);
    assert.equal(judge(row, { title: 'rate', figure: 'rate', unit: '/s', least: 10 }, rounds).met, true);
    assert.equal(judge(row, { title: 'rate', figure: 'rate', unit: '/s' }, rounds).met, undefined);
  });

  test('a title with markup does not break the chart', () => {
    const picture = chart([judge(row, { title: 'CPU', figure: 'cpu', unit: 'µs', most: 2 }, rounds)]);
    assert.match(picture, /Row &amp; &lt;tag&gt;: CPU/);
  });

  test('replaces what is between the marks of a page, and refuses a page without them', () => {
    assert.equal(replaceBetween('a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb', 'x', 'new'), 'a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb');
    assert.throws(() => replaceBetween('a', 'x', 'new'), /there is no/);
  });
});
