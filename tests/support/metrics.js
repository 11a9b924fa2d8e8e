// A strict parser of Prometheus' text format 0.0.4: what a scraper would ignore is an error here.
import assert from 'node:assert/strict';
import { assertStatus } from './client.js';

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;

// `text` as {name: {type, help, samples: [{name, labels, value}]}}.
export function parse(text) {
  const families = {};
  assert.ok(text.endsWith('\n'), 'the text ends with a newline');
  let open; // lines of a family must be adjacent
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      assert.match(name, NAME);
      assert.ok(!families[name], `${name} appears twice`);
      assert.ok(rest, line);
      open = families[name] = { name, help: rest, samples: [] };
    } else if (keyword === 'TYPE') {
      assert.equal(open?.name, name, line);
      assert.ok(!open.type && TYPES.includes(rest), line);
      open.type = rest;
    } else {
      const sample = parseSample(line);
      assert.ok(open?.type, `no TYPE before ${line}`);
      const names = open.type === 'histogram' ? ['_bucket', '_sum', '_count'].map((s) => open.name + s) : [open.name];
      assert.ok(names.includes(sample.name), `${line} in ${open.name}`);
      open.samples.push(sample);
    }
  }
  for (const family of Object.values(families)) checkFamily(family);
  return families;
}

function parseSample(line) {
  const [, name, braces, value] = /^([^{ ]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? assert.fail(`not a sample: ${line}`);
  assert.match(name, NAME);
  assert.match(value, VALUE, line);
  const labels = {};
  let rest = braces ?? '';
  while (rest) {
    const [all, label, text] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ?? assert.fail(`labels of ${line}`);
    assert.ok(!(label in labels), line);
    labels[label] = text;
    rest = rest.slice(all.length);
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

const key = ({ name, labels }) => `${name} ${JSON.stringify(Object.entries(labels).sort())}`;

function checkFamily({ name, type, samples }) {
  assert.equal(new Set(samples.map(key)).size, samples.length, `${name}: a series appears twice`);
  if (type === 'counter') {
    assert.match(name, /_total$/);
    for (const { value } of samples) assert.ok(Number.isInteger(value) && value >= 0, name);
  }
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name, samples) {
  const series = new Map();
  for (const sample of samples) {
    const { le, ...labels } = sample.labels;
    const one = series.get(key({ name, labels })) ?? { buckets: [] };
    series.set(key({ name, labels }), one);
    if (le === undefined) one[sample.name.slice(name.length)] = sample.value;
    else one.buckets.push([Number(le.replace('Inf', 'Infinity')), sample.value]);
  }
  for (const { buckets, _sum, _count } of series.values()) {
    assert.equal(buckets.at(-1)?.[0], Infinity);
    for (let i = 1; i < buckets.length; i++) {
      assert.ok(buckets[i][0] > buckets[i - 1][0], `${name}: bounds do not increase`);
      assert.ok(buckets[i][1] >= buckets[i - 1][1], `${name}: buckets are not cumulative`);
    }
    assert.equal(buckets.at(-1)[1], _count);
    assert.ok(_sum >= 0);
  }
}

// The sum of the samples called `name` that have all of `labels`.
export function total(families, name, labels = {}) {
  const all = Object.values(families).flatMap((f) => f.samples).filter((s) => s.name === name);
  return all.filter((s) => Object.entries(labels).every(([k, v]) => s.labels[k] === v)).reduce((n, s) => n + s.value, 0);
}

// The metrics of `program` now.
export async function scrape(stack, program) {
  const answer = await stack.callInternal('GET', `/${program}/metrics`);
  assertStatus(answer, 200);
  return parse(answer.text);
}
