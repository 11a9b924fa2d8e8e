// Webhooks: gateway-admin deliver and events, against real receivers that fail in every way known to us
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { schemaErrors } from '../support/contract.js';
import { uploadFile, sha256 } from '../support/files.js';
import { commandsOf } from '../support/manual.js';
import { filePart, form, formType } from '../support/multipart.js';
import { accept, respondWith, inTurn, hangUp, isSigned, neverRespond, WebhookReceiver } from '../support/webhook-receiver.js';
import { build, run, sanitizerLines, startStack, useStack } from '../support/stack.js';
import { create, newUpload, terminate, patch } from '../support/tus.js';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const [left, right] = await Promise.all([WebhookReceiver.start(), WebhookReceiver.start()]);
const stack = await startStack({ settings: { EVENT_URLS: `${left.url} ${right.url}`, EVENT_SECRET: SECRET, EVENT_TIMEOUT: 60 } });
after(() => Promise.all([stack.stop(), left.stop(), right.stop()]));

let ann;
before(async () => {
  ann = await stack.person();
});
beforeEach(async () => {
  await events('forget', '--all');
  left.reset();
  right.reset();
});

// --- commands, optionally with other settings

const admin = async (args, env = {}) => {
  const result = await run(join(build, 'gateway-admin'), args.map(String), { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), ...env } });
  assert.deepEqual(sanitizerLines(result.stderr), []);
  return result;
};
const json = async (args, env) => {
  const { code, stdout, stderr } = await admin([...args, '--json'], env);
  assert.ok(code === 0 || code === 1, `${args.join(' ')}: ${code} ${stderr}`);
  return { code, ...JSON.parse(stdout) };
};
const events = (...args) => json(['events', ...args]);
const listEvents = async (...args) => (await events('list', ...args)).events;
const deliver = (env) => json(['deliver'], env);
const SHORT_TIMEOUT = { EVENT_TIMEOUT: '1' }; // for receivers that never answer
// Makes all waiting events due now.
const makeDue = () => events('retry', '--all');
const all = ({ receivers }, key) => receivers.map((r) => r[key]);

// Deliver until no event waits.
async function deliverAll(env) {
  for (let passes = 0; passes < 200; passes++) {
    const report = await deliver(env);
    if (all(report, 'waiting').every((n) => n === 0)) return report;
    await makeDue();
  }
  throw new Error('events still wait after 200 passes');
}

const remove = async ({ id }) => assertStatus(await stack.call('DELETE', `/files/${id}`, { token: ann.token }), 204);
const upload = (name = 'a', content = 'hello', options) => uploadFile(stack, ann, name, content, options);
const uploads = (count) => Promise.all(Array.from({ length: count }, (_, i) => upload(`n${i}`)));

const ONCE_OR_MORE = /^uploaded( uploaded)* deleted( deleted)*$/;

function assertGenuine(receiver) {
  for (const one of receiver.requests) {
    assert.ok(isSigned(one, SECRET), JSON.stringify(one.headers));
    assert.ok(Math.abs(one.sent - Date.now() / 1000) < 300);
    assert.deepEqual(schemaErrors(['components', 'schemas', 'FileEvent'], one.json), []);
    const [kind, file] = one.id.split('_');
    assert.deepEqual([one.json.type, one.json.data.id], [`file.${kind}`, file]);
  }
}

// --- which events are sent

describe('events', () => {
  test('each upload, deletion and expiry is an event with all properties of the file', async () => {
    const first = await upload('ä "b".txt', 'hello', { type: 'text/plain', query: '?expires_in=1000' });
    const second = await upload('c', '');
    const renamed = await stack.call('PATCH', `/files/${second.id}`, { token: ann.token, json: { name: 'new name' } });
    assertStatus(renamed, 200);
    await remove(second);
    await stack.sql('gateway', `UPDATE file SET expires_at=1 WHERE id='${first.id}'`);
    assert.equal((await json(['gc'])).expired, 1);
    assert.equal((await json(['gc'])).expired, 0);

    const report = await deliver();
    assert.equal(report.code, 0);
    assert.deepEqual(report.receivers, [left, right].map(({ url }) => ({ url, delivered: 4, failed: 0, died: 0, waiting: 0, dead: 0 })));
    for (const receiver of [left, right]) {
      assertGenuine(receiver);
      assert.equal(receiver.acceptedEvents(first.id), 'uploaded expired');
      assert.equal(receiver.acceptedEvents(second.id), 'uploaded deleted');
      const [uploaded, expired] = receiver.requests.filter((a) => a.json.data.id === first.id).map((a) => a.json.data);
      const { url, ...record } = first;
      assert.deepEqual(uploaded, { ...record, owner: ann.id, owner_email: ann.email });
      assert.deepEqual(expired, { ...uploaded, expires_at: '1970-01-01T00:00:01Z' });
      const [was, deleted] = receiver.requests.filter((a) => a.json.data.id === second.id).map((a) => a.json);
      assert.equal(was.data.name, 'c');
      assert.deepEqual(deleted.data, { ...was.data, name: 'new name' });
      assert.equal(deleted.data.sha256, sha256(''));
      assert.ok(deleted.sequence > was.sequence);
    }
    assert.deepEqual(left.requests.map((a) => a.id).sort(), right.requests.map((a) => a.id).sort());
    const { method, path, headers } = left.requests[0];
    assert.deepEqual([method, path, headers['content-type']], ['POST', '/hook', 'application/json']);
    assert.match(headers['user-agent'], /^gatehouse\//);
    assert.equal(headers.expect, undefined);

    // an accepted event is not sent again
    assert.deepEqual(all(await deliver(), 'delivered'), [0, 0]);
    assert.equal(left.requests.length, 4);
  });

  test('each file of a form is an event, with its owner even if an admin sends it', async () => {
    const root = await stack.person({ admin: true });
    const posted = await stack.call('POST', `/upload?owner=${ann.id}`,
      { token: root.token, headers: { 'Content-Type': formType() }, body: form(filePart('a', 'aa'), filePart('b', 'bbb')) });
    assertStatus(posted, 201);
    for (const { id } of posted.json.files) assertStatus(await stack.call('DELETE', `/files/${id}?owner=${ann.id}`, { token: root.token }), 204);
    assert.deepEqual(all(await deliver(), 'delivered'), [4, 4]);
    for (const { id } of posted.json.files) assert.equal(left.acceptedEvents(id), 'uploaded deleted');
    assert.ok(left.requests.every(({ json: { data } }) => data.owner === ann.id && data.owner_email === ann.email));
  });

  test('a resumable upload and an upload by link are events when they complete', async () => {
    const whole = await newUpload(stack, ann, 5, { name: 'tus.txt', body: 'hel' });
    assertStatus(await patch(stack, ann, whole, 3, 'lo'), 204);
    const parts = [];
    for (const body of ['ab', 'c']) parts.push(await newUpload(stack, ann, body.length, { headers: { 'Upload-Concat': 'partial' }, body }));
    const joined = await create(stack, ann, undefined, { name: 'joined', headers: { 'Upload-Length': undefined, 'Upload-Concat': `final;${parts.join(' ')}` } });
    assertStatus(joined, 201);
    const unfinished = await newUpload(stack, ann, 5, { body: 'hel' });
    assertStatus(await terminate(stack, ann, unfinished), 204);
    assertStatus(await terminate(stack, ann, whole), 204);

    const link = await stack.call('POST', '/upload-links', { token: ann.token, json: { max_files: 1 } });
    assertStatus(link, 201);
    const there = new URL(link.json.url, stack.url).pathname;
    assertStatus(await stack.call('PUT', `${there}/from-outside`, { body: 'hello' }), 201);
    assertProblem(await stack.call('PUT', `${there}/too-much`, { body: 'hello' }), 410, 'gone');

    await deliver();
    assertGenuine(left);
    const received = left.requests.map(({ json: { type, data } }) => [type, data.name, data.sha256, data.owner, data.upload_link]);
    assert.deepEqual(received.sort(), [
      ['file.deleted', 'tus.txt', sha256('hello'), ann.id, null],
      ['file.uploaded', 'from-outside', sha256('hello'), ann.id, link.json.id],
      ['file.uploaded', 'joined', sha256('abc'), ann.id, null],
      ['file.uploaded', 'tus.txt', sha256('hello'), ann.id, null],
    ]);
  });

  test('a refused upload is no event', async () => {
    const bob = await stack.person();
    await json(['quota', 'set', bob.id, '--files', '1']);
    const put = (query, body = 'x') => stack.call('PUT', `/upload/a${query}`, { token: bob.token, body });
    assertProblem(await put(`?sha256=${'0'.repeat(64)}`), 422, 'digest-mismatch');
    assertProblem(await put('?expires_in=x'), 422, 'invalid-value');
    const two = form(filePart('a', 'a'), filePart('b', 'b'));
    assertProblem(await stack.call('POST', '/upload', { token: bob.token, headers: { 'Content-Type': formType() }, body: two }), 507, 'quota-exceeded');
    assertStatus(await put(''), 201);
    assertProblem(await put(''), 507, 'quota-exceeded');
    assertProblem(await stack.call('DELETE', '/files/01890000-0000-7000-8000-000000000000', { token: bob.token }), 404, 'not-found');
    assert.deepEqual(await stack.sql('gateway', 'SELECT kind FROM event'), [['uploaded'], ['uploaded']]);
  });

  test('an event is signed with both secrets during a change of secret', async () => {
    await upload();
    const next = randomBytes(24).toString('hex'); // characters, not base64
    await deliver({ EVENT_SECRET: `${next} ${SECRET}` });
    for (const one of [...left.requests, ...right.requests]) {
      assert.ok(isSigned(one, SECRET));
      assert.ok(isSigned(one, next));
      assert.ok(!isSigned(one, `${next}x`));
      assert.ok(!isSigned({ ...one, body: Buffer.concat([one.body, Buffer.from(' ')]) }, next));
    }
    assert.equal(left.requests.length, 1);
  });
});

test('the verification code in docs/webhooks.md accepts a genuine event only', async () => {
  const [[js], [sh]] = ['js', 'sh'].map((language) => commandsOf('docs/webhooks.md', '## What a target receives', language));
  const { isGenuine } = await import(`data:text/javascript;base64,${Buffer.from(js).toString('base64')}`);
  await upload();
  await deliver();
  const [{ headers, body }] = left.requests;
  const other = { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) };
  assert.equal(isGenuine(headers, body, SECRET), true);
  assert.equal(isGenuine(other, body, SECRET), false);
  assert.equal(isGenuine(headers, body, SECRET, Date.now() / 1000 + 600), false);
  assert.equal(isGenuine({}, body, SECRET), false);

  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-hook-'));
  writeFileSync(join(folder, 'body'), body);
  for (const [sent, output] of [[headers, 'genuine\n'], [other, 'forged\n']]) {
    const env = { EVENT_SECRET: SECRET, id: sent['webhook-id'], timestamp: sent['webhook-timestamp'], signature: sent['webhook-signature'] };
    assert.equal((await run('sh', ['-eu', '-c', sh], { env, cwd: folder })).stdout, output);
  }
  rmSync(folder, { recursive: true });
});

test('no event is written without EVENT_URLS, and deliver reports that it is not set', async () => {
  const plain = await useStack();
  const bob = await plain.person();
  const { id } = await uploadFile(plain, bob, 'a', 'hello');
  assertStatus(await plain.call('DELETE', `/files/${id}`, { token: bob.token }), 204);
  assert.deepEqual(await plain.sql('gateway', `SELECT COUNT(*) FROM event WHERE file_id='${id}'`), [['0']]);
  const { code, stderr } = await plain.gatewayAdmin(['deliver']);
  assert.equal(code, 78);
  assert.match(stderr, /EVENT_URLS is not set/);
});

// --- receivers that fail

describe('a receiver', () => {
  test('a receiver that fails half of the time gets everything, in order for each file', async () => {
    left.respond = inTurn(accept, respondWith(500), accept, hangUp, accept, respondWith(503), accept, neverRespond);
    const files = await uploads(24);
    await Promise.all(files.map(remove));
    await deliverAll(SHORT_TIMEOUT);
    for (const receiver of [left, right]) {
      assertGenuine(receiver);
      for (const { id } of files) {
        // no later event of a file is sent before the first is accepted
        const taken = receiver.acceptedEvents(id);
        assert.match(taken, ONCE_OR_MORE);
        const arrived = receiver.requests.filter((a) => a.json.data.id === id);
        const began = arrived.findIndex((a) => a.accepted);
        assert.ok(arrived.slice(0, began + 1).every((a) => a.json.type === 'file.uploaded'));
      }
    }
    assert.equal(right.requests.length, 48);
    assert.ok(left.requests.length > 60);
  });

  test('a dead receiver delays no other, and gets a few requests rather than one for each file', async () => {
    left.respond = neverRespond;
    await uploads(30);
    const report = await deliver(SHORT_TIMEOUT);
    assert.deepEqual(all(report, 'delivered'), [0, 30]);
    assert.deepEqual(all(report, 'waiting'), [30, 0]);
    const requests = report.receivers[0].failed;
    assert.ok(requests >= 8 && requests < 12, `${requests} requests`);
    const [{ attempts, why }] = (await listEvents('--receiver', left.url)).filter((e) => e.attempts > 0);
    assert.equal(attempts, 1);
    assert.match(why, /timed out/i);
    left.respond = accept;
    assert.deepEqual(all(await deliverAll(), 'dead'), [0, 0]);
    assert.equal(new Set(left.requests.filter((a) => a.accepted).map((a) => a.id)).size, 30);
  });

  test('a receiver that cannot be reached counts as failed', async () => {
    const stopped = await WebhookReceiver.start();
    await stopped.stop();
    const { id } = await upload();
    await stack.sql('gateway', `UPDATE event SET receiver='${stopped.url}' WHERE receiver='${left.url}'`);
    const report = await deliver({ EVENT_URLS: `${stopped.url} ${right.url}` });
    assert.deepEqual(all(report, 'waiting'), [1, 0]);
    assert.match((await listEvents())[0].why, /connect/i);
    assert.equal(right.acceptedEvents(id), 'uploaded');
  });

  test('a receiver that fails for one file gets the others; that file\'s next event waits', async () => {
    const [bad, good] = await uploads(2);
    await remove(bad);
    await remove(good);
    left.respond = (one, response, n) => (one.json.data.id === bad.id ? respondWith(500) : accept)(one, response, n);
    assert.deepEqual(all(await deliver(), 'waiting'), [2, 0]);
    assert.equal(left.acceptedEvents(good.id), 'uploaded deleted');
    assert.equal(right.acceptedEvents(bad.id), 'uploaded deleted');
    // a failed event is not due again at once
    assert.deepEqual(all(await deliver(), 'failed'), [0, 0]);
    const waiting = await listEvents('--receiver', left.url);
    assert.deepEqual(waiting.map((e) => [e.kind, e.attempts, e.why]), [['uploaded', 1, 'HTTP 500'], ['deleted', 0, '']]);
    left.reset();
    await deliverAll();
    assert.equal(left.acceptedEvents(bad.id), 'uploaded deleted');
  });

  test('a receiver that refuses many events still gets those that it accepts', async () => {
    const refused = new Set((await uploads(30)).map(({ id }) => id));
    const { id } = await upload('fine');
    left.respond = (one, response) => (refused.has(one.json.data.id) ? respondWith(422) : accept)(one, response);
    const [{ delivered, failed }] = (await deliver()).receivers;
    assert.deepEqual([delivered, failed], [1, 30]);
    assert.equal(left.acceptedEvents(id), 'uploaded');
  });

  for (const status of [199, 201, 299, 300, 304, 400, 401, 404, 410, 429, 500, 599])
    test(`a receiver that answers ${status} has ${status > 199 && status < 300 ? '' : 'not '}accepted the event`, async () => {
      // written by hand, because a Node server cannot send 199
      left.respond = (one, response) => response.socket.end(`HTTP/1.1 ${status} x\r\ncontent-length: 0\r\n\r\n`);
      await upload();
      const ok = status > 199 && status < 300;
      const [{ delivered, failed }] = (await deliver()).receivers;
      assert.deepEqual([delivered, failed], ok ? [1, 0] : [0, 1]);
      if (!ok && status >= 200) assert.equal((await listEvents())[0].why, `HTTP ${status}`);
    });

  test('a redirect of a receiver is not followed', async () => {
    left.respond = respondWith(307, { Location: right.url });
    await upload();
    assert.deepEqual(all(await deliver(), 'failed'), [1, 0]);
    assert.equal(left.requests.length + right.requests.length, 2);
    assert.equal((await listEvents())[0].why, 'HTTP 307');
  });

  test('Retry-After of a receiver is honoured, up to a limit', async () => {
    left.respond = respondWith(503, { 'Retry-After': '600' });
    await upload();
    await deliver();
    const pause = async () => {
      const [{ due_at: due, at }] = await listEvents();
      return (Date.parse(due) - Date.parse(at)) / 1000;
    };
    assert.ok((await pause()) >= 600);
    left.respond = respondWith(429, { 'Retry-After': '999999999' });
    await makeDue();
    await deliver();
    assert.ok((await pause()) >= 3600 && (await pause()) < 4000);
  });

  test('a 200 with an endless body counts as accepted, an endless head as failed', async () => {
    const talk = (response, line) => {
      const more = () => {
        while (!response.socket.destroyed && response.socket.write(line));
        if (!response.socket.destroyed) response.socket.once('drain', more);
      };
      more();
    };
    left.respond = (one, response) => {
      response.socket.write('HTTP/1.1 200 OK\r\n\r\n');
      talk(response, 'talk '.repeat(1000));
    };
    right.respond = (one, response) => {
      response.socket.write('HTTP/1.1 200 OK\r\n');
      talk(response, `x-more: ${'x'.repeat(1000)}\r\n`);
    };
    await upload();
    const report = await deliver();
    assert.deepEqual(all(report, 'delivered'), [1, 0]);
    assert.deepEqual(all(report, 'waiting'), [0, 1]);
    assert.match((await listEvents())[0].why, /header of the response is too long/);
  });

  test('a receiver that breaks off in the middle of its answer has not accepted the event', async () => {
    left.respond = (one, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('half', () => response.destroy());
    };
    await upload();
    assert.deepEqual(all(await deliver(), 'failed'), [1, 0]);
  });

  test('a receiver by https needs a certificate of a known authority', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert,
      '-days', '2', '-subj', '/CN=receiver', '-addext', 'subjectAltName=IP:127.0.0.1']);
    assert.equal(made.code, 0, made.stderr);
    const secure = await WebhookReceiver.start({ create: createTlsServer, tls: { key: readFileSync(key), cert: readFileSync(cert) } });
    try {
      const { id } = await upload();
      await stack.sql('gateway', `UPDATE event SET receiver='${secure.url}' WHERE receiver='${left.url}'`);
      const env = { EVENT_URLS: `${secure.url} ${right.url}` };
      assert.deepEqual(all(await deliver(env), 'failed'), [1, 0]);
      assert.match((await listEvents())[0].why, /certificate/i);
      assert.equal(secure.requests.length, 0);
      await makeDue();
      assert.deepEqual(all(await deliver({ ...env, EVENT_CA: cert }), 'delivered'), [1, 0]);
      assert.equal(secure.acceptedEvents(id), 'uploaded');
    } finally {
      await secure.stop();
      rmSync(folder, { recursive: true });
    }
  });
});

// --- processes

// deliver as a separate process; its log is its stderr
function startDeliver(...args) {
  const env = { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') };
  const child = spawn(join(build, 'gateway-admin'), ['deliver', '--json', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const text = async (stream) => Buffer.concat(await stream.toArray()).toString();
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  child.done = Promise.all([ended, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => {
    assert.deepEqual(sanitizerLines(stderr), []);
    return { code, stdout, stderr };
  });
  return child;
}

describe('deliver', () => {
  test('deliver that is killed during a request loses no event and sends it again', async () => {
    const files = await uploads(20);
    await Promise.all(files.map(remove));
    for (const moment of [1, 3, 7, 12]) {
      left.reset();
      left.respond = (one, response, n) => (n < moment ? accept : neverRespond)(one, response);
      const child = startDeliver();
      await Promise.race([left.waitFor(moment), child.done]);
      child.kill('SIGKILL');
      assert.equal((await child.done).code, 'SIGKILL');
      // the event in flight stays claimed for a while
      const unanswered = left.requests.filter((a) => !a.accepted).map((a) => a.id);
      left.reset();
      left.respond = inTurn(respondWith(500));
      await deliver();
      for (const id of unanswered) assert.ok(!left.requests.some((a) => a.id === id), id);
      await makeDue();
      const waiting = await listEvents('--receiver', left.url);
      for (const id of unanswered) assert.ok(waiting.some((e) => `${e.kind}_${e.file}` === id), id);
    }
    left.reset();
    await deliverAll();
    assert.deepEqual(await listEvents(), []);
    for (const { id } of files) assert.match(right.acceptedEvents(id), ONCE_OR_MORE);
  });

  test('deliver that is killed at any moment sends every event at least once', async () => {
    const files = await uploads(20);
    await Promise.all(files.map(remove));
    for (let moment = 1; moment < 40; moment += 5) {
      const before = left.requests.length;
      const child = startDeliver();
      const ended = child.done;
      await Promise.race([left.waitFor(before + moment), ended]);
      child.kill('SIGKILL');
      await ended;
      await makeDue();
    }
    await deliverAll();
    assertGenuine(left);
    for (const { id } of files) {
      assert.match(left.acceptedEvents(id), ONCE_OR_MORE);
      assert.match(right.acceptedEvents(id), ONCE_OR_MORE);
    }
  });

  test('several deliver processes send each event once, and in order', async () => {
    const files = await uploads(40);
    await Promise.all(files.map(remove));
    const ends = await Promise.all(Array.from({ length: 4 }, () => startDeliver().done));
    assert.deepEqual(ends.map(({ code, stderr }) => [code, stderr]), Array(4).fill([0, '']));
    const delivered = ends.map(({ stdout }) => all(JSON.parse(stdout), 'delivered'));
    // a pass may end while another process has the first event of a file in flight
    const rest = await deliver();
    for (const side of [0, 1]) assert.equal([...delivered, all(rest, 'delivered')].reduce((sum, d) => sum + d[side], 0), 80);
    assert.equal(left.requests.length, 80);
    for (const { id } of files) assert.equal(left.acceptedEvents(id), 'uploaded deleted');
  });

  test('deliver --follow sends events as they happen; SIGTERM ends it after the requests in flight', async () => {
    const child = startDeliver('--follow');
    const first = await upload();
    await Promise.all([left.waitFor(1), right.waitFor(1)]);
    await remove(first);
    await Promise.all([left.waitFor(2), right.waitFor(2)]);
    assert.equal(left.acceptedEvents(first.id), 'uploaded deleted');

    let finish;
    left.respond = (one, response) => new Promise((done) => {
      finish = () => done(accept(one, response));
    });
    await upload();
    await Promise.all([left.waitFor(3), right.waitFor(3)]);
    child.kill('SIGTERM');
    await upload('too late');
    finish();
    const { code, stdout, stderr } = await child.done;
    assert.deepEqual([code, stderr], [0, '']);
    const report = JSON.parse(stdout);
    assert.equal(report.receivers[0].delivered, 3);
    assert.equal(left.requests.length, 3);
    assert.deepEqual(all(report, 'waiting'), [1, 1]);
    left.respond = accept;
    assert.deepEqual(all(await deliver(), 'delivered'), [1, 1]);
  });

  test('deliver --follow pauses a receiver that fails; SIGINT ends it at once if no request is in flight', async () => {
    left.respond = respondWith(503);
    const child = startDeliver('--follow');
    await uploads(20);
    await right.waitFor(20);
    await left.waitFor(8);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await child.done;
    assert.equal(code, 0);
    const [{ failed, waiting }] = JSON.parse(stdout).receivers;
    assert.ok(failed >= 8 && failed < 12, `${failed} requests`);
    assert.equal(waiting, 20);
    const lines = stderr.trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(lines.length, failed);
    assert.deepEqual([lines[0].event, lines[0].receiver, lines[0].why], ['event-failed', left.url, 'HTTP 503']);
    assert.ok(!stderr.includes(SECRET));
  });

  test('deliver gives up an event after days of failures, reports it, and retries it on command', async () => {
    const { id } = await upload('poison');
    await remove({ id });
    left.respond = respondWith(500);
    await deliver();
    await stack.sql('gateway', `UPDATE event SET due_at=0, tried_at=tried_at-3*86400 WHERE receiver='${left.url}'`);
    const report = await deliver();
    assert.equal(report.code, 1);
    assert.deepEqual([report.receivers[0].died, report.receivers[0].dead], [1, 1]);
    // the deletion no longer waits, and fails as well
    assert.deepEqual(left.requests.map((a) => a.json.type), ['file.uploaded', 'file.uploaded', 'file.deleted']);
    const [dead] = await listEvents('--dead');
    assert.deepEqual([dead.file, dead.kind, dead.attempts, dead.why, dead.name], [id, 'uploaded', 2, 'HTTP 500', 'poison']);
    assert.notEqual(dead.dead_at, null);
    const text = (await admin(['events', 'list'])).stdout;
    assert.match(text, new RegExp(`${left.url}: 1 waiting, 1 dead`));
    assert.match(text, /"poison".*dead after 2 attempts: HTTP 500\n/);

    left.reset();
    assert.equal((await deliver()).code, 1);
    assert.deepEqual(left.requests, []);
    // a service that ends on SIGTERM has not failed
    const child = startDeliver('--follow');
    await upload();
    await right.waitFor(right.requests.length + 1);
    child.kill('SIGTERM');
    assert.equal((await child.done).code, 0);
    assert.equal((await events('retry', '--dead')).retried, 1);
    await deliverAll();
    assert.equal(left.acceptedEvents(id), 'uploaded deleted');
    assert.equal((await deliver()).code, 0);
  });
});

// --- the operator

describe('gateway-admin events', () => {
  test('events list shows all events, or those of one receiver', async () => {
    await uploads(3);
    const { receivers, events: rows } = await events('list', '--limit', '4');
    assert.deepEqual(receivers.map(({ url, configured, waiting, dead }) => [url, configured, waiting, dead]),
      [left.url, right.url].sort().map((url) => [url, true, 3, 0]));
    assert.ok(receivers.every((r) => Math.abs(Date.parse(r.oldest_at) - Date.now()) < 300000));
    assert.equal(rows.length, 4);
    assert.equal((await listEvents('--receiver', left.url)).length, 3);
    assert.deepEqual(await listEvents('--dead'), []);
    assert.deepEqual((await listEvents('--id', rows[1].id)).map((e) => e.id), [rows[1].id]);
    const { stdout } = await admin(['events', 'list']);
    assert.equal(stdout.match(/not tried yet\n/g).length, 6);
  });

  test('events forget removes waiting events', async () => {
    await uploads(3);
    const [{ id }] = await listEvents('--receiver', right.url);
    assert.equal((await events('forget', '--id', id)).forgotten, 1);
    assert.equal((await events('forget', '--receiver', left.url)).forgotten, 3);
    assert.equal((await events('forget', '--dead')).forgotten, 0);
    assert.match((await admin(['events', 'retry', '--all'])).stdout, /^2 events will be retried\n$/);
    assert.deepEqual(all(await deliver(), 'delivered'), [0, 2]);
  });

  test('events of a receiver that is no longer configured are listed, and removed by gc after a month', async () => {
    await upload();
    const env = { EVENT_URLS: right.url };
    const text = (await admin(['events', 'list'], env)).stdout;
    assert.match(text, new RegExp(`${left.url}: 1 waiting, 0 dead; not in EVENT_URLS\n`));
    await deliver(env);
    assert.deepEqual(left.requests, []);
    assert.equal((await json(['gc'], env)).events, 0);
    await stack.sql('gateway', 'UPDATE event SET at=at-30*86400');
    assert.equal((await json(['gc'])).events, 0);
    assert.equal((await json(['gc', '--dry-run'], env)).events, 1);
    assert.equal((await json(['gc'], env)).events, 1);
    assert.deepEqual(await listEvents(), []);
  });

  test('wrong usage of events and deliver exits 64 and points to --help', async () => {
    for (const args of [[], ['x'], ['retry'], ['forget'], ['forget', '--json'], ['list', '--limit', '0'], ['list', '--limit', '1001'], ['list', 'x'], ['retry', '--id', 'x']]) {
      const { code, stderr } = await admin(['events', ...args]);
      assert.equal(code, 64, args.join(' '));
      assert.match(stderr, /^gateway-admin .*--help\n$/);
    }
    assert.equal((await admin(['deliver', 'x'])).code, 64);
    for (const command of ['events', 'deliver']) assert.match((await admin([command, '--help'])).stdout, /Exit status/);
  });
});

test('a new receiver gets only events from then on', async () => {
  await upload('before');
  const late = await WebhookReceiver.start();
  try {
    const env = { EVENT_URLS: `${left.url} ${right.url} ${late.url}` };
    assert.deepEqual(all(await deliver(env), 'delivered'), [1, 1, 0]);
    assert.equal(late.requests.length, 0);
  } finally {
    await late.stop();
  }
});

describe('invalid settings', () => {
  const cases = [
    ['ftp://a/', 'http://', { EVENT_URLS: 'ftp://a/' }],
    ['a password in an address', 'user or password', { EVENT_URLS: 'http://ann:s3cret@a/' }],
    ['an address twice', 'twice', { EVENT_URLS: 'http://a http://a' }],
    ['a short secret', 'too few', { EVENT_SECRET: 's3cret' }],
    ['a secret that is no base64', 'base64', { EVENT_SECRET: 'whsec_s3cret!' }],
    ['a timeout of zero', 'EVENT_TIMEOUT', { EVENT_TIMEOUT: '0' }],
  ];
  for (const [name, message, env] of cases)
    test(`${name} is reported by both programs, which exit 78`, async () => {
      for (const [program, args] of [['gateway-admin', ['deliver']], ['gateway-admin', ['stat']], ['cgi-gateway', ['--check']]]) {
        const { code, stderr } = await run(join(build, program), args, { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), ...env } });
        assert.equal(code, 78, program);
        assert.ok(stderr.includes(message), stderr);
        assert.ok(!stderr.includes('s3cret'), stderr);
      }
    });

  test('commands that only read rows work without a usable DATA_DIR', async () => {
    await upload();
    for (const command of ['deliver', 'events list', 'quota recount', 'stat'])
      assert.deepEqual([0, ''], await admin(command.split(' '), { DATA_DIR: '/proc/files' }).then(({ code, stderr }) => [code, stderr]), command);
    assert.equal(left.requests.length, 1);
    for (const command of ['gc', 'verify']) assert.equal((await admin([command], { DATA_DIR: '/proc/files' })).code, 78, command);
  });

  function withoutSecret() {
    const conf = stack.path('conf', 'other.env');
    const lines = readFileSync(stack.path('conf', 'gateway.env'), 'utf8').split('\n').filter((line) => !line.startsWith('EVENT_SECRET'));
    writeFileSync(conf, lines.join('\n'));
    return conf;
  }

  test('a missing EVENT_SECRET stops deliver, and nothing else', async () => {
    const conf = withoutSecret();
    const refused = await admin(['deliver'], { GATEHOUSE_CONF: conf });
    assert.equal(refused.code, 78);
    assert.match(refused.stderr, /EVENT_SECRET: missing/);
    for (const args of [['gc'], ['events', 'list']]) assert.equal((await admin(args, { GATEHOUSE_CONF: conf })).code, 0);
    assert.equal((await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: conf } })).code, 0);
  });

  test('EVENT_SECRET can be read from a file', async () => {
    const conf = withoutSecret();
    const file = stack.path('conf', 'event.secret');
    writeFileSync(file, `${SECRET}\n`);
    await upload();
    await deliver({ GATEHOUSE_CONF: conf, EVENT_SECRET_FILE: file });
    assertGenuine(left);
    assert.equal(left.requests.length, 1);
    const check = await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: conf, EVENT_SECRET_FILE: file } });
    assert.match(check.stdout, /^EVENT_SECRET=\(set\)$/m);
    assert.ok(!check.stdout.includes(SECRET));
  });
});
