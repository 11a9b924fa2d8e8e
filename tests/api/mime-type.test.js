// The type of a file: its bytes decide, and the type that the client claims is stored beside it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { runCgi } from '../support/cgi.js';
import { assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { png } from '../support/pictures.js';
import { build, run, useStack } from '../support/stack.js';
import { newUpload, fileOf } from '../support/tus.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const hex = (...bytes) => Buffer.from(bytes.join(''), 'hex');
const SCRIPT = '<script>alert(1)</script>';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const ZIP = hex('504b0506', '00'.repeat(18));
const DOCX = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

const shown = async (record) =>
  (await stack.call('HEAD', `/download/${record.id}?inline=1`, { token: ann.token })).headers.get('content-disposition').split(';')[0];

describe('types of files', () => {
  for (const [what, content, claimed, type] of [
    ['a picture', png, 'image/png', 'image/png'],
    ['a picture claimed as text', png, 'text/plain', 'image/png'],
    ['a picture claimed as another kind', png, 'image/jpeg', 'image/png'],
    ['a page claimed as a picture', SCRIPT, 'image/png', 'text/html'],
    ['a page claimed as text', SCRIPT, 'text/plain', 'text/html'],
    ['a page', SCRIPT, 'text/html', 'text/html'],
    ['a page after white space', `\n\n   <!-- x -->\n${SCRIPT}`, 'image/png', 'text/html'],
    ['an SVG claimed as a picture', SVG, 'image/png', 'image/svg+xml'],
    ['an SVG', SVG, 'image/svg+xml', 'image/svg+xml'],
    ['a script claimed as a picture', 'alert(1)', 'image/png', 'text/plain'],
    ['a script', 'alert(1)', 'text/javascript', 'text/plain'],
    ['a script that libmagic knows', '#!/usr/bin/env node\nconsole.log(1)\n', 'application/javascript', 'text/plain'],
    ['a style sheet', 'body { color: red }\n', 'text/css', 'text/plain'],
    ['a script in VBScript', 'MsgBox 1\n', 'text/vbscript', 'text/plain'],
    ['an HTML component', 'x\n', 'text/x-component', 'text/plain'],
    ['XSL', 'x\n', 'text/xsl', 'text/plain'],
    ['XSLT', '<?xml version="1.0"?><xsl:stylesheet/>', 'application/xslt+xml', 'text/xml'],
    ['a kind of text that nobody knows', 'x\n', 'text/x-unheard-of', 'text/plain'],
    ['WebAssembly', hex('0061736d01000000'), 'application/wasm', 'application/octet-stream'],
    ['a Flash film', Buffer.from('FWS\x06\x10\0\0\0'), 'application/x-shockwave-flash', 'application/octet-stream'],
    ['a Java archive', ZIP, 'application/java-archive', 'application/zip'],
    ['a Java class', hex('cafebabe00000034'), 'application/java-vm', 'application/octet-stream'],
    ['a manifest', '{"name":"x"}', 'application/manifest+json', 'application/json'],
    ['an HTML application', hex('01020304'), 'application/hta', 'application/octet-stream'],
    ['a type of no known kind', hex('01020304'), 'script/x', 'application/octet-stream'],
    ['a PDF', '%PDF-1.7\n', 'application/pdf', 'application/pdf'],
    ['a PDF claimed as text', '%PDF-1.7\n', 'text/plain', 'application/pdf'],
    ['text claimed as a PDF', 'no PDF\n', 'application/pdf', 'text/plain'],
    ['a table', 'a,b\n', 'text/csv', 'text/csv'],
    ['a table without a claim', 'a,b\n', undefined, 'text/plain'],
    ['Markdown', '# Title\n', 'text/markdown', 'text/markdown'],
    ['JSON', '{"a":[1,2]}', 'application/json', 'application/json'],
    ['GeoJSON', '{"type":"Point","coordinates":[1,2]}', 'application/geo+json', 'application/geo+json'],
    ['JSON claimed as a picture', '{"a":1}', 'image/png', 'application/json'],
    ['GPX', '<?xml version="1.0"?><gpx/>', 'application/gpx+xml', 'application/gpx+xml'],
    ['an archive', ZIP, 'application/zip', 'application/zip'],
    ['an archive claimed as DOCX', ZIP, DOCX, DOCX],
    ['unknown bytes claimed as DOCX', hex('01020304'), DOCX, 'application/octet-stream'],
    ['unknown bytes with an unknown claim', hex('01020304'), 'application/x-data', 'application/x-data'],
    ['unknown bytes claimed as a picture', hex('01020304'), 'image/png', 'application/octet-stream'],
    ['unknown bytes claimed as text', hex('01020304'), 'text/plain', 'application/octet-stream'],
    ['unknown bytes without a claim', hex('01020304'), undefined, 'application/octet-stream'],
    ['one byte', 'x', 'text/plain', 'text/plain'],
    ['an empty text', '', 'text/plain', 'text/plain'],
    ['an empty table', '', 'text/csv', 'text/csv'],
    ['an empty picture', '', 'image/png', 'application/octet-stream'],
    ['an empty file without a claim', '', undefined, 'application/octet-stream'],
    ['UTF-8 that is cut at the end of what libmagic reads', 'a' + 'ä'.repeat(40_000), 'text/plain', 'text/plain'],
  ])
    test(`the type of ${what} is ${type}`, async () => {
      const headers = claimed === undefined ? {} : { 'Content-Type': claimed };
      const answer = await stack.call('PUT', '/upload/file', { token: ann.token, body: Buffer.from(content), headers });
      assertStatus(answer, 201);
      const [record] = answer.json.files;
      assert.deepEqual([record.type, record.claimed_type], [type, claimed ?? 'application/octet-stream']);

      // The same everywhere else
      const { json } = await stack.call('GET', `/files/${record.id}`, { token: ann.token });
      assert.deepEqual([json.type, json.claimed_type], [record.type, record.claimed_type]);
      const got = await stack.call('GET', record.url, { token: ann.token });
      assert.equal(got.headers.get('content-type'), type);
      assert.equal(got.headers.get('x-content-type-options'), 'nosniff');
      assert.equal(Buffer.compare(got.bytes, Buffer.from(content)), 0);
      // Only types that libmagic has confirmed are ever shown inline
      const inert = ['image/png', 'text/plain'].includes(type);
      assert.equal(await shown(record), inert ? 'inline' : 'attachment');
    });

  test('each file of a form has its own type', async () => {
    const body = form(filePart('a.png', png, 'Content-Type: text/plain'), filePart('b.png', SCRIPT, 'Content-Type: image/png'), filePart('c', 'x,y\n', 'Content-Type: text/csv'));
    const answer = await stack.call('POST', '/upload', { token: ann.token, body, headers: { 'Content-Type': formType() } });
    assertStatus(answer, 201);
    assert.deepEqual(answer.json.files.map((f) => [f.type, f.claimed_type]), [['image/png', 'text/plain'], ['text/html', 'image/png'], ['text/csv', 'text/csv']]);
  });

  test('the type of a resumable upload is that of its bytes', async () => {
    const path = await newUpload(stack, ann, SCRIPT.length, { body: SCRIPT, name: 'a.png', metadata: { filetype: 'image/png' } });
    const record = await fileOf(stack, ann, path);
    assert.deepEqual([record.type, record.claimed_type], ['text/html', 'image/png']);
    assert.equal(await shown(record), 'attachment');
  });

  test('the type of an upload by a link is that of its bytes', async () => {
    const link = (await stack.call('POST', '/upload-links', { token: ann.token, json: {} })).json;
    const path = new URL(link.url, stack.url).pathname;
    assertStatus(await stack.call('PUT', `${path}/a.png`, { body: SCRIPT, headers: { 'Content-Type': 'image/png' } }), 201);
    const [record] = (await stack.call('GET', '/files?limit=1', { token: ann.token })).json.files;
    assert.deepEqual([record.upload_link, record.type, record.claimed_type], [link.id, 'text/html', 'image/png']);
  });

  test('the type of a large file is that of its beginning', async () => {
    const record = await uploadFile(stack, ann, 'large.png', Buffer.concat([png, Buffer.alloc(1_000_000, SCRIPT)]), { type: 'text/html' });
    assert.equal(record.type, 'image/png');
  });

  test('a change of the name does not change the type', async () => {
    const record = await uploadFile(stack, ann, 'a.png', SCRIPT, { type: 'image/png' });
    const { json } = await stack.call('PATCH', `/files/${record.id}`, { token: ann.token, json: { name: 'b.jpg' } });
    assert.deepEqual([json.type, json.claimed_type], ['text/html', 'image/png']);
  });
});

test('a file whose type is from before such types were refused is not sent as a script', async () => {
  const { id, url } = await uploadFile(stack, ann, 'old', 'x');
  for (const [old, type] of [['text/vbscript', 'text/plain'], ['text/x-component', 'text/plain'], ['text/xsl', 'text/plain'], ['application/xslt+xml', 'text/plain'],
    ['application/wasm', 'application/octet-stream'], ['application/java-archive', 'application/zip'], ['text/csv', 'text/csv']]) {
    await stack.sql('gateway', `UPDATE file SET type = '${old}' WHERE id = '${id}'`);
    assert.equal((await stack.call('GET', url, { token: ann.token })).headers.get('content-type'), type);
    assert.equal((await stack.call('HEAD', url, { token: ann.token })).headers.get('content-type'), type);
  }
});

test('a file without a claimed type, from before detection, is not shown inline', async () => {
  const record = await uploadFile(stack, ann, 'old.png', png, { type: 'image/png' });
  assert.equal(await shown(record), 'inline');
  await stack.sql('gateway', `UPDATE file SET claimed_type = NULL WHERE id = '${record.id}'`);
  assert.equal(await shown(record), 'attachment');
  const { json } = await stack.call('GET', `/files/${record.id}`, { token: ann.token });
  assert.deepEqual([json.type, json.claimed_type], ['image/png', null]);
});

describe('rules of types', () => {
  const env = { GATEHOUSE_CONF: stack.path('conf', 'gateway.env') };
  const check = (more) => run(join(build, 'cgi-gateway'), ['--check'], { env: { ...env, ...more } });
  const upload = (type, input, variables) => runCgi(stack, 'cgi-gateway', 'PUT', '/upload/a',
    { input, variables: { HTTP_AUTHORIZATION: `Bearer ${ann.token}`, CONTENT_TYPE: type, ...variables } });

  test('the types of files do not depend on an installed database of libmagic', async () => {
    for (const [claimed, content, type] of [['image/png', png, 'image/png'], ['text/plain', 'x', 'text/plain'], ['text/html', 'x', 'text/plain'], ['text/csv', 'a,b', 'text/csv']]) {
      const answer = await upload(claimed, content, { MAGIC: '/nowhere' });
      assertStatus(answer, 201);
      const [record] = answer.json.files;
      assert.deepEqual([record.type, record.claimed_type], [type, claimed]);
    }
  });

  test('rare formats are told apart by a database that MAGIC_DATABASE names', async () => {
    const rare = hex('de120495', '00'.repeat(24)); // a catalogue of gettext
    for (const [variables, type] of [[{}, 'application/octet-stream'], [{ MAGIC_DATABASE: '/usr/share/misc/magic.mgc' }, 'application/x-gettext-translation']])
      assert.equal((await upload('application/octet-stream', rare, variables)).json.files[0].type, type);
  });

  test('a MAGIC_DATABASE that does not exist stops cgi-gateway', async () => {
    const { code, stderr } = await check({ MAGIC_DATABASE: '/nowhere/magic.mgc' });
    assert.equal(code, 78);
    assert.match(stderr, /^cgi-gateway: MAGIC_DATABASE: \/nowhere\/magic\.mgc: .*\n$/);
  });

  test('a given MAGIC_DATABASE is used', async () => {
    assert.equal((await check({ MAGIC: '/nowhere', MAGIC_DATABASE: '/usr/share/misc/magic.mgc' })).stderr, '');
  });
});
