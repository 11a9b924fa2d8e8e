// The optional virus scan of uploads, by a real clamd with one signature.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCgi } from '../support/cgi.js';
import { eicar, SIGNATURE, startClamd } from '../support/clamd.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { build, pause, run, startStack } from '../support/stack.js';
import { TUS, create, newUpload, fileOf, head, patch } from '../support/tus.js';

const LIMIT = 100 * 1024 ** 2; // the default of CLAMD_MAX and of clamd's StreamMaxLength

const clamd = await startClamd();
after(() => clamd.stop());
const stack = await startStack({ settings: { CLAMD: clamd.socket } });
after(() => stack.stop());
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-virus-'));
after(() => rmSync(folder, { recursive: true }));

let ann;
before(async () => {
  ann = await stack.person();
});

const put = (body, name = 'file', query = '') => stack.call('PUT', `/upload/${encodeURIComponent(name)}${query}`, { token: ann.token, body });
const post = (...parts) => stack.call('POST', '/upload', { token: ann.token, body: form(...parts), headers: { 'Content-Type': formType() } });
const cgi = (variables, request) => runCgi(stack, 'cgi-gateway', 'PUT', '/upload/file', { ...request, variables: { HTTP_AUTHORIZATION: `Bearer ${ann.token}`, ...variables } });
const ready = () => stack.callInternal('GET', '/cgi-gateway/readyz');

// Everything that is stored: rows, bytes, usage.
const data = stack.settings('gateway').DATA_DIR;
const stored = async () => ({
  files: (await allFiles(stack, ann)).length,
  usage: (await stack.call('GET', '/usage', { token: ann.token })).json,
  bytes: ['incoming', 'objects'].flatMap((name) => readdirSync(join(data, name), { recursive: true })).filter((name) => /[0-9a-f]{8}-/.test(name)).sort(),
});

async function assertNothingStored(request) {
  const before = await stored();
  const answer = await request();
  assert.deepEqual(await stored(), before);
  return answer;
}

async function assertInfected(request, name = 'file') {
  const answer = await assertNothingStored(request);
  assertProblem(answer, 422, 'infected');
  assert.equal(answer.json.detail, `"${name}" is infected with ${SIGNATURE}.UNOFFICIAL. Nothing was stored.`);
  return answer;
}

describe('scanned files', () => {
  test('a clean file is stored', async () => {
    assertStatus(await put('hello'), 201);
    assertStatus(await put(''), 201);
    assertStatus(await post(filePart('a', 'A'), filePart('b', 'B')), 201);
  });

  test('an infected file is refused, and nothing of it is stored', () => assertInfected(() => put(eicar)));

  test('an infected file is found at any offset and in archives', async () => {
    await assertInfected(() => put(Buffer.concat([Buffer.alloc(300_000, 1), eicar, Buffer.alloc(300_000, 2)])));
    await assertInfected(() => put(gzipSync(eicar)));
  });

  test('an infected file is refused by every kind of upload', async () => {
    await assertInfected(() => stack.call('POST', '/upload?name=a', { token: ann.token, body: eicar, headers: { 'Content-Type': 'text/plain' } }), 'a');
    await assertInfected(() => post(filePart('b', eicar)), 'b');
    await assertInfected(() => cgi({}, { input: eicar }));
    writeFileSync(join(folder, 'eicar'), eicar); // as lighttpd passes on a large body
    await assertInfected(() => cgi({ CONTENT_LENGTH: String(eicar.length) }, { file: join(folder, 'eicar') }));
  });

  test('the answer names the infected file, by the beginning of a long name', async () => {
    await assertInfected(() => put(eicar, '報告 "x".txt'), '報告 "x".txt');
    await assertInfected(() => put(eicar, 'a' + 'é'.repeat(127)), 'a' + 'é'.repeat(39));
  });

  test('an infected file is logged with its sender', async () => {
    const answer = await put(eicar, 'for the log.txt');
    const line = JSON.parse(await stack.logLine(`"event":"infected","request_id":"${answer.headers.get('x-request-id')}"`));
    assert.deepEqual(
      { level: line.level, user_id: line.user_id, user: line.user, signature: line.signature, name: line.name, size: line.size },
      { level: 'warn', user_id: ann.id, user: ann.email, signature: `${SIGNATURE}.UNOFFICIAL`, name: 'for the log.txt', size: eicar.length });
  });

  test('an infected file makes its whole request fail, at any position', async () => {
    const clean = (name) => filePart(name, `${name} is clean`);
    const bad = filePart('bad', eicar);
    await assertInfected(() => post(bad, clean('a'), clean('b')), 'bad');
    await assertInfected(() => post(clean('a'), bad, clean('b')), 'bad');
    await assertInfected(() => post(clean('a'), clean('b'), bad), 'bad');
  });
});

describe('scanned resumable uploads', () => {
  const [first, second] = [eicar.subarray(0, 30), eicar.subarray(30)];
  const part = (body) => newUpload(stack, ann, body.length, { body, headers: { 'Upload-Concat': 'partial' } });
  const join = (...parts) => create(stack, ann, null, { name: 'file', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${parts.join(' ')}` } });

  test('a clean resumable upload becomes a file', async () => {
    const path = await newUpload(stack, ann, 10, { body: 'hello' });
    assertStatus(await patch(stack, ann, path, 5, 'world'), 204);
    assert.equal((await fileOf(stack, ann, path)).size, 10);
    assertStatus(await join(await part(Buffer.from('hello')), await part(Buffer.from('world'))), 201);
  });

  test('an infected resumable upload is refused with its last bytes, and removed', async () => {
    let path;
    await assertInfected(async () => {
      path = await newUpload(stack, ann, eicar.length, { name: 'file', body: first });
      return patch(stack, ann, path, first.length, second);
    });
    assertStatus(await head(stack, ann, path), 404);
    assert.equal(await fileOf(stack, ann, path), null);
  });

  test('an infected resumable upload in one request is refused', () => assertInfected(() => create(stack, ann, eicar.length, { name: 'file', body: eicar })));

  test('clean parts of an infected whole are refused and removed with it', async () => {
    const parts = [];
    await assertInfected(async () => {
      parts.push(await part(first), await part(second));
      return join(...parts);
    });
    for (const path of parts) assertStatus(await head(stack, ann, path), 404);
  });

  test('a resumable upload larger than the scan limit is refused at creation', async () => {
    assertProblem(await create(stack, ann, LIMIT + 1), 413, 'too-large');
  });
});

describe('scanned uploads by a link', () => {
  test('an infected upload by a link is refused and logged with the link', async () => {
    const link = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const path = new URL(link.url, stack.url).pathname;
    const answer = await assertInfected(() => stack.call('PUT', `${path}/file`, { body: eicar }));
    const line = JSON.parse(await stack.logLine(`"event":"infected","request_id":"${answer.headers.get('x-request-id')}"`));
    assert.equal(line.upload_link, link.id);
    await assertInfected(() => stack.call('POST', path, { body: form(filePart('a', 'A'), filePart('b', eicar)), headers: { 'Content-Type': formType() } }), 'b');
    assertStatus(await stack.call('PUT', `${path}/file`, { body: 'hello' }), 201);
  });
});

describe('addresses of the scanner', () => {
  test('the scanner can be reached by host and port', async () => {
    const variables = { CLAMD: `127.0.0.1:${clamd.port}` };
    assertStatus(await cgi(variables, { input: 'hello' }), 201);
    await assertInfected(() => cgi(variables, { input: eicar }));
    await assertInfected(() => cgi({ CLAMD: `localhost:${clamd.port}` }, { input: eicar }));
  });

  test('an invalid scanner setting stops cgi-gateway', async () => {
    for (const [name, value] of [['CLAMD', 'clamd.ctl'], ['CLAMD', '::1:3310'], ['CLAMD_LARGER', 'perhaps'], ['CLAMD_MAX', '0'], ['CLAMD_TIMEOUT', '0']]) {
      const { code, stderr } = await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), [name]: value } });
      assert.equal(code, 78);
      assert.match(stderr, new RegExp(`^cgi-gateway: ${name}: .*\n$`));
    }
  });
});

describe('the scan limit', () => {
  // LIMIT bytes; the infected ones come last
  const whole = Buffer.alloc(LIMIT, 'no two lines of this are ever looked at in vain\n');
  eicar.copy(whole, LIMIT - eicar.length);

  test('the last byte within the scan limit is scanned', async () => {
    await assertInfected(() => put(whole));
    const clean = Buffer.from(whole);
    clean[LIMIT - 1] = 0;
    const answer = await put(clean);
    assertStatus(answer, 201);
    assertStatus(await stack.call('DELETE', `/files/${answer.json.files[0].id}`, { token: ann.token }), 204);
  });

  test('a file one byte over the scan limit is refused, by Content-Length and in a form', async () => {
    const large = Buffer.concat([whole, Buffer.from('x')]);
    const answer = await assertNothingStored(() => put(large));
    assertProblem(answer, 413, 'too-large');
    assert.match(answer.json.detail, new RegExp(`larger than ${LIMIT} bytes`));
    assertProblem(await assertNothingStored(() => post(filePart('a', 'A'), filePart('large', large))), 413, 'too-large');
  });

  test('--check shows the scan limit as MAX_UPLOAD', async () => {
    const { stdout } = await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env') } });
    assert.match(stdout, new RegExp(`^MAX_UPLOAD=${LIMIT}$`, 'm'));
  });

  test('a file over the scan limit is stored unscanned with CLAMD_LARGER=accept', async () => {
    const path = join(folder, 'larger');
    writeFileSync(path, eicar);
    truncateSync(path, LIMIT + 1);
    const variables = { CLAMD_LARGER: 'accept', CONTENT_LENGTH: String(LIMIT + 1) };
    const answer = await cgi(variables, { file: path });
    assertStatus(answer, 201);
    assertStatus(await stack.call('DELETE', `/files/${answer.json.files[0].id}`, { token: ann.token }), 204);
    truncateSync(path, LIMIT);
    await assertInfected(() => cgi({ ...variables, CONTENT_LENGTH: String(LIMIT) }, { file: path }));
    rmSync(path);
  });

  test('a scanner with a lower limit of its own makes uploads over it fail', async () => {
    const small = await startClamd(['StreamMaxLength 1M']);
    try {
      for (const CLAMD of [small.socket, `127.0.0.1:${small.port}`]) {
        const answer = await assertNothingStored(() => cgi({ CLAMD }, { input: Buffer.alloc(8 << 20) }));
        assertProblem(answer, 413, 'too-large');
        assert.match(answer.json.detail, /^"file" is too large to be scanned/);
        assert.match(answer.stderr, /"why":"clamd: its StreamMaxLength is less than CLAMD_MAX"/);
        assertStatus(await cgi({ CLAMD }, { input: Buffer.alloc(1 << 20) }), 201);
      }
    } finally {
      await small.stop();
    }
  });
});

describe('a scanner that is unavailable', () => {
  const assertUnavailable = (answer, name = 'file') => {
    assertProblem(answer, 503, 'unavailable');
    assert.equal(answer.json.detail, `"${name}" cannot be scanned for viruses at the moment. Try again in a few seconds.`);
    assert.match(answer.headers.get('retry-after'), /^\d+$/);
  };
  const why = async (answer) => JSON.parse(await stack.logLine(`"event":"request","request_id":"${answer.headers.get('x-request-id')}"`)).why;

  test('uploads are refused without the scanner, and everything else works', async () => {
    const record = await uploadFile(stack, ann, 'before', 'hello');
    assertStatus(await ready(), 200);
    await clamd.kill();
    try {
      const answer = await assertNothingStored(() => put('hello'));
      assertUnavailable(answer);
      assert.match(await why(answer), /^clamd: connect: /);
      assertUnavailable(await assertNothingStored(() => post(filePart('a', 'A'), filePart('b', 'B'))), 'a');
      assert.equal((await stack.call('GET', record.url, { token: ann.token })).text, 'hello');
      const state = await ready();
      assertProblem(state, 503, 'unavailable');
      assert.match(state.json.detail, /virus scanner \(CLAMD\)/);
    } finally {
      await clamd.start();
    }
    assertStatus(await ready(), 200);
    assertStatus(await put('hello'), 201);
  });

  test('an upload is refused if the scanner ends during the scan', async () => {
    for (const body of [Buffer.from('hello'), Buffer.alloc(8 << 20)]) {
      clamd.freeze(); // so that it does not answer yet
      const before = await stored();
      const upload = put(body);
      while (clamd.connections() < 1) await pause(10);
      await clamd.kill();
      try {
        const answer = await upload;
        assertUnavailable(answer);
        assert.match(await why(answer), /^clamd: /);
        assert.deepEqual(await stored(), before);
      } finally {
        await clamd.start();
      }
    }
    assertStatus(await put('hello'), 201);
  });

  test('a resumable upload is kept until the scanner is available', async () => {
    const upload = async (body) => {
      const path = await newUpload(stack, ann, body.length, { name: 'file' });
      assertUnavailable(await patch(stack, ann, path, 0, body));
      assertStatus(await head(stack, ann, path), 423); // not 503, because tus clients would begin anew
      assert.equal(await fileOf(stack, ann, path), null);
      return path;
    };
    await clamd.kill();
    const small = await startClamd(['StreamMaxLength 1M']);
    try {
      const [clean, infected, large] = [await upload(Buffer.from('hello')), await upload(eicar), await upload(Buffer.alloc(2 << 20))];
      await clamd.start();
      assertStatus(await head(stack, ann, clean), 200);
      assert.equal((await fileOf(stack, ann, clean)).size, 5);
      const get = (path) => stack.call('GET', path, { token: ann.token, headers: TUS });
      assertProblem(await get(infected), 422, 'infected');
      assertStatus(await head(stack, ann, infected), 404);
      const answer = await runCgi(stack, 'cgi-gateway', 'GET', large, { variables: { CLAMD: small.socket, HTTP_AUTHORIZATION: `Bearer ${ann.token}` } });
      assertProblem(answer, 413, 'too-large');
      assertStatus(await head(stack, ann, large), 404);
    } finally {
      await clamd.start();
      await small.stop();
    }
  });

  test('parts can be concatenated once the scanner is available again', async () => {
    const part = (body) => newUpload(stack, ann, body.length, { body, headers: { 'Upload-Concat': 'partial' } });
    const parts = [await part('hello'), await part('world')];
    const join = () => create(stack, ann, null, { name: 'file', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${parts.join(' ')}` } });
    await clamd.kill();
    try {
      assertUnavailable(await assertNothingStored(join));
    } finally {
      await clamd.start();
    }
    const answer = await join();
    assertStatus(answer, 201);
    assert.equal((await fileOf(stack, ann, new URL(answer.headers.get('location'), stack.url).pathname)).size, 10);
  });

  test('a scanner that does not answer times out', async () => {
    clamd.freeze();
    try {
      const answer = await assertNothingStored(() => cgi({ CLAMD_TIMEOUT: '1' }, { input: 'hello' }));
      assertUnavailable(answer);
      assert.match(answer.stderr, /"why":"clamd: timed out while waiting for the reply"/);
      const large = await assertNothingStored(() => cgi({ CLAMD_TIMEOUT: '1' }, { input: Buffer.alloc(8 << 20) }));
      assertUnavailable(large);
      assert.match(large.stderr, /"why":"clamd: timed out while sending"/);
    } finally {
      clamd.thaw();
    }
    assertStatus(await put('hello'), 201);
  });
});

test('no scanner is used without CLAMD', async () => {
  await clamd.kill();
  try {
    assertStatus(await cgi({ CLAMD_MAX: '1', CLAMD: '', GATEHOUSE_CONF: withoutClamd() }, { input: eicar }), 201);
  } finally {
    await clamd.start();
  }
});

// The instance's configuration without CLAMD: an empty variable would count as unset and the file's value apply.
function withoutClamd() {
  const path = join(folder, 'gateway.env');
  const lines = Object.entries(stack.settings('gateway')).filter(([name]) => name !== 'CLAMD').map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(''));
  return path;
}
