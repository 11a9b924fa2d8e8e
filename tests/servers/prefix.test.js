// Gatehouse behind an nginx that shows it below a path and cuts that path off: proxy_pass with a slash at its end.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Upload } from 'tus-js-client';
import { basic } from '../support/client.js';
import { openBrowser } from '../support/browser.js';
import { sha256 } from '../support/files.js';
import { startNginx } from '../support/nginx.js';
import { startStack } from '../support/stack.js';

// What nginx is told besides `location /files/ { proxy_pass …/; }`
const browser = await openBrowser();
const configurations = {
  'without any header': '',
  'with X-Forwarded-For only': 'proxy_http_version 1.1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;',
  'with X-Forwarded-Prefix': 'proxy_http_version 1.1; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Prefix /files;',
};

for (const how of ['fastcgi', 'cgi']) {
  let stack, person;
  const content = Buffer.alloc(300_000, 'below a path ');
  describe(how, () => {
    before(async () => {
      stack = await startStack({ how, settings: { TRUSTED_PROXIES: '127.0.0.1' } });
      person = await stack.person();
    });
    after(() => stack?.stop());

    for (const [what, lines] of Object.entries(configurations))
      describe(`nginx ${what}`, () => {
        const named = what === 'with X-Forwarded-Prefix';
        let nginx, root;
        before(async () => {
          nginx = await startNginx({ server: `client_max_body_size 0; location /files/ { ${lines} proxy_pass ${stack.url}/; }` });
          root = `${nginx.url}/files`;
        });
        after(() => nginx?.stop());
        const ask = (method, path, { headers, ...more } = {}) =>
          fetch(root + path, { method, redirect: 'manual', headers: { Authorization: `Bearer ${person.token}`, ...headers }, ...more });
        const bytesAt = async (url) => sha256(Buffer.from(await (await fetch(url, { headers: { Authorization: `Bearer ${person.token}` } })).arrayBuffer()));

        for (const [kind, options] of [['in chunks', { chunkSize: 100_000 }], ['in parts', { parallelUploads: 2 }], ['with the creation', { uploadDataDuringCreation: true }]])
          for (const endpoint of ['/tus/', '/tus'])
            test(`tus-js-client uploads ${kind} to ${endpoint}`, async () => {
              const upload = await new Promise((done, fail) => {
                const one = new Upload(content, { endpoint: root + endpoint, headers: { Authorization: `Bearer ${person.token}` }, retryDelays: null, ...options, onError: fail, onSuccess: () => done(one) });
                one.start();
              });
              assert.ok(upload.url.startsWith(`${root}/tus/`), upload.url);
              assert.equal(await bytesAt(upload.url.replace('/tus/', '/download/')), sha256(content));
            });

        test('the Location of an upload leads to its record', async () => {
          for (const [method, path] of [['PUT', '/upload/a.txt'], ['POST', '/upload?name=b.txt'], ['PUT', '/upload/a%20%2B.txt?expires_in=60']]) {
            const made = await ask(method, path, { body: 'x', headers: { 'Content-Type': 'text/plain' } });
            assert.equal(made.status, 201);
            const url = new URL(made.headers.get('location'), made.url);
            assert.ok(url.href.startsWith(`${root}/files/`), url.href);
            assert.equal((await ask('GET', url.href.slice(root.length))).status, 200);
          }
        });

        test('the link to the next page of the list leads there', async () => {
          const page = await ask('GET', '/files?limit=1');
          const next = new URL(/<([^>]+)>/.exec(page.headers.get('link'))[1], page.url);
          assert.ok(next.href.startsWith(`${root}/files?`), next.href);
          assert.equal((await ask('GET', next.href.slice(root.length))).status, 200);
        });

        test('an upload link leads a browser to its page', async () => {
          const { url } = await (await ask('POST', '/upload-links', { body: '{}', headers: { 'Content-Type': 'application/json' } })).json();
          const token = url.split('/').at(-1);
          const answer = await fetch(`${root}/u/${token}`, { redirect: 'manual', headers: { Accept: 'text/html' } });
          assert.equal(answer.status, 303);
          assert.equal(new URL(answer.headers.get('location'), answer.url).href, `${root}/upload-link.html#${token}`);
        });

        test('urls of files and links are below the path if the proxy names it, else below the address of the API', async () => {
          const made = await (await ask('PUT', '/upload/url.txt', { body: 'a url' })).json();
          const { id, url } = made.files[0];
          const link = (await (await ask('POST', `/files/${id}/links`, { body: '{}', headers: { 'Content-Type': 'application/json' } })).json()).url;
          for (const one of [url, link]) assert.equal(await bytesAt(named ? new URL(one, root).href : root + one), sha256('a url'), one);
          assert.equal(url, `${named ? '/files' : ''}/download/${id}`);
        });

        test('the cookie is for the path of /refresh if the proxy names it', async () => {
          const login = await fetch(`${root}/login`, { method: 'POST', body: '', headers: { Authorization: basic(person.email, person.password), 'X-Refresh-Cookie': '1' } });
          assert.equal(login.status, 200);
          const cookie = login.headers.get('set-cookie');
          assert.match(cookie, named ? /; Path=\/files\/refresh;/ : /; Path=\/refresh;/);
          assert.match(cookie, /HttpOnly; Secure; SameSite=Strict/);
        });

        test('the page works below the path, and shows addresses that do', async () => {
          const page = await browser.visit({ url: root });
          await page.logIn(person);
          const row = page.getByText('url.txt').first();
          await row.waitFor();
          await page.reload();
          // Without the name of the path, the cookie is for another one, and the login ends with the page
          if (named) await row.waitFor();
          else await page.getByRole('button', { name: 'Log in' }).waitFor();
          await page.context().close();
        });
      });

    test('a prefix that is not a plain path is ignored', async () => {
      const login = (headers) => stack.call('POST', '/login', { basic: [person.email, person.password], headers: { 'X-Refresh-Cookie': '1', ...headers } });
      for (const value of ['//evil.example', 'https://evil.example', '/a;b', '/a, /b', '/a b', '/\\evil', `/${'a'.repeat(300)}`, '/', 'x', '/é'])
        assert.match((await login({ 'X-Forwarded-Prefix': encodeURI(value) === value ? value : encodeURIComponent(value) })).headers.get('set-cookie'), /; Path=\/refresh;/, value);
    });
  });
}
