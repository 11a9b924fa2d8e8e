// deploy/examples/converter: real events, real videos, ffmpeg
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Converter as Work } from '../../deploy/examples/converter/convert.js';
import { assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { documents, schemaFaults } from '../support/kubernetes.js';
import { freePort } from '../support/ports.js';
import { build, repository, run, startStack } from '../support/stack.js';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-converter-'));
const port = await freePort();
const stack = await startStack({ settings: { EVENT_URLS: `http://127.0.0.1:${port}/files`, EVENT_SECRET: SECRET } });
after(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const jobs = join(folder, 'jobs');
const deliver = () => run(join(build, 'gateway-admin'), ['deliver'], { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env') } });

// A program that has started, with its log lines
class Converter {
  lines = [];
  #waiting = [];

  static async start(env = {}) {
    const converter = new Converter();
    converter.child = spawn(process.execPath, [join(repository, 'deploy/examples/converter/converter.js')], {
      env: { PATH: process.env.PATH, GATEHOUSE_URL: stack.url, GATEHOUSE_TOKEN_FILE: join(folder, 'token'), EVENT_SECRET: SECRET,
        CONVERTER_DIR: jobs, CONVERTER_LISTEN: `127.0.0.1:${port}`, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    converter.ended = new Promise((done) => converter.child.on('close', (code, signal) => done(code ?? signal)));
    let text = '';
    converter.child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      for (let end; (end = text.indexOf('\n')) >= 0; text = text.slice(end + 1)) converter.lines.push(JSON.parse(text.slice(0, end)));
      for (const look of converter.#waiting) look();
    });
    await converter.line((one) => one.what === 'ready');
    return converter;
  }

  // The first line for which `wanted` is true, now or later
  line(wanted) {
    return new Promise((done) => {
      const look = () => {
        const found = this.lines.find(wanted);
        if (!found) return;
        this.#waiting = this.#waiting.filter((one) => one !== look);
        done(found);
      };
      this.#waiting.push(look);
      look();
    });
  }

  async stop(signal = 'SIGTERM') {
    this.child.kill(signal);
    return this.ended;
  }
}

async function successful(program, ...args) {
  const { code, stdout, stderr } = await run(program, ['-loglevel', 'error', ...args]);
  assert.equal(code, 0, stderr);
  return stdout;
}

let ann;
let root;
let video;
before(async () => {
  ann = await stack.person();
  root = await stack.person({ admin: true });
  const made = await stack.call('POST', '/tokens', { token: root.token, json: { name: 'converter', scope: 'files:read files:write admin' } });
  assertStatus(made, 201);
  writeFileSync(join(folder, 'token'), `${made.json.token}\n`);
  mkdirSync(jobs);
  const path = join(folder, 'video.mp4');
  await successful('ffmpeg', '-f', 'lavfi', '-i', 'testsrc=duration=2:size=160x120:rate=10', '-f', 'lavfi', '-i', 'sine=duration=2', '-shortest', path);
  video = readFileSync(path);
});

const list = async (person) => (await stack.call('GET', '/files', { token: person.token })).json.files;
const named = async (person, name) => (await list(person)).filter((file) => file.name === name);
const done = (file) => (one) => one.what === 'converted' && one.file === file.id;

describe('the converter', () => {
  test('a video becomes an MP3 of the same owner, once', async () => {
    const converter = await Converter.start();
    const file = await uploadFile(stack, ann, 'Grüße vom Meer.mp4', video, { type: 'video/mp4' });
    assert.equal(file.type, 'video/mp4');
    assert.equal((await deliver()).code, 0);
    const line = await converter.line(done(file));
    assert.equal(line.result, 'stored', JSON.stringify(line));
    const [sound, ...others] = await named(ann, 'Grüße vom Meer.mp3');
    assert.deepEqual(others, []);
    assert.equal(sound.type, 'audio/mpeg');
    const { bytes: body } = await stack.call('GET', `/download/${sound.id}`, { token: ann.token });
    writeFileSync(join(folder, 'sound.mp3'), body);
    const probed = JSON.parse(await successful('ffprobe', '-show_streams', '-of', 'json', join(folder, 'sound.mp3')));
    assert.deepEqual(probed.streams.map((s) => s.codec_name), ['mp3']);
    assert.ok(Number(probed.streams[0].duration) > 1.5);

    // The event of the MP3 itself is accepted, and nothing comes of it
    assert.equal((await deliver()).code, 0);
    assert.equal(await converter.stop(), 0);
    assert.equal(converter.lines.filter((one) => one.what === 'converted').length, 1);
  });

  test('a killed converter takes its job up again, and stores one MP3', async () => {
    const first = await Converter.start();
    const file = await uploadFile(stack, ann, 'killed.mp4', video, { type: 'video/mp4' });
    assert.equal((await deliver()).code, 0);
    assert.equal(await first.stop('SIGKILL'), 'SIGKILL');
    const second = await Converter.start();
    // The first may have come to its end before the signal
    if (readdirSync(join(jobs, 'waiting')).length > 0) assert.equal((await second.line(done(file))).result, 'stored');
    await second.stop();
    assert.equal((await named(ann, 'killed.mp3')).length, 1);
  });

  test('a job that was done but not marked as done stores no second MP3', async () => {
    const first = await Converter.start();
    const file = await uploadFile(stack, ann, 'again.mp4', video, { type: 'video/mp4' });
    assert.equal((await deliver()).code, 0);
    await first.line(done(file));
    await first.stop();
    // As if the process had died between the upload and the mark
    const id = `uploaded_${file.id}`;
    rmSync(join(jobs, 'done', id));
    writeFileSync(join(jobs, 'waiting', id), JSON.stringify({ type: 'file.uploaded', data: { ...file, owner: ann.id } }));
    const second = await Converter.start();
    assert.equal((await second.line(done(file))).result, 'stored');
    await second.stop();
    assert.equal((await named(ann, 'again.mp3')).length, 1);
  });

  test('a job waits while Gatehouse refuses the token, and is done afterwards', async () => {
    const token = readFileSync(join(folder, 'token'), 'utf8');
    writeFileSync(join(folder, 'token'), 'gh_wrong\n');
    const converter = await Converter.start();
    const file = await uploadFile(stack, ann, 'later.mp4', video, { type: 'video/mp4' });
    assert.equal((await deliver()).code, 0);
    assert.match((await converter.line((one) => one.what === 'retry' && one.file === file.id)).error, / 40[01] /);
    writeFileSync(join(folder, 'token'), token);
    assert.equal((await converter.line(done(file))).result, 'stored');
    await converter.stop();
  });

  test('a video that ffmpeg cannot read, or without sound, ends with the reason', async () => {
    const converter = await Converter.start();
    const path = join(folder, 'silent.mp4');
    await successful('ffmpeg', '-f', 'lavfi', '-i', 'testsrc=duration=1:size=160x120:rate=10', path);
    const silent = await uploadFile(stack, ann, 'silent.mp4', readFileSync(path), { type: 'video/mp4' });
    const broken = await uploadFile(stack, ann, 'broken.mp4', video.subarray(0, 2000), { type: 'video/mp4' });
    assert.equal((await deliver()).code, 0);
    for (const file of [silent, broken]) {
      const line = await converter.line(done(file));
      assert.equal(line.result, 'ffmpeg cannot convert it');
      assert.notEqual(line.reason, '');
    }
    await converter.stop();
    assert.deepEqual(readdirSync(join(jobs, 'waiting')), []);
    assert.deepEqual(readdirSync(join(jobs, 'work')), []);
  });

  test('a file that was deleted meanwhile ends its job', async () => {
    const file = await uploadFile(stack, ann, 'deleted.mp4', video, { type: 'video/mp4' });
    assertStatus(await stack.call('DELETE', `/files/${file.id}`, { token: ann.token }), 204);
    const converter = await Converter.start();
    await deliver();
    assert.equal((await converter.line(done(file))).result, 'the file no longer exists');
    await converter.stop();
  });

  test('an event that is forged, old, too long or of another kind starts nothing', async () => {
    const converter = await Converter.start();
    const now = Math.floor(Date.now() / 1000);
    const id = 'uploaded_0190b3a2-5b7e-7c31-9a55-1f0d5c2b7a10';
    const send = async (body, { sent = now, name = id, key = SECRET, method = 'POST' } = {}) => {
      const mac = createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update(`${name}.${sent}.${body}`).digest('base64');
      const headers = { 'webhook-id': name, 'webhook-timestamp': String(sent), 'webhook-signature': `v1,${mac}` };
      return (await fetch(`http://127.0.0.1:${port}/files`, { method, headers, body: method === 'GET' ? undefined : body })).status;
    };
    const event = JSON.stringify({ type: 'file.uploaded', data: { id: id.slice(9), type: 'video/mp4', owner: 1, name: 'x', sha256: '' } });
    assert.equal(await send(event, { key: `whsec_${randomBytes(32).toString('base64')}` }), 401);
    assert.equal(await send(event, { sent: now - 3600 }), 401);
    assert.equal(await send(event, { name: '../../escaped' }), 401);
    assert.equal(await send('x'.repeat(70_000)), 413);
    assert.equal(await send('', { method: 'GET' }), 405);
    assert.equal(await send(event.replace('video/mp4', 'text/plain')), 204);
    assert.equal(await send(event.replace('file.uploaded', 'file.deleted')), 204);
    await converter.stop();
    assert.deepEqual(readdirSync(join(jobs, 'waiting')), []);
  });

  test('a playlist that is sent as a video reads no file of this machine', async () => {
    writeFileSync(join(folder, 'private.mp4'), video);
    const list = `#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:${join(folder, 'private.mp4')}\n#EXT-X-ENDLIST\n`;
    const file = await uploadFile(stack, ann, 'playlist.mp4', list, { type: 'video/mp4' });
    assert.doesNotMatch(file.type, /^video/);
    // And if it were taken for a video
    const token = () => readFileSync(join(folder, 'token'), 'utf8').trim();
    const work = new Work({ url: stack.url, token, seconds: 60 });
    const outcome = await work.run({ data: { ...file, owner: ann.id } }, join(folder, 'work'), new AbortController().signal);
    assert.equal(outcome.result, 'ffmpeg cannot convert it');
  });
});

for (const [name, spoil] of [['GATEHOUSE_TOKEN', { GATEHOUSE_TOKEN_FILE: '' }], ['EVENT_SECRET', { EVENT_SECRET: '' }], ['CONVERTER_DIR', { CONVERTER_DIR: '/nonexistent' }], ['CONVERTER_LISTEN', { CONVERTER_LISTEN: 'x' }]])
  test(`a wrong ${name} is reported`, async () => {
    const { code, stderr } = await run(process.execPath, [join(repository, 'deploy/examples/converter/converter.js')], {
      env: { GATEHOUSE_URL: stack.url, GATEHOUSE_TOKEN_FILE: join(folder, 'token'), EVENT_SECRET: SECRET, CONVERTER_DIR: jobs, ...spoil },
    });
    assert.deepEqual([code, stderr.split(':').slice(0, 2).join(':').split(' or ')[0]], [78, `converter: ${name}`]);
  });

test('kubernetes.yaml matches the schemas of Kubernetes', async () => {
  const objects = documents(readFileSync(join(repository, 'deploy/examples/converter/kubernetes.yaml'), 'utf8'), 'kubernetes.yaml');
  assert.equal(objects.length, 4);
  for (const object of objects) assert.deepEqual(await schemaFaults(object), []);
});
