// docs/gatehouse.postman_collection.json, run from top to bottom by newman, Postman's own runner
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import newman from 'newman';
import { faultsOf, operations } from '../support/contract.js';
import { repository, useStack } from '../support/stack.js';

const stack = await useStack();
const read = (name) => JSON.parse(readFileSync(join(repository, 'docs', `gatehouse.postman_${name}.json`), 'utf8'));
const folders = read('collection').item;
const requests = folders.flatMap((folder) => folder.item);

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-postman-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const environment = (values) => {
  const whole = read('environment');
  for (const entry of whole.values) if (entry.key in values) entry.value = values[entry.key];
  return whole;
};

// {failures, answers, environment} after "Run collection"; the answers can be checked against docs/openapi.yaml
function runCollection(person, { collection = read('collection'), newPassword = '' } = {}) {
  const answers = [];
  return new Promise((done, fail) => {
    newman.run({
      collection,
      environment: environment({ baseUrl: stack.url, email: person.email, password: person.password, newPassword }),
      workingDir: folder,
      timeoutRequest: 30000,
    }, (error, summary) => {
      if (error) return fail(error);
      const failures = summary.run.failures.map(({ source, error: why }) => `${source?.name}: ${why.test ?? ''} ${why.message}`);
      done({ failures, answers, environment: summary.environment });
    }).on('request', (error, { request, response, item }) => {
      if (error) return;
      const target = request.url.getPathWithQuery();
      const headers = new Headers(response.headers.all().map(({ key, value }) => [key, value]));
      answers.push({ name: item.name, method: request.method, target, status: response.code, headers, text: response.text() });
    });
  });
}

describe('the collection', () => {
  test('the collection has every public route of docs/openapi.yaml', () => {
    const paths = requests.map(({ request: { method, url } }) => `${method.toLowerCase()} /${url.path.join('/')}`);
    const pattern = (path) => path.replace(/\{\w+\}/g, '(?:\\{\\{\\w+\\}\\}|[^/{}]+)');
    // Some operations only say what is missing
    for (const { path, method, inside, statuses } of operations)
      if (!inside && statuses.some((status) => Number(status) < 400)) assert.ok(paths.some((p) => new RegExp(`^${method} ${pattern(path)}$`).test(p)), `${method} ${path} is not in the collection`);
  });

  test('each folder and each variable of the collection is described', () => {
    for (const { name, description } of folders) assert.ok(description, name);
    const names = requests.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length, 'a name appears twice');
    for (const { key, description } of read('collection').variable) {
      assert.match(description ?? '', /^Set by /, key);
      for (const [, name] of description.matchAll(/"([^"]+)"/g)) assert.ok(names.includes(name), `${key}: ${name}`);
    }
  });

  test('each request of the collection is described and tests its answer', () => {
    for (const { name, event, request } of requests) {
      assert.ok(request.description, name);
      assert.match(event.find((e) => e.listen === 'test').script.exec.join('\n'), /pm\.test\('status \d{3}'/, name);
    }
  });

  test('the collection uses only variables of the environment and those it sets', () => {
    const text = JSON.stringify(read('collection'));
    const set = [...text.matchAll(/pm\.(?:variables|collectionVariables)\.set\('(\w+)'/g)].map(([, name]) => name);
    const given = read('environment').values.map(({ key }) => key);
    for (const [, name] of text.matchAll(/\{\{(\w+)\}\}/g)) assert.ok([...set, ...given].includes(name), name);
  });
});

describe('runs', () => {
  const oldPassword = 'a "quoted" \\ pass: wörd';
  let ann;
  before(async () => (ann = await stack.person({ password: oldPassword })));

  test('a run passes with baseUrl, email and password alone, and leaves nothing behind', async () => {
    const { failures, answers, environment: after } = await runCollection(ann);
    assert.deepEqual(failures, []);
    assert.equal(answers.length, requests.length);
    for (const answer of answers) assert.deepEqual(faultsOf(answer), [], answer.name);
    assert.deepEqual(await stack.sql('gateway', `SELECT id FROM file WHERE owner = ${ann.id}`), []);
    assert.deepEqual(await stack.sql('auth', `SELECT id FROM session WHERE user_id = ${ann.id} AND revoked_at IS NULL`), []);
    assert.equal(after.get('password'), oldPassword);
    assert.equal((await stack.call('POST', '/login', { basic: [ann.email, oldPassword] })).status, 200);
  });

  test('a request that is sent too early names the variable that it lacks', async () => {
    const alone = (name) => {
      const collection = read('collection');
      collection.item = [{ name: 'alone', item: [requests.find((request) => request.name === name)] }];
      return collection;
    };
    const file = await runCollection(ann, { collection: alone('Show a file') });
    assert.ok(file.failures.some((failure) => failure.includes('fileId is empty: send "Log in"')), file.failures.join('\n'));
    const me = await runCollection(ann, { collection: alone('Show the user') });
    assert.ok(me.failures.some((failure) => failure.includes('accessToken is empty')), me.failures.join('\n'));
    const login = await runCollection({ email: '', password: '' }, { collection: alone('Log in') });
    assert.ok(login.failures.some((failure) => failure.includes('email is empty: choose the environment')), login.failures.join('\n'));
  });

  test('a run sends chosen files and a chosen new password', async () => {
    const bytes = randomBytes(70000);
    writeFileSync(join(folder, 'chosen.bin'), bytes);
    const collection = read('collection');
    for (const { request: { body } } of collection.item.flatMap((f) => f.item)) {
      if (body?.mode === 'file') body.file.src = 'chosen.bin';
      for (const part of body?.formdata ?? []) if (part.type === 'file') part.src = 'chosen.bin';
    }
    const { failures, answers, environment: after } = await runCollection(ann, { collection, newPassword: 'new "quoted" \\ wörd' });
    assert.deepEqual(failures, []);
    const files = answers.filter(({ status, target }) => status === 201 && /^\/upload[/?]|^\/upload$/.test(target)).map(({ text }) => JSON.parse(text).files[0]);
    assert.deepEqual(files.map(({ size }) => size), [70000, 70000, 70000]);
    assert.deepEqual(files.map(({ sha256 }) => sha256), Array(3).fill(createHash('sha256').update(bytes).digest('hex')));
    assert.equal(files[0].name, 'chosen.bin');
    assert.equal(after.get('password'), oldPassword);
  });
});

// lighttpd answers 411 to a POST without a length
test('newman sends Content-Length: 0 with a POST without a body', async () => {
  const lengths = [];
  const server = createServer((request, response) => {
    lengths.push(request.headers['content-length']);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collection = read('collection');
  collection.item = [{ name: 'POST', request: { method: 'POST', url: `http://127.0.0.1:${server.address().port}/logout` } }];
  await new Promise((done, fail) => newman.run({ collection }, (error) => (error ? fail(error) : done())));
  server.close();
  assert.deepEqual(lengths, ['0']);
});
