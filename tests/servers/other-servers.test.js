// The main functions behind each server of deploy/ that can replace lighttpd; what each must refuse; and how
// each passes on the bytes of an upload that is cut off.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { curl } from '../support/curl.js';
import { uploadFile, sha256 } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { openRequest } from '../support/open-request.js';
import { pause, startStack, untilExit } from '../support/stack.js';
import { newUpload, fileOf, offsetOf, openPatch, patch } from '../support/tus.js';

// How many of 200,000 bytes are stored at least if the connection breaks after them
const kept = { nginx: 200_000, caddy: 131_072 };

for (const how of ['nginx', 'caddy'])
  describe(how, () => {
    const content = Buffer.alloc(1_000_000, 'gatehouse ');
    let stack, ann;
    before(async () => {
      stack = await startStack({ how });
      ann = await stack.person();
    });
    after(() => stack?.stop());
    const ask = (method, target, options) => stack.call(method, target, { token: ann.token, ...options });

    test(`${how} stores a form and a body, and returns them whole and in part`, async () => {
      const inForm = await ask('POST', '/upload', { body: form(filePart('a', 'A'), filePart('b', 'B')), headers: { 'Content-Type': formType() } });
      assert.deepEqual(inForm.json.files.map(({ name }) => name), ['a', 'b']);
      const file = await uploadFile(stack, ann, 'a?b%20ü.bin', content);
      assert.deepEqual([file.name, file.sha256], ['a?b%20ü.bin', sha256(content)]);
      const whole = await ask('GET', file.url);
      assert.deepEqual([whole.status, sha256(whole.bytes), whole.headers.get('etag')], [200, file.sha256, `"${file.sha256}"`]);
      assert.match(whole.headers.get('content-security-policy'), /^sandbox/);
      const etag = whole.headers.get('etag');
      for (const [headers, status, length] of [
        [{ Range: 'bytes=10-19' }, 206, 10], [{ Range: 'bytes=-5' }, 206, 5], [{ Range: 'bytes=1000000-' }, 416], [{ Range: 'bytes=5-1' }, 200, 1_000_000],
        [{ Range: 'bytes=0-1', 'If-Range': etag }, 206, 2], [{ Range: 'bytes=0-1', 'If-Range': '"x"' }, 200, 1_000_000],
        [{ 'If-None-Match': etag }, 304, 0], [{ 'If-None-Match': '"x"' }, 200, 1_000_000], [{ 'If-Match': etag }, 200, 1_000_000],
      ]) {
        const answer = await ask('GET', file.url, { headers });
        assert.deepEqual([answer.status, length && answer.bytes.length], [status, length], JSON.stringify(headers));
      }
      assert.equal((await ask('HEAD', file.url)).headers.get('content-length'), String(content.length));
      assertStatus(await ask('DELETE', `/files/${file.id}`), 204);
      assertProblem(await ask('GET', file.url), 404, 'not-found');
    });

    test(`${how} refuses requests without a token and hides the internal routes`, async () => {
      assertProblem(await ask('GET', '/files', { token: undefined }), 401, 'missing-token');
      for (const path of ['/validate', '/readyz', '/metrics', '/introspect', '/cgi-auth/validate', '/cgi-gateway/metrics', '/files/..%2Freadyz', '/.gatehouse/objects/', '/.gatehouse/errors/404.html', '/css/', '/nothing']) {
        const { status, headers } = await ask('GET', path);
        assert.equal(status, 404, path);
        assert.equal(headers.get('content-type'), 'application/problem+json', path);
      }
    });

    test(`${how} takes a slash at the end, and says that a name is missing`, async () => {
      assertStatus(await ask('GET', '/files/'), 200);
      assertStatus(await ask('POST', '/login/', { token: undefined, basic: [ann.email, ann.password] }), 200);
      assertProblem(await ask('PUT', '/upload', { body: 'bytes' }), 400, 'bad-request');
    });

    test(`${how} lets a program answer its own errors`, async () => {
      const unknown = await ask('GET', '/nothing?x=%20', { headers: { 'X-Request-ID': 'an-error-of-a-server' } });
      assertProblem(unknown, 404, 'not-found');
      assert.equal(unknown.headers.get('x-request-id'), 'an-error-of-a-server');
      const page = await curl('-i', '-H', 'Sec-Fetch-Mode: navigate', `${stack.url}/a/nothing`);
      assert.match(page.stdout, /^HTTP\/1.1 404 [^]*content-type: text\/html; charset=utf-8[^]*<a href="\.\/\.\.\/">/i);
      for (const path of ['/.error/request', '/.error/program', '/cgi-gateway/.error/request']) assertProblem(await ask('GET', path), 404, 'not-found');
    });

    if (how === 'nginx')
      test(`${how} lets a program answer its own errors, and the other one if a program is gone`, async () => {
        const unknown = await ask('GET', '/nothing', { headers: { 'X-Request-ID': 'an-error-of-nginx' } });
        assertProblem(unknown, 404, 'not-found');
        assert.equal(unknown.headers.get('x-request-id'), 'an-error-of-nginx');
        const large = await ask('POST', '/login', { token: undefined, body: 'x'.repeat(70_000) });
        assertProblem(large, 413, 'too-large');
        assert.match(large.headers.get('x-request-id'), /^[\w-]{22}$/);
        for (const path of ['/.error/request', '/.error/cgi-auth', '/.error/cgi-gateway']) assertProblem(await ask('GET', path), 404, 'not-found');
        const supervisor = Number(readFileSync(stack.path('run', 'lock'), 'utf8'));
        process.kill(supervisor, 'SIGSTOP'); // it would start cgi-auth again
        try {
          const pids = stack.processes('cgi-auth');
          for (const pid of pids) process.kill(pid, 'SIGKILL');
          await Promise.all(pids.map(untilExit));
          const gone = await ask('GET', '/me');
          assertProblem(gone, 503, 'unavailable');
          assert.equal(gone.headers.get('retry-after'), '1');
          assert.match(gone.headers.get('x-request-id'), /^[\w-]{22}$/);
        } finally {
          process.kill(supervisor, 'SIGCONT');
        }
        while ((await ask('GET', '/me')).status !== 200) await pause(50);
      });

    test(`${how} serves the page with its content policy`, async () => {
      for (const [path, type] of [['/', 'text/html'], ['/js/main.js', 'text/javascript'], ['/upload-link.html', 'text/html'], ['/share-link.html', 'text/html'], ['/drop.html', 'text/html'], ['/openapi.yaml', 'application/yaml']]) {
        const page = await fetch(stack.url + path);
        assert.equal(page.status, 200, path);
        assert.ok(page.headers.get('content-type').startsWith(type), page.headers.get('content-type'));
        assert.match(page.headers.get('content-security-policy'), /^default-src 'none'/);
        assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
      }
    });

    test(`${how} refuses an upload before its body arrives, and admits one`, async () => {
      const headers = { 'Content-Length': 1_000_000 };
      assertProblem(await openRequest(stack, 'PUT', '/upload/x', { headers }).answer, 401, 'missing-token');
      assertProblem(await openRequest(stack, 'PUT', `/u/${'a'.repeat(32)}/x`, { headers }).answer, 404, 'not-found');
      const request = openRequest(stack, 'PUT', '/upload/x', { token: ann.token, headers });
      await request.send(content);
      assertStatus(await request.answer, 201);
    });

    test(`${how} refuses a body that is too long for its route`, async () => {
      assertStatus(await ask('POST', '/password', { json: { password: 'x'.repeat(70_000) } }), 413);
    });

    test(`${how} passes on the bytes of a resumable upload, which count when it is cut off`, async () => {
      const path = await newUpload(stack, ann, 300_000, { name: 'cut' });
      const request = await openPatch(stack, ann, path, 0, 300_000);
      await request.send(content.subarray(0, 200_000));
      let offset = 0;
      while (offset < kept[how]) offset = await offsetOf(stack, ann, path);
      request.cut();
      await request.answer;
      offset = await offsetOf(stack, ann, path);
      assert.ok(offset >= kept[how] && offset <= 200_000, String(offset));
      assertStatus(await patch(stack, ann, path, offset, content.subarray(offset, 300_000)), 204);
      assert.equal((await fileOf(stack, ann, path)).sha256, sha256(content.subarray(0, 300_000)));
    });
  });
