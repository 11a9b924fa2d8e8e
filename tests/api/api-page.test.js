// lighttpd/www/api.html: its content, how it is served, and its curl lines as pasted
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { curlLines, neededVariables } from '../support/api-page/curl.js';
import { apiPage } from '../support/api-page/page.js';
import { document, documentPath, operations } from '../support/document.js';
import { repository, useStack } from '../support/stack.js';
import { openTerminal } from '../support/terminal.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
const page = readFileSync(join(repository, 'lighttpd', 'www', 'api.html'), 'utf8');

describe('the API page', () => {
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);

  test('the API page is what docs/openapi.yaml renders to (else run scripts/render-api)', () => assert.ok(page === apiPage()));

  test('the API page has every operation with its parameters and answers', () => {
    const articles = new Map([...page.matchAll(/<article id="(\w+)"[^]*?<\/article>/g)].map(([text, id]) => [id, text]));
    assert.equal(articles.size, operations.length);
    for (const { path, method, operation, parameters, statuses } of operations) {
      const article = articles.get(operation.operationId);
      assert.match(article, new RegExp(`>${method.toUpperCase()}</span> <code>${path.replaceAll(/[{}]/g, '\\$&')}</code>`));
      for (const status of statuses) assert.ok(article.includes(`id="${operation.operationId}-${status}"`), `${operation.operationId} ${status}`);
      for (const { name } of parameters) assert.ok(article.includes(`<code class="name">${name}</code>`), `${operation.operationId} ${name}`);
    }
  });

  test('the API page has every problem type', () => {
    for (const type of document.components.schemas.ProblemType.oneOf) assert.ok(ids.includes(type.const.replace('urn:gatehouse:', 'problem-')), type.const);
  });

  test('the API page has no duplicate id and no broken link', () => {
    assert.deepEqual(ids.filter((id, i) => ids.indexOf(id) !== i), []);
    for (const [, link] of page.matchAll(/ (?:href|popovertarget)="#?([^"/.:]+)"/g)) assert.ok(ids.includes(link), link);
    for (const [, link] of page.matchAll(/<a href="([^#"][^"]*)"/g)) assert.match(link, /^(\.\/|openapi\.yaml|https:\/\/www\.rfc-editor\.org\/rfc\/rfc\d+)$/);
  });

  test('the API page has no inline script or style', () => {
    assert.doesNotMatch(page, /<style|<script(?! src="js\/api-page\.js" defer="defer"><\/script>)|javascript:/);
    assert.doesNotMatch(page, /<[^>]* (?:style|on\w+)=/);
  });
});

describe('the API page is served', () => {
  const get = (target, headers) => fetch(stack.url + target, { headers });

  test('the API page is served as HTML with a strict content policy, and revalidated', async () => {
    const answer = await get('/api.html');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(answer.headers.get('content-security-policy'), /unsafe/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.equal(await answer.text(), page);
    assert.equal((await get('/api.html', { 'If-None-Match': answer.headers.get('etag') })).status, 304);
  });

  test('all files that the API page loads are served', async () => {
    for (const [, file] of page.matchAll(/(?:src|rel="\w+" href)="([^"]+)"/g)) assert.equal((await get(`/${file}`)).status, 200, file);
  });

  test('/openapi.yaml is the same file as docs/openapi.yaml', async () => {
    const answer = await get('/openapi.yaml');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'application/yaml');
    assert.equal(await answer.text(), readFileSync(documentPath, 'utf8'));
  });
});

// Each line runs with a user of its own and what the line needs, as the text under the line says.
describe('the curl lines work as pasted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-api-page-'));
  after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'photo.jpg'), 'not really a photo');

  const secondFactor = async (ann) => {
    const { json } = await stack.call('POST', '/otp', { token: ann.token });
    return json.secret;
  };

  const withTusUpload = async ({ ann }) => {
    const headers = { 'Tus-Resumable': '1.0.0', 'Upload-Length': String(statSync(join(folder, 'photo.jpg')).size) };
    const { headers: answered } = await stack.call('POST', '/tus/', { token: ann.token, headers });
    return { ID: answered.get('location').split('/').at(-1) };
  };

  const uploadLink = async (ann) => (await stack.call('POST', '/upload-links', { token: ann.token })).json;
  const withUploadLink = async ({ ann }) => ({ SECRET: (await uploadLink(ann)).url.split('/').at(-1) });

  // operationId: further variables, made from {ann, id}
  const prepared = {
    refresh: async ({ ann }) => ({ REFRESH: (await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).json.refresh_token }),
    endSession: async ({ ann }) => ({ ID: (await stack.call('GET', '/sessions', { token: ann.token })).json.sessions[0].id }),
    endToken: async ({ ann }) => ({ ID: (await stack.call('POST', '/tokens', { token: ann.token, json: { name: 'one' } })).json.id }),
    confirmOtp: async ({ ann }) => ({ CODE: totp(await secondFactor(ann)) }),
    removeOtp: async ({ ann }) => {
      const code = totp(await secondFactor(ann));
      const { json } = await stack.call('POST', '/otp/confirm', { token: ann.token, json: { code } });
      return { CODE: json.recovery_codes[0] };
    },
    revokeLink: async ({ ann, id }) => ({ LINK: (await stack.call('POST', `/files/${id}/links`, { token: ann.token })).json.id }),
    downloadShared: async ({ ann, id }) => ({ SECRET: (await stack.call('POST', `/files/${id}/links`, { token: ann.token })).json.url.split('/').at(-1) }),
    revokeUploadLink: async ({ ann }) => ({ LINK: (await uploadLink(ann)).id }),
    showUploadLink: withUploadLink,
    uploadByLink: withUploadLink,
    uploadByLinkNamed: withUploadLink,
    uploadByLinkUnnamed: withUploadLink,
    downloadByQuery: ({ id }) => ({ FID: id }),
    showUpload: withTusUpload,
    continueUpload: withTusUpload,
    endUpload: withTusUpload,
  };

  test('the curl lines of the introduction work as pasted', async () => {
    const ann = await stack.person();
    const upload = await stack.call('POST', '/upload?name=top.jpg', { token: ann.token, body: 'a photo' });
    const terminal = openTerminal({ cwd: folder, set: { URL: stack.url, EMAIL: ann.email, PASSWORD: ann.password, ID: upload.json.files[0].id } });
    const { requests } = await terminal.paste(document.info.description.match(/^```\n([^]*?)^```$/m)[1]);
    terminal.close();
    assert.deepEqual(requests.map(({ status }) => status), [200, 201, 200, 200]);
    assert.equal(readFileSync(join(folder, 'top.jpg'), 'utf8'), 'a photo');
  });

  for (const op of operations)
    test(op.operation.operationId, async () => {
      const { operationId } = op.operation;
      const ann = await stack.person({ password: 'the old password' });
      const upload = await stack.call('POST', '/upload?name=holiday.jpg', { token: ann.token, body: 'a photo' });
      const [{ id }] = upload.json.files;
      const variables = {
        URL: stack.url,
        INTERNAL: stack.internalUrl,
        EMAIL: ann.email,
        PASSWORD: ann.password,
        TOKEN: ann.token,
        ID: id,
        ...(await prepared[operationId]?.({ ann, id })),
      };
      const terminal = openTerminal({ cwd: folder, set: variables });
      const lines = curlLines(op);
      for (const [name] of neededVariables(lines, op)) assert.ok(name in variables, `${operationId} needs ${name}: add it to \`prepared\``);
      let last;
      for (const { source } of lines) {
        const { requests, stdout, stderr } = await terminal.paste(source);
        assert.equal(requests.length, 1, source);
        [last] = requests;
        assert.equal(last.code, 0, `${source}\n${stderr}`);
        assert.equal(last.status >= 200 && last.status < 300, op.statuses.some((status) => status < '300'), `${source}\n${last.status} ${stdout}`);
      }
      assert.ok(op.statuses.includes(String(last.status)), String(last.status));
      terminal.close();
    });
});
