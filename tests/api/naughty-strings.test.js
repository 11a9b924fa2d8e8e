// The Big List of Naughty Strings as names of files: each comes back as it was sent, or is refused.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import { assertStatus } from '../support/client.js';
import { allFiles, uploadFile } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { useStack } from '../support/stack.js';
import { create } from '../support/tus.js';

const stack = await useStack();
const naughty = createRequire(import.meta.url)('big-list-of-naughty-strings');
// Without what is no name at all (file-name.test.js)
const names = [...new Set(Object.values(naughty))].filter((name) => !/^\.{0,2}$/.test(name));

// What docs/openapi.yaml says of names: the last segment, without what shows nothing, without blanks at its ends.
const INVISIBLE = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const shown = (name) => name.replace(INVISIBLE, '').replace(/^[\s\u2800]+|[\s\u2800]+$/gu, '');
const lastSegment = (name) => name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
const mayBeRefused = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff]/u;

// What a client reads from Content-Disposition
const named = (header) => {
  const extended = /; filename\*=UTF-8''([^;]+)/.exec(header);
  return extended ? decodeURIComponent(extended[1]) : /; filename="([^"]*)"/.exec(header)[1];
};

async function inParallel(items, work) {
  const rest = [...items.entries()];
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (let next; (next = rest.shift()); ) await work(next[1], next[0]);
  }));
}

// The three ways to upload; each returns a file's JSON, or the answer that refuses it.
const ways = {
  form: async (person, name) => {
    const answer = await stack.call('POST', '/upload', { token: person.token, headers: { 'Content-Type': formType() },
      body: form(filePart(name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A'), 'x')) });
    return answer.status === 201 ? answer.json.files[0] : answer;
  },
  'PUT': async (person, name) => {
    const answer = await stack.call('PUT', `/upload/${encodeURIComponent(name)}`, { token: person.token, body: 'x' });
    return answer.status === 201 ? answer.json.files[0] : answer;
  },
  tus: async (person, name) => {
    const answer = await create(stack, person, 0, { metadata: { filename: name } });
    if (answer.status !== 201) return answer;
    return (await stack.call('GET', answer.headers.get('location').replace('/tus/', '/files/'), { token: person.token })).json;
  },
};

describe('naughty strings', () => {
  test('the list has its strings', () => assert.ok(names.length > 400));

  for (const [way, send] of Object.entries(ways))
    test(`each name that is sent by ${way} comes back by upload, list and download, or is refused`, async (t) => {
      const person = await stack.person();
      const sent = new Map();
      let refused = 0;
      await inParallel(names, async (name) => {
        const result = await send(person, name);
        const want = shown(lastSegment(name));
        if (result.status === undefined) {
          assert.equal(result.name, want, JSON.stringify(name));
          sent.set(result.id, want);
          const { headers } = await stack.call('HEAD', `/download/${result.id}`, { token: person.token });
          assert.equal(named(headers.get('content-disposition')), want);
          return;
        }
        refused++;
        assert.ok(result.status >= 400 && result.status < 500, `${result.status} ${JSON.stringify(name)}`);
        // lighttpd and the router refuse what is no segment of a path
        if (way === 'PUT' && /[/\0-\x1f]/.test(name)) return;
        assert.match(result.json.detail, /name/);
        assert.ok(mayBeRefused.test(lastSegment(name)) || want === '' || Buffer.byteLength(want) > 255, `${JSON.stringify(name)}: ${result.json.detail}`);
      });
      const listed = await allFiles(stack, person);
      assert.equal(listed.length, sent.size);
      for (const { id, name } of listed) assert.equal(name, sent.get(id));
      t.diagnostic(`${sent.size} came back, ${refused} were refused`);
    });

  test('each name that is set by PATCH comes back, or is refused', async (t) => {
    const person = await stack.person();
    const records = await Promise.all(Array.from({ length: 8 }, (_, i) => uploadFile(stack, person, `f${i}`, 'x')));
    let kept = 0;
    await inParallel(names, async (name) => {
      const record = records.pop();
      const answer = await stack.call('PATCH', `/files/${record.id}`, { token: person.token, json: { name } });
      if (answer.status === 200) {
        kept++;
        assert.equal(answer.json.name, shown(name));
        assert.equal((await stack.call('GET', `/files/${record.id}`, { token: person.token })).json.name, shown(name));
        assert.doesNotMatch(name, /[/\\]/);
      } else {
        assertStatus(answer, 422);
        assert.match(answer.json.detail, /name/);
      }
      records.push(record);
    });
    t.diagnostic(`${kept} came back, ${names.length - kept} were refused`);
  });
});
