// The access log of lighttpd (lighttpd/parts/log.conf): which paths it shows, and that no secret is among them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { uploadFile } from '../support/files.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { pause, startStack } from '../support/stack.js';
import { front, transport } from '../support/transport.js';

const skip = front && 'lighttpd is not the public listener';
let stack, ann;

before(async () => {
  if (skip) return;
  stack = await startStack();
  ann = await stack.person();
});
after(() => stack?.stop());

// Ask for each path, which a program must answer, under an id of its own; returns the logged path of each. lighttpd writes its buffer every few
// seconds.
async function loggedPaths(requests) {
  const ids = requests.map(() => randomBytes(8).toString('hex'));
  for (const [i, [method, path, headers]] of requests.entries())
    await sendRaw(stack.url, requestHead(method, path, { ...headers, 'X-Request-ID': ids[i], ...(method === 'PUT' && { 'Content-Length': 0 }) }));
  const line = (id) => readFileSync(stack.path('log', 'access.log'), 'utf8').split('\n').find((text) => text.split(' ')[2] === id && / HTTP\/1\.1 \d+ /.test(text));
  while (!ids.every(line)) await pause(100);
  return ids.map((id) => line(id).split(' ')[4]);
}

test('a known path is logged, with the secret of a link left out', { skip, timeout: 60_000 }, async () => {
  const auth = { Authorization: `Bearer ${ann.token}` };
  const file = await uploadFile(stack, ann, 'a.txt', 'a');
  const share = new URL((await stack.call('POST', `/files/${file.id}/links`, { token: ann.token, json: {} })).json.url, 'http://any').pathname;
  const drop = new URL((await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json.url, 'http://any').pathname;
  const bin = transport === 'cgi' ? '/cgi-bin' : '/none';
  const secrets = [share, drop].map((path) => path.split('/')[2]);
  const cases = [
    [['GET', '/files?q=secret', auth], '/cgi-gateway/files'],
    [['GET', `/download/${file.id}`, auth], `/cgi-gateway/download/${file.id}`],
    [['GET', '/me', auth], '/cgi-auth/me'],
    [['GET', share], '/s/...'],
    [['GET', `${share}/`], '/s/...'],
    [['GET', share, { 'Gatehouse-Log': 'path' }], '/s/...'],
    [['PUT', `${drop}/x`], '/u/...'],
    [['PUT', `${drop}/x`, { 'Gatehouse-Log': 'path' }], '/u/...'],
    ...(transport === 'cgi' ? [[['GET', `${bin}/cgi-gateway${share}`], '/s/...']] : []),
    ...[share.toUpperCase(), share.replace('/s/', '/s;/'), share.replace('/s/', '/drop.html/'), share.replace('/s/', '/%73%2f'), `/x${share}`]
      .flatMap((path) => [{}, { 'Gatehouse-Log': 'path' }].map((headers) => [['GET', path, headers], '-'])),
  ];
  assert.deepEqual(await loggedPaths(cases.map(([request]) => request)), cases.map(([, path]) => path));
  const text = stack.logs;
  for (const secret of secrets) assert.ok(!text.toLowerCase().includes(secret.toLowerCase()));
});
