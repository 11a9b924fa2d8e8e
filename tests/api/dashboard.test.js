// deploy/grafana and deploy/prometheus query only metrics that are exported.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse as parseYaml } from 'yaml';
import { scrape } from '../support/metrics.js';
import { repository, run, useStack } from '../support/stack.js';

const stack = await useStack();
const read = (...steps) => readFileSync(join(repository, 'deploy', ...steps), 'utf8');
const dashboard = JSON.parse(read('grafana', 'gatehouse.json'));
const rules = parseYaml(read('prometheus', 'gatehouse-rules.yml')).groups.flatMap((g) => g.rules);
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-rules-'));
after(() => rmSync(folder, { recursive: true }));

const panels = dashboard.panels.filter((p) => p.type !== 'row');
const queries = panels.flatMap((p) => p.targets.map((t) => ({ where: `${p.title} (${t.refId})`, expr: t.expr })));
const conditions = rules.map((r) => ({ where: r.alert, expr: r.expr }));

// Exported series, each with its labels
const exported = new Map();
before(async () => {
  const ann = await stack.person();
  await stack.call('GET', '/files', { token: ann.token });
  for (const program of ['cgi-auth', 'cgi-gateway'])
    for (const { samples } of Object.values(await scrape(stack, program)))
      for (const { name, labels } of samples) exported.set(name, new Set([...(exported.get(name) ?? []), ...Object.keys(labels)]));
});

// What Prometheus itself adds: the series `up`, and two labels
const ITS_OWN = 'up', ADDED = ['job', 'instance'];

function checkNames({ where, expr }) {
  const bare = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  const names = [...bare.matchAll(/\b(?:(?:gatehouse|process)_\w+|up(?=\{))/g)].map(([name]) => name);
  assert.ok(names.length > 0, `${where}: ${expr}`);
  const known = new Set(ADDED);
  for (const name of names.filter((name) => name !== ITS_OWN)) {
    assert.ok(exported.has(name), `${where}: ${name} is not exported`);
    for (const label of exported.get(name)) known.add(label);
  }
  const selected = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside]) => inside.match(/\w+(?=\s*(?:=|!))/g) ?? []);
  const grouped = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, inside]) => inside.match(/\w+/g));
  for (const label of [...selected, ...grouped]) assert.ok(known.has(label), `${where}: there is no label ${label}`);
}

describe('the dashboard', () => {
  for (const query of queries) test(`the panel ${query.where} queries exported metrics`, () => checkNames(query));

  test('the dashboard shows every exported metric', () => {
    const all = queries.map((q) => q.expr).join('\n') + conditions.map((c) => c.expr).join('\n') + JSON.stringify(dashboard.templating);
    const families = [...exported.keys()].map((name) => name.replace(/_(sum|count)$/, '_bucket')).filter((name) => name !== 'gatehouse_uploads_files_total');
    for (const name of families) assert.ok(all.includes(name), name);
  });

  test('the queries of the dashboard are valid PromQL', async () => {
    const record = queries.map(({ expr }, i) => ({ record: `query_${i}`, expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$program', '.*') }));
    for (const { expr } of record) assert.ok(!expr.includes('$'), expr);
    writeFileSync(join(folder, 'queries.yml'), JSON.stringify({ groups: [{ name: 'dashboard', rules: record }] }));
    const { code, stdout, stderr } = await run('promtool', ['check', 'rules', join(folder, 'queries.yml')]);
    assert.equal(code, 0, stdout + stderr);
  });

  test('the panels have unique ids and do not overlap', () => {
    const all = dashboard.panels;
    assert.equal(new Set(all.map((p) => p.id)).size, all.length);
    const covered = new Set();
    for (const { title, gridPos: { x, y, w, h } } of all)
      for (let i = x; i < x + w; i++)
        for (let j = y; j < y + h; j++) {
          assert.ok(i < 24, title);
          assert.ok(!covered.has(`${i},${j}`), `${title} overlaps another`);
          covered.add(`${i},${j}`);
        }
  });

  test('the dashboard reads from the data source that the viewer selects', () => {
    const variables = dashboard.templating.list.map((v) => v.name);
    assert.deepEqual(variables, ['datasource', 'program']);
    for (const panel of panels) {
      assert.equal(panel.datasource.uid, '${datasource}', panel.title);
      assert.ok(panel.fieldConfig.defaults.unit && panel.title, panel.title);
      for (const target of panel.targets) assert.equal(target.datasource.uid, '${datasource}', panel.title);
    }
    assert.equal(dashboard.id, undefined);
  });
});

describe('the alerts', () => {
  for (const condition of conditions) test(`the alert ${condition.where} queries exported metrics`, () => checkNames(condition));

  test('promtool accepts the alerts and the scrape configuration', async () => {
    for (const [what, file] of [['rules', 'gatehouse-rules.yml'], ['config', 'prometheus.yml']]) {
      const { code, stdout, stderr } = await run('promtool', ['check', what, join(repository, 'deploy', 'prometheus', file)]);
      assert.equal(code, 0, stdout + stderr);
    }
  });

  test('the alerts name the jobs of the scrape configuration', () => {
    const jobs = parseYaml(read('prometheus', 'prometheus.yml')).scrape_configs.map((job) => job.job_name);
    const asked = rules.flatMap(({ expr }) => [...expr.matchAll(/job="([^"]+)"/g)].map(([, job]) => job));
    assert.deepEqual([...new Set(asked)].sort(), jobs.sort());
    const patterns = rules.flatMap(({ expr }) => [...expr.matchAll(/job=~"([^"]+)"/g)].map(([, pattern]) => new RegExp(`^(?:${pattern})$`)));
    for (const pattern of patterns) for (const job of jobs) assert.match(job, pattern);
  });

  test('each alert has a summary, a description and a severity', () => {
    for (const { alert, annotations, labels } of rules) assert.ok(annotations.summary && annotations.description && labels.severity, alert);
  });

  // promtool compares the texts of the annotations, too.
  test('the alerts fire under their conditions, and not before', async () => {
    const rule = (name) => rules.find((r) => r.alert === name);
    const quiet = (alertname, eval_time) => ({ alertname, eval_time, exp_alerts: [] });
    const fires = (alertname, eval_time, labels, summary) => ({ alertname, eval_time, exp_alerts: [{
      exp_labels: { ...rule(alertname).labels, ...labels },
      exp_annotations: { summary, description: rule(alertname).annotations.description },
    }] });
    const request = (code) => `gatehouse_http_requests_total{program="cgi-gateway",method="GET",route="/files",code="${code}"}`;
    const tests = [{
      interval: '1m',
      input_series: [{ series: request(200), values: '0+540x40' }, { series: request(500), values: '0+0x9 0+60x30' }],
      alert_rule_test: [
        quiet('GatehouseFails', '9m'),
        fires('GatehouseFails', '30m', { program: 'cgi-gateway' }, 'cgi-gateway: 10% of its requests fail'),
      ],
    }, {
      interval: '1m',
      input_series: [{ series: 'gatehouse_refreshes_total{program="cgi-auth",outcome="reuse"}', values: '0 0 0 1 1 1' }],
      alert_rule_test: [
        quiet('GatehouseRefreshTokenCameBack', '2m'),
        fires('GatehouseRefreshTokenCameBack', '4m', {}, rule('GatehouseRefreshTokenCameBack').annotations.summary),
      ],
    }, {
      interval: '1m',
      input_series: [{ series: 'up{job="gatehouse",instance="here"}', values: '1x20' }, { series: 'up{job="gatehouse-files",instance="here"}', values: '1x9 0x10' }],
      alert_rule_test: [
        quiet('GatehouseIsDown', '9m'),
        fires('GatehouseIsDown', '12m', { job: 'gatehouse-files', instance: 'here' }, 'gatehouse-files at here cannot be scraped'),
        quiet('GatehouseIsNotWatched', '12m'),
      ],
    }, {
      interval: '1m',
      input_series: [{ series: 'up{job="gatehouse",instance="here"}', values: '1x20' }],
      alert_rule_test: [fires('GatehouseIsNotWatched', '10m', { job: 'gatehouse-files' }, 'gatehouse-files: Prometheus has no target')],
    }];
    const rule_files = [join(repository, 'deploy', 'prometheus', 'gatehouse-rules.yml')];
    writeFileSync(join(folder, 'test.yml'), JSON.stringify({ rule_files, evaluation_interval: '1m', tests }));
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', join(folder, 'test.yml')]);
    assert.equal(code, 0, stdout + stderr);
  });
});
