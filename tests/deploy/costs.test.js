// What requests cost, counted by scripts/bench --quick: no count is higher than in tests/costs/costs.json.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { differences, readTable, system } from '../costs/table.js';
import { repository, run } from '../support/stack.js';

const table = readTable();
const other = system() !== table.system && `the table was recorded on ${table.system}: other libraries have other counts`;

test('no request costs more than in tests/costs/costs.json', { skip: other }, async () => {
  const { code, stdout, stderr } = await run(join(repository, 'scripts/bench'), ['--quick']);
  assert.equal(code, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^bench: no cost has risen/m);
});

describe('the table of costs', () => {
  const changed = (change) => {
    const measured = structuredClone(table);
    change(measured);
    return differences(table, measured);
  };
  const texts = ({ risen }) => risen.map(({ text }) => text);

  test('has every kind of request over both transports, and every parser', () => {
    assert.deepEqual(Object.keys(table.fastcgi), Object.keys(table.cgi));
    assert.ok(Object.keys(table.fastcgi).length >= 24 && Object.keys(table.instructions).length >= 23);
    for (const costs of [...Object.values(table.fastcgi), ...Object.values(table.cgi)]) assert.ok(costs.calls > 0 && costs.allocations > 0);
    for (const { instructions } of Object.values(table.instructions)) assert.ok(instructions > 0);
  });

  test('reports one more system call, statement, round trip, commit or flush of a request', () => {
    assert.deepEqual(changed(() => {}), { risen: [], fallen: [] });
    for (const name of ['statements', 'round trips', 'commits', 'flushes']) {
      const { [name]: from } = table.fastcgi.upload;
      assert.deepEqual(texts(changed((m) => m.fastcgi.upload[name]++)), [`fastcgi, upload: ${name} ${from} → ${from + 1}`]);
    }
    assert.equal(texts(changed((m) => { m.cgi.healthz.calls *= 1.1; })).length, 1);
    assert.equal(texts(changed((m) => { m.fastcgi.download.calls += 2; })).length, 1);
    assert.equal(texts(changed((m) => { m.instructions.jwt.instructions *= 1.1; })).length, 1);
  });

  test('reports a kind that it does not have, or that was not measured', () => {
    assert.deepEqual(texts(changed((m) => { m.fastcgi.news = m.fastcgi.list; })), ['fastcgi, news: is not in the table']);
    assert.deepEqual(texts(changed((m) => { delete m.cgi.list; })), ['cgi, list: was not measured']);
  });

  test('tells what has fallen, which is no failure', () => {
    const { risen, fallen } = changed((m) => { m.fastcgi.upload.statements = 2; });
    assert.deepEqual([risen, fallen], [[], [`fastcgi, upload: statements ${table.fastcgi.upload.statements} → 2`]]);
  });
});
