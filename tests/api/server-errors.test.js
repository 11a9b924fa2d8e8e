// Requests that lighttpd refuses by itself: a program answers in its place, and serves a POST without a length.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus, basic } from '../support/client.js';
import { curl } from '../support/curl.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { useStack } from '../support/stack.js';
import { front } from '../support/transport.js';

const skip = front && `${front} refuses other requests than lighttpd`;
const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const bearer = () => ({ Authorization: `Bearer ${ann.token}` });
const send = (method, target, headers) => sendRaw(stack.url, requestHead(method, target, headers));

describe('a POST without Content-Length', () => {
  test('/login logs in with curl -X POST', async () => {
    const { stdout } = await curl('-X', 'POST', '-u', `${ann.email}:${ann.password}`, `${stack.url}/login`);
    assert.match(JSON.parse(stdout).access_token, /^ey/);
  });

  test('/login refuses a wrong password, and a request without credentials', async () => {
    assertProblem(await send('POST', '/login', { Authorization: basic(ann.email, 'wrong') }), 401, 'invalid-credentials');
    assertProblem(await send('POST', '/login'), 401, 'missing-credentials');
  });

  test('/login answers as its headers ask, and refuses a query', async () => {
    const answer = await send('POST', '/login', { Authorization: basic(ann.email, ann.password), Accept: 'text/plain', 'X-Request-ID': 'from-the-client' });
    assertStatus(answer, 200);
    assert.match(answer.text, /^ey/);
    assert.equal(answer.headers.get('x-request-id'), 'from-the-client');
    assertProblem(await send('POST', '/login?x=y', { Authorization: basic(ann.email, ann.password) }), 422, 'invalid-value');
  });

  test('every other route that needs no body is served', async () => {
    const login = await stack.call('POST', '/login', { basic: [ann.email, ann.password], headers: { 'X-Refresh-Cookie': '1' } });
    const cookie = login.headers.get('set-cookie').split(';')[0];
    assertStatus(await send('POST', '/refresh', { Cookie: cookie, 'X-Refresh-Cookie': '1' }), 200);
    assertStatus(await send('POST', '/otp', bearer()), 200);
    assertStatus(await send('POST', '/upload-links', bearer()), 201);
    const file = await stack.call('PUT', '/upload/x', { token: ann.token, body: 'x' });
    assertStatus(await send('POST', `/files/${file.json.files[0].id}/links`, bearer()), 201);
    assertStatus(await send('POST', '/logout', { Authorization: `Bearer ${login.json.access_token}` }), 204);
  });

  test('a resumable upload is created, and ended by X-HTTP-Method-Override', async () => {
    for (const path of ['/tus', '/tus/']) {
      const created = await send('POST', path, { ...bearer(), 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' });
      assertStatus(created, 201);
      const url = new URL(created.headers.get('location'), stack.url);
      const fields = ['-H', `Authorization: Bearer ${ann.token}`, '-H', 'Tus-Resumable: 1.0.0'];
      const status = ['-o', '/dev/null', '-w', '%{http_code}'];
      assert.equal((await curl(...fields, ...status, '-X', 'POST', '-H', 'X-HTTP-Method-Override: DELETE', url)).stdout, '204');
      assert.match((await curl(...fields, ...status, '-I', url)).stdout, /^4(04|10)$/);
    }
  });

  test('X-HTTP-Method-Override: HEAD or GET shows the progress of a resumable upload', async () => {
    const created = await send('POST', '/tus/', { ...bearer(), 'Tus-Resumable': '1.0.0', 'Upload-Length': '5' });
    const url = new URL(created.headers.get('location'), stack.url);
    for (const method of ['HEAD', 'GET']) {
      const { stdout } = await curl('-X', 'POST', '-i', '-H', `Authorization: Bearer ${ann.token}`, '-H', `X-HTTP-Method-Override: ${method}`, '-H', 'Tus-Resumable: 1.0.0', url);
      assert.match(stdout, /^HTTP\/1.1 204 /);
      assert.match(stdout, /^Upload-Offset: 0\r$/m);
      assert.match(stdout, /^Upload-Length: 5\r$/m);
    }
  });

  test('routes that need a body say what is missing in it', async () => {
    assertProblem(await send('POST', '/password', bearer()), 415, 'unsupported-media-type');
    assertProblem(await send('POST', '/upload', bearer()), 400, 'no-file');
  });

  test('a path without POST is 405, an unknown one 404', { skip }, async () => {
    const answer = await send('POST', '/me', bearer());
    assertProblem(answer, 405, 'method-not-allowed');
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
    for (const path of ['/nothing', '/', '/%', '/login/x', '/s', '//login', '/x/../login'])
      assertProblem(await send('POST', path, bearer()), 404, 'not-found');
  });

  test('the routes of the internal listener are 404 on the public one', { skip }, async () => {
    for (const path of ['/validate', '/introspect', '/readyz', '/metrics', '/cgi-auth/validate', '/cgi-gateway/readyz', '/x/../validate', '/%76alidate'])
      assertProblem(await send('POST', path, bearer()), 404, 'not-found');
  });

  test('the internal listener serves its own routes only', async () => {
    const status = async (path) => (await curl('-X', 'POST', '-H', `Authorization: Bearer ${ann.token}`, '-o', '/dev/null', '-w', '%{http_code}', stack.internalUrl + path)).stdout;
    assert.equal(await status('/validate'), '200');
    for (const path of ['/tokens', '/upload', '/upload-links', '/tus/', '/me']) assert.equal(await status(path), '404', path);
  });

  test('a body after such a head is not a second request', { skip }, async () => {
    const answer = await sendRaw(stack.url, `POST /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
    assertProblem(answer, 404, 'not-found');
    assert.doesNotMatch(answer.text, /"ok"/);
    assert.equal(answer.headers.get('connection'), 'close');
  });
});

describe('an error of lighttpd', { skip }, () => {
  const long = 'x'.repeat(9000);
  const errors = [
    ['400: a header with a blank in its name', () => sendRaw(stack.url, 'GET /me HTTP/1.1\r\nHost: x\r\nA B: c\r\nConnection: close\r\n\r\n'), 400, 'bad-request'],
    ['400: no Host', () => sendRaw(stack.url, 'GET /me HTTP/1.1\r\nConnection: close\r\n\r\n'), 400, 'bad-request'],
    ['400: a GET with a body', () => sendRaw(stack.url, 'GET /me HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx'), 400, 'bad-request'],
    ['404: a path under a file', () => send('GET', '/favicon.svg%2Fx'), 404, 'not-found'],
    ['404: an unknown path', () => send('GET', '/nothing'), 404, 'not-found'],
    ['404: an unknown path by another method', () => send('DELETE', '/nothing'), 404, 'not-found'],
    ['413: a body over the limit of the route', () => send('POST', '/login', { 'Content-Length': String(1 << 20) }), 413, 'too-large'],
    ['431: a head over the limit', () => send('GET', '/', { 'X-Long': long }), 431, 'bad-request'],
    ['501: a transfer coding that is not chunked', () => sendRaw(stack.url, `PUT /upload/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann.token}\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n`), 501, 'bad-request'],
    ['501: an unknown method', () => send('BREW', '/'), 501, 'bad-request'],
    // Debian 12's lighttpd (1.4.69) answers 505, Debian 13's (1.4.79) answers 400
    ['505 or 400: an unknown version', () => sendRaw(stack.url, 'GET / HTTP/3.0\r\nHost: x\r\n\r\n'), [505, 400], 'bad-request'],
    ['505 or 400: HTTP/2 without TLS', () => sendRaw(stack.url, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), [505, 400], 'bad-request'],
  ];
  for (const [name, ask, status, slug] of errors)
    test(`${name} is a problem with a request id`, async () => {
      const answer = await ask();
      assertProblem(answer, [status].flat().find((one) => one === answer.status) ?? status, slug);
      assert.match(answer.headers.get('x-request-id'), /^[\w-]{22}$/);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(answer.headers.has('retry-after'), false);
    });

  // What the server finds out only after it has chosen a program
  const chunked = (method, target, body) =>
    sendRaw(stack.url, requestHead(method, target, { ...bearer(), 'Transfer-Encoding': 'chunked', 'Content-Type': 'application/json' }) + body);
  const chunks = (count) => `4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(count) + '0\r\n\r\n';
  for (const [name, ask, status] of [
    ['413: a chunked body over the limit of a route', () => chunked('POST', '/login', chunks(8)), 413],
    ['413: a chunked body over the limit of another program', () => chunked('POST', '/upload-links', chunks(8)), 413],
    ['400: a chunk that is none', () => chunked('PATCH', `/files/${ann.id}`, 'none\r\n'), 400],
    ['404: the address of a program of plain CGI', () => send('GET', '/cgi-bin/cgi-auth/none'), 404],
  ])
    test(`${name} does not ask the client to try again`, async () => {
      const answer = await ask();
      assert.equal(answer.status, status);
      assert.equal(answer.headers.has('retry-after'), false);
      assert.match(answer.headers.get('x-request-id'), /^[\w-]{22}$/);
    });

  test('413: a chunked body over the limit of the internal listener has a request id', async () => {
    const answer = await sendRaw(stack.internalUrl, requestHead('POST', '/introspect', { 'Transfer-Encoding': 'chunked' }) + chunks(8));
    assertProblem(answer, 413, 'too-large');
    assert.match(answer.headers.get('x-request-id'), /^[\w-]{22}$/);
    assert.equal(answer.headers.has('retry-after'), false);
  });

  test('has the id that the client sent, and a line in the log of the program', async () => {
    const answer = await send('GET', '/nothing', { 'X-Request-ID': 'an-error-of-lighttpd' });
    assert.equal(answer.headers.get('x-request-id'), 'an-error-of-lighttpd');
    assert.equal(JSON.parse(await stack.logLine('"request_id":"an-error-of-lighttpd"')).status, 404);
  });

  test('to HEAD has no body', async () => {
    const answer = await send('HEAD', '/nothing');
    assert.equal(answer.status, 404);
    assert.equal(answer.text, '');
    assert.ok(Number(answer.headers.get('content-length')) > 100);
  });

  test('a client cannot ask for one', async () => {
    const forged = { 'Redirect-Status': '411', 'Redirect-Uri': '/.error/request', REDIRECT_STATUS: '411', 'Request-Uri': '/login' };
    const paths = ['/.error', '/.error/request', '/.error/internal', '/.error/program', '/.error-to/cgi-auth', '/.error-to/cgi-auth/request', '/.error-to/cgi-auth/program', '/.error-to/cgi-gateway/program/head', '/cgi-auth/.error/request', '/cgi-gateway/.error/program', '/%2Eerror/request'];
    for (const path of paths)
      for (const [method, headers] of [['GET', {}], ['POST', {}], ['POST', { 'Content-Length': '0' }], ['HEAD', {}]]) {
        const answer = await send(method, path, { ...headers, ...forged, Authorization: basic(ann.email, ann.password) });
        assert.equal(answer.status, 404, `${method} ${path}`);
      }
  });
});

describe('files of the page', { skip }, () => {
  test('are served at their own paths alone, with their policy', async () => {
    for (const path of ['/', '/index.html', '/upload-link.html', '/api.html', '/css/base.css', '/js/main.js', '/favicon.svg']) {
      const answer = await send('GET', path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'/, path);
      assert.equal(answer.headers.get('cache-control'), 'no-cache');
    }
    for (const path of ['/index.html/x', '/index.html%2Fx', '/index.html/', '/css/base.css/x', '/css', '/css/', '/js', '/INDEX.HTML', '/index.html;x', '/.nothing/index.html', '/cgi-auth', '/errors/404.html']) {
      const answer = await send('GET', path);
      assert.equal(answer.status, 404, path);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json', path);
    }
    // lighttpd may take these for the file
    for (const path of ['//index.html', '/./index.html', '/x/../index.html', '/%69ndex.html', '/css//base.css']) {
      const answer = await send('GET', path);
      if (answer.status === 200) assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'/, path);
      else assert.equal(answer.status, 404, path);
    }
  });
});

describe('a slash at the end of a path', () => {
  test('means nothing', async () => {
    assertStatus(await send('POST', '/login/', { Authorization: basic(ann.email, ann.password), 'Content-Length': '0' }), 200);
    for (const path of ['/me/', '/files/', '/tokens/', '/sessions/?', '/usage/', '/upload-links/']) assert.equal((await send('GET', path, bearer())).status, 200, path);
    const { url } = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const target = new URL(url, stack.url).pathname;
    const posted = await curl('-F', 'file=@/etc/hostname', `${stack.url}${target}/`);
    assert.match(posted.stdout, /"size":/);
    const id = (await stack.call('PUT', '/upload/x', { token: ann.token, body: 'bytes' })).json.files[0].id;
    for (const path of [`/files/${id}/`, `/files/${id}/links/`, `/download/${id}/`]) assert.equal((await send('GET', path, bearer())).status, 200, path);
    const link = (await stack.call('POST', `/files/${id}/links`, { token: ann.token, json: {} })).json;
    assert.equal((await send('GET', `${new URL(link.url, stack.url).pathname}/`)).text, 'bytes');
  });

  test('belongs to the name of a file in a PUT', async () => {
    const answer = await send('PUT', '/upload/x/', { ...bearer(), 'Content-Length': '0' });
    assert.ok([400, 404, 422].includes(answer.status), answer.text);
  });
});

describe('a PUT without a name', () => {
  test('to /upload says what is missing', async () => {
    for (const path of ['/upload', '/upload/']) {
      const { stdout } = await curl('-X', 'PUT', '-H', `Authorization: Bearer ${ann.token}`, '-d', 'bytes', stack.url + path);
      const problem = JSON.parse(stdout);
      assert.equal(problem.status, 400);
      assert.equal(problem.detail, 'The name of the file is missing: PUT /upload/NAME.');
    }
  });

  test('to an upload link says what is missing', async () => {
    const { url } = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    for (const end of ['', '/']) {
      const { stdout } = await curl('-X', 'PUT', '-d', 'bytes', `${stack.url}${new URL(url, stack.url).pathname}${end}`);
      const problem = JSON.parse(stdout);
      assert.equal(problem.status, 400);
      assert.equal(problem.detail, 'The name of the file is missing: PUT /u/TOKEN/NAME.');
    }
  });
});

describe('a newline', () => {
  test('ends every answer of JSON or text, so that a prompt stands in a line of its own', async () => {
    const answers = [
      await stack.call('GET', '/files', { token: ann.token }),
      await stack.call('GET', '/me', { token: ann.token }),
      await stack.call('GET', '/healthz'),
      await stack.call('POST', '/login', { basic: [ann.email, ann.password], body: '' }),
      await stack.call('POST', '/login', { basic: [ann.email, ann.password], body: '', headers: { Accept: 'text/plain' } }),
      await stack.call('POST', '/login', { body: '' }),
      await stack.call('GET', '/files'),
      await send('GET', '/nothing'),
      await stack.callInternal('GET', '/cgi-auth/metrics'),
      await stack.callInternal('GET', '/validate', { token: ann.token }),
    ];
    for (const { target, text } of answers) assert.match(text, /[^\n]\n$/, target);
  });
});

describe('an error in a browser', () => {
  // fetch() says that it is none
  const open = async (target) => {
    const [response] = await once(http.get(stack.url + target, { headers: { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } }), 'response');
    return new Response(Buffer.concat(await response.toArray()), { status: response.statusCode, headers: response.headers });
  };

  for (const [target, status] of [['/files', 401], ['/login', 405], ['/download/x', 401], ['/tus/x', 401], ['/s/no-such-link', 404], ['/validate', 404], ['/mistyped', 404], ['/a/b/c?d', 404]])
    test(`${target} is a page of the same status, with a way home`, { skip: front && (target === '/mistyped' || target === '/validate' || target === '/a/b/c?d') && 'not of lighttpd' }, async () => {
      const page = await open(target), json = await fetch(stack.url + target);
      assert.equal(page.status, status);
      assert.equal(json.status, status);
      assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
      assert.equal(json.headers.get('content-type'), 'application/problem+json');
      assert.match(page.headers.get('content-security-policy'), /^default-src 'none'; style-src 'self';/);
      for (const name of ['www-authenticate', 'allow', 'cache-control', 'x-content-type-options', 'referrer-policy', 'vary', 'retry-after'])
        assert.equal(page.headers.get(name), json.headers.get(name), name);
      assert.match(page.headers.get('vary'), /Accept/);
      const html = await page.text(), problem = await json.json();
      assert.ok(html.includes(`<h1>${problem.title}</h1>`), html);
      assert.ok(html.includes(page.headers.get('x-request-id')));
      assert.doesNotMatch(html, /<script|<style| style=| on\w+=/);
      const home = /<a href="([^"]+)">/.exec(html)[1];
      assert.equal(new URL(home, stack.url + target).href, `${stack.url}/`);
      const style = /rel="stylesheet" href="([^"]+)"/.exec(html)[1];
      assert.equal((await fetch(new URL(style, stack.url + target))).status, 200);
      assert.match(html, /\n$/);
    });

  test('is JSON for fetch(), whatever it accepts', async () => {
    for (const mode of ['cors', 'same-origin', 'no-cors']) assert.equal((await curl('-H', 'Accept: text/html', '-H', `Sec-Fetch-Mode: ${mode}`, '-o', '/dev/null', '-w', '%{content_type}', `${stack.url}/files`)).stdout, 'application/problem+json');
    assert.match((await curl('-H', 'Sec-Fetch-Mode: navigate', `${stack.url}/files`)).stdout, /^<!doctype html>/);
  });
});

describe('the logs', { skip }, () => {
  test('have no secret of a link, however it is spelled', async () => {
    const secret = 'Secret0fALinkThatNobodyMayRead';
    const paths = [`/S/${secret}`, `/s;/${secret}`, `/drop.html/${secret}`, `/upload-link.html/${secret}`, `//s/${secret}`, `/%73/${secret}`, `/s/${secret}/`, `/s/x/${secret}`, `/u/${secret}/a/b`, `/x/s/${secret}`, `/s%2F${secret}`, `/.error/request/${secret}`, `/./u/${secret}`, `/s/${secret}%00`, `/cgi-gateway/s/${secret}`, `/index.html?${secret}`, `/${secret}`];
    for (const path of paths) for (const method of ['GET', 'POST', 'HEAD']) await send(method, path);
    const last = await send('GET', '/nothing', { 'X-Request-ID': 'after-the-secrets' });
    assert.equal(last.status, 404);
    await stack.logLine('GET - HTTP/1.1 404');
    await stack.logLine('"request_id":"after-the-secrets"');
    assert.doesNotMatch(stack.logs, new RegExp(secret));
  });

  test('have the path of a known address', async () => {
    await stack.call('GET', '/sessions', { token: ann.token, headers: { 'X-Request-ID': 'a-known-address' } });
    assert.match(await stack.logLine('"request_id":"a-known-address"'), /"path":"\/sessions"/);
  });
});
