// Clients that send slowly: each is served, holds nothing that others need, has a share, and is cut below the least rate.
// In scripts/test --long a thousand of them, as many as the defaults allow one user and more.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { operations } from '../support/contract.js';
import { uploadFile } from '../support/files.js';
import { openRequest } from '../support/open-request.js';
import { pause, startStack, untilExit } from '../support/stack.js';
import { newUpload, offsetOf, TUS } from '../support/tus.js';

const MANY = process.env.GATEHOUSE_LONG ? 1000 : 200;
const LENGTH = 1000;
const cgi = process.env.GATEHOUSE_TRANSPORT === 'cgi' && 'a process for each request';

// A PATCH of LENGTH bytes of which one is sent.
async function slowPatch(stack, user, sent = 1) {
  const path = await newUpload(stack, user, LENGTH);
  const request = openRequest(stack, 'PATCH', path, {
    token: user.token, headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': 0, 'Content-Length': LENGTH } });
  await request.send(Buffer.alloc(sent, 'x'));
  return { path, ...request, rest: () => request.send(Buffer.alloc(LENGTH - sent, 'x')) };
}

const arrived = async (stack, user, path, wanted) => {
  while ((await offsetOf(stack, user, path)) < wanted) await pause(10);
};
const kib = (stack, name, key) =>
  Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync(`/proc/${stack.processes(name)[0]}/status`, 'utf8'))[1]);

describe(`${MANY} uploads that stand still`, { skip: cgi }, () => {
  let stack, users, bob, record;
  before(async () => {
    stack = await startStack();
    [bob, ...users] = await Promise.all(Array.from({ length: 4 }, () => stack.person()));
    record = await uploadFile(stack, bob, 'kept', 'bytes');
  });
  after(() => stack.stop());

  test('are all served, beside requests of another user, and their memory is returned', async () => {
    const idle = kib(stack, 'cgi-gateway', 'VmRSS');
    const open = [];
    for (let i = 0; i < MANY; i++) open.push(await slowPatch(stack, users[i % users.length]));
    for (const { path } of [open[0], open[MANY - 1]]) await arrived(stack, users[open.findIndex((o) => o.path === path) % users.length], path, 1);
    assert.ok(kib(stack, 'cgi-gateway', 'Threads') > MANY);
    const each = (kib(stack, 'cgi-gateway', 'VmRSS') - idle) / MANY;
    assert.ok(each < 72, `${each} KiB for each`);
    for (let i = 0; i < 10; i++) {
      assertStatus(await stack.call('GET', `/download/${record.id}`, { token: bob.token }), 200);
      assertStatus(await stack.call('PUT', `/upload/beside-${i}`, { token: bob.token, body: 'x' }), 201);
    }
    await Promise.all(open.map(({ rest }) => rest()));
    while (open.some(({ received }) => !received().startsWith('HTTP/1.1 '))) await pause(10);
    for (const { received } of open) assert.match(received(), /^HTTP\/1\.1 204/);
    for (const { cut } of open) cut();
    while (kib(stack, 'cgi-gateway', 'Threads') > 64) await pause(50);
    while (kib(stack, 'cgi-gateway', 'VmRSS') > idle + 16 * 1024) await pause(100);
  });

  test('are finished after SIGTERM', async () => {
    const [pid] = stack.processes('cgi-gateway');
    const open = await Promise.all(Array.from({ length: 20 }, () => slowPatch(stack, users[0])));
    for (const { path } of open) await arrived(stack, users[0], path, 1);
    process.kill(pid, 'SIGTERM');
    await stack.logLine('draining');
    await Promise.all(open.map(({ rest }) => rest()));
    while (open.some(({ received }) => !received().startsWith('HTTP/1.1 '))) await pause(10);
    for (const { received } of open) assert.match(received(), /^HTTP\/1\.1 204/);
    for (const { cut } of open) cut();
    await untilExit(pid);
  });
});

describe('one slot, and places for eight', { skip: cgi }, () => {
  let stack, ann, bob, carol;
  before(async () => {
    stack = await startStack({ settings: { THREADS: 1, CONNECTIONS: 11 } }); // three quarters of 11 are 8
    [ann, bob, carol] = await Promise.all([stack.person(), stack.person(), stack.person()]);
  });
  after(() => stack.stop());

  test('a user has half of the places, all users have the places, and others are served meanwhile', async () => {
    const open = [];
    const begin = async (user) => {
      const one = await slowPatch(stack, user);
      open.push(one);
      await arrived(stack, user, one.path, 1);
    };
    for (let i = 0; i < 4; i++) await begin(ann);
    const more = await slowPatch(stack, ann);
    const refused = await more.answer;
    assertProblem(refused, 429, 'too-many-uploads');
    assert.match(refused.json.detail, /CONNECTIONS/);
    assert.ok(refused.headers.get('retry-after') > 0);
    for (let i = 0; i < 4; i++) await begin(bob);
    const last = await slowPatch(stack, carol);
    const full = await last.answer;
    assertProblem(full, 503, 'unavailable');
    assert.match(full.json.detail, /CONNECTIONS/);
    assert.ok(full.headers.get('retry-after') > 0);
    for (let i = 0; i < 5; i++) assertStatus(await stack.call('PUT', `/upload/${i}`, { token: carol.token, body: 'x' }), 201);
    await Promise.all(open.map(({ rest }) => rest()));
    while (open.some(({ received }) => !received().startsWith('HTTP/1.1 '))) await pause(10);
    for (const { received, cut } of open) {
      assert.match(received(), /^HTTP\/1\.1 204/);
      cut();
    }
    await begin(ann);
    open.at(-1).cut();
  });

  test('a short body of nobody that has no place is refused as 503, not as an upload', async () => {
    const open = Array.from({ length: 5 }, () =>
      openRequest(stack, 'POST', '/refresh', { headers: { 'Content-Type': 'application/json', 'Content-Length': 100 } }));
    await Promise.all(open.map(({ send }) => send('{')));
    const refused = await Promise.race(open.map(({ answer }) => answer));
    assertProblem(refused, 503, 'unavailable');
    assert.equal(open.filter(({ received }) => received()).length, 1);
    for (const { cut } of open) cut();
    await Promise.allSettled(open.map(({ answer }) => answer));
  });
});

describe('a body below the least rate', () => {
  const SLOW = 2000; // bytes; at 20 a second
  let stack, ann, file;
  before(async () => {
    stack = await startStack({ settings: { BODY_RATE_BYTES: 500, BODY_RATE_SECONDS: 1 } });
    ann = await stack.person();
    file = await uploadFile(stack, ann, 'kept', 'bytes');
  });
  after(() => stack.stop());

  test('is cut with a 408 that names the limit, and a resumable upload keeps what arrived', { skip: cgi }, async () => {
    const path = await newUpload(stack, ann, 100_000);
    const request = openRequest(stack, 'PATCH', path, {
      token: ann.token, headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': 0, 'Content-Length': 100_000 } });
    await request.send(Buffer.alloc(10, 'x'));
    const answer = await request.answer;
    assertProblem(answer, 408, 'timeout');
    assert.match(answer.json.detail, /BODY_RATE_BYTES.*were kept/);
    assert.equal(await offsetOf(stack, ann, path), 10);
  });

  test('is cut although a byte arrives now and then', { skip: cgi }, async () => {
    const request = openRequest(stack, 'PUT', '/upload/slow', { token: ann.token, headers: { 'Content-Length': 50_000 } });
    while (!request.received()) {
      await request.send('x');
      await pause(50);
    }
    assertProblem(await request.answer, 408, 'timeout');
  });

  // What a route of docs/openapi.yaml needs beside a body, by its method and path: [target, options]
  const JSON_TYPE = { 'Content-Type': 'application/json' };
  const slowRoutes = {
    'post /refresh': () => ['/refresh', { headers: JSON_TYPE }],
    'post /password': () => ['/password', { token: ann.token, headers: JSON_TYPE }],
    'delete /otp': () => ['/otp', { token: ann.token, headers: JSON_TYPE }],
    'post /otp/confirm': () => ['/otp/confirm', { token: ann.token, headers: JSON_TYPE }],
    'post /tokens': () => ['/tokens', { token: ann.token, headers: JSON_TYPE }],
    'post /upload': () => ['/upload?name=slow', { token: ann.token, headers: { 'Content-Type': 'text/plain' } }],
    'put /upload/{name}': () => ['/upload/slow', { token: ann.token }],
    'patch /files/{id}': () => [`/files/${file.id}`, { token: ann.token, headers: JSON_TYPE }],
    'post /files/{id}/links': () => [`/files/${file.id}/links`, { token: ann.token, headers: JSON_TYPE }],
    'post /tus/': () => ['/tus/', { token: ann.token, headers: { ...TUS, 'Upload-Length': SLOW, 'Content-Type': 'application/offset+octet-stream' } }],
    'patch /tus/{id}': async () => [await newUpload(stack, ann, SLOW),
      { token: ann.token, headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': 0 } }],
    'post /upload-links': () => ['/upload-links', { token: ann.token, headers: JSON_TYPE }],
    'post /u/{token}': async () => [`${await uploadLink()}?name=slow`, { headers: { 'Content-Type': 'text/plain' } }],
    'put /u/{token}/{name}': async () => [`${await uploadLink()}/slow`],
  };
  const uploadLink = async () => (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json.url;

  for (const { method, path } of operations.filter(({ statuses }) => statuses.map(String).includes('408')))
    test(`is cut on ${method.toUpperCase()} ${path}`, { skip: cgi }, async () => {
      const [target, { headers, ...options } = {}] = await slowRoutes[`${method} ${path}`]();
      const request = openRequest(stack, method.toUpperCase(), target, { ...options, headers: { ...headers, 'Content-Length': SLOW } });
      while (!request.received()) {
        await request.send(' ');
        await pause(50);
      }
      assertProblem(await request.answer, 408, 'timeout');
    });
});
