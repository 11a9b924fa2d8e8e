// deploy/lighttpd: Gatehouse behind a lighttpd that serves other things too
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Upload } from 'tus-js-client';
import { uploadFile, sha256 } from '../support/files.js';
import { freePort } from '../support/ports.js';
import { startServer } from '../support/server.js';
import { repository, startStack } from '../support/stack.js';

const deploy = join(repository, 'deploy', 'lighttpd');

// A lighttpd with a document root, into which one of our files is included as its first lines say.
const startExisting = (file, settings) => startServer('lighttpd', (folder, port) => {
  writeFileSync(join(folder, 'index.html'), 'another application\n');
  return {
    args: (name) => ['-D', '-f', name],
    text: `
      server.modules = ( "mod_redirect", "mod_proxy", "mod_accesslog" )
      server.port = ${port}
      server.bind = "127.0.0.1"
      server.document-root = "${folder}"
      server.errorlog = "${folder}/error.log"
      accesslog.filename = "${folder}/access.log"
      server.upload-dirs = ( "${folder}" )
      index-file.names = ( "index.html" )
      mimetype.assign = ( ".html" => "text/html" )
      ${settings}
      include "${join(deploy, file)}"
    `,
  };
});

for (const [file, path] of [['own-host.conf', ''], ['sub-path.conf', '/gatehouse']])
  describe(file, () => {
    const content = Buffer.alloc(1_000_000, 'gatehouse ');
    let stack, server, base, ann;
    before(async () => {
      stack = await startStack({ settings: { TRUSTED_PROXIES: '127.0.0.1' } });
      ann = await stack.person();
      const { hostname, port } = new URL(stack.url);
      const lines = file === 'own-host.conf' ? 'var.gatehouse_host = "127.0.0.1"' : 'var.gatehouse_path = "/gatehouse"';
      server = await startExisting(file, `${lines}\nvar.gatehouse_address = ( "host" => "${hostname}", "port" => ${port} )`);
      base = server.url + path;
    });
    after(async () => {
      await server?.stop();
      await stack?.stop();
    });
    const ask = (method, target, { headers, ...options } = {}) =>
      fetch(base + target, { method, redirect: 'manual', headers: { Authorization: `Bearer ${ann.token}`, ...headers }, ...options });

    test(`${file}: a login, an upload, a range of it, and its end`, async () => {
      const login = await fetch(`${base}/login`, { method: 'POST', headers: { Authorization: `Basic ${btoa(`${ann.email}:${ann.password}`)}` } });
      assert.equal(login.status, 200);
      const put = await ask('PUT', '/upload/a.bin', { body: content });
      assert.equal(put.status, 201);
      const { files: [{ id, sha256: digest }] } = await put.json();
      assert.equal(digest, sha256(content));
      const part = await ask('GET', `/download/${id}`, { headers: { Range: 'bytes=10-19' } });
      assert.deepEqual([part.status, (await part.arrayBuffer()).byteLength], [206, 10]);
      assert.equal((await ask('DELETE', `/files/${id}`)).status, 204);
    });

    test(`${file}: tus-js-client uploads in two requests`, async () => {
      const url = await new Promise((resolve, reject) => {
        const upload = new Upload(content, {
          endpoint: `${base}/tus/`, chunkSize: 600_000, headers: { Authorization: `Bearer ${ann.token}` },
          metadata: { filename: 'tus.bin' }, retryDelays: null, onError: reject, onSuccess: () => resolve(upload.url),
        });
        upload.start();
      });
      assert.ok(url.startsWith(`${base}/tus/`), url);
      const { files: [newest] } = await (await ask('GET', '/files?limit=1')).json();
      assert.deepEqual([newest.name, newest.sha256], ['tus.bin', sha256(content)]);
    });

    test(`${file}: the page is served, with its content policy`, async () => {
      const page = await fetch(`${base}/`);
      assert.equal(page.status, 200);
      assert.match(page.headers.get('content-security-policy'), /^default-src 'none'/);
      const module = /src="([^"]+\.js)"/.exec(await page.text())[1];
      assert.equal((await fetch(new URL(module, `${base}/`))).status, 200);
    });

    test(`${file}: the client's address arrives, and the secret of a link is in no log of the other server`, async () => {
      const one = await uploadFile(stack, ann, 'shared.txt', 'hello');
      const link = await (await ask('POST', `/files/${one.id}/links`, { headers: { 'Content-Type': 'application/json' }, body: '{}' })).json();
      const secret = link.url.split('/').at(-1);
      assert.equal(await (await fetch(`${base}/s/${secret}`)).text(), 'hello');
      // 127.0.0.1 is a trusted proxy here, so the address before it is the client's
      await fetch(`${base}/login`, { method: 'POST', headers: { Authorization: `Basic ${btoa(`${ann.email}:wrong`)}`, 'X-Forwarded-For': '203.0.113.9' } });
      await stack.logLine('203.0.113.9');
      for (const name of ['error.log', 'access.log']) assert.ok(!readFileSync(join(server.folder, name), 'utf8').includes(secret), name);
    });

    test(`${file}: what else the server has stays`, async () => {
      const other = file === 'own-host.conf' ? `http://localhost:${server.port}/` : `${server.url}/`;
      assert.equal(await (await fetch(other)).text(), 'another application\n');
      assert.equal(server.log().includes('(error)'), false);
    });
  });

test('sub-path.conf: the path without a slash is redirected', async () => {
  const server = await startExisting('sub-path.conf', `var.gatehouse_path = "/gatehouse"\nvar.gatehouse_address = ( "host" => "127.0.0.1", "port" => ${await freePort()} )`);
  const answer = await fetch(`${server.url}/gatehouse`, { redirect: 'manual' });
  assert.deepEqual([answer.status, answer.headers.get('location')], [301, '/gatehouse/']);
  await server.stop();
});

test('gatehouse.conf included into another server is refused, and the line that lighttpd names says why', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-include-'));
  const site = readFileSync(join(repository, 'lighttpd', 'site.conf.example'), 'utf8').replace('/usr/share/gatehouse/lighttpd"', `${join(repository, 'lighttpd')}"`);
  const file = join(folder, 'lighttpd.conf');
  writeFileSync(file, `server.modules = ( "mod_access" )\n${site}`);
  const { status, stderr } = spawnSync('lighttpd', ['-tt', '-f', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.notEqual(status, 0);
  assert.match(stderr, /Duplicate config variable[^\n]*server\.modules/);
  const [, where, line] = /source: (\S*gatehouse\.conf) line: (\d+)/.exec(stderr) ?? [];
  assert.ok(where, stderr);
  const lines = readFileSync(where, 'utf8').split('\n');
  assert.match(lines.slice(Number(line) - 8, Number(line)).join(' '), /deploy\/lighttpd/);
});
