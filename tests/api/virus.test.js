// The optional virus scan of uploads, by a real clamd that knows one signature.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { runCgi } from '../support/cgi.js';
import { eicar, SIGNATURE, startClamd } from '../support/clamd.js';
import { assertProblem, assertStatus } from '../support/client.js';
import { allFiles, keep } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { build, pause, run, startStack } from '../support/stack.js';
import { TUS, create, created, fileOf, head, patch } from '../support/tus.js';

const LIMIT = 100 * 1024 ** 2; // CLAMD_MAX and clamd's StreamMaxLength, where nobody says otherwise

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

// Everything that is kept: rows, bytes, what counts against a quota.
const data = stack.settings('gateway').DATA_DIR;
const kept = async () => ({
  files: (await allFiles(stack, ann)).length,
  usage: (await stack.call('GET', '/usage', { token: ann.token })).json,
  bytes: ['incoming', 'objects'].flatMap((name) => readdirSync(join(data, name), { recursive: true })).filter((name) => /[0-9a-f]{8}-/.test(name)).sort(),
});

async function assertNothingKept(request) {
  const before = await kept();
  const answer = await request();
  assert.deepEqual(await kept(), before);
  return answer;
}

async function assertInfected(request, name = 'file') {
  const answer = await assertNothingKept(request);
  assertProblem(answer, 422, 'infected');
  assert.equal(answer.json.detail, `"${name}" is infected with ${SIGNATURE}.UNOFFICIAL. Nothing was stored.`);
  return answer;
}

describe('a file', () => {
  test('that is clean is kept', async () => {
    assertStatus(await put('hello'), 201);
    assertStatus(await put(''), 201);
    assertStatus(await post(filePart('a', 'A'), filePart('b', 'B')), 201);
  });

  test('that is infected is refused, and nothing of it is kept', () => assertInfected(() => put(eicar)));

  test('is looked at wherever the bytes lie in it, and in archives', async () => {
    await assertInfected(() => put(Buffer.concat([Buffer.alloc(300_000, 1), eicar, Buffer.alloc(300_000, 2)])));
    await assertInfected(() => put(gzipSync(eicar)));
  });

  test('is refused by each way in', async () => {
    await assertInfected(() => stack.call('POST', '/upload?name=a', { token: ann.token, body: eicar, headers: { 'Content-Type': 'text/plain' } }), 'a');
    await assertInfected(() => post(filePart('b', eicar)), 'b');
    await assertInfected(() => cgi({}, { input: eicar }));
    writeFileSync(join(folder, 'eicar'), eicar); // as lighttpd hands over a large body
    await assertInfected(() => cgi({ CONTENT_LENGTH: String(eicar.length) }, { file: join(folder, 'eicar') }));
  });

  test('is called by its name, the beginning of a long one', async () => {
    await assertInfected(() => put(eicar, '報告 "x".txt'), '報告 "x".txt');
    await assertInfected(() => put(eicar, 'a' + 'é'.repeat(127)), 'a' + 'é'.repeat(39));
  });

  test('that is infected is in the log, with who sent it', async () => {
    const answer = await put(eicar, 'for the log.txt');
    const line = JSON.parse(await stack.logLine(`"event":"infected","request_id":"${answer.headers.get('x-request-id')}"`));
    assert.deepEqual(
      { level: line.level, user_id: line.user_id, user: line.user, signature: line.signature, name: line.name, size: line.size },
      { level: 'warn', user_id: ann.id, user: ann.email, signature: `${SIGNATURE}.UNOFFICIAL`, name: 'for the log.txt', size: eicar.length });
  });

  test('that is infected takes all files of its request with it, wherever it stands', async () => {
    const clean = (name) => filePart(name, `${name} is clean`);
    const bad = filePart('bad', eicar);
    await assertInfected(() => post(bad, clean('a'), clean('b')), 'bad');
    await assertInfected(() => post(clean('a'), bad, clean('b')), 'bad');
    await assertInfected(() => post(clean('a'), clean('b'), bad), 'bad');
  });
});

describe('a resumable upload', () => {
  const [first, second] = [eicar.subarray(0, 30), eicar.subarray(30)];
  const part = (body) => created(stack, ann, body.length, { body, headers: { 'Upload-Concat': 'partial' } });
  const join = (...parts) => create(stack, ann, null, { name: 'file', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${parts.join(' ')}` } });

  test('that is clean becomes a file', async () => {
    const path = await created(stack, ann, 10, { body: 'hello' });
    assertStatus(await patch(stack, ann, path, 5, 'world'), 204);
    assert.equal((await fileOf(stack, ann, path)).size, 10);
    assertStatus(await join(await part(Buffer.from('hello')), await part(Buffer.from('world'))), 201);
  });

  test('that is infected is refused with its last bytes, and removed', async () => {
    let path;
    await assertInfected(async () => {
      path = await created(stack, ann, eicar.length, { name: 'file', body: first });
      return patch(stack, ann, path, first.length, second);
    });
    assertStatus(await head(stack, ann, path), 404);
    assert.equal(await fileOf(stack, ann, path), null);
  });

  test('that comes in one request is refused likewise', () => assertInfected(() => create(stack, ann, eicar.length, { name: 'file', body: eicar })));

  test('that is put together of clean parts is judged as a whole, and goes with them', async () => {
    const parts = [];
    await assertInfected(async () => {
      parts.push(await part(first), await part(second));
      return join(...parts);
    });
    for (const path of parts) assertStatus(await head(stack, ann, path), 404);
  });

  test('that is larger than what is scanned is refused when it begins', async () => {
    assertProblem(await create(stack, ann, LIMIT + 1), 413, 'too-large');
  });
});

describe('an upload link', () => {
  test('lets nothing infected in, and the log tells by which it was tried', async () => {
    const link = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const path = new URL(link.url, stack.url).pathname;
    const answer = await assertInfected(() => stack.call('PUT', `${path}/file`, { body: eicar }));
    const line = JSON.parse(await stack.logLine(`"event":"infected","request_id":"${answer.headers.get('x-request-id')}"`));
    assert.equal(line.upload_link, link.id);
    await assertInfected(() => stack.call('POST', path, { body: form(filePart('a', 'A'), filePart('b', eicar)), headers: { 'Content-Type': formType() } }), 'b');
    assertStatus(await stack.call('PUT', `${path}/file`, { body: 'hello' }), 201);
  });
});

describe('a scanner by another address', () => {
  test('is reached by host and port', async () => {
    const variables = { CLAMD: `127.0.0.1:${clamd.port}` };
    assertStatus(await cgi(variables, { input: 'hello' }), 201);
    await assertInfected(() => cgi(variables, { input: eicar }));
    await assertInfected(() => cgi({ CLAMD: `localhost:${clamd.port}` }, { input: eicar }));
  });

  test('that is none stops the program before it takes anything', async () => {
    for (const [name, value] of [['CLAMD', 'clamd.ctl'], ['CLAMD', '::1:3310'], ['CLAMD_LARGER', 'perhaps'], ['CLAMD_MAX', '0'], ['CLAMD_TIMEOUT', '0']]) {
      const { code, stderr } = await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env'), [name]: value } });
      assert.equal(code, 78);
      assert.match(stderr, new RegExp(`^cgi-gateway: ${name}: .*\n$`));
    }
  });
});

describe('around the length that is scanned', () => {
  // LIMIT bytes, and the infected ones last of all
  const whole = Buffer.alloc(LIMIT, 'no two lines of this are ever looked at in vain\n');
  eicar.copy(whole, LIMIT - eicar.length);

  test('the last byte of it is', async () => {
    await assertInfected(() => put(whole));
    const clean = Buffer.from(whole);
    clean[LIMIT - 1] = 0;
    const answer = await put(clean);
    assertStatus(answer, 201);
    assertStatus(await stack.call('DELETE', `/files/${answer.json.files[0].id}`, { token: ann.token }), 204);
  });

  test('a file of one byte more is refused, by its announced length and by its own', async () => {
    const large = Buffer.concat([whole, Buffer.from('x')]);
    const answer = await assertNothingKept(() => put(large));
    assertProblem(answer, 413, 'too-large');
    assert.match(answer.json.detail, new RegExp(`larger than ${LIMIT} bytes`));
    assertProblem(await assertNothingKept(() => post(filePart('a', 'A'), filePart('large', large))), 413, 'too-large');
  });

  test('the configuration in force says so', async () => {
    const { stdout } = await run(join(build, 'cgi-gateway'), ['--check'], { env: { GATEHOUSE_CONF: stack.path('conf', 'gateway.env') } });
    assert.match(stdout, new RegExp(`^MAX_UPLOAD=${LIMIT}$`, 'm'));
  });

  test('a larger file passes unscanned where the operator accepts that', async () => {
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

  test('a scanner that takes less than it is given is a mistake that lets nothing through', async () => {
    const small = await startClamd(['StreamMaxLength 1M']);
    try {
      for (const CLAMD of [small.socket, `127.0.0.1:${small.port}`]) {
        const answer = await assertNothingKept(() => cgi({ CLAMD }, { input: Buffer.alloc(8 << 20) }));
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

describe('a scanner that is away', () => {
  const assertAway = (answer, name = 'file') => {
    assertProblem(answer, 503, 'unavailable');
    assert.equal(answer.json.detail, `"${name}" cannot be scanned for viruses at the moment. Try again in a few seconds.`);
    assert.match(answer.headers.get('retry-after'), /^\d+$/);
  };
  const why = async (answer) => JSON.parse(await stack.logLine(`"event":"request","request_id":"${answer.headers.get('x-request-id')}"`)).why;

  test('lets nothing in, while all else goes on', async () => {
    const record = await keep(stack, ann, 'before', 'hello');
    assertStatus(await ready(), 200);
    await clamd.kill();
    try {
      const answer = await assertNothingKept(() => put('hello'));
      assertAway(answer);
      assert.match(await why(answer), /^clamd: connect: /);
      assertAway(await assertNothingKept(() => post(filePart('a', 'A'), filePart('b', 'B'))), 'a');
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

  test('and goes in the middle of a scan lets nothing in', async () => {
    for (const body of [Buffer.from('hello'), Buffer.alloc(8 << 20)]) {
      clamd.freeze(); // so that it has not answered yet
      const before = await kept();
      const asked = put(body);
      while (clamd.connections() < 1) await pause(10);
      await clamd.kill();
      try {
        const answer = await asked;
        assertAway(answer);
        assert.match(await why(answer), /^clamd: /);
        assert.deepEqual(await kept(), before);
      } finally {
        await clamd.start();
      }
    }
    assertStatus(await put('hello'), 201);
  });

  test('keeps a resumable upload until it is back', async () => {
    const upload = async (body) => {
      const path = await created(stack, ann, body.length, { name: 'file' });
      assertAway(await patch(stack, ann, path, 0, body));
      assertStatus(await head(stack, ann, path), 423); // not 503: clients of tus would begin anew
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

  test('leaves the parts of one that is put together to another try', async () => {
    const part = (body) => created(stack, ann, body.length, { body, headers: { 'Upload-Concat': 'partial' } });
    const parts = [await part('hello'), await part('world')];
    const join = () => create(stack, ann, null, { name: 'file', headers: { 'Upload-Defer-Length': undefined, 'Upload-Concat': `final;${parts.join(' ')}` } });
    await clamd.kill();
    try {
      assertAway(await assertNothingKept(join));
    } finally {
      await clamd.start();
    }
    const answer = await join();
    assertStatus(answer, 201);
    assert.equal((await fileOf(stack, ann, new URL(answer.headers.get('location'), stack.url).pathname)).size, 10);
  });

  test('and does not answer is not waited for without end', async () => {
    clamd.freeze();
    try {
      const answer = await assertNothingKept(() => cgi({ CLAMD_TIMEOUT: '1' }, { input: 'hello' }));
      assertAway(answer);
      assert.match(answer.stderr, /"why":"clamd: timed out while waiting for the reply"/);
      const large = await assertNothingKept(() => cgi({ CLAMD_TIMEOUT: '1' }, { input: Buffer.alloc(8 << 20) }));
      assertAway(large);
      assert.match(large.stderr, /"why":"clamd: timed out while sending"/);
    } finally {
      clamd.thaw();
    }
    assertStatus(await put('hello'), 201);
  });
});

test('without CLAMD nobody is asked', async () => {
  await clamd.kill();
  try {
    assertStatus(await cgi({ CLAMD_MAX: '1', CLAMD: '', GATEHOUSE_CONF: withoutClamd() }, { input: eicar }), 201);
  } finally {
    await clamd.start();
  }
});

// The instance's configuration but for CLAMD: an empty variable would count as not given.
function withoutClamd() {
  const path = join(folder, 'gateway.env');
  const lines = Object.entries(stack.settings('gateway')).filter(([name]) => name !== 'CLAMD').map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(path, lines.join(''));
  return path;
}
