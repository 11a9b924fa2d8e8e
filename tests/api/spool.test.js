// SPOOL_USER_MAX and SPOOL_MAX: how many bytes of uploads may be in progress at a time.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { openRequest } from '../support/open-request.js';
import { pause, startStack, untilExit } from '../support/stack.js';
import { front, transport } from '../support/transport.js';

const MIB = 1 << 20;
const skip = front === 'apache-fcgid' && 'mod_fcgid receives every body before it starts a program';
let stack, ann, bob;

before(async () => {
  if (skip) return;
  stack = await startStack({ settings: { SPOOL_USER_MAX: 6 * MIB, SPOOL_MAX: 9 * MIB } });
  ann = await stack.person();
  bob = await stack.person();
});
after(() => stack?.stop());

const begin = (person, bytes) => openRequest(stack, 'PUT', '/upload/x', { token: person.token, headers: { 'Content-Length': bytes } });
const reserved = async () => Number((await stack.sql('gateway', 'SELECT COUNT(*) FROM admission'))[0][0]);
const untilReserved = async (n) => {
  while ((await reserved()) !== n) await pause(10);
};
const finish = async (request, bytes) => {
  await request.send(Buffer.alloc(bytes));
  assertStatus(await request.answer, 201);
};

describe('bytes of uploads in progress', { skip, timeout: 60_000 }, () => {
  test('of twenty uploads at once, exactly as many are admitted as fit; the others get 429', async () => {
    const requests = Array.from({ length: 20 }, () => begin(ann, 2 * MIB));
    const answers = requests.map((request) => request.answer);
    let refused = 0;
    for (const answer of answers) answer.then(() => refused++);
    while (refused < 17) await pause(10);
    assert.equal(await reserved(), 3);
    const admitted = requests.filter((request) => request.received() === '');
    assert.equal(admitted.length, 3);
    for (const request of admitted) await request.send(Buffer.alloc(2 * MIB));
    const all = await Promise.all(answers);
    assert.equal(all.filter(({ status }) => status === 201).length, 3);
    for (const answer of all.filter(({ status }) => status !== 201)) {
      assertProblem(answer, 429, 'too-many-uploads');
      assert.match(answer.json.detail, /SPOOL_USER_MAX/);
      assert.equal(answer.headers.get('retry-after'), '10');
    }
    assert.equal(await reserved(), 0);
  });

  test('another user is not affected, up to SPOOL_MAX', async () => {
    const hers = begin(ann, 6 * MIB);
    await untilReserved(1);
    const his = begin(bob, 3 * MIB);
    await untilReserved(2);
    const full = await begin(await stack.person(), MIB).answer;
    assertProblem(full, 503, 'unavailable');
    assert.match(full.json.detail, /SPOOL_MAX/);
    assert.equal(full.headers.get('retry-after'), '10');
    await finish(hers, 6 * MIB);
    await finish(his, 3 * MIB);
  });

  test('a single upload is admitted even if it is over the limits', async () => {
    await finish(begin(ann, 10 * MIB), 10 * MIB);
  });

  test('such an upload keeps no other user out', async () => {
    const hers = begin(ann, 10 * MIB);
    await untilReserved(1);
    const his = begin(bob, 3 * MIB);
    await untilReserved(2);
    await finish(his, 3 * MIB);
    await finish(hers, 10 * MIB);
  });

  test('uploads by a link count for its owner', async () => {
    const { url } = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const path = new URL(url, 'http://any').pathname;
    const first = openRequest(stack, 'PUT', `${path}/a`, { headers: { 'Content-Length': 5 * MIB } });
    await untilReserved(1);
    assertProblem(await openRequest(stack, 'PUT', `${path}/b`, { headers: { 'Content-Length': 2 * MIB } }).answer, 429, 'too-many-uploads');
    assertProblem(await begin(ann, 2 * MIB).answer, 429, 'too-many-uploads');
    for (const target of ['/upload?name=x', `${path}?name=x`])
      assertProblem(await openRequest(stack, 'POST', target, { token: target.startsWith('/upload') ? ann.token : undefined,
        headers: { 'Content-Length': 2 * MIB, 'Content-Type': 'application/octet-stream' } }).answer, 429, 'too-many-uploads');
    await finish(first, 5 * MIB);
    await finish(begin(ann, 2 * MIB), 2 * MIB);
  });

  test('small uploads are never refused for that', async () => {
    const large = begin(ann, 6 * MIB);
    await untilReserved(1);
    assertStatus(await stack.call('PUT', '/upload/small', { token: ann.token, body: 'small' }), 201);
    await finish(large, 6 * MIB);
  });

  test('a refused upload reserves nothing', async () => {
    const request = begin(ann, 2 * MIB);
    await untilReserved(1);
    assertStatus(await stack.call('PUT', '/upload/x?sha256=no', { token: ann.token, body: Buffer.alloc(MIB) }), 400);
    assert.equal(await reserved(), 1);
    await finish(request, 2 * MIB);
  });

  // By FastCGI, nobody tells the program that a client is gone, or a program is killed
  test('an upload that was cut off counts until it expires', { skip: transport === 'cgi' || front === 'caddy' }, async () => {
    const request = begin(ann, 5 * MIB);
    await untilReserved(1);
    request.cut();
    const refused = await begin(ann, 2 * MIB).answer;
    assertProblem(refused, 429, 'too-many-uploads');
    assert.match(refused.json.detail, /cut off/);
    assert.equal((await stack.sql('gateway', 'SELECT 1 FROM admission WHERE expires_at BETWEEN UNIX_TIMESTAMP() + 500 AND UNIX_TIMESTAMP() + 610')).length, 1);
    await stack.sql('gateway', 'UPDATE admission SET expires_at = UNIX_TIMESTAMP() - 1');
    await finish(begin(ann, 2 * MIB), 2 * MIB);
    assert.equal(await reserved(), 0);
  });

  test('a program that is killed does not forget what it admitted', { skip: transport !== 'fastcgi' || front }, async () => {
    const request = begin(ann, 5 * MIB);
    await untilReserved(1);
    const [pid] = stack.processes('cgi-gateway');
    process.kill(pid, 'SIGKILL');
    await untilExit(pid);
    while ((await stack.call('GET', '/files', { token: ann.token })).status !== 200) await pause(20);
    assertProblem(await begin(ann, 2 * MIB).answer, 429, 'too-many-uploads');
    await finish(request, 5 * MIB);
    assert.equal(await reserved(), 0);
  });
});
