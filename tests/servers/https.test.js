// lighttpd/parts/listen-https.conf: TLS and HTTP/2.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import tls from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { basic, finish } from '../support/client.js';
import { curl } from '../support/curl.js';
import { sha256 } from '../support/files.js';
import { startHttps } from '../support/https.js';
import { startStack } from '../support/stack.js';
import { TUS } from '../support/tus.js';

const email = 'h2@example.org', password = 'a long password';
let stack, site, session, token;

before(async () => {
  stack = await startStack({ how: 'spawn-fcgi' });
  assert.equal((await stack.authAdmin(['user', 'add', email, '--password-stdin'], `${password}\n`)).code, 0);
  site = await startHttps(stack);
  session = http2.connect(site.url, { ca: site.ca });
});
after(async () => {
  session?.close();
  await site?.stop();
  await stack?.stop();
});

// One request on the shared connection; returns an answer like client.js. The body is sent in `pieces`; an empty
// body has a Content-Length, as browsers and curl send it.
async function ask(method, path, headers = {}, ...pieces) {
  const stream = session.request({
    ':method': method, ':path': path, ...(token && { authorization: `Bearer ${token}` }), ...(pieces[0] === '' && { 'content-length': 0 }), ...headers,
  }, { endStream: pieces.length === 0 });
  const head = new Promise((done, fail) => stream.once('response', done).once('error', fail));
  for (const piece of pieces) stream.write(piece);
  if (pieces.length) stream.end();
  const got = await head;
  const bytes = Buffer.concat(await stream.toArray());
  const named = new Headers(Object.entries(got).filter(([name]) => !name.startsWith(':')).map(([name, value]) => [name, String(value)]));
  return finish({ method, target: path, status: got[':status'], headers: named, bytes });
}

// The result of a handshake: {version, alpn, trusted}, or {error: its code}
const handshake = (options) => new Promise((done) => {
  const socket = tls.connect({ host: '127.0.0.1', port: site.port, ca: site.ca, ALPNProtocols: ['h2', 'http/1.1'], ...options }, () => {
    done({ version: socket.getProtocol(), alpn: socket.alpnProtocol, trusted: socket.authorized });
    socket.destroy();
  });
  socket.on('error', (error) => done({ error: error.code ?? error.message }));
});

describe('TLS', () => {
  test('TLS 1.2 and 1.3 are accepted, with HTTP/2', async () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'])
      assert.deepEqual(await handshake({ minVersion: version, maxVersion: version }), { version, alpn: 'h2', trusted: true });
  });

  test('older versions of TLS are refused', async () => {
    // OpenSSL's default security level would make our own side refuse them as well
    for (const version of ['TLSv1', 'TLSv1.1']) {
      const { error } = await handshake({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
      assert.equal(error, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
    }
  });

  test('the public port answers TLS only, the internal port HTTP only', async () => {
    assert.equal((await fetch(site.url.replace('https:', 'http:') + '/healthz').catch(() => ({ status: 0 }))).status === 200, false);
    const inside = await fetch(`${site.internalUrl}/cgi-auth/readyz`);
    assert.equal(inside.status, 200);
    assert.equal(inside.headers.get('strict-transport-security'), null);
    assert.equal((await fetch(`${site.internalUrl.replace('http:', 'https:')}/cgi-auth/readyz`).catch(() => ({ status: 0 }))).status, 0);
  });
});

describe('requests over HTTP/2', () => {
  test('a login over HTTP/2 returns a token', async () => {
    const login = await ask('POST', '/login', { authorization: basic(email, password) }, '');
    assert.equal(login.status, 200, login.text);
    token = login.json.access_token;
  });

  test('every answer has Strict-Transport-Security', async () => {
    for (const [path, status] of [['/me', 200], ['/', 200], ['/nothing', 404]]) {
      const answer = await ask('GET', path);
      assert.equal(answer.status, status);
      assert.match(answer.headers.get('strict-transport-security'), /^max-age=\d{7,}$/, path);
    }
  });

  test('a file over HTTP/2 is uploaded without a length, and downloaded whole and in part', async () => {
    const pieces = Array.from({ length: 30 }, (_, i) => Buffer.alloc(100_000, i));
    const content = Buffer.concat(pieces);
    const up = await ask('PUT', '/upload/h2.bin', {}, ...pieces);
    assert.equal(up.status, 201, up.text);
    const file = up.json.files[0];
    assert.equal(file.sha256, sha256(content));
    assert.equal(sha256((await ask('GET', file.url)).bytes), file.sha256);
    const part = await ask('GET', file.url, { range: 'bytes=99999-100000' });
    assert.deepEqual([part.status, [...part.bytes]], [206, [0, 1]]);
    assert.equal((await ask('GET', file.url, { 'if-none-match': part.headers.get('etag') })).status, 304);
  });

  test('twenty parallel requests share one connection', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask('PUT', `/upload/${i}.txt`, {}, `file ${i}`)));
    assert.ok(answers.every(({ status }) => status === 201));
    const names = new Set(answers.map(({ json }) => json.files[0].name));
    assert.equal(names.size, 20);
  });

  test('bytes of a resumable upload over HTTP/2 count as they arrive, and after a cancelled stream', async () => {
    const content = Buffer.alloc(500_000, 'tus over h2 ');
    const made = await ask('POST', '/tus/', { ...TUS, 'upload-length': content.length, 'upload-metadata': `filename ${btoa('tus.bin')}` }, '');
    assert.equal(made.status, 201, made.text);
    const path = made.headers.get('location');
    const offset = async () => Number((await ask('HEAD', path, TUS)).headers.get('upload-offset'));
    const patch = { ...TUS, 'content-type': 'application/offset+octet-stream' };

    const broken = session.request({ ':method': 'PATCH', ':path': path, authorization: `Bearer ${token}`, ...patch, 'upload-offset': 0, 'content-length': content.length });
    broken.on('error', () => {});
    broken.write(content.subarray(0, 200_000));
    while ((await offset()) < 200_000);
    broken.close(http2.constants.NGHTTP2_CANCEL);

    const rest = await ask('PATCH', path, { ...patch, 'upload-offset': 200_000, 'content-length': 300_000 }, content.subarray(200_000));
    assert.equal(rest.status, 204, rest.text);
    assert.equal((await ask('GET', `/files/${path.split('/').at(-1)}`)).json.sha256, sha256(content));
  });

  test('curl --http2 works', async () => {
    const { stdout } = await curl('--http2', '--cacert', site.caFile, '-o', '/dev/null', '-w', '%{http_version} %{response_code}', '-H', `Authorization: Bearer ${token}`, `${site.url}/files`);
    assert.equal(stdout, '2 200');
  });
});
