// The sentences of tus 1.0.0 that say what a server MUST, SHOULD or MAY do, and what clients of public test suites ask.
// Each case is a request of its own; tus.test.js tests sequences, faults and limits.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { call } from '../support/client.js';
import { useStack } from '../support/stack.js';
import { metadata } from '../support/tus.js';

const stack = await useStack();
let ann;
before(async () => {
  ann = await stack.person();
});

const BYTES = { 'Content-Type': 'application/offset+octet-stream' };
const sum = (algorithm, bytes) => createHash(algorithm).update(bytes).digest('base64');
const defined = (headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
const ask = (method, path, headers = {}, body = undefined) =>
  call(stack.url, method, path, { token: ann.token, headers: defined({ 'Tus-Resumable': '1.0.0', ...headers }), body: body ?? (method === 'POST' ? '' : undefined) });
const pathOf = (answer) => {
  const url = new URL(answer.headers.get('location'), `${stack.url}/tus/`);
  return url.pathname + url.search;
};
const create = (length, headers = {}, body = undefined) => ask('POST', '/tus/', { 'Upload-Length': length === undefined ? undefined : String(length), ...headers }, body);
const made = async (...args) => {
  const answer = await create(...args);
  assert.equal(answer.status, 201, answer.text);
  return pathOf(answer);
};
const send = (path, offset, bytes, headers) => ask('PATCH', path, { ...BYTES, 'Upload-Offset': String(offset), ...headers }, bytes);
const field = async (path, name) => (await ask('HEAD', path)).headers.get(name);
const offset = async (path) => Number(await field(path, 'Upload-Offset'));
const part = async (bytes) => {
  const path = await made(bytes.length, { 'Upload-Concat': 'partial' });
  assert.equal((await send(path, 0, bytes)).status, 204);
  return path;
};
const bytesOf = async (path) => (await ask('GET', path.replace('/tus/', '/download/'))).text;

// A case: what it says, and a function that returns [actual, expected] or asserts by itself.
const is = (what, run) => test(what, async () => {
  const result = await run();
  if (result) assert.deepEqual(...result);
});
const status = async (answer, ...allowed) => {
  const { status: got, text } = await answer;
  assert.ok(allowed.includes(got), `${got}: ${text}`);
};

describe('core: HEAD', () => {
  is('HEAD always has Upload-Offset, even at 0', async () => [await field(await made(5), 'Upload-Offset'), '0']);
  is('HEAD has Upload-Length if it is known', async () => [await field(await made(5), 'Upload-Length'), '5']);
  is('HEAD has Cache-Control: no-store', async () => [await field(await made(5), 'Cache-Control'), 'no-store']);
  is('HEAD is 200 or 204', async () => status(ask('HEAD', await made(5)), 200, 204));
  is('HEAD of an unknown upload is 404, 410 or 403', () => status(ask('HEAD', '/tus/019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21'), 404, 410, 403));
  is('HEAD of an unknown upload has no Upload-Offset', async () => [(await ask('HEAD', '/tus/019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21')).headers.get('Upload-Offset'), null]);
  is('HEAD has no body', async () => [(await ask('HEAD', await made(5))).text, '']);
  is('HEAD has the offset after each PATCH', async () => {
    const path = await made(5);
    for (let at = 0; at < 5; at++) {
      assert.equal(await offset(path), at);
      await send(path, at, 'x');
    }
  });
  is('HEAD of a complete upload has an offset that equals the length', async () => {
    const path = await made(3);
    await send(path, 0, 'abc');
    return [[await field(path, 'Upload-Offset'), await field(path, 'Upload-Length')], ['3', '3']];
  });
});

describe('core: PATCH', () => {
  is('PATCH is 204', async () => [(await send(await made(5), 0, 'abc')).status, 204]);
  is('PATCH has the new Upload-Offset', async () => [(await send(await made(5), 0, 'abc')).headers.get('Upload-Offset'), '3']);
  is('PATCH appends at the offset', async () => {
    const path = await made(6);
    for (const [at, bytes] of [[0, 'ab'], [2, 'cd'], [4, 'ef']]) await send(path, at, bytes);
    return [await bytesOf(path), 'abcdef'];
  });
  for (const type of [undefined, 'application/octet-stream', 'text/plain', 'application/offset+octet-streamx'])
    is(`PATCH with the type ${type} is 415`, async () => [(await send(await made(5), 0, 'abc', { 'Content-Type': type ?? '' })).status, 415]);
  for (const at of ['1', '5', '6', '99999999999'])
    is(`PATCH at the offset ${at} of an empty upload is 409 and stores nothing`, async () => {
      const path = await made(5);
      await status(send(path, at, 'a'), 409);
      return [await offset(path), 0];
    });
  is('PATCH at a smaller offset is 409', async () => {
    const path = await made(5);
    await send(path, 0, 'abc');
    await status(send(path, 1, 'x'), 409);
  });
  for (const at of ['-1', 'x', '1.5', '0x1', ' ', '1e1', '18446744073709551616'])
    is(`PATCH with Upload-Offset ${JSON.stringify(at)} is 400`, async () => status(send(await made(5), at, 'a'), 400, 409));
  is('PATCH without Upload-Offset is 400', async () => status(ask('PATCH', await made(5), BYTES, 'abc'), 400));
  is('PATCH of an unknown upload is 404', () => status(send('/tus/019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21', 0, 'a'), 404, 410));
  is('PATCH beyond the length is refused, and the upload stays', async () => {
    const path = await made(2);
    await status(send(path, 0, 'abc'), 400, 413);
    assert.ok(await offset(path) <= 2);
  });
  is('PATCH without bytes is 204 at the same offset', async () => [(await send(await made(5), 0, '')).headers.get('Upload-Offset'), '0']);
  is('PATCH of a complete upload without bytes is 204', async () => {
    const path = await made(1);
    await send(path, 0, 'a');
    await status(send(path, 1, ''), 204);
  });
  is('PATCH of a complete upload with bytes is refused', async () => {
    const path = await made(1);
    await send(path, 0, 'a');
    await status(send(path, 1, 'b'), 400, 403, 409, 413);
  });
});

describe('core: versions', () => {
  for (const [method, headers] of [['POST', { 'Upload-Length': '1' }], ['PATCH', { ...BYTES, 'Upload-Offset': '0' }], ['DELETE', {}]])
    for (const version of [undefined, '0.2.2', '1.0.1', '2.0.0', '1.0', 'x'])
      is(`${method} with Tus-Resumable ${version} is 412 with Tus-Version, and does nothing`, async () => {
        const path = await made(1);
        const answer = await ask(method, method === 'POST' ? '/tus/' : path, { ...headers, 'Tus-Resumable': version }, method === 'PATCH' ? 'a' : undefined);
        assert.equal(answer.status, 412);
        assert.ok(answer.headers.get('Tus-Version').split(',').includes('1.0.0'));
        return [await offset(path), 0];
      });
  for (const [what, run] of [['POST', () => create(1)], ['a refused POST', () => create('x')], ['HEAD', async () => ask('HEAD', await made(1))], ['PATCH', async () => send(await made(1), 0, 'a')], ['a refused PATCH', async () => send(await made(1), 1, 'a')],
    ['DELETE', async () => ask('DELETE', await made(1))], ['a 404', () => ask('HEAD', '/tus/x')], ['OPTIONS', () => ask('OPTIONS', '/tus/')], ['a 405', () => ask('PUT', '/tus/x', {}, 'a')]])
    is(`${what} has Tus-Resumable: 1.0.0`, async () => [(await run()).headers.get('Tus-Resumable'), '1.0.0']);
});

describe('core: OPTIONS', () => {
  for (const path of ['/tus/', '/tus'])
    is(`OPTIONS ${path} is 200 or 204`, () => status(ask('OPTIONS', path), 200, 204));
  is('OPTIONS needs no Tus-Resumable, and ignores a wrong one', async () => {
    for (const version of [undefined, '0.1']) await status(ask('OPTIONS', '/tus/', { 'Tus-Resumable': version }), 200, 204);
  });
  is('OPTIONS has Tus-Version', async () => [(await ask('OPTIONS', '/tus/')).headers.get('Tus-Version'), '1.0.0']);
  is('OPTIONS has a Tus-Max-Size that is a number', async () => assert.match((await ask('OPTIONS', '/tus/')).headers.get('Tus-Max-Size'), /^\d+$/));
  for (const extension of ['creation', 'creation-with-upload', 'creation-defer-length', 'expiration', 'checksum', 'termination', 'concatenation'])
    is(`OPTIONS announces ${extension}`, async () => assert.ok((await ask('OPTIONS', '/tus/')).headers.get('Tus-Extension').split(',').includes(extension)));
  is('OPTIONS announces sha1 among the checksums', async () => assert.ok((await ask('OPTIONS', '/tus/')).headers.get('Tus-Checksum-Algorithm').split(',').includes('sha1')));
});

describe('core: X-HTTP-Method-Override', () => {
  is('POST as PATCH', async () => [(await ask('POST', await made(1), { ...BYTES, 'Upload-Offset': '0', 'X-HTTP-Method-Override': 'PATCH' }, 'a')).status, 204]);
  is('POST as DELETE', async () => [(await ask('POST', await made(1), { 'X-HTTP-Method-Override': 'DELETE' })).status, 204]);
  is('POST as HEAD has the offset', async () => [(await ask('POST', await made(1), { 'X-HTTP-Method-Override': 'HEAD' })).headers.get('Upload-Offset'), '0']);
});

describe('creation', () => {
  is('POST is 201', async () => [(await create(5)).status, 201]);
  is('POST has a Location that answers HEAD', async () => status(ask('HEAD', await made(5)), 200, 204));
  is('two uploads have two addresses', async () => assert.notEqual(await made(5), await made(5)));
  is('POST with Upload-Length 0 creates a complete upload', async () => [await bytesOf(await made(0)), '']);
  for (const length of ['-1', 'x', '1.5', '', ' ', '1e3', '99999999999999999999', '0x10'])
    is(`POST with Upload-Length ${JSON.stringify(length)} is refused`, () => status(create(length), 400, 413));
  is('POST without a length is 400', () => status(create(undefined), 400));
  is('POST over Tus-Max-Size is 413', async () => status(create(Number((await ask('OPTIONS', '/tus/')).headers.get('Tus-Max-Size')) + 1), 413));
  is('Upload-Metadata is returned by HEAD as it was sent', async () => {
    const sent = `${metadata({ filename: 'ä ü.txt', filetype: 'text/plain' })},flag,empty `;
    return [(await field(await made(1, { 'Upload-Metadata': sent.trim() }), 'Upload-Metadata')), sent.trim()];
  });
  for (const [what, value] of [['no base64', 'filename ???'], ['a key twice', 'a YQ==,a Yg=='], ['a key without ASCII', 'schlüssel YQ=='], ['two blanks', 'a  YQ=='], ['an empty pair', 'a YQ==,,b Yg==']])
    is(`Upload-Metadata with ${what} is 400`, async () => status(create(1, { 'Upload-Metadata': Buffer.from(value).toString('latin1') }), 400, 422));
});

describe('creation-with-upload', () => {
  is('POST with bytes has their Upload-Offset', async () => [(await create(5, BYTES, 'abc')).headers.get('Upload-Offset'), '3']);
  is('POST with all bytes completes the upload', async () => [await bytesOf(await made(3, BYTES, 'abc')), 'abc']);
  is('the rest can be sent by PATCH', async () => {
    const path = await made(5, BYTES, 'abc');
    await status(send(path, 3, 'de'), 204);
    return [await bytesOf(path), 'abcde'];
  });
  is('POST with more bytes than the length is refused', () => status(create(2, BYTES, 'abc'), 400, 413));
});

describe('creation-defer-length', () => {
  const deferred = (headers, body) => made(undefined, { 'Upload-Defer-Length': '1', ...headers }, body);
  is('HEAD has Upload-Defer-Length: 1 and no Upload-Length', async () => {
    const { headers } = await ask('HEAD', await deferred());
    return [[headers.get('Upload-Defer-Length'), headers.get('Upload-Length')], ['1', null]];
  });
  for (const value of ['0', '2', 'x', 'true']) is(`Upload-Defer-Length ${value} is 400`, () => status(create(undefined, { 'Upload-Defer-Length': value }), 400));
  is('both a length and Upload-Defer-Length are 400', () => status(create(5, { 'Upload-Defer-Length': '1' }), 400));
  is('bytes can be sent before the length is known', async () => [(await send(await deferred(), 0, 'abc')).headers.get('Upload-Offset'), '3']);
  is('a PATCH sets the length, once', async () => {
    const path = await deferred();
    await status(send(path, 0, 'abc', { 'Upload-Length': '5' }), 204);
    assert.equal(await field(path, 'Upload-Length'), '5');
    assert.equal(await field(path, 'Upload-Defer-Length'), null);
    await status(send(path, 3, 'd', { 'Upload-Length': '6' }), 400, 409);
    await status(send(path, 3, 'de', { 'Upload-Length': '5' }), 204);
    return [await bytesOf(path), 'abcde'];
  });
  is('a length below the offset is refused', async () => {
    const path = await deferred();
    await send(path, 0, 'abc');
    await status(send(path, 3, '', { 'Upload-Length': '2' }), 400, 409, 413);
  });
});

describe('expiration', () => {
  const isDate = (value) => assert.ok(Date.parse(value) > Date.now() && new Date(value).toUTCString() === value, String(value));
  is('POST has Upload-Expires, a date to come', async () => isDate((await create(5)).headers.get('Upload-Expires')));
  is('PATCH has Upload-Expires', async () => isDate((await send(await made(5), 0, 'a')).headers.get('Upload-Expires')));
  is('HEAD has Upload-Expires', async () => isDate(await field(await made(5), 'Upload-Expires')));
});

describe('checksum', () => {
  for (const algorithm of ['sha1', 'sha256', 'md5']) {
    is(`a right ${algorithm} is 204`, async () => [(await send(await made(3), 0, 'abc', { 'Upload-Checksum': `${algorithm} ${sum(algorithm, 'abc')}` })).status, 204]);
    is(`a wrong ${algorithm} is 460, and the offset stays`, async () => {
      const path = await made(5);
      await status(send(path, 0, 'abc', { 'Upload-Checksum': `${algorithm} ${sum(algorithm, 'abd')}` }), 460);
      return [await offset(path), 0];
    });
    is(`a ${algorithm} of the wrong length is 460, and the offset stays`, async () => {
      const path = await made(5);
      await status(send(path, 0, 'abc', { 'Upload-Checksum': `${algorithm} ${Buffer.from('short').toString('base64')}` }), 460);
      return [await offset(path), 0];
    });
  }
  is('the bytes can be sent again after 460', async () => {
    const path = await made(3);
    await send(path, 0, 'abd', { 'Upload-Checksum': `sha1 ${sum('sha1', 'abc')}` });
    await status(send(path, 0, 'abc', { 'Upload-Checksum': `sha1 ${sum('sha1', 'abc')}` }), 204);
    return [await bytesOf(path), 'abc'];
  });
  for (const value of ['sha512 YQ==', 'x YQ==', 'SHA1 YQ==', 'sha1', 'sha1 ???']) is(`Upload-Checksum ${value} is 400`, async () => status(send(await made(3), 0, 'abc', { 'Upload-Checksum': value }), 400));
  is('a checksum with the creation is checked', () => status(create(3, { ...BYTES, 'Upload-Checksum': `sha1 ${sum('sha1', 'abd')}` }, 'abc'), 460));
});

describe('termination', () => {
  is('DELETE is 204', async () => [(await ask('DELETE', await made(5))).status, 204]);
  for (const method of ['HEAD', 'PATCH', 'DELETE'])
    is(`${method} after DELETE is 404 or 410`, async () => {
      const path = await made(5);
      await ask('DELETE', path);
      await status(method === 'PATCH' ? send(path, 0, 'a') : ask(method, path), 404, 410);
    });
  is('DELETE of an unknown upload is 404', () => status(ask('DELETE', '/tus/019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21'), 404, 410));
  is('DELETE of a complete upload is 204', async () => [(await ask('DELETE', await made(3, BYTES, 'abc'))).status, 204]);
});

describe('concatenation', () => {
  const final = (paths, headers) => ask('POST', '/tus/', { 'Upload-Concat': `final;${paths.join(' ')}`, ...headers });
  is('a partial upload is 201', async () => [(await create(3, { 'Upload-Concat': 'partial' })).status, 201]);
  is('HEAD of a partial upload has Upload-Concat: partial', async () => [await field(await made(3, { 'Upload-Concat': 'partial' }), 'Upload-Concat'), 'partial']);
  is('parts are joined in the order of the list', async () => {
    const [a, b] = [await part('abc'), await part('de')];
    return [await bytesOf(pathOf(await final([b, a]))), 'deabc'];
  });
  is('parts may be named by whole URLs', async () => [await bytesOf(pathOf(await final([stack.url + await part('abc'), stack.url + await part('d')]))), 'abcd']);
  is('HEAD of a final upload has its Upload-Concat, the length and the offset', async () => {
    const parts = [await part('abc'), await part('de')];
    const { headers } = await ask('HEAD', pathOf(await final(parts)));
    return [[headers.get('Upload-Concat'), headers.get('Upload-Length'), headers.get('Upload-Offset')], [`final;${parts.join(' ')}`, '5', '5']];
  });
  is('PATCH of a final upload is 403', async () => status(send(pathOf(await final([await part('a')])), 1, 'b'), 403));
  is('a final upload with Upload-Length is refused', async () => status(final([await part('a')], { 'Upload-Length': '1' }), 400));
  is('a final upload of an incomplete part is refused', async () => status(final([await made(3, { 'Upload-Concat': 'partial' })]), 400, 409));
  is('a final upload of an unknown part is refused', () => status(final(['/tus/019f0c1e-7d2a-7bb3-9c1d-2f6a5e4b3c21']), 400, 404, 422));
  is('a final upload of a whole one is refused', async () => status(final([await made(3, BYTES, 'abc')]), 400, 409, 422));
  is('the metadata of a final upload is its own', async () => {
    const { headers } = await ask('HEAD', pathOf(await final([await part('a')], { 'Upload-Metadata': metadata({ filename: 'joined' }) })));
    return [headers.get('Upload-Metadata'), metadata({ filename: 'joined' })];
  });
  for (const value of ['final', 'final;', 'x', 'Partial']) is(`Upload-Concat ${value} is 400`, () => status(ask('POST', '/tus/', { 'Upload-Concat': value, 'Upload-Length': value.startsWith('final') ? undefined : '1' }), 400, 422));
});
