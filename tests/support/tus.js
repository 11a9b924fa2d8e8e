// Resumable uploads (tus 1.0.0), one request a function.
import { requestHead } from './raw.js';
import { assertStatus } from './client.js';
import net from 'node:net';

export const TUS = { 'Tus-Resumable': '1.0.0' };

// {filename: 'a', …} as Upload-Metadata.
export const metadata = (pairs) =>
  Object.entries(pairs).map(([key, value]) => `${key} ${Buffer.from(String(value)).toString('base64')}`).join(',');

// POST /tus/; `length` null defers the length. A header that is undefined in `headers` is left out.
export function create(stack, person, length, { name, metadata: pairs = {}, headers, body, query = '' } = {}) {
  const wanted = {
    ...TUS,
    'Upload-Length': length === null ? undefined : String(length),
    'Upload-Defer-Length': length === null ? '1' : undefined,
    'Upload-Metadata': name || Object.keys(pairs).length ? metadata({ ...(name && { filename: name }), ...pairs }) : undefined,
    'Content-Type': body === undefined ? undefined : 'application/offset+octet-stream',
    ...headers,
  };
  return stack.call('POST', `/tus/${query}`, { token: person.token, headers: defined(wanted), body: body ?? '' });
}

// Create an upload; returns its path. (Location is relative behind a proxy of which the programs know no prefix.)
export async function newUpload(stack, ...args) {
  const answer = await create(stack, ...args);
  assertStatus(answer, 201);
  const { pathname, search } = new URL(answer.headers.get('location'), `${stack.url ?? "http://localhost"}/tus/`);
  return pathname + search;
}

export const patch = (stack, person, path, offset, body, headers) =>
  stack.call('PATCH', path, {
    token: person.token, body,
    headers: defined({ ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset), ...headers }),
  });

export const head = (stack, person, path) => stack.call('HEAD', path, { token: person.token, headers: TUS });

export async function offsetOf(stack, person, path) {
  const answer = await head(stack, person, path);
  assertStatus(answer, 200);
  return Number(answer.headers.get('upload-offset'));
}

export const terminate = (stack, person, path) => stack.call('DELETE', path, { token: person.token, headers: TUS });

export const fileOf = async (stack, person, path) => {
  const answer = await stack.call('GET', path.replace(/^\/tus\//, '/files/').split('?')[0], { token: person.token });
  return answer.status === 200 ? answer.json : null;
};

const defined = (headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));

// A PATCH whose bytes the test sends one by one: {send(bytes), cut(), answer}. `answer` is the status,
// or 0 if the server closed without an answer.
export async function openPatch(stack, person, path, offset, length, headers) {
  const { hostname, port } = new URL(stack.url);
  const socket = stack.connect ? await stack.connect(Number(port)) : net.connect({ host: hostname, port });
  let text = '';
  socket.on('data', (piece) => { text += piece.toString('latin1'); });
  socket.on('error', () => {});
  const answer = new Promise((done) => {
    const checkAnswer = () => {
      const status = /^HTTP\/1\.1 (\d+)/m.exec(text.replace(/^HTTP\/1\.1 100[^]*?\r\n\r\n/, ''));
      if (status || socket.destroyed) done(status ? Number(status[1]) : 0);
    };
    socket.on('data', checkAnswer);
    socket.on('close', checkAnswer);
  });
  socket.write(requestHead('PATCH', path, {
    Authorization: `Bearer ${person.token}`, ...TUS,
    'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': offset, 'Content-Length': length, ...headers,
  }));
  return {
    answer,
    send: (bytes) => new Promise((done) => socket.write(bytes, () => done())),
    cut: () => socket.destroy(),
    get text() { return text; },
  };
}
