// Conditional requests (RFC 9110 13): downloads, share links, records of files, and changes of them.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { sha256, uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';
import { newUpload } from '../support/tus.js';

const stack = await useStack();
const content = 'conditional content';
const bytesTag = `"${sha256(content)}"`;
const other = '"0000000000000000"';

let ann, bob, file;
before(async () => {
  ann = await stack.person();
  bob = await stack.person();
  file = await uploadFile(stack, ann, 'conditions.txt', content, { type: 'text/plain' });
});

const call = (method, target, headers = {}, options = {}) => stack.call(method, target, { token: ann.token, headers, ...options });
const record = (id = file.id, headers = {}, method = 'GET') => call(method, `/files/${id}`, headers);
const tagOf = async (id) => (await record(id)).headers.get('etag');
const rename = (id, name, headers) => call('PATCH', `/files/${id}`, headers, { json: { name } });
const remove = (id, headers) => call('DELETE', `/files/${id}`, headers);
const newFile = () => uploadFile(stack, ann, 'new.txt', content);
const newLink = async (json = {}) => (await stack.call('POST', `/files/${file.id}/links`, { token: ann.token, json })).json;

// The three forms of RFC 9110 5.6.7
const forms = {
  'IMF-fixdate': (t) => t.toUTCString(),
  'RFC 850': (t) => {
    const [, day, month, year, time] = /^..., (\d\d) (\w\w\w) \d\d(\d\d) (.{8}) GMT$/.exec(t.toUTCString());
    return `${t.toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' })}, ${day}-${month}-${year} ${time} GMT`;
  },
  asctime: (t) => {
    const [, weekday, day, month, year, time] = /^(...), (\d\d) (\w\w\w) (\d{4}) (.{8}) GMT$/.exec(t.toUTCString());
    return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
  },
};
const uploaded = () => new Date(file.created_at);
const dayBefore = () => new Date(uploaded() - 86_400_000);

describe('a download', () => {
  const targets = async () => [file.url, `/download?fid=${file.id}`, new URL((await newLink()).url, stack.url).pathname];

  test('If-Match with another ETag, or a weak one, is 412 on every route and for HEAD', async () => {
    for (const target of await targets())
      for (const value of [other, `W/${bytesTag}`, bytesTag.slice(1, -1), `${other}, W/${bytesTag}`]) {
        assertProblem(await call('GET', target, { 'If-Match': value }), 412, 'precondition-failed');
        assertStatus(await call('HEAD', target, { 'If-Match': value }), 412);
      }
  });

  test('If-Match with the ETag, in a list or as *, is answered with the file', async () => {
    for (const target of await targets())
      for (const value of [bytesTag, `${other}, ${bytesTag}`, `"a,b",${bytesTag}`, '*']) {
        const answer = await call('GET', target, { 'If-Match': value });
        assertStatus(answer, 200);
        assert.equal(answer.text, content);
        assertStatus(await call('GET', target, { 'If-Match': value, Range: 'bytes=0-3' }), 206);
      }
  });

  for (const [form, text] of Object.entries(forms))
    test(`a date as ${form} works in each condition`, async () => {
      for (const target of await targets()) {
        const same = text(uploaded()), old = text(dayBefore());
        assertStatus(await call('GET', target, { 'If-Modified-Since': same }), 304);
        assertStatus(await call('GET', target, { 'If-Modified-Since': old }), 200);
        assertStatus(await call('GET', target, { 'If-Unmodified-Since': same }), 200);
        assertProblem(await call('GET', target, { 'If-Unmodified-Since': old }), 412, 'precondition-failed');
        assertStatus(await call('GET', target, { 'If-Range': same, Range: 'bytes=0-3' }), 206);
        const whole = await call('GET', target, { 'If-Range': old, Range: 'bytes=0-3' });
        assertStatus(whole, 200);
        assert.equal(whole.text, content);
      }
    });

  test('conditions are checked in the order of RFC 9110 13.2.2', async () => {
    const old = dayBefore().toUTCString(), same = uploaded().toUTCString();
    for (const [headers, status] of [
      [{ 'If-Match': bytesTag, 'If-Unmodified-Since': old }, 200], // the date is ignored
      [{ 'If-Match': other, 'If-Unmodified-Since': same }, 412],
      [{ 'If-Match': other, 'If-None-Match': bytesTag }, 412],
      [{ 'If-Match': bytesTag, 'If-None-Match': bytesTag }, 304],
      [{ 'If-None-Match': other, 'If-Modified-Since': same }, 200],
      [{ 'If-None-Match': bytesTag, 'If-Modified-Since': old }, 304],
      [{ 'If-Unmodified-Since': old, 'If-None-Match': bytesTag }, 412],
      [{ 'If-Match': other, Range: 'bytes=999-' }, 412],
      [{ 'If-None-Match': bytesTag, Range: 'bytes=999-' }, 304],
      [{ 'If-Unmodified-Since': 'yesterday', 'If-Modified-Since': 'tomorrow' }, 200],
    ])
      for (const target of await targets()) assertStatus(await call('GET', target, headers), status);
  });

  test('412 and 304 do not count as downloads of a link', async () => {
    const link = await newLink({ max_downloads: 1 });
    const target = new URL(link.url, stack.url).pathname;
    assertStatus(await call('GET', target, { 'If-Match': other }), 412);
    assertStatus(await call('GET', target, { 'If-None-Match': bytesTag }), 304);
    assertStatus(await call('GET', target), 200);
    assertStatus(await call('GET', target), 410);
  });
});

describe('the record of a file', () => {
  test('the record has an ETag, which changes with the record and comes with each answer', async () => {
    const { id } = await newFile();
    const first = await tagOf(id);
    assert.equal(await tagOf(id), first);
    assert.equal((await record(id, {}, 'HEAD')).headers.get('etag'), first);
    const changed = await rename(id, 'renamed.txt');
    assert.notEqual(changed.headers.get('etag'), first);
    assert.equal(await tagOf(id), changed.headers.get('etag'));
    const back = await rename(id, 'new.txt');
    assert.equal(back.headers.get('etag'), first);
  });

  test('If-None-Match with the ETag of the record is 304, with that of the bytes the record', async () => {
    const tag = await tagOf(file.id);
    for (const value of [tag, `W/${tag}`, `${other}, ${tag}`, '*']) {
      const answer = await record(file.id, { 'If-None-Match': value });
      assertStatus(answer, 304);
      assert.equal(answer.text, '');
      assert.equal(answer.headers.get('etag'), tag);
    }
    for (const value of [other, bytesTag]) assertStatus(await record(file.id, { 'If-None-Match': value }), 200);
  });

  test('If-Match on the record accepts both ETags and refuses others', async () => {
    for (const value of [await tagOf(file.id), bytesTag, '*']) assertStatus(await record(file.id, { 'If-Match': value }), 200);
    for (const value of [other, `W/${bytesTag}`]) assertProblem(await record(file.id, { 'If-Match': value }), 412, 'precondition-failed');
  });

  test('conditions reveal nothing about a file of another user', async () => {
    for (const method of ['GET', 'DELETE'])
      for (const headers of [{ 'If-Match': other }, { 'If-None-Match': '*' }, { 'If-Match': bytesTag }])
        assertProblem(await stack.call(method, `/files/${file.id}`, { token: bob.token, headers }), 404, 'not-found');
  });
});

describe('a change', () => {
  test('PATCH and DELETE with a wrong If-Match change nothing', async () => {
    const made = await newFile();
    const tag = await tagOf(made.id);
    for (const headers of [{ 'If-Match': other }, { 'If-Match': `W/${tag}` }, { 'If-Match': tag.slice(1, -1) }, { 'If-None-Match': '*' }, { 'If-None-Match': tag }, { 'If-None-Match': bytesTag },
      ...Object.values(forms).map((text) => ({ 'If-Unmodified-Since': text(dayBefore()) }))]) {
      assertProblem(await rename(made.id, 'changed.txt', headers), 412, 'precondition-failed');
      assertProblem(await remove(made.id, headers), 412, 'precondition-failed');
    }
    assert.deepEqual((await record(made.id)).json, made);
  });

  test('PATCH and DELETE with a condition that holds are done', async () => {
    for (const headersOf of [async (id) => ({ 'If-Match': await tagOf(id) }), () => ({ 'If-Match': bytesTag }), () => ({ 'If-Match': '*' }), () => ({ 'If-None-Match': other }),
      ...Object.values(forms).map((text) => () => ({ 'If-Unmodified-Since': text(new Date(Date.now() + 60_000)) })), () => ({ 'If-Unmodified-Since': 'yesterday' })]) {
      const { id } = await newFile();
      assertStatus(await rename(id, 'changed.txt', await headersOf(id)), 200);
      assert.equal((await record(id)).json.name, 'changed.txt');
      assertStatus(await remove(id, await headersOf(id)), 204);
      assertProblem(await record(id), 404, 'not-found');
    }
  });

  test('an ETag from before a change of name or expiry is 412', async () => {
    for (const json of [{ name: 'NEW.txt' }, { name: 'néw.txt' }, { expires_in: 3600 }]) {
      const { id } = await newFile();
      const tag = await tagOf(id);
      assertStatus(await call('PATCH', `/files/${id}`, {}, { json }), 200);
      assertProblem(await rename(id, 'mine.txt', { 'If-Match': tag }), 412, 'precondition-failed');
      assertProblem(await remove(id, { 'If-Match': tag }), 412, 'precondition-failed');
      assertStatus(await remove(id, { 'If-Match': await tagOf(id) }), 204);
    }
  });

  test('of many changes with one ETag at once exactly one is made', async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await newFile();
      const tag = await tagOf(id);
      const names = Array.from({ length: 12 }, (_, i) => `name ${i}`);
      const answers = await Promise.all(names.map((name) => rename(id, name, { 'If-Match': tag })));
      assert.deepEqual(answers.map((a) => a.status).filter((s) => s !== 412), [200]);
      assert.equal((await record(id)).json.name, answers.find((a) => a.status === 200).json.name);
    }
  });

  test('of a change and a deletion with one ETag at once exactly one is made', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await newFile();
      const tag = await tagOf(id);
      const [changed, removed] = await Promise.all([rename(id, 'x', { 'If-Match': tag }), remove(id, { 'If-Match': tag })]);
      if (removed.status === 204) assert.ok([404, 412].includes(changed.status), String(changed.status));
      else assert.deepEqual([changed.status, removed.status], [200, 412]);
    }
  });

  test('changes that only require the file to exist are all made', async () => {
    const { id } = await newFile();
    for (const headers of [{ 'If-Match': '*' }, { 'If-Match': bytesTag }]) {
      const answers = await Promise.all(Array.from({ length: 4 }, (_, i) => rename(id, `n${i}`, headers)));
      assert.deepEqual(answers.map((a) => a.status), [200, 200, 200, 200]);
    }
  });
});

describe('what has no ETag', () => {
  test('DELETE of a link, a token, a session or an upload with If-Match and an ETag removes nothing', async () => {
    const link = await newLink();
    const uploadLink = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const token = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'x', scope: 'files:read' } })).json;
    const upload = await newUpload(stack, ann, 10, { name: 'x' });
    const session = (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json;
    const { sessions } = (await call('GET', '/sessions')).json;
    const ended = sessions.find((s) => !s.current);
    assert.ok(session.access_token && ended);
    const tus = { 'Tus-Resumable': '1.0.0' };
    for (const [target, headers] of [[`/links/${link.id}`], [`/upload-links/${uploadLink.id}`], [`/tokens/${token.id}`], [`/sessions/${ended.id}`], [upload, tus]]) {
      for (const condition of [{ 'If-Match': other }, { 'If-Match': bytesTag }, { 'If-None-Match': '*' }])
        assertProblem(await call('DELETE', target, { ...headers, ...condition }), 412, 'precondition-failed');
      assertStatus(await call('DELETE', target, { ...headers, 'If-Match': '*' }), 204);
    }
  });

  test('DELETE of the second factor with If-Match and an ETag is refused', async () => {
    assertProblem(await call('DELETE', '/otp', { 'If-Match': other, 'X-OTP': '123456' }), 412, 'precondition-failed');
  });

  test('PUT creates a file, so If-Match is 412 and If-None-Match: * holds', async () => {
    const link = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const drop = new URL(link.url, stack.url).pathname;
    for (const target of ['/upload/put.txt', `${drop}/put.txt`]) {
      for (const value of ['*', bytesTag]) assertProblem(await call('PUT', target, { 'If-Match': value }, { body: 'x' }), 412, 'precondition-failed');
      assertStatus(await call('PUT', target, { 'If-None-Match': '*' }, { body: 'x' }), 201);
    }
  });
});
