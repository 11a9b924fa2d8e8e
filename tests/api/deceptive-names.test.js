// Names that look like another name: refused, or stored without what nobody sees, on every way a name comes in.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { filePart, form, formType, part } from '../support/multipart.js';
import { useStack } from '../support/stack.js';
import { create } from '../support/tus.js';

const stack = await useStack();
let ann, link, record;
before(async () => {
  ann = await stack.person();
  const { json } = await stack.call('POST', '/upload-links', { token: ann.token, json: { max_files: null } });
  link = new URL(json.url, stack.url).pathname;
  record = await uploadFile(stack, ann, 'record', 'x');
});

const inForm = (body) => ({ body, headers: { 'Content-Type': formType() } });
const newest = async () => (await stack.call('GET', '/files?limit=1', { token: ann.token })).json.files[0].name;
const encoded = encodeURIComponent;

// Every way for the name of a file: send(name) returns the answer, name(answer) the name that was stored.
const first = (answer) => answer.json.files[0].name;
const ways = {
  'PUT /upload/NAME': { send: (name) => stack.call('PUT', `/upload/${encoded(name)}`, { token: ann.token, body: 'x' }), name: first },
  'POST /upload?name=': { send: (name) => stack.call('POST', `/upload?name=${encoded(name)}`, { token: ann.token, body: 'x', headers: { 'Content-Type': 'text/plain' } }), name: first },
  'filename of a form': { send: (name) => stack.call('POST', '/upload', { token: ann.token, ...inForm(form(filePart(name, 'x'))) }), name: first },
  'filename* of a form': { send: (name) => stack.call('POST', '/upload', { token: ann.token, ...inForm(form(part(`; name="f"; filename*=UTF-8''${encoded(name)}`, 'x'))) }), name: first },
  'PUT /u/TOKEN/NAME': { send: (name) => stack.call('PUT', `${link}/${encoded(name)}`, { body: 'x' }), name: first },
  'POST /u/TOKEN?name=': { send: (name) => stack.call('POST', `${link}?name=${encoded(name)}`, { body: 'x', headers: { 'Content-Type': 'text/plain' } }), name: first },
  'a form to /u/TOKEN': { send: (name) => stack.call('POST', link, inForm(form(filePart(name, 'x')))), name: first },
  'Upload-Metadata filename': { send: (name) => create(stack, ann, 0, { metadata: { filename: name } }), name: newest },
  'Upload-Metadata name': { send: (name) => create(stack, ann, 0, { metadata: { name } }), name: newest },
  'PATCH /files/ID': { send: (name) => stack.call('PATCH', `/files/${record.id}`, { token: ann.token, json: { name } }), name: (answer) => answer.json.name },
};
// And for what else people give a name to
const labels = {
  'POST /upload-links': { send: (name) => stack.call('POST', '/upload-links', { token: ann.token, json: { name } }), name: (answer) => answer.json.name },
  'POST /tokens': { send: (name) => stack.call('POST', '/tokens', { token: ann.token, json: { name } }), name: (answer) => answer.json.name },
};

const refusedNames = {
  'an override of the direction': ['invoice\u202efdp.exe', /U\+202E, which turns the direction/], 'an embedding': ['a\u202ab\u202c', /U\+202A/], 'a left-to-right override': ['a\u202db', /U\+202D/],
  'an isolate': ['a\u2066b\u2069', /U\+2066/], 'a first-strong isolate': ['\u2068a', /U\+2068/],
  'a C1 control': ['a\u009bb', /U\+009B/], 'a line separator': ['a\u2028b', /U\+2028/], 'a paragraph separator': ['a\u2029b', /U\+2029/],
  'a noncharacter': ['a\ufffeb', /U\+FFFE/], 'another noncharacter': ['a\u{1ffff}b', /U\+1FFFF/],
  'blanks only': ['   ', /shows nothing/], 'wide blanks only': ['\u00a0\u3000\u2003', /shows nothing/], 'zero-width characters only': ['\u200b\u200d\u2060', /shows nothing/],
  'a BOM only': ['\ufeff', /shows nothing/], 'a filler only': ['\u3164', /shows nothing/], 'an empty braille pattern only': ['\u2800', /shows nothing/], 'marks of direction only': ['\u200e\u200f\u061c', /shows nothing/],
};
const changedNames = {
  'a BOM': ['\ufeffbom.txt', 'bom.txt'], 'zero-width spaces': ['pay\u200bpal\u2060.txt', 'paypal.txt'], 'soft hyphens': ['re\u00adport.txt', 'report.txt'],
  'marks of direction': ['\u200ephoto\u200f.jpg\u061c', 'photo.jpg'], 'tags': ['a\u{e0041}\u{e0042}.txt', 'a.txt'], 'a joiner between Latin letters': ['pay\u200dpal.txt', 'paypal.txt'],
  'blanks at its ends': [' \u00a0report.txt\u3000 ', 'report.txt'], 'a deprecated format character': ['a\u206a.txt', 'a.txt'],
};
const keptNames = ['می‌خواهم.pdf', 'क्‍षत्रिय.doc', '👩‍👩‍👧‍👦👍🏽🇨🇭.png', '❤️‍🔥 1️⃣.txt', '🏴󠁧󠁢󠁳󠁣󠁴󠁿.svg', '葛󠄀.txt', 'דו"ח שנתי.pdf', 'تقرير ١٢٣.pdf', '10 000 €.xls'.replace(' ', '\u202f'), 'a  b.txt'];

for (const [way, { send, name }] of Object.entries({ ...ways, ...labels }))
  describe(way, () => {
    for (const [what, [sent, words]] of Object.entries(refusedNames))
      test(`a name with ${what} is refused`, async () => {
        const answer = await send(sent);
        assertProblem(answer, 422, 'invalid-value');
        assert.match(answer.json.detail, words);
      });

    for (const [what, [sent, stored]] of Object.entries(changedNames))
      test(`a name with ${what} is stored without`, async () => {
        const answer = await send(sent);
        assert.ok([200, 201].includes(answer.status), answer.text);
        assert.equal(await name(answer), stored);
      });

    test('a name in which such characters have a meaning is kept', async () => {
      for (const sent of keptNames) {
        const answer = await send(way.includes('form') && !way.includes('*') ? sent.replaceAll('"', '%22') : sent);
        assert.ok([200, 201].includes(answer.status), answer.text);
        assert.equal(await name(answer), sent);
      }
    });
  });

describe('a name with a slash', () => {
  test('PATCH refuses it', async () => {
    for (const name of ['AC/DC', 'a\\b', '../../etc/passwd', 'a/', '/a']) {
      const answer = await stack.call('PATCH', `/files/${record.id}`, { token: ann.token, json: { name } });
      assertProblem(answer, 422, 'invalid-value');
      assert.match(answer.json.detail, /has a "\/" or "\\"/);
    }
  });

  test('a label may have it', async () => {
    for (const { send, name } of Object.values(labels)) assert.equal(name(await send('AC/DC \\ live')), 'AC/DC \\ live');
  });
});

test('an upload link may have an empty name', async () => {
  assert.equal((await labels['POST /upload-links'].send('')).json.name, '');
});

test('a file whose name is from before such names were refused is listed, found, downloaded and renamed', async () => {
  const { id } = await uploadFile(stack, ann, 'old', 'old bytes');
  const name = ' invoice\u202efdp.exe\u200b ';
  await stack.sql('gateway', `UPDATE file SET name = '${name}' WHERE id = '${id}'`);
  assert.ok((await stack.call('GET', '/files?limit=1000', { token: ann.token })).json.files.some((f) => f.id === id && f.name === name));
  assert.equal((await stack.call('GET', `/files/${id}`, { token: ann.token })).json.name, name);
  const got = await stack.call('GET', `/download/${id}`, { token: ann.token });
  assertStatus(got, 200);
  assert.equal(got.text, 'old bytes');
  assert.match(got.headers.get('content-disposition'), /filename\*=UTF-8''%20invoice%E2%80%AEfdp\.exe%E2%80%8B%20/);
  const patch = (json) => stack.call('PATCH', `/files/${id}`, { token: ann.token, json });
  assert.equal((await patch({ expires_in: 3600 })).json.name, name);
  assert.equal((await patch({ name: 'new.txt' })).json.name, 'new.txt');
});
