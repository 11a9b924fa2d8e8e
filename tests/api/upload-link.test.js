// POST, GET /upload-links; DELETE /upload-links/{id}; GET and POST /u/{token}; PUT /u/{token}/{name}
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import net from 'node:net';
import { before, describe, test } from 'node:test';
import { runCgi } from '../support/cgi.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { curl } from '../support/curl.js';
import { allFiles, sha256 } from '../support/files.js';
import { filePart, form, formType, part } from '../support/multipart.js';
import { startStack, useStack } from '../support/stack.js';
import { claimsFor, mint } from '../support/tokens.js';

const stack = await useStack();
let ann, bob, root;
before(async () => {
  [ann, bob, root] = [await stack.person(), await stack.person(), await stack.person({ admin: true })];
});

const links = (method, { token = ann.token, query = '', ...options } = {}) => stack.call(method, `/upload-links${query}`, { token, ...options });
const revoke = (link, { token = ann.token, query = '' } = {}) => stack.call('DELETE', `/upload-links/${link.id}${query}`, { token });

// Create an upload link; returns its JSON, with `path` as a request target and `secret`, its last segment.
async function newLink(params = {}, person = ann) {
  const answer = await links('POST', { token: person.token, json: params });
  assertStatus(answer, 201);
  const path = new URL(answer.json.url, stack.url).pathname;
  return { ...answer.json, path, secret: path.slice(path.lastIndexOf('/') + 1) };
}

const showLink = (link, options = {}, method = 'GET') => stack.call(method, link.path, options);
const put = (link, body, name = 'a', options = {}) => stack.call('PUT', `${link.path}/${encodeURIComponent(name)}`, { body, ...options });
const postForm = (link, ...parts) => stack.call('POST', link.path, { headers: { 'Content-Type': formType() }, body: form(...parts) });
const postRaw = (link, body, query) => stack.call('POST', `${link.path}${query}`, { headers: { 'Content-Type': 'text/plain' }, body });

const setLink = (link, assignment) => stack.sql('gateway', `UPDATE upload_link SET ${assignment} WHERE id = '${link.id}'`);
const linkCounts = async (link) => (await stack.sql('gateway', `SELECT files, bytes FROM upload_link WHERE id = '${link.id}'`))[0].map(Number);
const usage = async (person) => (await stack.call('GET', '/usage', { token: person.token })).json;
const admin = async (...args) => {
  const { code, stderr } = await stack.authAdmin(args);
  assert.equal(code, 0, stderr);
};
const quota = async (person, ...limits) => assert.equal((await stack.gatewayAdmin(['quota', 'set', String(person.id), ...limits])).code, 0);

// A user without files, and an upload link of theirs.
async function userWithLink(params, ...limits) {
  const person = await stack.person();
  if (limits.length) await quota(person, ...limits);
  return { person, link: await newLink(params, person) };
}

async function assertGone(link) {
  for (const answer of [await showLink(link), await put(link, 'x'), await postForm(link, filePart('a', 'x')), await postRaw(link, 'x', '?name=a')])
    assertProblem(answer, 410, 'gone');
  assertStatus(await showLink(link, {}, 'HEAD'), 410);
}

// Assert that the owner's files, the usage and the link's counts are exactly `contents`.
async function assertHas({ person, link }, contents) {
  const files = await allFiles(stack, person);
  assert.deepEqual(files.map((f) => f.sha256).sort(), contents.map((c) => sha256(c)).sort());
  for (const file of files) assert.equal(file.upload_link, link.id);
  const bytes = contents.reduce((sum, c) => sum + Buffer.byteLength(c), 0);
  assert.deepEqual(await linkCounts(link), [files.length, bytes]);
  const used = await usage(person);
  assert.deepEqual([used.files, used.bytes], [files.length, bytes]);
}

describe('uploads by a link', () => {
  test('an upload by a link stores a form, a body or a named body in the owner\'s space', async () => {
    const { person, link } = await userWithLink({ name: 'Photos of the party' });
    const answers = [await postForm(link, filePart('one', '1'), filePart('two', '22')), await postRaw(link, '333', '?name=three'), await put(link, '4444', 'four')];
    for (const answer of answers) assertStatus(answer, 201);
    assert.deepEqual(answers.map(({ json }) => json.files.map((f) => f.name)), [['one', 'two'], ['three'], ['four']]);
    await assertHas({ person, link }, ['1', '22', '333', '4444']);
    assert.deepEqual((await allFiles(stack, person)).map((f) => f.name).sort(), ['four', 'one', 'three', 'two']);
  });

  test('an upload by a link returns name, size and digest, and nothing that leads to the owner', async () => {
    const { person, link } = await userWithLink();
    const answer = await put(link, 'hello', 'a.txt', { headers: { 'Content-Type': 'text/plain' } });
    assert.deepEqual(answer.json, { files: [{ name: 'a.txt', size: 5, sha256: sha256('hello') }] });
    assert.equal(answer.headers.get('location'), null);
    const [record] = await allFiles(stack, person);
    assert.equal(record.type, 'text/plain');
    assert.ok(!answer.text.includes(record.id));
    for (const target of [record.url, `/files/${record.id}`, '/files']) assertProblem(await stack.call('GET', target), 401, 'missing-token');
    assertProblem(await stack.call('GET', `/s/${link.secret}`), 404, 'not-found'); // the secret works nowhere else
    assertProblem(await stack.call('GET', '/files', { token: link.secret }), 401, 'invalid-token');
  });

  test('an upload by a link is marked in the owner\'s list', async () => {
    const { person, link } = await userWithLink();
    await put(link, 'theirs');
    const own = await stack.call('PUT', '/upload/own', { token: person.token, body: 'own' });
    assert.equal(own.json.files[0].upload_link, null);
    assert.deepEqual((await allFiles(stack, person)).map((f) => [f.name, f.upload_link]), [['own', null], ['a', link.id]]);
  });

  test('of the parameters of a form, an upload by a link takes sha256 and refuses expires_in', async () => {
    const link = await newLink();
    const send = (...fields) => postForm(link, filePart('a', 'A'), ...fields);
    assertStatus(await send(part('; name="sha256"', sha256('A'))), 201);
    assertProblem(await send(part('; name="sha256"', sha256('B'))), 422, 'digest-mismatch');
    const refused = await send(part('; name="expires_in"', '60'));
    assertProblem(refused, 422, 'invalid-value');
    assert.match(refused.json.detail, /expires_in cannot be set/);
    assertStatus(await send(part('; name="owner"', 'x')), 201);
  });

  for (const name of ['grüße.txt', '写真 1.jpg', 'фото.png', 'صورة.jpg', 'emoji 🎉.gif', 'a "quoted" name', '100%.txt'])
    test(`an upload by a link keeps the name ${name}`, async () => {
      const { person, link } = await userWithLink({ name });
      assert.equal((await showLink(link)).json.name, name);
      for (const answer of [await put(link, 'x', name), await postRaw(link, 'x', `?name=${encodeURIComponent(name)}`),
        await postForm(link, filePart(name.replaceAll('"', '%22'), 'x'))])
        assert.equal(answer.json.files[0].name, name);
      assert.deepEqual((await allFiles(stack, person)).map((f) => f.name), [name, name, name]);
    });

  test('an upload by a link is checked against its digest', async () => {
    const { person, link } = await userWithLink();
    assertStatus(await put(link, 'x', `a`, { headers: { 'Repr-Digest': `sha-256=:${sha256('x', 'base64')}:` } }), 201);
    assertProblem(await postRaw(link, 'x', `?name=a&sha256=${sha256('y')}`), 422, 'digest-mismatch');
    assertProblem(await put(link, 'x', 'a', { headers: { 'Content-Digest': `sha-256=:${sha256('y', 'base64')}:` } }), 422, 'digest-mismatch');
    await assertHas({ person, link }, ['x']);
  });

  test('an invalid upload by a link is refused with its reason', async () => {
    const { person, link } = await userWithLink();
    assertProblem(await postRaw(link, 'x', ''), 400, 'no-file');
    assertProblem(await postForm(link, part('; name="comment"', 'words')), 400, 'no-file');
    assertProblem(await stack.call('POST', link.path, { headers: { 'Content-Type': formType() }, body: 'no form' }), 400, 'incomplete-body');
    assertProblem(await postRaw(link, 'x', '?name='), 422, 'invalid-value');
    assertProblem(await put(link, 'x', '..'.padStart(300, 'x')), 422, 'invalid-value');
    assertProblem(await put(link, 'x', 'a', { headers: { 'Repr-Digest': 'sha-256=x' } }), 400, 'bad-request');
    await assertHas({ person, link }, []);
  });

  test('a truncated upload by a link is refused', async () => {
    const { person, link } = await userWithLink();
    const cgi = (method, path, CONTENT_LENGTH) =>
      runCgi(stack, 'cgi-gateway', method, path, { input: 'hello', variables: { CONTENT_TYPE: 'text/plain', CONTENT_LENGTH } });
    const path = `/u/${link.secret}`;
    for (const request of [['PUT', `${path}/a`], ['POST', `${path}?name=a`]]) {
      assertProblem(await cgi(...request, undefined), 411, 'length-required');
      assertProblem(await cgi(...request, '100'), 400, 'incomplete-body');
      assertStatus(await cgi(...request, '5'), 201);
    }
    await assertHas({ person, link }, ['hello', 'hello']);
  });

  test('a form by a link is stored as a whole or not at all', async () => {
    const own = await startStack();
    try {
      const objects = () => readdirSync(own.path('data'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).length;
      const person = await own.person();
      const made = await own.call('POST', '/upload-links', { token: person.token, json: { max_files: 3, max_bytes: 10, max_file_bytes: 6 } });
      const post = (...parts) => own.call('POST', made.json.url, { headers: { 'Content-Type': formType() }, body: form(...parts) });
      const before = objects();
      assertProblem(await post(filePart('a', 'aaaa'), filePart('b', 'bbbbbbb')), 413, 'too-large');
      assertProblem(await post(filePart('a', 'aaaa'), filePart('b', 'bbbb'), filePart('c', 'ccc')), 507, 'quota-exceeded');
      assertProblem(await post(...['a', 'b', 'c', 'd'].map((name) => filePart(name, ''))), 507, 'quota-exceeded');
      assertProblem(await post(filePart('a', 'aaaa'), filePart('..', 'x')), 422, 'invalid-value');
      assert.equal(objects(), before);
      assert.deepEqual((await own.call('GET', '/files', { token: person.token })).json.files, []);
      assertStatus(await post(filePart('a', 'aaaa'), filePart('b', 'bbbb'), filePart('c', 'cc')), 201);
      assert.equal(objects(), before + 3);
    } finally {
      await own.stop();
    }
  });

  test('an upload of 2 MiB by a link is stored', async () => {
    const content = Buffer.alloc(2 << 20, 'x');
    const { person, link } = await userWithLink({ max_bytes: 2 << 20 });
    assertStatus(await put(link, content), 201);
    await assertHas({ person, link }, [content]);
    await assertGone(link);
  });

  test('an upload by a link is one line of curl', async () => {
    const { person, link } = await userWithLink();
    const file = stack.path('photo of ann.jpg');
    writeFileSync(file, 'jpeg');
    assert.equal((await curl('-T', file, `${stack.url}${link.path}/`)).code, 0);
    assert.equal((await curl('-F', `file=@${file}`, `${stack.url}${link.path}`)).code, 0);
    assert.deepEqual((await allFiles(stack, person)).map((f) => f.name), ['photo of ann.jpg', 'photo of ann.jpg']);
    await assertHas({ person, link }, ['jpeg', 'jpeg']);
  });

  test('an upload by a link needs no token and ignores one', async () => {
    const { person, link } = await userWithLink();
    for (const Authorization of [`Bearer ${bob.token}`, 'Bearer x', 'nonsense']) assertStatus(await put(link, 'x', 'a', { headers: { Authorization } }), 201);
    await assertHas({ person, link }, ['x', 'x', 'x']);
  });
});

describe('upload links', () => {
  const life = (link) => (Date.parse(link.expires_at) - Date.parse(link.created_at)) / 1000;

  test('an upload link shows its limits and what remains', async () => {
    const link = await newLink({ name: 'Photos', max_files: 3, max_bytes: 100, max_file_bytes: 60 });
    assert.deepEqual(Object.keys(link), ['id', 'name', 'created_at', 'expires_at', 'max_files', 'files', 'max_bytes', 'bytes', 'max_file_bytes', 'url', 'path', 'secret']);
    assertStatus(await put(link, 'x'.repeat(60)), 201);
    const { expires_at } = link;
    assert.deepEqual((await showLink(link)).json,
      { name: 'Photos', expires_at, max_files: 3, files_left: 2, max_bytes: 100, bytes_left: 40, max_file_bytes: 60 });
    assertStatus(await showLink(link, {}, 'HEAD'), 200);
  });

  test('an upload link has default limits, and none where its owner sets null', async () => {
    for (const link of [await newLink(), { ...(await links('POST')).json }]) {
      assert.equal(life(link), 7 * 86_400);
      assert.deepEqual([link.name, link.max_files, link.max_bytes, link.max_file_bytes], ['', 100, 2 ** 30, null]);
    }
    const free = await newLink({ expires_in: null, max_files: null, max_bytes: null, max_file_bytes: null });
    assert.deepEqual([free.expires_at, free.max_files, free.max_bytes, free.max_file_bytes], [null, null, null, null]);
    const { files_left, bytes_left, max_file_bytes } = (await showLink(free)).json;
    assert.deepEqual([files_left, bytes_left], [null, null]);
    assert.equal(max_file_bytes, Number(stack.settings('gateway').MAX_UPLOAD ?? 107_374_182_400));
    assert.equal(life(await newLink({ expires_in: 60 })), 60);
  });

  test('an upload link has 192 random bits, stored as a hash only', async () => {
    const made = [];
    for (let i = 0; i < 5; i++) made.push(await newLink());
    assert.equal(new Set(made.flatMap(({ id, secret }) => [id, secret])).size, 10);
    for (const { id, path, secret } of made) {
      assert.match(path, /\/u\/[A-Za-z0-9_-]{32}$/);
      const [[hash, row]] = await stack.sql('gateway', `SELECT HEX(hash), CONCAT_WS(' ', id, owner, name) FROM upload_link WHERE id = '${id}'`);
      assert.equal(hash.toLowerCase(), sha256(secret));
      assert.ok(!row.includes(secret));
    }
  });

  test('an upload link redirects a browser to the page, with the secret after the #', async () => {
    const link = await newLink();
    const browser = { headers: { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' } };
    for (const method of ['GET', 'HEAD']) {
      const answer = await showLink(link, browser, method);
      assertStatus(answer, 303);
      assert.equal(answer.headers.get('location'), `/upload-link.html#${link.secret}`);
    }
    assertStatus(await showLink(link, { headers: { Accept: '*/*' } }), 200);
    assertStatus(await showLink(link, { headers: { Accept: 'application/json' } }), 200);
    assertProblem(await stack.call('GET', '/u/x', browser), 404, 'not-found');
  });

  test('an unknown upload link is not found', async () => {
    const { path, secret } = await newLink();
    for (const wrong of ['x', 'A'.repeat(32), secret.slice(0, -1), `${secret}A`, "'", ...(stack.front ? [] : [`${secret.slice(0, 31)}%2f`])]) {
      const link = { path: path.replace(secret, wrong) };
      assertProblem(await showLink(link), 404, 'not-found');
      for (const answer of [await put(link, 'x'), await postForm(link, filePart('a', 'x'))]) assert.ok([404, 405].includes(answer.status), answer.text);
    }
    const none = { path: path.replace(secret, 'A'.repeat(32)) };
    assertProblem(await put(none, 'x'), 404, 'not-found');
    assertProblem(await postForm(none, filePart('a', 'x')), 404, 'not-found');
  });

  test('an upload link refuses other methods', async () => {
    const link = await newLink();
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await showLink(link, {}, method);
      assertProblem(answer, 405, 'method-not-allowed');
      assert.deepEqual(answer.headers.get('allow').split(', ').sort(), ['GET', 'HEAD', 'POST', 'PUT']);
    }
    const unnamed = await showLink(link, {}, 'PUT');
    assertProblem(unnamed, 400, 'bad-request');
    assert.match(unnamed.json.detail, /PUT \/u\/TOKEN\/NAME/);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await stack.call(method, `${link.path}/name`);
      assertProblem(answer, 405, 'method-not-allowed');
      assert.equal(answer.headers.get('allow'), 'PUT');
    }
  });
});

describe('upload links that are gone', () => {
  test('an upload link is gone from the second of its expiry', async () => {
    const { person, link } = await userWithLink({ expires_in: 3600 });
    assertStatus(await put(link, 'x'), 201);
    await setLink(link, 'expires_at = UNIX_TIMESTAMP()');
    await assertGone(link);
    await assertHas({ person, link }, ['x']);
  });

  test('a revoked upload link is gone, and no other', async () => {
    const { person, link } = await userWithLink();
    const other = await newLink({}, person);
    assertStatus(await revoke(link, person), 204);
    await assertGone(link);
    assertProblem(await revoke(link, person), 404, 'not-found');
    assertStatus(await put(other, 'x'), 201);
  });

  test('an upload link is gone after its last file or its last byte', async () => {
    const files = await userWithLink({ max_files: 2 });
    for (const name of ['a', 'b']) assertStatus(await put(files.link, 'x', name), 201);
    await assertGone(files.link);
    const bytes = await userWithLink({ max_bytes: 5 });
    assertStatus(await put(bytes.link, 'hello'), 201);
    await assertGone(bytes.link);
    await assertHas(bytes, ['hello']);
  });

  test('an upload link is gone while its owner is disabled', async () => {
    const { person, link } = await userWithLink();
    await admin('user', 'disable', person.email);
    await assertGone(link);
    await admin('user', 'enable', person.email);
    assertStatus(await put(link, 'x'), 201);
    assert.deepEqual(await linkCounts(link), [1, 1]);
  });

  test('an upload link is gone when its owner is deleted', async () => {
    const { person, link } = await userWithLink();
    await admin('user', 'delete', person.email, '--yes');
    await assertGone(link);
  });

  test('an upload link is not affected by its owner\'s logout', async () => {
    const { person, link } = await userWithLink();
    assertStatus(await stack.call('POST', '/logout?all=1', { token: person.token, body: '' }), 204);
    assertStatus(await put(link, 'x'), 201);
  });

  test('an upload in progress is refused if its link is revoked', async () => {
    const { person, link } = await userWithLink();
    const body = Buffer.alloc(400_000, 'x');
    const slowly = (between) => new Promise((done, fail) => {
      const sent = request(`${stack.url}${link.path}/slow.bin`, { method: 'PUT', headers: { 'Content-Length': body.length } }, (answer) => {
        answer.resume();
        done(answer.statusCode);
      });
      sent.on('error', fail);
      sent.write(body.subarray(0, 200_000), () => between().then(() => sent.end(body.subarray(200_000)), fail));
    });
    assert.equal(await slowly(async () => {}), 201);
    assert.equal(await slowly(async () => assertStatus(await revoke(link, person), 204)), 410);
    await assertHas({ person, link }, [body]);
  });
});

describe('limits of upload links', () => {
  test('max_files 1 allows one of 20 parallel uploads', async () => {
    for (let round = 0; round < 3; round++) {
      const { person, link } = await userWithLink({ max_files: 1 });
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => put(link, `try ${i}`, `n${i}`)));
      const given = answers.filter(({ status }) => status === 201);
      assert.equal(given.length, 1, answers.map((a) => a.status).join(' '));
      for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 410, 'gone');
      assert.equal(given[0].json.files[0].sha256, (await allFiles(stack, person))[0].sha256);
      assert.deepEqual((await linkCounts(link))[0], 1);
    }
  });

  test('max_bytes is exact under 50 parallel uploads', async () => {
    const { person, link } = await userWithLink({ max_bytes: 54 });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => put(link, 'hello', `n${i}`)));
    assert.equal(answers.filter((a) => a.status === 201).length, 10, answers.map((a) => a.status).join(' '));
    for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 507, 'quota-exceeded');
    await assertHas({ person, link }, Array(10).fill('hello'));
    assert.equal((await showLink(link)).json.bytes_left, 4);
    assertStatus(await put(link, 'four'), 201);
    await assertGone(link);
  });

  test('the limits of all links and the owner\'s quota are exact under 50 parallel uploads', async () => {
    const { person, link } = await userWithLink({ max_files: 4 }, '--files', '9');
    const other = await newLink({}, person);
    const own = (i) => stack.call('PUT', `/upload/n${i}`, { token: person.token, body: 'hello' });
    const answers = await Promise.all(Array.from({ length: 51 }, (_, i) => (i % 3 === 0 ? put(link, 'hello') : i % 3 === 1 ? put(other, 'hello') : own(i))));
    assert.equal(answers.filter((a) => a.status === 201).length, 9, answers.map((a) => a.status).join(' '));
    for (const { status } of answers) assert.ok([201, 410, 507].includes(status), String(status));
    assert.ok((await linkCounts(link))[0] <= 4);
    assert.equal((await usage(person)).files, 9);
    assert.equal((await allFiles(stack, person)).length, 9);
  });

  test('an upload over a limit is refused with the name of the limit', async () => {
    const { person, link } = await userWithLink({ max_files: 3, max_bytes: 100, max_file_bytes: 60 });
    const assertRefused = async (answer, status, slug, pattern) => {
      assertProblem(answer, status, slug);
      assert.match(answer.json.detail, pattern);
    };
    await assertRefused(await put(link, 'x'.repeat(61)), 413, 'too-large', /larger than 60 bytes \(the limit of this link\)/);
    assertStatus(await put(link, 'x'.repeat(60)), 201);
    await assertRefused(await put(link, 'x'.repeat(41)), 507, 'quota-exceeded', /Too many bytes: this link accepts 40 more\. Nothing was stored;/);
    await assertRefused(await postForm(link, filePart('a', ''), filePart('b', ''), filePart('c', '')), 507, 'quota-exceeded', /Too many files: this link accepts 2 more/);
    await assertHas({ person, link }, ['x'.repeat(60)]);
    await quota(person, '--bytes', '61');
    await assertRefused(await put(link, 'xx'), 507, 'quota-exceeded', /There is no room left for uploads by this link/);
    assertStatus(await put(link, 'x'), 201);
  });

  test('a deletion does not give a link\'s limit back', async () => {
    const { person, link } = await userWithLink({ max_files: 1 });
    assertStatus(await put(link, 'x'), 201);
    const [{ id }] = await allFiles(stack, person);
    assertStatus(await stack.call('DELETE', `/files/${id}`, { token: person.token }), 204);
    await assertGone(link);
    assert.deepEqual([(await usage(person)).files, await linkCounts(link)], [0, [1, 1]]);
  });

  test('a refused upload does not count towards a limit', async () => {
    const { person, link } = await userWithLink({ max_files: 1, max_bytes: 10 });
    assertProblem(await postRaw(link, 'x', `?name=a&sha256=${'0'.repeat(64)}`), 422, 'digest-mismatch');
    assertProblem(await put(link, 'x'.repeat(11)), 507, 'quota-exceeded');
    await assertHas({ person, link }, []);
    assertStatus(await put(link, 'x'), 201);
  });

  test('a body of 1 MiB is refused by its length before it is stored', async () => {
    const { link } = await userWithLink({ max_bytes: null }, '--bytes', String((1 << 20) - 1));
    assertProblem(await put(link, Buffer.alloc(1 << 20)), 507, 'quota-exceeded');
    assert.deepEqual(await linkCounts(link), [0, 0]);
  });
});

describe('owners of upload links', () => {
  test('an owner lists their upload links, newest first, without their secrets', async () => {
    const person = await stack.person();
    assert.deepEqual((await links('GET', { token: person.token })).json, { links: [] });
    const [one, two, three] = [await newLink({ name: 'one' }, person), await newLink({ name: 'two' }, person), await newLink({}, person)];
    await setLink(one, 'created_at = created_at - 10');
    assertStatus(await put(one, 'hello'), 201);
    assertStatus(await revoke(three, person), 204);
    const answer = await links('GET', { token: person.token });
    assertStatus(answer, 200);
    assert.deepEqual(answer.json.links.map(({ name, files, bytes }) => [name, files, bytes]), [['two', 0, 0], ['one', 1, 5]]);
    for (const { secret } of [one, two]) assert.ok(!answer.text.includes(secret));
  });

  test('a user can neither list nor revoke upload links of another user', async () => {
    const link = await newLink();
    assert.ok(!(await links('GET', { token: bob.token })).text.includes(link.id));
    assertProblem(await revoke(link, bob), 404, 'not-found');
    assertProblem(await links('GET', { token: bob.token, query: `?owner=${ann.id}` }), 403, 'insufficient-scope');
    assertStatus(await showLink(link), 200);
  });

  test('an admin who names the owner can create, list and revoke upload links', async () => {
    const query = `?owner=${ann.id}`;
    const made = await links('POST', { token: root.token, query, json: { name: 'by root' } });
    assertStatus(made, 201);
    assert.ok((await links('GET', { token: root.token, query })).json.links.some(({ id }) => id === made.json.id));
    assert.ok((await links('GET')).json.links.some(({ id }) => id === made.json.id));
    assertProblem(await revoke(made.json, root), 404, 'not-found');
    assertStatus(await revoke(made.json, { token: root.token, query }), 204);
    assertProblem(await links('POST', { token: root.token, query: '?owner=999999999', json: {} }), 404, 'not-found');
    for (const method of ['GET', 'POST'])
      assertProblem(await links(method, { token: root.token, query: '?owner=x', json: method === 'POST' ? {} : undefined }), 422, 'invalid-value');
  });

  test('operations on upload links need a valid token with the scope', async () => {
    const link = await newLink();
    const reader = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:read' }));
    const writer = await mint(stack.signingKey(), claimsFor(ann, { scope: 'files:write' }));
    const ask = (token) => [links('GET', { token }), links('POST', { token, json: {} }), revoke(link, { token })];
    for (const answer of await Promise.all(ask(null))) assertProblem(answer, 401, 'missing-token');
    for (const answer of await Promise.all(ask('a b'))) assertProblem(answer, 400, 'invalid-request');
    for (const answer of await Promise.all(ask(reader).slice(1))) assertProblem(answer, 403, 'insufficient-scope');
    assertStatus(await links('GET', { token: reader }), 200);
    assertProblem(await links('GET', { token: writer }), 403, 'insufficient-scope');
    const cy = await stack.person();
    assertStatus(await stack.call('POST', '/logout', { token: cy.token }), 204);
    for (const answer of await Promise.all(ask(cy.token))) assertProblem(answer, 401, 'invalid-token');
    assertStatus(await showLink(link), 200);
  });

  test('an API token can create, list and revoke upload links', async () => {
    const { token } = (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 't' } })).json;
    const made = await links('POST', { token, json: {} });
    assertStatus(made, 201);
    assert.ok((await links('GET', { token })).json.links.some(({ id }) => id === made.json.id));
    assertStatus(await revoke(made.json, { token }), 204);
  });

  test('an upload link with invalid parameters is refused', async () => {
    for (const params of [{ name: 'x'.repeat(101) }, { name: 'é'.repeat(101) }, { name: 7 }, { name: 'a\nb' }, { name: null }, { expires_in: 0 }, { expires_in: 'x' },
      { max_files: 0 }, { max_files: 1_000_001 }, { max_files: '1' }, { max_bytes: -1 }, { max_bytes: 1.5 }, { max_bytes: 2 ** 50 + 1 }, { max_file_bytes: 0 }])
      assertProblem(await links('POST', { json: params }), 422, 'invalid-value');
    for (const params of [{ name: 'é'.repeat(100) }, { max_files: 1_000_000 }, { max_bytes: 2 ** 50, max_file_bytes: 2 ** 50 }]) assertStatus(await links('POST', { json: params }), 201);
    assertProblem(await links('POST', { body: 'x', headers: { 'Content-Type': 'application/json' } }), 400, 'bad-request');
    assertProblem(await links('POST', { body: 'x=1', headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported-media-type');
    assertProblem(await links('POST', { body: JSON.stringify({ x: 'x'.repeat(20_000) }), headers: { 'Content-Type': 'application/json' } }), 413, 'too-large');
  });

  test('a user can have a hundred upload links', async () => {
    const person = await stack.person();
    const first = await newLink({}, person);
    const row = (_, n) => `('${String(person.id * 100 + n).padStart(22, 'm')}', UNHEX(SHA2('${person.id} ${n}', 256)), ${person.id}, '', 1)`;
    await stack.sql('gateway', `INSERT INTO upload_link (id, hash, owner, name, created_at) VALUES ${Array.from({ length: 99 }, row)}`);
    assertProblem(await links('POST', { token: person.token, json: {} }), 409, 'conflict');
    assertStatus(await revoke(first, person), 204);
    assertStatus(await links('POST', { token: person.token, json: {} }), 201);
    assert.equal((await links('GET', { token: person.token })).json.links.length, 100);
  });

  for (const id of ['x', 'A'.repeat(22), '%c3%a9'.repeat(11), "'".repeat(22)])
    test(`revoking the unknown upload link ${id.slice(0, 25)} is not found`, async () => {
      assertProblem(await revoke({ id }), 404, 'not-found');
    });
});

test('no log has the secret of an upload link', { skip: stack.front && stack.front !== 'nginx' && 'its log is not ours' }, async () => {
  const [link, used] = [await newLink(), await newLink({ max_files: 1 })];
  for (const answer of [await showLink(link), await put(link, 'x', 'a name'), await postForm(used, filePart('a', 'x'))]) assert.ok(answer.status < 300);
  await assertGone(used);
  await showLink(link, {}, 'DELETE');
  await showLink(link, {}, 'OPTIONS');
  await showLink(link, { headers: { Accept: 'text/html' } });
  for (const target of [`${link.path}?x=1`, `${link.path}/`, `${link.path}/a/b`, `/u/${link.secret}`, `/%75/${link.secret}`, `//u/${link.secret}`, `/./u/${link.secret}`,
    `/cgi-gateway/u/${link.secret}`, `/cgi-bin/cgi-gateway/u/${link.secret}`])
    await (await fetch(stack.url + target)).arrayBuffer();
  await raw(`GET ${link.path} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n`);
  await raw(`PUT ${link.path}/x HTTP/1.1\r\n\r\n`);
  await raw(`PUT ${link.path}/x HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n`);
  await raw(`POST http://a${link.path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx`);
  const last = await put(link, 'x');
  const id = last.headers.get('x-request-id');
  assert.match(await stack.logLine(`"request_id":"${id}"`), /"path":"\/u\/…"/);
  assert.match(await stack.logLine(` ${id} PUT /u/`), / PUT \/u\/\.\.\. HTTP\/1\.1 201 /);
  for (const { secret } of [link, used]) assert.ok(!stack.logs.includes(secret), stack.logs.split('\n').find((x) => x.includes(secret)));
  // the paths of other requests are still logged
  const other = await links('GET');
  assert.match(await stack.logLine(` ${other.headers.get('x-request-id')} GET `), /\/upload-links/);
});

function raw(bytes) {
  return new Promise((done, fail) => {
    const { hostname, port } = new URL(stack.url);
    const socket = net.connect(port, hostname, () => socket.end(bytes));
    socket.on('data', () => {}).on('error', fail).on('close', done);
  });
}

test('gc removes upload links that ended 30 days ago, and no others', async () => {
  const person = await stack.person();
  const day = 86_400, old = 31 * day, young = 29 * day;
  const ago = (n) => `UNIX_TIMESTAMP() - ${n}`;
  const used = (n) => [`max_files = 1, files = 1, last_upload_at = ${ago(n)}`, `max_bytes = 9, bytes = 9, last_upload_at = ${ago(n)}`];
  const ends = (n) => [`revoked_at = ${ago(n)}`, `expires_at = ${ago(n)}`, ...used(n)];
  const made = async (states) => {
    const ids = [];
    for (const state of states) {
      const link = await newLink({}, person);
      await setLink(link, state);
      ids.push(link.id);
    }
    return ids;
  };
  await made(ends(old));
  const stay = await made([...ends(young), `max_files = 2, files = 1, last_upload_at = ${ago(old)}`, `max_files = NULL, max_bytes = NULL, expires_at = NULL, files = 9, last_upload_at = ${ago(old)}`]);
  const rows = async () => (await stack.sql('gateway', `SELECT id FROM upload_link WHERE owner = ${person.id}`)).flat().sort();
  const removed = async (...args) => JSON.parse((await stack.gatewayAdmin(['gc', '--json', ...args])).stdout).upload_links;
  assert.equal(await removed('--dry-run'), 4);
  assert.equal((await rows()).length, stay.length + 4);
  assert.equal(await removed(), 4);
  assert.deepEqual(await rows(), stay.sort());
});
