#!/usr/bin/env node
// converter.js - extracts the sound of every uploaded video as an MP3. README.md says how to run it.
//
// Gatehouse posts an event for each upload. A genuine event about a video is written to a queue on disk and answered;
// then, one after the other, the video is fetched with an API token, converted with ffmpeg, and the MP3 is uploaded.
import { accessSync, constants, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Converter, Retry } from './convert.js';
import { JobQueue } from './job-queue.js';
import { isGenuine } from './signature.js';

const BODY_MAX = 65_536; // bytes; an event has a few hundred
const RETRY_MAX = 600; // seconds between two attempts at most
const ATTEMPTS_MAX = 100; // about 15 hours; a restart begins again

const log = (level, what, more = {}) => console.log(JSON.stringify({ time: new Date().toISOString(), level, what, ...more }));

function fail(message) {
  console.error(`converter: ${message}`);
  process.exit(78);
}

// The setting NAME, or the content of the file that NAME_FILE names. A secret in a file may change while this runs.
function setting(name, fallback) {
  const file = process.env[`${name}_FILE`];
  const value = (file ? readFileSync(file, 'utf8').trim() : process.env[name]) || fallback;
  if (!value) fail(`${name} or ${name}_FILE: missing`);
  return value;
}

const folder = setting('CONVERTER_DIR');
const [, host, port] = /^(?:\[?(.+?)\]?:)?(\d+)$/.exec(setting('CONVERTER_LISTEN', '127.0.0.1:7000')) ?? fail('CONVERTER_LISTEN: must be ADDRESS:PORT');
const seconds = Number(setting('CONVERTER_SECONDS', '3600'));
if (!(seconds >= 1)) fail('CONVERTER_SECONDS: must be a number of seconds');
const secret = () => setting('EVENT_SECRET');
const converter = new Converter({ url: setting('GATEHOUSE_URL'), token: () => setting('GATEHOUSE_TOKEN'), seconds });
setting('GATEHOUSE_TOKEN');
secret();
try {
  accessSync(folder, constants.W_OK);
} catch (error) {
  fail(`CONVERTER_DIR: ${error.message}`);
}
const queue = new JobQueue(folder);
const stop = new AbortController();

// --- events

const isVideo = ({ type, data }) => type === 'file.uploaded' && /^video\//.test(data.type);

async function receive(request) {
  if (request.method !== 'POST') return 405;
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_MAX) return 413;
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  const id = request.headers['webhook-id'] ?? '';
  // The id becomes a file name
  if (!/^[a-z]+_[0-9a-f-]{36}$/.test(id) || !isGenuine(request.headers, body, secret())) return 401;
  const event = JSON.parse(body.toString('utf8'));
  if (isVideo(event) && !queue.isKnown(id)) await queue.add(id, event);
  return 204;
}

const server = createServer((request, response) => {
  receive(request).catch((error) => (log('error', 'event', { error: error.message }), 500)).then((status) => {
    if (status === 401) log('warn', 'an event without a valid signature', { from: request.socket.remoteAddress });
    response.writeHead(status, status >= 400 ? { Connection: 'close' } : {}).end();
  });
});
server.requestTimeout = 30_000;

// --- jobs

async function work() {
  const attempts = new Map();
  for (let job; (job = await queue.next(stop.signal));) {
    const { id, event } = job;
    const about = { job: id, file: event.data.id, owner: event.data.owner };
    try {
      const outcome = await converter.run(event, queue.path('work', id), stop.signal);
      await queue.finish(id, outcome);
      attempts.delete(id);
      log(outcome.result === 'stored' ? 'info' : 'warn', 'converted', { ...about, ...outcome });
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!(error instanceof Retry)) log('error', 'unexpected', { ...about, error: error.stack });
      const count = (attempts.get(id) ?? 0) + 1;
      attempts.set(id, count);
      if (count >= ATTEMPTS_MAX) {
        await queue.finish(id, { result: 'given up', reason: error.message });
        log('error', 'given up', { ...about, error: error.message });
        continue;
      }
      const wait = error.seconds ?? Math.min(RETRY_MAX, 2 ** count);
      queue.retryLater(id, wait);
      log('warn', 'retry', { ...about, error: error.message, seconds: wait });
    }
    queue.removeOld();
  }
}

server.on('error', (error) => fail(`CONVERTER_LISTEN: ${error.message}`));
server.listen(Number(port), host ?? '127.0.0.1', () => {
  log('info', 'ready', { port: server.address().port });
  const worker = work();
  const end = async () => {
    server.close();
    stop.abort();
    await worker;
    log('info', 'stopped: unfinished jobs continue at the next start');
    process.exit(0);
  };
  process.on('SIGTERM', end).on('SIGINT', end);
});
