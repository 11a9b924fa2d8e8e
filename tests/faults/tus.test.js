// Resumable uploads when something ends in between: the program, the server, the database, the disk, or
// another request. No byte that a HEAD has reported is lost, and the file is what was sent.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Upload } from 'tus-js-client';
import { beginCgi, runCgi } from '../support/cgi.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { startStackWithDatabase } from '../support/database.js';
import { allFiles, sha256 } from '../support/files.js';
import { startProxy } from '../support/proxy.js';
import { untilExit, pause, run, startStack } from '../support/stack.js';
import { TUS, create, newUpload, fileOf, head, openPatch, patch } from '../support/tus.js';

const SIZE = 6 << 20;
const PIECE = 64 << 10;

// No two pieces are equal, and no two uploads.
function content(seed) {
  const bytes = Buffer.alloc(SIZE, `upload ${seed} `);
  for (let at = 0; at < SIZE; at += 512) bytes.writeUInt32LE(at + seed, at);
  return bytes;
}

const data = (stack) => stack.settings('gateway').DATA_DIR;
const entries = (stack, folder) => (existsSync(join(data(stack), folder)) ? readdirSync(join(data(stack), folder), { recursive: true }) : []);
const objects = (stack) => entries(stack, 'objects').filter((path) => path.includes('/'));
const usage = async (stack, person) => (await stack.call('GET', '/usage', { token: person.token })).json;

// The offset by the first HEAD that is answered with 200. For a program that was just killed, it is 423: ask again.
async function waitForOffset(stack, person, path) {
  for (;;) {
    const { status, headers } = await fetch(stack.url + path, { method: 'HEAD', headers: { ...TUS, Authorization: `Bearer ${person.token}` } })
      .catch(() => ({ status: 0 }));
    if (status === 200) return Number(headers.get('upload-offset'));
    assert.ok([0, 423, 500, 503].includes(status), `HEAD: ${status}`);
    await pause(20);
  }
}

// Continue as a client does until the upload is a file, and compare it.
async function complete(stack, person, path, bytes) {
  for (;;) {
    const at = await waitForOffset(stack, person, path);
    if (at === bytes.length) break;
    await patch(stack, person, path, at, bytes.subarray(at)).catch((error) => error.code === 'ERR_ASSERTION' && Promise.reject(error));
  }
  const record = await fileOf(stack, person, path);
  assert.equal(record.size, bytes.length);
  assert.equal(record.sha256, sha256(bytes));
}

// Assert that every row has the correct bytes, and that usage and quota are exact.
async function assertConsistent(stack, person, files) {
  const { code, stdout } = await stack.gatewayAdmin(['verify', '--rate', '0']);
  assert.equal(code, 0, stdout);
  assert.equal((await allFiles(stack, person)).length, files);
  assert.deepEqual(await usage(stack, person), { ...(await usage(stack, person)), bytes: files * SIZE, files });
  assert.doesNotMatch((await stack.gatewayAdmin(['quota', 'recount', '--json'])).stdout, /"owner"/, 'a recount changes nothing');
}

// Send an upload's bytes, with a HEAD after each piece, until `happened(state)`; then run `what`. Returns the path and
// the largest offset that a HEAD has reported.
async function sendUntil(stack, person, bytes, happened, what) {
  const path = await newUpload(stack, person, bytes.length, { name: 'a' });
  const state = { reported: 0, sent: 0, objects: objects(stack).length, answered: false };
  const writer = await openPatch(stack, person, path, 0, bytes.length);
  writer.answer.then(() => { state.answered = true; });
  while (state.sent < bytes.length && !(await happened(state))) {
    await writer.send(bytes.subarray(state.sent, state.sent + PIECE));
    state.sent = Math.min(state.sent + PIECE, bytes.length);
    // the last piece is reported by the answer
    if (state.sent < bytes.length) state.reported = Math.max(state.reported, await waitForOffset(stack, person, path));
  }
  while (!state.answered && !(await happened(state))) await pause(0);
  await what();
  writer.cut();
  return { path, reported: state.reported };
}

const killAll = async (stack, name) => {
  const pids = stack.processes(name);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  await Promise.all(pids.map(untilExit));
};

const placed = (stack) => (state) => objects(stack).length > state.objects;

describe('kill -9', () => {
  let stack, ann;
  let number = 0;
  before(async () => {
    stack = await startStack();
    ann = await stack.person();
  });
  after(() => stack.stop());

  const moments = () => [
    ...[0, 0.3, 0.6, 0.95].map((share) => [`${share * 100} % were reported`, (state) => state.reported >= share * SIZE]),
    ...[0, 2, 5, 10].map((ms) => [`all bytes were sent ${ms} ms ago`, async (state) => state.sent === SIZE && (await pause(ms), true)]),
    ...[0, 1].map((ms) => [`its bytes were in place for ${ms} ms`, async (state) => placed(stack)(state) && (await pause(ms), true)]),
  ];

  test('kill -9 of cgi-gateway at any moment loses no byte that was reported', { skip: process.env.GATEHOUSE_TRANSPORT === 'cgi' }, async () => {
    for (const [when, happened] of moments()) {
      const bytes = content(number++);
      const { path, reported: most } = await sendUntil(stack, ann, bytes, happened, () => killAll(stack, 'cgi-gateway'));
      const at = await waitForOffset(stack, ann, path);
      assert.ok(at >= most, `killed when ${when}: ${most} bytes were reported, and ${at} are there`);
      await complete(stack, ann, path, bytes);
    }
    await assertConsistent(stack, ann, number);
  });

  test('kill -9 of lighttpd at any moment loses no byte that was reported', async () => {
    for (const [when, happened] of moments().filter((_, i) => [1, 4, 8].includes(i))) {
      const bytes = content(number++);
      const { path, reported: most } = await sendUntil(stack, ann, bytes, happened, async () => {
        await killAll(stack, 'lighttpd');
        // everything ends with lighttpd
        await Promise.all(['cgi-gateway', 'cgi-auth', 'mariadbd'].flatMap((name) => stack.processes(name)).map(untilExit));
        await stack.start();
      });
      const at = await waitForOffset(stack, ann, path);
      assert.ok(at >= most, `killed when ${when}: ${most} bytes were reported, and ${at} are there`);
      await complete(stack, ann, path, bytes);
    }
    await assertConsistent(stack, ann, number);
  });

  test('gc removes what kill -9 left', async () => {
    const { code, stderr } = await stack.gatewayAdmin(['gc', '--grace', '0']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(entries(stack, 'incoming'), []);
    await assertConsistent(stack, ann, number);
  });
});

describe('resumable uploads without MariaDB', () => {
  let stack, database, ann;
  let number = 0;
  before(async () => {
    ({ stack, database } = await startStackWithDatabase());
    ann = await stack.person();
  });
  after(async () => {
    await stack.stop();
    await database.stop();
  });

  test('a database that stops during an upload loses no byte; the last one waits for it', async () => {
    const bytes = content(number++);
    const path = await newUpload(stack, ann, SIZE, { name: 'a' });
    const writer = await openPatch(stack, ann, path, 0, SIZE);
    await writer.send(bytes.subarray(0, SIZE / 2));
    while ((await waitForOffset(stack, ann, path)) < SIZE / 2) await pause(10);
    await database.stop();
    await writer.send(bytes.subarray(SIZE / 2));
    assert.equal(await writer.answer, 503);
    assert.match(writer.text, /retry-after/i);
    writer.cut();
    assertStatus(await head(stack, ann, path), 423);
    assertProblem(await patch(stack, ann, path, SIZE, ''), 503, 'unavailable');
    assertProblem(await create(stack, ann, 5), 503, 'unavailable');
    await database.start();
    assert.equal(await waitForOffset(stack, ann, path), SIZE);
    await complete(stack, ann, path, bytes);
  });

  test('a request that does not finish the upload needs no database', async () => {
    const bytes = content(number++);
    const path = await newUpload(stack, ann, SIZE, { name: 'a' });
    const writer = await openPatch(stack, ann, path, 0, SIZE / 2);
    await writer.send(bytes.subarray(0, PIECE));
    while ((await waitForOffset(stack, ann, path)) < PIECE) await pause(10);
    await database.stop();
    await writer.send(bytes.subarray(PIECE, SIZE / 2));
    assert.equal(await writer.answer, 204);
    writer.cut();
    await database.start();
    assert.equal(await waitForOffset(stack, ann, path), SIZE / 2);
    await complete(stack, ann, path, bytes);
  });

  test('a client that asks for the offset without the database asks again and continues', async () => {
    const bytes = content(number++);
    const proxy = await startProxy(stack.url, { every: SIZE / 2, times: 1 });
    const answers = [], sent = [];
    let offset;
    const onBeforeRequest = (request) => {
      const method = request.getMethod();
      if (method !== 'HEAD') sent.push(method === 'PATCH' ? Number(request.getHeader('Upload-Offset')) : method);
      else if (answers.length === 0) return database.stop();
    };
    const onAfterResponse = async (request, response) => {
      if (request.getMethod() !== 'HEAD') return;
      answers.push(response.getStatus());
      offset = Number(response.getHeader('Upload-Offset'));
      if (answers.length === 3) await database.start();
    };
    const url = await new Promise((done, fail) => {
      const one = new Upload(bytes, {
        endpoint: `${proxy.url}/tus/`, headers: { Authorization: `Bearer ${ann.token}` }, retryDelays: Array(20).fill(100),
        onBeforeRequest, onAfterResponse, onSuccess: () => done(one.url), onError: fail,
      });
      one.start();
    }).finally(async () => {
      await database.start();
      await proxy.stop();
    });
    assert.deepEqual(answers, [423, 423, 423, 200]);
    assert.deepEqual(sent, ['POST', 0, offset], 'it does not continue at the offset');
    await complete(stack, ann, new URL(url).pathname, bytes);
  });

  test('a database that is killed while many uploads finish makes each a file, once', async () => {
    for (let round = 0; round < 3; round++) {
      const uploads = await Promise.all(Array.from({ length: 8 }, async () => {
        const bytes = content(number++);
        const path = await newUpload(stack, ann, SIZE, { name: 'a' });
        assertStatus(await patch(stack, ann, path, 0, bytes.subarray(0, SIZE - 1)), 204);
        return { bytes, path };
      }));
      const answers = uploads.map(({ bytes, path }) => patch(stack, ann, path, SIZE - 1, bytes.subarray(SIZE - 1)));
      if (round) await Promise.race(answers);
      await database.stop('SIGKILL');
      for (const answer of answers) assert.ok([204, 503].includes((await answer).status), (await answer).text);
      await database.start();
      for (const { bytes, path } of uploads) await complete(stack, ann, path, bytes);
    }
    await assertConsistent(stack, ann, number);
  });
});

describe('resumable uploads on a full disk', () => {
  const disk = mkdtempSync(join(tmpdir(), 'gatehouse-disk-'));
  let stack, ann, room;
  before(async () => {
    stack = await startStack();
    ann = await stack.person();
    // A disk of 256 KiB in a mount namespace, which any user may create, for this process and those that join it
    room = spawn('unshare', ['--user', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o size=256k tmpfs "$0" && echo ready && exec sleep 600', disk], { stdio: ['ignore', 'pipe', 'ignore'] });
    room.possible = await new Promise((done) => {
      room.stdout.on('data', () => done(true));
      room.on('exit', () => done(false));
    });
  });
  after(async () => {
    room.kill();
    await stack.stop();
    rmSync(disk, { recursive: true });
  });

  const inRoom = () => ['nsenter', '--preserve-credentials', '-t', String(room.pid), '-U', '-m'];
  const ask = (method, path, headers = {}, input) =>
    runCgi(stack, 'cgi-gateway', method, path, {
      input, wrapper: inRoom(),
      variables: { DATA_DIR: disk, SENDFILE: 'none', HTTP_AUTHORIZATION: `Bearer ${ann.token}`, HTTP_TUS_RESUMABLE: '1.0.0', CONTENT_TYPE: 'application/offset+octet-stream', ...headers },
    });

  test('a full disk keeps the bytes that arrived, and the upload continues when there is room', async (t) => {
    if (!room.possible) return t.skip('no namespaces here');
    const bytes = content(0).subarray(0, 1 << 20);
    const made = await ask('POST', '/tus', { HTTP_UPLOAD_LENGTH: String(bytes.length) });
    assertStatus(made, 201);
    const path = made.headers.get('location').replace('/cgi-bin/cgi-gateway', '');
    const offset = async () => Number((await ask('HEAD', path)).headers.get('upload-offset'));

    const full = await ask('PATCH', path, { HTTP_UPLOAD_OFFSET: '0' }, bytes);
    assertProblem(full, 507, 'storage-full');
    assert.match(full.json.detail, /The bytes before that were kept/);
    const at = await offset();
    assert.ok(at > 0 && at <= 256 << 10, String(at));
    assertProblem(await ask('PATCH', path, { HTTP_UPLOAD_OFFSET: String(at) }, bytes.subarray(at)), 507, 'storage-full');

    const [command, ...args] = [...inRoom(), 'mount', '-o', 'remount,size=4m', disk];
    const { code, stderr } = await run(command, args);
    assert.equal(code, 0, stderr);
    const next = await offset();
    assert.ok(next >= at);
    assertStatus(await ask('PATCH', path, { HTTP_UPLOAD_OFFSET: String(next) }, bytes.subarray(next)), 204);
    const file = await ask('GET', path.replace('/tus/', '/download/'));
    assertStatus(file, 200);
    assert.equal(sha256(file.bytes), sha256(bytes));
  });
});

describe('parallel requests as separate processes', () => {
  let stack, ann;
  before(async () => {
    stack = await startStack();
    ann = await stack.person();
  });
  after(() => stack.stop());

  const begin = (path, offset, length) =>
    beginCgi(stack, 'cgi-gateway', 'PATCH', path.replace('/cgi-bin/cgi-gateway', ''), {
      variables: {
        HTTP_AUTHORIZATION: `Bearer ${ann.token}`, HTTP_TUS_RESUMABLE: '1.0.0', CONTENT_TYPE: 'application/offset+octet-stream',
        HTTP_UPLOAD_OFFSET: String(offset), CONTENT_LENGTH: String(length),
      },
    });

  test('requests of separate processes take over from each other and never mix their bytes', async () => {
    const length = 500_000;
    const path = await newUpload(stack, ann, length, { name: 'a' });
    const writers = [];
    let at = 0;
    for (const [letter, bytes] of [['A', 1], ['B', 70_000], ['C', 130_000], ['D', 5]]) {
      const writer = begin(path, at, length - at);
      await writer.send(Buffer.alloc(bytes, letter));
      while ((await waitForOffset(stack, ann, path)) < at + bytes) await pause(5);
      writers.push({ writer, letter, from: at, to: at + bytes });
      at += bytes;
      // earlier writers send more, which is not stored
      for (const older of writers.slice(0, -1)) await older.writer.send(Buffer.alloc(1000, older.letter.toLowerCase()));
      assert.equal(await waitForOffset(stack, ann, path), at);
    }
    for (const { writer } of writers.slice(0, -1)) {
      const answer = await writer.answer;
      assertProblem(answer, 409, 'conflict');
      assert.match(answer.json.detail, /taken over/);
    }
    assertStatus(await writers.at(-1).writer.finish(Buffer.alloc(length - at, 'D')), 204);
    const { text } = await stack.call('GET', path.replace('/tus/', '/download/'), { token: ann.token });
    assert.equal(text, writers.map(({ letter, from, to }, i) => letter.repeat((i === 3 ? length : to) - from)).join(''));
  });

  test('many parallel requests leave runs of one letter, each from an accepted offset', async () => {
    const length = 2_000_000;
    const path = await newUpload(stack, ann, length, { name: 'a' });
    const runs = [];
    await Promise.all([...'ABCDEF'].map(async (letter) => {
      for (let at = await waitForOffset(stack, ann, path); at < length; at = await waitForOffset(stack, ann, path)) {
        const writer = begin(path, at, length - at);
        const bytes = Math.min(length - at, 40_000 + letter.charCodeAt(0) * 1000);
        await writer.send(Buffer.alloc(bytes, letter));
        const answer = await writer.finish();
        // 400: the body ended early, as most do; 409: another offset, or taken over
        assert.ok([204, 400, 409].includes(answer.status), answer.text);
        if (answer.status !== 409) runs.push({ letter, from: at, to: at + bytes });
        else if (!answer.headers.has('upload-offset')) runs.push({ letter, from: at });
      }
    }));
    const { text } = await stack.call('GET', path.replace('/tus/', '/download/'), { token: ann.token });
    assert.equal(text.length, length);
    const starts = new Set(runs.map(({ from }) => from));
    for (let i = 1; i < length; i++) if (text[i] !== text[i - 1]) assert.ok(starts.has(i), `no writer was accepted at ${i}`);
    for (const { letter, from, to } of runs.filter((r) => r.to)) assert.equal(text.slice(from, to), letter.repeat(to - from), 'a run that was not taken over is incomplete');
  });
});

describe('gc in a loop', () => {
  const LIFE = 4;
  let stack, ann, ended = false, sweeps = 0, loop;
  before(async () => {
    stack = await startStack({ settings: { UPLOAD_LIFE: LIFE } });
    ann = await stack.person();
    loop = (async () => {
      while (!ended) {
        const { code, stderr } = await stack.gatewayAdmin(['gc', '--grace', '5']);
        assert.equal(code, 0, stderr);
        sweeps++;
      }
    })();
  });
  after(async () => {
    ended = true;
    await loop;
    await stack.stop();
  });

  const expires = async (path) => Number((await stack.sql('gateway', `SELECT expires_at FROM upload WHERE id = '${path.split('/').at(-1)}'`))[0]?.[0]);

  // True once gc ran three times after the original expiry.
  const outlived = async (path, first) => (await expires(path)) >= first + 3 * LIFE;

  test('gc keeps uploads that progress, however slowly', async () => {
    const slow = async (number, step) => {
      const bytes = content(number);
      const path = await newUpload(stack, ann, SIZE, { name: 'a' });
      const first = await expires(path);
      let at = 0;
      const more = await step(path, bytes);
      while (!(await outlived(path, first))) {
        at = await more(at);
        await pause(100);
      }
      await more(at, SIZE);
      await complete(stack, ann, path, bytes);
    };
    await Promise.all([
      // one long request
      slow(0, async (path, bytes) => {
        const writer = await openPatch(stack, ann, path, 0, SIZE);
        return async (at, to = at + 1) => {
          await writer.send(bytes.subarray(at, to));
          if (to === SIZE) assert.equal(await writer.answer, 204);
          return to;
        };
      }),
      // many small ones
      slow(1, async (path, bytes) => async (at, to = at + 1) => {
        assertStatus(await patch(stack, ann, path, at, bytes.subarray(at, to)), 204);
        return to;
      }),
    ]);
    await assertConsistent(stack, ann, 2);
  });

  test('gc removes abandoned uploads and frees their quota', async () => {
    const eve = await stack.person();
    const paths = await Promise.all([newUpload(stack, eve, SIZE, { name: 'a' }), newUpload(stack, eve, SIZE, { body: 'abc' }), newUpload(stack, eve, null)]);
    assertStatus(await patch(stack, eve, paths[2], 0, 'abc'), 204);
    const broken = await openPatch(stack, eve, paths[0], 0, SIZE);
    await broken.send(Buffer.alloc(PIECE));
    while ((await waitForOffset(stack, eve, paths[0])) < PIECE) await pause(10);
    broken.cut();
    assert.equal((await usage(stack, eve)).bytes, 2 * SIZE + 3);
    for (const path of paths) while ((await head(stack, eve, path)).status !== 404) await pause(100);
    const { bytes, files } = await usage(stack, eve);
    assert.deepEqual([bytes, files], [0, 0]);
    assert.deepEqual(entries(stack, 'incoming'), []);
    assert.ok(sweeps > 3, 'gc did not run all the time');
  });
});
