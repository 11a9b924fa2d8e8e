// A full disk: 507, and nothing of the file is left.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCgi } from '../support/cgi.js';
import { assertProblem } from '../support/client.js';
import { allFiles } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { run, useStack } from '../support/stack.js';

const stack = await useStack();
const disk = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
after(() => rmSync(disk, { recursive: true }));

// A disk of 256 KiB in a mount namespace of the program, which any user may create.
const small = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=256k tmpfs "$0" && mkdir "$0/incoming" "$0/objects" && "$1"; code=$?; find "$0" -type f ! -name holds >&2; exit $code', disk];
const possible = (await run(small[0], [...small.slice(1), 'true'])).code === 0;

let ann;
before(async () => {
  ann = await stack.person();
});

const upload = (method, path, type, input) =>
  runCgi(stack, 'cgi-gateway', method, path, { input, wrapper: small, variables: { DATA_DIR: disk, HTTP_AUTHORIZATION: `Bearer ${ann.token}`, CONTENT_TYPE: type } });

for (const [what, ...request] of [
  ['a body', 'PUT', '/upload/big', 'text/plain', Buffer.alloc(1 << 20)],
  ['a form', 'POST', '/upload', formType(), form(filePart('fits', 'x'), filePart('big', Buffer.alloc(1 << 20)))],
])
  test(`${what} larger than the free space is refused as storage-full`, { skip: !possible && 'no namespaces here' }, async () => {
    const answer = await upload(...request);
    assertProblem(answer, 507, 'storage-full');
    assert.doesNotMatch(answer.stderr, new RegExp(`^${disk}`, 'm'), 'a file is left');
    assert.deepEqual(await allFiles(stack, ann), []);
  });

test('a body that fits is stored', { skip: !possible && 'no namespaces here' }, async () => {
  assert.equal((await upload('PUT', '/upload/small', 'text/plain', 'x')).status, 201);
});
