// gateway-admin deliver while the database stops and starts: it waits for the database, and loses no
// event.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startStackWithDatabase } from '../support/database.js';
import { uploadFile } from '../support/files.js';
import { accept, WebhookReceiver } from '../support/webhook-receiver.js';
import { build } from '../support/stack.js';

const receiver = await WebhookReceiver.start();
const { stack, database } = await startStackWithDatabase({
  settings: { EVENT_URLS: receiver.url, EVENT_SECRET: 'k3V9xQ0mZt7Lw2Rb8Yc5Hn1Pd6Sf4GjT', EVENT_TIMEOUT: 60, DB_TIMEOUT: 1 },
});
after(async () => {
  await stack.stop();
  await database.stop();
  await receiver.stop();
});

let ann;
before(async () => {
  ann = await stack.person();
});

function follow() {
  const env = { ...process.env, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') };
  const child = spawn(join(build, 'gateway-admin'), ['deliver', '--follow'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const output = [];
  let notify = () => {};
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.push(text);
    notify();
  });
  child.logs = async (part) => {
    while (!output.join('').includes(part)) await new Promise((done) => { notify = done; });
  };
  child.ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  return child;
}

const waiting = async () => JSON.parse((await stack.gatewayAdmin(['events', 'list', '--json'])).stdout).events.length;

test('deliver --follow continues when the database is available again', async () => {
  const child = follow();
  const first = await uploadFile(stack, ann, 'a', 'hello');
  await receiver.waitFor(1);
  while (await waiting()); // until the acceptance has been stored
  await database.stop('SIGKILL');
  await child.logs('"event":"database"');
  await database.start();
  await child.logs('"detail":"back"');
  const second = await uploadFile(stack, ann, 'b', 'hello');
  await receiver.waitFor(2);
  assert.deepEqual(receiver.requests.map((a) => a.json.data.id), [first.id, second.id]);
  child.kill('SIGTERM');
  assert.equal(await child.ended, 0);
  assert.equal(await waiting(), 0);
});

test('an event that is accepted while the database is down is sent again', async () => {
  receiver.reset();
  let finish;
  receiver.respond = (one, response) => new Promise((done) => {
    finish = () => done(accept(one, response));
  });
  const { id } = await uploadFile(stack, ann, 'c', 'hello');
  const child = follow();
  await receiver.waitFor(1);
  await database.stop();
  await child.logs('"event":"database"');
  finish();
  child.kill('SIGTERM');
  assert.notEqual(await child.ended, 0); // it cannot report what is left
  await database.start();
  assert.deepEqual((await stack.gatewayAdmin(['events', 'retry', '--all'])).code, 0);
  receiver.respond = accept;
  assert.equal((await stack.gatewayAdmin(['deliver'])).code, 0);
  assert.deepEqual(receiver.requests.map((a) => a.id), [`uploaded_${id}`, `uploaded_${id}`]);
});

test('one pass of deliver without the database exits 69', async () => {
  await database.stop();
  const { code, stderr } = await stack.gatewayAdmin(['deliver']);
  assert.equal(code, 69);
  assert.match(stderr, /^gateway-admin deliver: the database is unavailable/);
  await database.start();
});
