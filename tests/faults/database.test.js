// MariaDB stops and starts under load.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem } from '../support/client.js';
import { operations } from '../support/contract.js';
import { startStackWithDatabase } from '../support/database.js';
import { uploadFile } from '../support/files.js';
import { startLoad } from '../support/load.js';
import { TUS, newUpload } from '../support/tus.js';

// Without CHANGES_DIR no row is remembered, so each request asks the database
const { stack, database } = await startStackWithDatabase({ settings: { CHANGES_DIR: '' } });
after(async () => {
  await stack.stop();
  await database.stop();
});

let ann, record;
before(async () => {
  ann = await stack.person();
  record = await uploadFile(stack, ann, 'kept', 'x');
});

// Wait for `count` more answers of each kind.
async function moreAnswers(answers, count) {
  const from = answers.length;
  const enough = () => ['login', 'list', 'upload', 'download'].every((what) => answers.slice(from).filter((a) => a.what === what).length >= count);
  while (!enough()) await new Promise((done) => setTimeout(done, 20));
}

test('requests get 503 with Retry-After while the database is down, and succeed afterwards', async () => {
  for (let round = 0; round < 3; round++) {
    const answers = [];
    const stopLoad = startLoad(stack, ann, record, (answer) => answers.push(answer));
    await moreAnswers(answers, 3);
    const goingDown = process.hrtime.bigint();
    await database.stop();
    const down = process.hrtime.bigint();
    await moreAnswers(answers, 3);
    const goingUp = process.hrtime.bigint();
    await database.start();
    const up = process.hrtime.bigint();
    await moreAnswers(answers, 5);
    await stopLoad();

    const good = { login: 200, list: 200, upload: 201, download: 200 };
    for (const { what, begun, status, retryAfter, text } of answers) {
      const right = status === good[what];
      const unavailable = status === 503 && retryAfter !== null;
      const message = `${what}: ${status} ${text.slice(0, 300)}`;
      if (begun > up) assert.ok(right, `after: ${message}`);
      else if (begun > goingDown || !right) assert.ok(right || unavailable, `between: ${message}`);
    }
    // some requests that began while it was down must have got 503
    const whileDown = answers.filter((a) => a.begun > down && a.begun < goingUp);
    assert.ok(whileDown.some((a) => a.status === 503), 'no request got 503');
  }
});

test('every documented route answers 503 while the database is down, and works afterwards', async () => {
  // Without those that always refuse, such as PUT /upload without a name
  const down = operations.filter(({ statuses }) => statuses.includes('503') && statuses.some((status) => /^[23]/.test(status)));
  const login = async () => (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json;
  const [first, other] = [await login(), await login()];
  const script = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'kept' } })).json;
  const sid = JSON.parse(Buffer.from(other.access_token.split('.')[1], 'base64url')).sid;
  const link = (await stack.call('POST', `/files/${record.id}/links`, { token: ann.token, json: {} })).json;
  const uploadLink = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
  const upload = (await newUpload(stack, ann, 2)).split('/').at(-1);
  const ids = { '/tokens/{id}': script.id, '/sessions/{id}': sid, '/tus/{id}': upload };
  const bytes = { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': '0' };
  const ask = ({ path, method, inside }) => {
    const query = { '/download': `?fid=${record.id}`, '/upload': '?name=x', '/u/{token}': '?name=x' }[path] ?? '';
    const target = path.replace('/upload-links/{link}', `/upload-links/${uploadLink.id}`).replace('/u/{token}', uploadLink.url)
      .replace('{id}', ids[path] ?? record.id).replace('{name}', 'x').replace('{link}', link.id).replace('/s/{token}', link.url) + query;
    const special = {
      '/login': { basic: [ann.email, ann.password] },
      '/refresh': { json: { refresh_token: first.refresh_token } },
      '/logout': { token: first.access_token, body: '' },
      '/password': { json: { current: ann.password, new: 'a better password' } },
      '/introspect': { body: new URLSearchParams({ token: ann.token }) },
      '/otp': { json: method === 'post' ? {} : { code: '123456' } },
      '/otp/confirm': { json: { code: '123456' } },
      '/tokens': method === 'post' ? { json: { name: 'new' } } : {},
      '/files/{id}/links': method === 'post' ? { json: {} } : {},
      '/upload-links': method === 'post' ? { json: {} } : {},
      '/files/{id}': method === 'patch' ? { json: { name: 'kept' } } : {},
      '/tus/': { body: '', headers: { ...TUS, 'Upload-Length': '5' } },
      '/tus/{id}': method === 'patch' ? { body: 'x', headers: { ...TUS, ...bytes } } : { headers: TUS },
    }[path];
    const options = { token: path === '/login' || path === '/refresh' ? undefined : ann.token, ...special };
    if (['put', 'post'].includes(method) && !special) Object.assign(options, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
    return (inside ? stack.callInternal : stack.call).call(stack, method.toUpperCase(), target, options);
  };
  await database.stop();
  try {
    for (const operation of down) {
      const answer = await ask(operation);
      assertProblem(answer, 503, 'unavailable');
      assert.doesNotMatch(answer.text, /mysql|maria|sql|sock/i);
    }
    assertProblem(await stack.call('PUT', '/upload', { token: script.token, body: 'x' }), 503, 'unavailable');
    for (const path of ['/cgi-auth/healthz', '/cgi-gateway/healthz']) assert.equal((await stack.callInternal('GET', path)).status, 200, 'healthz needs no database');
  } finally {
    await database.start();
  }
  // requests that end something come last; one-time codes have tests of their own
  const last = ({ method, path }) => 2 * (path === '/password') + (method === 'delete' || path === '/logout');
  for (const operation of down.filter(({ path }) => !path.startsWith('/otp')).sort((a, b) => last(a) - last(b))) {
    const { status, text } = await ask(operation);
    assert.ok(status < 300, `${operation.method} ${operation.path}: ${status} ${text}`);
  }
});

test('kill -9 of the database loses no file that was answered with 201', async () => {
  const promised = [];
  const eve = await stack.person();
  const uploads = Array.from({ length: 4 }, async (_, loop) => {
    for (let i = 0; i < 25; i++) {
      const answer = await stack.call('PUT', `/upload/${loop}-${i}`, { token: eve.token, body: `${loop}-${i}` });
      if (answer.status === 201) promised.push(answer.json.files[0]);
      else assertProblem(answer, 503, 'unavailable');
    }
  });
  while (promised.length < 10) await new Promise((done) => setTimeout(done, 5));
  await database.stop('SIGKILL');
  await database.start();
  await Promise.all(uploads);
  for (const { url, name } of promised) assert.equal((await stack.call('GET', url, { token: eve.token })).text, name);
});
