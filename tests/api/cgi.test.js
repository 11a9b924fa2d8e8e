// The programs as plain CGI (RFC 3875), started as a server on shared hosting starts them.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCgi } from '../support/cgi.js';
import { assertProblem, basic } from '../support/client.js';
import { sha256 } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { build, run, useStack } from '../support/stack.js';

const stack = await useStack();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-cgi-'));
after(() => rmSync(folder, { recursive: true }));

let ann;
before(async () => {
  ann = await stack.person();
});

const cgi = (...request) => runCgi(stack, ...request);
const bearer = () => ({ HTTP_AUTHORIZATION: `Bearer ${ann.token}` });

describe('cgi-auth', () => {
  test('cgi-auth as CGI logs in, and its token works', async () => {
    const login = await cgi('cgi-auth', 'POST', '/login', { variables: { HTTP_AUTHORIZATION: basic(ann.email, ann.password) } });
    assert.equal(login.code, 0, login.stderr);
    assert.equal(login.status, 200);
    const me = await cgi('cgi-auth', 'GET', '/me', { variables: { HTTP_AUTHORIZATION: `Bearer ${login.json.access_token}` } });
    assert.equal(me.json.email, ann.email);
  });

  test('cgi-auth reads Authorization from REDIRECT_HTTP_AUTHORIZATION, where Apache puts it', async () => {
    const { status } = await cgi('cgi-auth', 'POST', '/login', { variables: { REDIRECT_HTTP_AUTHORIZATION: basic(ann.email, ann.password) } });
    assert.equal(status, 200);
    const me = await cgi('cgi-auth', 'GET', '/me', { variables: { REDIRECT_HTTP_AUTHORIZATION: `Bearer ${ann.token}` } });
    assert.equal(me.status, 200);
  });

  test('cgi-auth works under any SCRIPT_NAME', async () => {
    for (const script of ['/cgi-bin/cgi-auth', '/cgi-auth.cgi', '/~ann/api/cgi-auth.fcgi'])
      assert.equal((await cgi('cgi-auth', 'GET', '/me', { variables: { ...bearer(), SCRIPT_NAME: script } })).status, 200, script);
  });

  test('cgi-auth works when a server passes the whole path as SCRIPT_NAME', async () => {
    const { status } = await cgi('cgi-auth', 'GET', '/', { variables: { ...bearer(), SCRIPT_NAME: '/me', PATH_INFO: '' } });
    assert.equal(status, 200);
  });

  test('cgi-auth as CGI returns the same errors as under FastCGI', async () => {
    const answer = await cgi('cgi-auth', 'POST', '/login');
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal((await cgi('cgi-auth', 'GET', '/nothing')).status, 404);
    const put = await cgi('cgi-auth', 'PUT', '/me');
    assert.equal(put.status, 405);
    assert.match(put.headers.get('allow'), /GET/);
  });
});

describe('cgi-gateway', () => {
  const upload = (options) => cgi('cgi-gateway', 'PUT', '/upload/cgi.txt', options);

  test('cgi-gateway stores a body from a pipe', async () => {
    const answer = await upload({ variables: bearer(), input: 'through a pipe' });
    assert.equal(answer.status, 201, answer.stderr);
    assert.equal(answer.json.files[0].sha256, sha256('through a pipe'));
  });

  test('cgi-gateway stores a body from a regular file', async () => {
    const path = join(folder, 'body');
    const content = Buffer.alloc(300_000, 'abc');
    writeFileSync(path, content);
    const answer = await upload({ variables: { ...bearer(), CONTENT_LENGTH: String(content.length) }, file: path });
    assert.equal(answer.status, 201, answer.stderr);
    assert.equal(answer.json.files[0].sha256, sha256(content));
  });

  test('cgi-gateway stores the files of a form', async () => {
    const answer = await cgi('cgi-gateway', 'POST', '/upload', { variables: { ...bearer(), CONTENT_TYPE: formType() }, input: form(filePart('a', 'A'), filePart('b', 'B')) });
    assert.deepEqual(answer.json.files.map((f) => f.name), ['a', 'b']);
  });

  test('cgi-gateway returns URLs under the path that the server uses', async () => {
    const { json, headers } = await upload({ variables: bearer(), input: 'x' });
    assert.equal(json.files[0].url, `/cgi-bin/cgi-gateway/download/${json.files[0].id}`);
    assert.equal(headers.get('location'), `/cgi-bin/cgi-gateway/files/${json.files[0].id}`);
    const rewritten = await upload({ variables: { ...bearer(), REQUEST_URI: '/upload/cgi.txt' }, input: 'x' });
    assert.match(rewritten.json.files[0].url, /^\/download\//);
  });

  test('cgi-gateway with SENDFILE=none sends the bytes itself, with ranges and conditions', async () => {
    const variables = { ...bearer(), SENDFILE: 'none' };
    const { json } = await upload({ variables, input: '0123456789' });
    const get = (more = {}, method = 'GET') => cgi('cgi-gateway', method, `/download/${json.files[0].id}`, { variables: { ...variables, ...more } });
    const whole = await get();
    assert.equal(whole.text, '0123456789');
    const etag = whole.headers.get('etag');

    const table = [
      [{ HTTP_RANGE: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'], [{ HTTP_RANGE: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'], [{ HTTP_RANGE: 'bytes=8-' }, 206, '89', 'bytes 8-9/10'],
      [{ HTTP_RANGE: 'bytes=10-' }, 416, null, 'bytes */10'], [{ HTTP_RANGE: 'bytes=5-2' }, 200, '0123456789'], [{ HTTP_RANGE: 'lines=1-2' }, 200, '0123456789'],
      [{ HTTP_IF_NONE_MATCH: etag }, 304, ''], [{ HTTP_IF_NONE_MATCH: '"x"' }, 200, '0123456789'],
      [{ HTTP_RANGE: 'bytes=0-0', HTTP_IF_RANGE: etag }, 206, '0', 'bytes 0-0/10'], [{ HTTP_RANGE: 'bytes=0-0', HTTP_IF_RANGE: '"x"' }, 200, '0123456789'],
      [{ HTTP_IF_NONE_MATCH: etag, HTTP_RANGE: 'bytes=0-0' }, 304, ''],
    ];
    for (const [more, status, body, range] of table) {
      const answer = await get(more);
      assert.equal(answer.status, status, JSON.stringify(more));
      if (body !== null) assert.equal(answer.text, body, JSON.stringify(more));
      assert.equal(answer.headers.get('content-range'), range ?? null, JSON.stringify(more));
    }
    assert.equal((await get({}, 'HEAD')).bytes.length, 0);
    assert.equal((await get({}, 'HEAD')).headers.get('content-length'), '10');
  });

  test('cgi-gateway sends X-Sendfile only if SENDFILE asks for it', async () => {
    const { json } = await upload({ variables: bearer(), input: '0123456789' });
    const path = `/download/${json.files[0].id}`;
    const handed = await cgi('cgi-gateway', 'GET', path, { variables: { ...bearer(), SENDFILE: 'x-sendfile' } });
    assert.ok(handed.headers.get('x-sendfile').startsWith(stack.settings('gateway').DATA_DIR));
    assert.equal(handed.bytes.length, 0);
    const own = await cgi('cgi-gateway', 'GET', path, { variables: { ...bearer(), SENDFILE: 'none' } });
    assert.equal(own.headers.get('x-sendfile'), null);
  });

  test('a body without a length is refused, and no body is an empty file', async () => {
    const variables = { ...bearer(), CONTENT_LENGTH: undefined, CONTENT_TYPE: 'text/plain' };
    for (const [method, path] of [['PUT', '/upload/x'], ['POST', '/upload?name=x']])
      assertProblem(await cgi('cgi-gateway', method, path, { variables, input: 'of unknown length' }), 411, 'length-required');
    assert.equal((await upload({ variables })).json.files[0].size, 0);
  });

  test('a body that ends before its length is refused', async () => {
    const answer = await upload({ variables: { ...bearer(), CONTENT_LENGTH: '100' }, input: 'short' });
    assert.equal(answer.status, 400);
    assert.equal(answer.json.type, 'urn:gatehouse:incomplete-body');
    const cut = form(filePart('a', 'A'.repeat(1000))).subarray(0, 500);
    const inForm = await cgi('cgi-gateway', 'POST', '/upload', { variables: { ...bearer(), CONTENT_TYPE: formType(), CONTENT_LENGTH: '1100' }, input: cut });
    assert.equal(inForm.status, 400);
  });

  test('cgi-gateway reads no more than Content-Length', async () => {
    const answer = await upload({ variables: { ...bearer(), CONTENT_LENGTH: '4' }, input: 'four and more' });
    assert.equal(answer.json.files[0].size, 4);
  });

  test('a Content-Length that is not a number is refused', async () => {
    for (const length of ['-1', 'x', '1x', '99999999999999999999', '0x10', ' 5', '5 '])
      assert.ok([400, 411, 413].includes((await upload({ variables: { ...bearer(), CONTENT_LENGTH: length }, input: 'x' })).status), length);
  });

  test('cgi-gateway answers if CGI variables are missing', async () => {
    for (const variables of [{ PATH_INFO: '' }, { SCRIPT_NAME: '' }, { QUERY_STRING: undefined }, { REMOTE_ADDR: undefined }, { CONTENT_TYPE: '' }, { SCRIPT_NAME: undefined, PATH_INFO: undefined, REQUEST_URI: undefined }]) {
      const answer = await cgi('cgi-gateway', 'GET', '/', { variables: { ...bearer(), PATH_INFO: '/files', ...variables } });
      assert.ok(answer.status >= 200 && answer.status < 500, JSON.stringify(variables) + answer.stderr);
    }
  });

  test('STORE that names no store is refused with status 78 and the names that exist', async () => {
    const env = { PATH: process.env.PATH, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') };
    for (const [program, argument] of [['cgi-gateway', '--check'], ['gateway-admin', 'stat']]) {
      const { code, stderr } = await run(join(build, program), [argument], { env: { ...env, STORE: 'tape' } });
      assert.equal(code, 78, stderr);
      assert.equal(stderr, `${program === 'gateway-admin' ? 'gateway-admin stat' : program}: STORE: "tape" is not a store; set one of: disk\n`);
    }
  });

  test('STORE is shown by --check, and is disk unless it is set', async () => {
    const { code, stdout, stderr } = await run(join(build, 'cgi-gateway'), ['--check'], { env: { PATH: process.env.PATH, GATEHOUSE_CONF: stack.path('conf', 'gateway.env') } });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^STORE=disk$/m);
  });

  test('an invalid setting is one line on stderr and status 500', async () => {
    const answer = await cgi('cgi-gateway', 'GET', '/files', { variables: { ...bearer(), DATA_DIR: '/nowhere/at/all' } });
    assert.match(answer.stderr, /DATA_DIR/);
    assert.ok(answer.code === 78 || answer.status >= 500);
  });
});

test('both programs and the URLs they return work under /cgi-bin/', { skip: stack.transport !== 'cgi' || stack.front !== undefined }, async () => {
  const me = await stack.call('GET', '/cgi-bin/cgi-auth/me', { token: ann.token });
  assert.equal(me.json.email, ann.email);
  const { json } = await stack.call('PUT', '/cgi-bin/cgi-gateway/upload/x.txt', { token: ann.token, body: 'x' });
  assert.match(json.files[0].url, /^\/cgi-bin\/cgi-gateway\/download\//);
  assert.equal((await stack.call('GET', json.files[0].url, { token: ann.token })).text, 'x');
  for (const inside of ['/cgi-bin/cgi-auth/validate', '/cgi-bin/cgi-auth/readyz', '/cgi-bin/cgi-gateway/readyz', '/cgi-bin/auth-admin', '/cgi-bin/', '/cgi-bin/cgi-gateway'])
    assert.ok([403, 404].includes((await stack.call('GET', inside, { token: ann.token })).status), inside);
});

test('a program without a request and without a socket exits 64 and points to --help', async () => {
  for (const program of ['cgi-auth', 'cgi-gateway']) {
    const child = spawn(join(build, program), [], { env: { PATH: process.env.PATH, GATEHOUSE_CONF: stack.path('conf', `${program.slice(4)}.env`) }, stdio: ['ignore', 'pipe', 'pipe'] });
    const stderr = Buffer.concat(await child.stderr.toArray()).toString();
    const code = child.exitCode ?? await new Promise((done) => child.on('exit', done));
    assert.equal(code, 64);
    assert.match(stderr, /--help/);
  }
});
