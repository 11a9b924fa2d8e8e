// Share links with max_downloads: a counted download sends the file once, to every kind of client.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { assertProblem, assertStatus } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { useStack } from '../support/stack.js';

const stack = await useStack();
const run = promisify(execFile);
const MB = 1 << 20;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-link-downloads-'));
after(() => rmSync(folder, { recursive: true }));

const pattern = (size) => Buffer.from(Uint32Array.from({ length: Math.ceil(size / 4) }, (_, i) => Math.imul(i, 2654435761)).buffer).subarray(0, size);
const tolerance = (size) => (size <= 2 ? 0 : size < 64 << 10 ? 2 : Math.min(size / 2, 64 * MB));

let ann, large, medium;
before(async () => {
  ann = await stack.person();
  large = await upload('large.bin', 56 * MB); // half of it is more than what two broken connections leave in buffers of loopback
  medium = await upload('medium.bin', MB);
});

async function upload(name, size) {
  const content = pattern(size);
  return { ...(await uploadFile(stack, ann, name, content, { type: 'application/x-data' })), content };
}

async function share(file, parameters = { max_downloads: 1 }) {
  const answer = await stack.call('POST', `/files/${file.id}/links`, { token: ann.token, json: parameters });
  assertStatus(answer, 201);
  const path = new URL(answer.json.url, stack.url).pathname;
  return { ...answer.json, path, address: stack.url + path };
}

const get = (link, headers = {}, method = 'GET') => stack.call(method, link.path, { headers });
const range = (text) => ({ Range: `bytes=${text}` });
const downloads = async (link) => Number((await stack.sql('gateway', `SELECT downloads FROM link WHERE id = '${link.id}'`))[0][0]);
const gone = async (link, headers) => assertProblem(await get(link, headers), 410, 'gone');

async function whole(link, file, headers) {
  const answer = await get(link, headers);
  assert.ok([200, 206].includes(answer.status), answer.text.slice(0, 300));
  assert.equal(Buffer.compare(answer.bytes, file.content), 0);
}

// Read at least `enough` bytes, then break the connection. Resolves to what was received.
function cutOff(link, enough, headers = {}) {
  return new Promise((done, fail) => {
    const chunks = [];
    let size = 0;
    const request = http.get(link.address, { headers, agent: false }, (response) => {
      response.on('data', (chunk) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size >= enough) request.destroy();
      });
      response.on('close', () => done(Buffer.concat(chunks)));
      response.on('error', () => {});
    });
    request.on('error', (error) => error.code !== 'ECONNRESET' && fail(error));
  });
}

describe('a download that is counted', () => {
  test('a range that yields nothing, HEAD, 304 and 416 count nothing', async () => {
    const link = await share(medium);
    const { headers } = await get(link, {}, 'HEAD');
    for (const text of [`${MB}-`, `${MB}-${2 * MB}`, '-0', '99999999999999999999-']) assertStatus(await get(link, range(text)), 416);
    assertStatus(await get(link, { 'If-None-Match': headers.get('etag') }), 304);
    assertStatus(await get(link, { 'If-Modified-Since': headers.get('last-modified') }), 304);
    assert.equal(await downloads(link), 0);
    await whole(link, medium);
    await gone(link);
  });

  test('Safari, which asks for bytes=0-1 first, gets the whole file', async () => {
    for (const rest of [{}, range('0-'), range(`0-${MB - 1}`), range('2-')]) {
      const link = await share(medium);
      const probe = await get(link, range('0-1'));
      assertStatus(probe, 206);
      const answer = await get(link, rest);
      assert.ok([200, 206].includes(answer.status));
      assert.equal(answer.bytes.length, rest.Range === 'bytes=2-' ? MB - 2 : MB);
      assert.equal(await downloads(link), 1);
      await gone(link);
    }
  });

  test('after a whole download nobody gets all but the first byte', async () => {
    for (const file of [medium, large]) {
      const link = await share(file);
      await whole(link, file);
      for (let i = 0; i < 32; i++) await gone(link, range('1-'));
      await gone(link, range(`1-${file.content.length - 1}`));
      await gone(link, { Range: 'bytes=1-5,7-' });
      await gone(link, range(`-${file.content.length - 1}`));
    }
  });

  test('the ranges of a download together are one, in any order', async () => {
    const link = await share(medium);
    const part = MB / 8;
    const answers = await Promise.all([5, 0, 7, 1, 6, 2, 4, 3].map((i) => get(link, range(`${i * part}-${(i + 1) * part - 1}`)).then((answer) => [i, answer])));
    for (const [i, answer] of answers) {
      assertStatus(answer, 206);
      assert.equal(Buffer.compare(answer.bytes, medium.content.subarray(i * part, (i + 1) * part)), 0);
    }
    assert.equal(await downloads(link), 1);
    await gone(link);
  });

  test('of 35 kinds of request at once, together no more than the file and the tolerance is sent', async () => {
    for (let round = 0; round < 3; round++) {
      const link = await share(medium);
      const etag = (await get(link, {}, 'HEAD')).headers.get('etag');
      const kinds = [{}, {}, {}, range('0-'), range('0-'), range(`0-${MB - 1}`), range(`0-${MB - 2}`), range('1-'), range('1-'), range('2-'), range('0-1'), range('0-0'),
        range('1-1'), range('-1'), range('-100'), range(`-${MB}`), range(`-${MB - 1}`), range('100-'), range('1000-'), range('100000-'), range('500000-'), range('524288-'),
        range('524289-'), range('1000000-'), range('0-9,20-29'), range('1-9,20-'), range('x'), { Range: 'items=0-1' }, { 'If-None-Match': etag }, { 'If-None-Match': '"x"' },
        { ...range('1-'), 'If-Range': etag }, { ...range('1-'), 'If-Range': '"x"' }, range(`${MB}-`), { Accept: 'application/json' }, { Accept: 'text/html' }];
      assert.equal(kinds.length, 35);
      const answers = await Promise.all(kinds.map((headers) => get(link, headers)));
      const sent = answers.filter((answer) => [200, 206].includes(answer.status) && answer.headers.get('content-disposition'));
      const total = sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
      assert.ok(total <= MB + tolerance(MB), String(total));
      assert.ok(total >= MB / 2, String(total)); // and somebody got it
      assert.ok(sent.filter(({ bytes }) => bytes.length === MB).length <= 1);
      assert.equal(await downloads(link), 1);
      for (const { status } of answers) assert.ok([200, 206, 303, 304, 410, 416, 503].includes(status), String(status));
    }
  });

  test('a small file is sent once, but for the probe of two bytes', async () => {
    const small = await upload('small.txt', 1000);
    const link = await share(small);
    assertStatus(await get(link, range('0-1')), 206);
    await whole(link, small);
    for (const text of ['998-', '5-9', '0-1', '500-']) await gone(link, range(text));
  });

  test('an empty file can be shared for one download, and its link ends', async () => {
    const empty = await upload('empty', 0);
    const link = await share(empty);
    await whole(link, empty);
    assert.equal(await downloads(link), 1);
    await gone(link);
  });

  test('a link for several downloads counts each of them', async () => {
    const link = await share(medium, { max_downloads: 3 });
    for (let i = 1; i <= 3; i++) {
      assertStatus(await get(link, range('0-1')), 206);
      await whole(link, medium);
      assert.equal(await downloads(link), i);
    }
    await gone(link);
  });

  test('a link from before the upgrade goes on', async () => {
    const link = await share(medium, { max_downloads: 2 });
    await stack.sql('gateway', `UPDATE link SET downloads = 1, last_download_at = UNIX_TIMESTAMP() - 10, resumes = 3 WHERE id = '${link.id}'`);
    await whole(link, medium);
    await gone(link);
  });
});

describe('a download that is interrupted', () => {
  test('a download that broke off can be resumed, and is used up then', async () => {
    const link = await share(large);
    const part = await cutOff(link, 2 * MB);
    const rest = await get(link, range(`${part.length}-`));
    assertStatus(rest, 206);
    assert.equal(Buffer.compare(Buffer.concat([part, rest.bytes]), large.content), 0);
    assert.equal(await downloads(link), 1);
    await gone(link);
    await gone(link, range('1-'));
  });

  test('a download that broke off twice can be resumed', async () => {
    const link = await share(large);
    let got = await cutOff(link, MB);
    got = Buffer.concat([got, await cutOff(link, 2 * MB, range(`${got.length}-`))]);
    const rest = await get(link, range(`${got.length}-`));
    assertStatus(rest, 206);
    assert.equal(Buffer.compare(Buffer.concat([got, rest.bytes]), large.content), 0);
    assert.equal(await downloads(link), 1);
  });

  test('to break connections again and again does not yield the file twice', async () => {
    const link = await share(large);
    let received = 0;
    for (let i = 0; i < 60; i++) received += (await cutOff(link, 300_000, range('1-'))).length;
    assert.ok(received <= large.content.length + tolerance(large.content.length), String(received));
    assert.equal(await downloads(link), 1);
  });
});

describe('real clients and a link for one download', () => {
  const file = (name) => join(folder, name);
  const isWhole = (name) => assert.equal(Buffer.compare(readFileSync(file(name)), large.content), 0);
  const used = async (link) => {
    assert.equal(await downloads(link), 1);
    await gone(link);
  };

  for (const connections of [4, 8])
    test(`aria2 with ${connections} connections gets the whole file`, async () => {
      const link = await share(large);
      const name = `aria2-${connections}`;
      await run('aria2c', [`-x${connections}`, `-s${connections}`, '-k1M', '-d', folder, '-o', name, link.address]);
      isWhole(name);
      await used(link);
    });

  test('curl gets the whole file, and resumes it', async () => {
    const link = await share(large);
    await run('curl', ['-sS', '-m', '1', '--limit-rate', '3M', '-o', file('curl'), link.address]).catch(() => {});
    const { size } = statSync(file('curl'));
    assert.ok(size > 0 && size < large.content.length);
    await run('curl', ['-sSf', '-C', '-', '-o', file('curl'), link.address]);
    isWhole('curl');
    await used(link);
  });

  test('wget gets the whole file, and resumes it', async () => {
    const link = await share(large);
    await run('wget', ['-q', '--limit-rate=3M', '-O', file('wget'), link.address], { timeout: 1500, killSignal: 'SIGKILL' }).catch(() => {});
    const { size } = statSync(file('wget'));
    assert.ok(size > 0 && size < large.content.length);
    await run('wget', ['-q', '-c', '-O', file('wget'), link.address]);
    isWhole('wget');
    await used(link);
  });
});

describe('a player and a link without a limit', () => {
  test('a link without a limit sends every range, however they overlap', async () => {
    const link = await share(medium, {});
    for (let i = 0; i < 40; i++) {
      const first = (i * 7919 * 31) % MB;
      const answer = await get(link, range(`${first}-`));
      assertStatus(answer, 206);
      assert.equal(answer.bytes.length, MB - first);
    }
    await whole(link, medium);
  });
});

describe('who gets the bytes of a share link', () => {
  const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
  const navigation = { Accept: html, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
  const agents = ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', 'WhatsApp/2.23.20.0', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)',
    'TelegramBot (like TwitterBot)', 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)', 'Twitterbot/1.0', 'LinkedInBot/1.0 (compatible; Mozilla/5.0)',
    'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5', 'Mozilla/5.0 (compatible; Applebot/0.3; +http://www.apple.com/go/applebot)',
    'Mozilla/5.0 (Macintosh) AppleWebKit/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Mozilla/5.0 (compatible; SomeOtherBot/1.0)'];
  const hints = [{ 'Sec-Purpose': 'prefetch' }, { 'Sec-Purpose': 'prefetch;prerender' }, { Purpose: 'prefetch' }, { Purpose: 'preview' }, { 'X-Purpose': 'preview' }, { 'X-Moz': 'prefetch' }];
  const isPage = (answer, link) => {
    assertStatus(answer, 303);
    assert.ok(answer.headers.get('location').endsWith(`/share-link.html#${link.path.split('/s/')[1]}`));
    assert.equal(answer.headers.get('x-robots-tag'), 'noindex, nofollow');
    assert.equal(answer.bytes.length, 0);
  };

  test('a browser that opens the address is sent to the page, and counts nothing', async () => {
    const link = await share(medium);
    for (const headers of [navigation, { Accept: html }, { Accept: 'text/html' }, { ...navigation, Cookie: 'a=b' }]) isPage(await get(link, headers), link);
    isPage(await get(link, navigation, 'HEAD'), link);
    assert.equal(await downloads(link), 0);
    isPage(await get({ path: `/s/${'A'.repeat(32)}` }, navigation), { path: `/s/${'A'.repeat(32)}` });
  });

  test('the button of the page gets the bytes', async () => {
    const link = await share(medium);
    const answer = await stack.call('GET', `${link.path}?download=1`, { headers: navigation });
    assertStatus(answer, 200);
    assert.match(answer.headers.get('content-disposition'), /^attachment/);
    assert.equal(answer.bytes.length, MB);
    await gone(link);
  });

  test('a preview or a prefetch gets no bytes and counts nothing, whatever it asks for', async () => {
    const link = await share(medium);
    for (const headers of [...agents.map((agent) => ({ 'User-Agent': agent })), ...hints])
      for (const more of [{}, navigation, range('0-'), range('0-32767')])
        for (const query of ['', '?download=1', '?inline=1']) isPage(await stack.call('GET', link.path + query, { headers: { ...more, ...headers } }), link);
    const described = await get(link, { 'User-Agent': agents[0], Accept: 'application/json' });
    assert.equal(described.json.size, MB);
    assert.equal(await downloads(link), 0);
    await whole(link, medium);
  });

  test('programs and the elements of other pages get the bytes at once', async () => {
    const link = await share(medium, {});
    for (const headers of [{}, { Accept: '*/*' }, { Accept: 'application/json, text/plain, */*' }, { Accept: 'image/avif,image/webp,*/*;q=0.8', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
      { Accept: '*/*', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' }, { 'User-Agent': 'Wget/1.21.3', Accept: '*/*' }, { 'User-Agent': 'aria2/1.36.0', Accept: '*/*' },
      { ...navigation, Range: 'bytes=0-' }, { ...navigation, 'Sec-Fetch-Dest': 'iframe' }])
      await whole(link, medium, headers);
  });

  test('the description has name, size, type, expiry and downloads left, and ends with the link', async () => {
    const link = await share(medium, { max_downloads: 2, expires_in: 3600 });
    const describe_ = async () => get(link, { Accept: 'application/json' });
    const first = await describe_();
    assertStatus(first, 200);
    assert.equal(first.headers.get('cache-control'), 'no-store');
    assert.deepEqual(first.json, { name: 'medium.bin', size: MB, type: first.json.type, expires_at: link.expires_at, max_downloads: 2, downloads_left: 2 });
    await whole(link, medium);
    assert.equal((await describe_()).json.downloads_left, 1);
    await whole(link, medium);
    assertProblem(await describe_(), 410, 'gone');
    const unlimited = await share(medium, { expires_in: null });
    assert.deepEqual([(await get(unlimited, { Accept: 'application/json' })).json].map((j) => [j.expires_at, j.max_downloads, j.downloads_left]), [[null, null, null]]);
  });
});
