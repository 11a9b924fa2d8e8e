// File names: data that a client chooses, never a path, and never a part of a header.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { filePart, form, formType } from '../support/multipart.js';
import { requestHead, sendRaw } from '../support/raw.js';
import { useStack } from '../support/stack.js';
import { newUpload, fileOf } from '../support/tus.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

// The three ways to send a name: encoded in the path, in the query, as bytes in a form.
const byPath = (encoded) => stack.call('PUT', `/upload/${encoded}`, { token: ann.token, body: 'x' });
const byQuery = (encoded) => stack.call('POST', `/upload?name=${encoded}`, { token: ann.token, body: 'x', headers: { 'Content-Type': 'text/plain' } });
const byForm = (name) => stack.call('POST', '/upload', { token: ann.token, body: form(filePart(name, 'x')), headers: { 'Content-Type': formType() } });

const nameOf = (answer) => {
  assertStatus(answer, 201);
  return answer.json.files[0].name;
};
const disposition = async (record) => (await stack.call('HEAD', `/download/${record.id}`, { token: ann.token })).headers.get('content-disposition');

describe('names that are stored unchanged', () => {
  for (const name of ['a', 'Bericht für Zoë.pdf', '報告書.xlsx', 'отчёт (1).txt', 'تقرير.pdf', '📷🏔.jpg', 'e\u0301 combining', "it's 100% & more; =.txt",
    '.hidden', '..dots', '-rf', '#?&=+', '%2e%2e', 'CON', 'a'.repeat(255), 'é'.repeat(127)])
    test(`the name ${name.length > 40 ? `${name.slice(0, 5)}… (${Buffer.byteLength(name)} bytes)` : name} is stored unchanged`, async () => {
      assert.equal(nameOf(await byPath(encodeURIComponent(name))), name);
      assert.equal(nameOf(await byQuery(encodeURIComponent(name))), name);
      assert.equal(nameOf(await byForm(name)), name);
    });
});

describe('names in any language', () => {
  const names = {
    'composed (NFC)': 'Ångström résumé.txt'.normalize('NFC'),
    'decomposed (NFD)': 'Ångström résumé.txt'.normalize('NFD'),
    'Hangul, decomposed': '한글 보고서.hwp'.normalize('NFD'),
    'from right to left': 'דו"ח שנתי – ١٢٣.pdf',
    'of Indic letters with joiners': 'क्‍षत्रिय नमस्ते.doc',
    'of emoji in families, tones and flags': '👩‍👩‍👧‍👦👍🏽🇨🇭.png',
    'from beyond the basic plane': '𠮷野家𝒳.txt',
    'of 255 bytes in four-byte characters and one of three': '😀'.repeat(63) + '報',
    'with full-width slashes and dots': '．．／etc／passwd',
    'in Turkish, which has other case rules': 'İstanbul ılık.txt',
    'with what JSON, HTML, SQL and printf treat specially': `"u0041" <b>&amp;'; -- %s%n {}.txt`,
    'that looks encoded already': `%E2%82%AC %252F =?utf-8?q?x?= &#x41; UTF-8''x.txt`,
  };
  // What a browser reads from the header: filename* if present, else filename
  const named = (header) => {
    const extended = /; filename\*=UTF-8''([^;]+)$/.exec(header);
    return extended ? decodeURIComponent(extended[1]) : /; filename="([^"]*)"$/.exec(header)[1];
  };

  for (const [what, name] of Object.entries(names))
    test(`a name ${what} is returned to the byte by upload, file, search and download`, async () => {
      const sent = Buffer.from(name).toString('hex');
      for (const record of [(await byPath(encodeURIComponent(name))).json.files[0], (await byQuery(encodeURIComponent(name))).json.files[0], (await byForm(name.replaceAll('"', '%22'))).json.files[0]]) {
        const hex = (text) => Buffer.from(text).toString('hex');
        assert.equal(hex(record.name), sent);
        assert.equal(hex((await stack.call('GET', `/files/${record.id}`, { token: ann.token })).json.name), sent);
        const found = await stack.call('GET', `/files?limit=100&q=${encodeURIComponent(name)}`, { token: ann.token });
        assert.equal(hex(found.json.files.find((f) => f.id === record.id).name), sent);
        const { headers } = await stack.call('GET', `/download/${record.id}`, { token: ann.token });
        assert.match(headers.get('content-disposition'), /^attachment; filename="[\x20-\x7e]*"(; filename\*=UTF-8''[A-Za-z0-9._~%-]+)?$/);
        assert.equal(hex(named(headers.get('content-disposition'))), sent);
      }
    });

  test('the two normal forms of a name are two names', async () => {
    const [nfc, nfd] = ['ä.txt'.normalize('NFC'), 'ä.txt'.normalize('NFD')];
    assert.notEqual(nfc, nfd);
    assert.equal(nameOf(await byPath(encodeURIComponent(nfc))), nfc);
    assert.equal(nameOf(await byPath(encodeURIComponent(nfd))), nfd);
  });

  test('a name in any language can be set by PATCH', async () => {
    const record = await uploadFile(stack, ann, 'plain.txt', 'x');
    for (const name of Object.values(names)) {
      const changed = await stack.call('PATCH', `/files/${record.id}`, { token: ann.token, json: { name } });
      assertStatus(changed, 200);
      assert.equal(changed.json.name, name);
    }
  });

  test('a name in the path of a PUT may be percent-encoded in part', async () => {
    for (const [path, name] of [['a+b.txt', 'a+b.txt'], ['a%2Bb.txt', 'a+b.txt'], ['a%20b.txt', 'a b.txt'], ['%61.txt', 'a.txt'], ['z%c3%bcrich.txt', 'zürich.txt'],
      ['z%C3%BCrich.txt', 'zürich.txt'], ['a;b=c,d@e:f!$&\'()*.txt', 'a;b=c,d@e:f!$&\'()*.txt'], ['a%3Fb%23c.txt', 'a?b#c.txt'], ['100%25.txt', '100%.txt'], ['%2541.txt', '%41.txt']])
      assert.equal(nameOf(await byPath(path)), name, path);
  });
});

describe('paths as names', () => {
  for (const [path, name] of [
    ['C:\\x\\y.txt', 'y.txt'], ['\\\\server\\share\\y.txt', 'y.txt'], ['/etc/passwd', 'passwd'], ['../../../etc/passwd', 'passwd'],
    ['..\\..\\boot.ini', 'boot.ini'], ['a/b\\c', 'c'], ['./x', 'x'], ['//x', 'x'],
  ])
    test(`the path ${path} is stored as ${name}`, async () => {
      assert.equal(nameOf(await byQuery(encodeURIComponent(path))), name);
      assert.equal(nameOf(await byForm(path)), name);
    });

  test('the data folder contains nothing but ids', async () => {
    const data = stack.settings('gateway').DATA_DIR;
    assert.deepEqual(readdirSync(data).sort(), ['holds', 'incoming', 'objects']);
    for (const folder of readdirSync(`${data}/objects`)) {
      assert.match(folder, /^[0-9a-f]{2}$/);
      for (const id of readdirSync(`${data}/objects/${folder}`)) assert.match(id, /^[0-9a-f-]{36}$/);
    }
  });
});

describe('invalid names', () => {
  for (const [what, name] of [['a dot', '.'], ['two dots', '..'], ['a slash', '/'], ['a path that ends in two dots', 'a/..'], ['a path that ends in a slash', 'a/b/'], ['blanks', '   '],
    ['too long', 'a'.repeat(256)], ['too long in bytes', 'é'.repeat(128)], ['much too long', 'a'.repeat(5000)]])
    test(`a name of ${what} is refused or replaced`, async () => {
      for (const answer of [await byQuery(encodeURIComponent(name)), await byForm(name)]) {
        assert.ok([201, 400, 413, 422].includes(answer.status), answer.text);
        if (answer.status !== 201) continue;
        const kept = answer.json.files[0].name;
        assert.ok(!['.', '..', '', ' '].includes(kept) && !kept.includes('/') && Buffer.byteLength(kept) <= 255, kept);
      }
    });

  for (const [what, encoded, bytes] of [
    ['a NUL', 'a%00b.txt', 'a\0b.txt'], ['a line break', 'a%0d%0aSet-Cookie:%20x=1', 'a\r\nSet-Cookie: x=1'], ['a newline', 'a%0ab', 'a\nb'],
    ['an escape', 'a%1bb', 'a\x1bb'], ['a DEL', 'a%7fb', 'a\x7fb'], ['a C1 control character', 'a%c2%85b', 'a\u0085b'],
    ['bytes that are not UTF-8', 'a%ff%feb', Buffer.from([0x61, 0xff, 0xfe, 0x62])], ['an overlong slash', 'a%c0%afb', Buffer.from([0x61, 0xc0, 0xaf, 0x62])],
    ['a surrogate', 'a%ed%a0%80b', Buffer.from([0x61, 0xed, 0xa0, 0x80, 0x62])],
  ])
    test(`a name with ${what} is refused or cleaned`, async () => {
      const raw = (body) => stack.call('POST', '/upload', { token: ann.token, body, headers: { 'Content-Type': formType() } });
      const inForm = Buffer.concat([Buffer.from('Content-Disposition: form-data; name="f"; filename="'), Buffer.from(bytes), Buffer.from('"\r\n\r\nx')]);
      for (const answer of [await byPath(encoded), await byQuery(encoded), await raw(form(inForm))]) {
        assert.ok([201, 400, 404, 422].includes(answer.status), `${answer.status} ${answer.text}`);
        if (answer.status !== 201) continue;
        const record = answer.json.files[0];
        assert.doesNotMatch(record.name, /[\x00-\x1f\x7f-\x9f]/);
        const header = await disposition(record);
        assert.doesNotMatch(header, /[\x00-\x1f\x7f]/);
        const listed = await stack.call('GET', `/files/${record.id}`, { token: ann.token });
        assert.equal(listed.headers.get('set-cookie'), null);
      }
    });

  test('malformed percent-encoding is answered below 500', async () => {
    for (const encoded of ['a%', 'a%4', 'a%zz', '%']) {
      const answer = await sendRaw(stack.url, requestHead('POST', `/upload?name=${encoded}`,
        { Authorization: `Bearer ${ann.token}`, 'Content-Type': 'text/plain', 'Content-Length': '1' }) + 'x');
      assert.ok([201, 400, 422].includes(answer.status), `${encoded}: ${answer.status}`);
    }
  });
});

describe('Content-Disposition', () => {
  test('Content-Disposition quotes a plain name', async () => {
    const header = await disposition(await uploadFile(stack, ann, 'plain name.txt', 'x'));
    assert.match(header, /^attachment; filename="plain name\.txt"/);
  });

  test('Content-Disposition replaces quotes, so that no parameter can be added', async () => {
    const header = await disposition(await uploadFile(stack, ann, 'a"; filename="evil.exe', 'x'));
    const plain = header.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    assert.equal((plain.match(/filename=/g) ?? []).length, 1, header);
  });

  test('Content-Disposition has other scripts in filename* (RFC 8187), and percent-encoded in an ASCII filename', async () => {
    const name = 'naïve 報告 & "x".txt';
    const header = await disposition(await uploadFile(stack, ann, name, 'x'));
    assert.match(header, /^[\x20-\x7e]+$/);
    assert.equal(decodeURIComponent(/; ?filename="([^"]*)"/.exec(header)[1]), name);
    const extended = /filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)/.exec(header);
    assert.ok(extended, header);
    assert.equal(decodeURIComponent(extended[1]), name);
  });

  test('the plain filename tells files apart, whatever their script and length', async () => {
    const names = ['日本語.pdf', '中国人.pdf', '___.pdf', 'a"b', 'a_b', '100%.txt', '100_.txt', `${'日'.repeat(80)}1.pdf`, `${'日'.repeat(80)}2.pdf`];
    for (const agent of ['Mozilla/5.0', 'curl/7.88.1']) {
      const plain = [];
      for (const name of names) {
        const { id } = await uploadFile(stack, ann, name, 'x');
        const { headers } = await stack.call('GET', `/download/${id}`, { token: ann.token, headers: { 'User-Agent': agent } });
        plain.push(/; filename="([^"]*)"/.exec(headers.get('content-disposition'))[1]);
      }
      assert.equal(new Set(plain).size, names.length, agent);
      for (const one of plain) assert.ok(Buffer.byteLength(one, 'latin1') <= 255, one);
    }
  });

  test('a name that a form encodes as browsers do is decoded', async () => {
    // WHATWG HTML: a quote is %22, CR and LF are %0D and %0A; a backslash and % are literal
    const record = (await byForm('say %22hi%22 100%.txt')).json.files[0];
    assert.equal(record.name, 'say "hi" 100%.txt');
  });

  test('%22 in a name outside of forms is kept', async () => {
    const name = 'search?q=%22a%22.html'; // as wget saves it
    assert.equal(nameOf(await byPath(encodeURIComponent(name))), name);
    const answer = await byQuery(encodeURIComponent(name));
    assert.equal(nameOf(answer), name);
    const { id } = answer.json.files[0];
    assert.equal((await stack.call('PATCH', `/files/${id}`, { token: ann.token, json: { name: `a ${name}` } })).json.name, `a ${name}`);
    assert.equal((await fileOf(stack, ann, await newUpload(stack, ann, 1, { name, body: 'x' }))).name, name);
  });

  test('a name that curl escapes with backslashes is decoded', async () => {
    const answer = await byForm('say \\"hi\\".txt');
    assert.equal(nameOf(answer), 'say "hi".txt');
  });
});

describe('filename* in a form', () => {
  const upload = (...parameters) => stack.call('POST', '/upload', { token: ann.token, headers: { 'Content-Type': formType() },
    body: form(filePart('beside.txt', 'x'), Buffer.from(`Content-Disposition: form-data; name="f"; ${parameters.join('; ')}\r\n\r\nx`)) });
  const namesOf = (answer) => {
    assertStatus(answer, 201);
    return answer.json.files.map((f) => f.name);
  };
  const [plain, extended] = ['filename="plain.txt"', "filename*=UTF-8''z%C3%BCrich.txt"];

  test('filename* is preferred to filename, in any order', async () => {
    assert.deepEqual(namesOf(await upload(plain, extended)), ['beside.txt', 'zürich.txt']);
    assert.deepEqual(namesOf(await upload(extended, plain)), ['beside.txt', 'zürich.txt']);
  });

  test('a part that has only filename* is a file', async () => {
    assert.deepEqual(namesOf(await upload(extended)), ['beside.txt', 'zürich.txt']);
  });

  test('filename* may be in ISO-8859-1, quoted, and in segments', async () => {
    assert.deepEqual(namesOf(await upload("filename*=iso-8859-1'de'z%FCrich.txt")), ['beside.txt', 'zürich.txt']);
    assert.deepEqual(namesOf(await upload('filename*="UTF-8\'\'z%C3%BCrich.txt"')), ['beside.txt', 'zürich.txt']);
    assert.deepEqual(namesOf(await upload("filename*0*=UTF-8''z%C3", 'filename*1*=%BCrich', 'filename*2=".txt"')), ['beside.txt', 'zürich.txt']);
  });

  test('the name that .NET sends is the one in filename*', async () => {
    assert.deepEqual(namesOf(await upload('filename="=?utf-8?B?esO8cmljaC50eHQ=?="', "filename*=utf-8''z%C3%BCrich.txt")), ['beside.txt', 'zürich.txt']);
  });

  test('a malformed filename* gives way to filename', async () => {
    for (const malformed of ["filename*=UTF-8''%zz", "filename*=UTF-8''%FF", 'filename*=x', "filename*=koi8-r''%D1", "filename*=UTF-8''", 'filename*='])
      assert.deepEqual(namesOf(await upload(malformed, plain)), ['beside.txt', 'plain.txt'], malformed);
  });

  test('a malformed filename* alone is refused, and its part is named', async () => {
    for (const malformed of ["filename*=UTF-8''%zz", "filename*=koi8-r''%D1", 'filename*=x', 'filename*1=x']) {
      const answer = await upload(malformed);
      assertProblem(answer, 422, 'invalid-value');
      assert.match(answer.json.detail, /^Part 2 \(field "f"\): its filename\* is malformed/);
    }
  });
});

describe('content types of parts', () => {
  test('a content type with a line break or of excessive length never reaches a header', async () => {
    for (const type of ['text/html\x0bX: 1', 'x'.repeat(300), 'no slash', '<script>/x', 'text/"quoted', '']) {
      const answer = await stack.call('POST', '/upload', { token: ann.token, body: form(filePart('t', 'x', `Content-Type: ${type}`)), headers: { 'Content-Type': formType() } });
      assert.ok([201, 400, 422].includes(answer.status), answer.text);
      if (answer.status !== 201) continue;
      const got = await stack.call('GET', answer.json.files[0].url, { token: ann.token });
      assert.match(got.headers.get('content-type'), /^[a-z0-9.+-]+\/[a-z0-9.+-]+/i, type);
    }
  });

  test('a type with active content is sent as an attachment with nosniff', async () => {
    const record = await uploadFile(stack, ann, 'x.html', '<script>alert(1)</script>', { type: 'text/html' });
    const { headers } = await stack.call('GET', record.url, { token: ann.token });
    assert.match(headers.get('content-disposition'), /^attachment/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});

test('quotes and tags in a name yield valid JSON', { skip: stack.front && 'only lighttpd leaves %2F as it is' }, async () => {
  const record = await uploadFile(stack, ann, 'a"b</script>\ufffd.txt', 'x');
  assertStatus(await stack.call('GET', `/files/${record.id}`, { token: ann.token }), 200);
  assertProblem(await stack.call('GET', '/files/"', { token: ann.token }), 404, 'not-found');
});
