// scripts/check-floors: each kind of include that breaks the rules of docs/architecture.md is reported by file and line.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { repository } from '../support/stack.js';

let tree;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), 'gatehouse-floors-'));
  for (const path of ['common', 'cgi-auth', 'cgi-gateway', 'docs/architecture.md', 'scripts/check-floors']) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(repository, path), join(tree, path), { recursive: true });
  }
});
afterEach(() => rmSync(tree, { recursive: true }));

function check() {
  const { status, stdout } = spawnSync(join(tree, 'scripts/check-floors'), { encoding: 'utf8' });
  return { status, stdout };
}
const include = (file, header) => appendFileSync(join(tree, file), `#include "${header}"\n`);

describe('scripts/check-floors', () => {
  test('the tree as it is has nothing to report', () => {
    assert.deepEqual(check(), { status: 0, stdout: '' });
  });

  for (const [name, file, header, reported] of [
    ['an include of a higher floor', 'common/base/buf.c', 'common/http/request.h', /^common\/base\/buf\.c:\d+: common\/base \(floor 0\) includes common\/http\/request\.h \(floor 3\)$/m],
    ['an include of the other program', 'cgi-auth/main.c', 'cgi-gateway/app/app.h', /^cgi-auth\/main\.c:\d+: cgi-auth may not include cgi-gateway\/app\/app\.h$/m],
    ['an include of a program by common/', 'common/server/program.c', 'cgi-auth/app/auth.h', /^common\/server\/program\.c:\d+: common may not include cgi-auth\/app\/auth\.h$/m],
    ['an include of a file that does not exist', 'common/base/buf.c', 'common/base/none.h', /^common\/base\/buf\.c:\d+: .*common\/base\/none\.h/m],
    ['an include that is not written from the root', 'common/base/buf.c', 'span.h', /^common\/base\/buf\.c:\d+: .*span\.h/m],
    ['two folders of one floor that include each other', 'cgi-gateway/events/webhook.c', 'cgi-gateway/app/app.h', /cgi-gateway\/(app|events) and cgi-gateway\/(app|events) include each other/],
    ['a circle of headers', 'common/base/span.h', 'common/base/buf.h', /common\/base\/\w+\.h and common\/base\/\w+\.h include each other/],
  ]) {
    test(`${name} is reported`, () => {
      include(file, header);
      const { status, stdout } = check();
      assert.equal(status, 1);
      assert.match(stdout, reported);
    });
  }

  test('a folder that is not in the table is reported', () => {
    mkdirSync(join(tree, 'common/extra'));
    writeFileSync(join(tree, 'common/extra/extra.c'), '#include "common/base/span.h"\n');
    const { status, stdout } = check();
    assert.equal(status, 1);
    assert.match(stdout, /^common\/extra\/extra\.c:1: common\/extra stands on no floor/m);
  });
});
