// The YAML files of this repository: no text is cut off by a character that means something to YAML.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repository, run } from '../support/stack.js';
import { yamlCuts } from '../support/yaml-cuts.js';
import { document } from '../support/document.js';

const { stdout } = await run('bash', ['-c', `find . \\( -name node_modules -o -name .git -o -path ./build -o -path ./var \\) -prune \
  -o -type f \\( -name '*.yaml' -o -name '*.yml' \\) -print | sort`], { cwd: repository });
const files = stdout.trim().split('\n').map((path) => path.slice(2));

test('a text that YAML cuts off is found', () => {
  assert.deepEqual(yamlCuts('x', 'a: { description: A code, or another code. }'), ['x:1: "or another code." has no value; quote the text before it if the comma belongs to it']);
  assert.deepEqual(yamlCuts('x', 'a:\n  - b: the file #1 of all'), ['x:2: "#1 of all" is cut off; quote the text']);
  assert.deepEqual(yamlCuts('x', `a: { b: "A code, or # another.", c: [d, e], f: "", g: null }\nh: one # and a comment\ni:\n`), []);
});

test('no YAML file has a text that is cut off', () => {
  assert.ok(files.includes('docs/openapi.yaml') && files.length > 10);
  for (const file of files) assert.deepEqual(yamlCuts(join(repository, file)), []);
});

// A sentence that was cut off elsewhere has lost its full stop.
test('every description in docs/openapi.yaml is a whole sentence', () => {
  const cut = [];
  (function visit(node, path) {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'description' && typeof value === 'string' && !/[.:]$/.test(value.trim())) cut.push(`${path.join(' ')}: ${value}`);
      visit(value, [...path, key]);
    }
  })(document, []);
  assert.deepEqual(cut, []);
});
