// The clients: wrk for many small requests, curl for large ones, sockets for slow ones.
import { execFile, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
export const bearer = (token) => `Authorization: Bearer ${token}`;
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Run a program to its end and return what it printed; throws if it fails.
export function output(file, args, { input = '', env = {}, cwd } = {}) {
  return new Promise((done, fail) => {
    const child = execFile(file, args, { env: { ...process.env, ...env }, cwd, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => (error ? fail(new Error(`${file} ${args.join(' ')}: ${error.code ?? error.signal}\n${stdout}${stderr}`)) : done(stdout)));
    child.stdin.on('error', () => {}); // it may exit without reading
    child.stdin.end(input);
  });
}

// Requests to `url` for `seconds` over `connections`: {requests, rate}. With `body`, the path of a file, the
// requests are PUTs of it.
export async function wrk(url, { seconds, connections = 16, headers = [], body }) {
  const script = body ? ['-s', here('put.lua')] : [];
  const text = await output('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', ...script, ...headers.flatMap((h) => ['-H', h]), url],
    { env: { BODY: body ?? '' } });
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? 0), rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? 0);
  if (!requests || /Non-2xx|Socket errors/.test(text)) throw new Error(`${url}: requests failed\n${text}`);
  return { requests, rate };
}

// curl with `args`: the body of the answer. A status of 400 or more is an error.
export const curl = (...args) => output('curl', ['-qsSf', ...args]);

// PATCH the files of `folder`, which are the pieces of one upload, to `url` over one connection.
export async function sendPieces(folder, url, headers) {
  let at = 0;
  const requests = readdirSync(folder).sort().map((name) => {
    const piece = join(folder, name), fields = [...headers, `Upload-Offset: ${at}`, 'Tus-Resumable: 1.0.0', 'Content-Type: application/offset+octet-stream', 'Expect:'];
    at += statSync(piece).size;
    return ['silent', 'show-error', 'fail', 'request = PATCH', 'output = /dev/null', ...fields.map((f) => `header = "${f}"`), `upload-file = "${piece}"`, `url = "${url}"`].join('\n');
  });
  await output('curl', ['-q', '-K', '-'], { input: requests.join('\nnext\n') });
}

// A slow client of `url`: a connection that sends `head`, and then pieces of `body` when told.
export function slowClient(url, head) {
  const { hostname, port } = new URL(url);
  const socket = net.connect({ host: hostname, port, noDelay: true });
  const client = { socket, status: 0, ended: false };
  client.open = new Promise((done) => socket.once('connect', done).once('close', done));
  client.answered = new Promise((done) => {
    socket.on('data', (bytes) => {
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(bytes.toString('latin1'))?.[1] ?? 0);
      if (status >= 200) {
        client.status ||= status;
        done();
      }
    });
    socket.on('close', () => {
      client.ended = true;
      done();
    });
  });
  socket.on('error', () => {});
  socket.write(head);
  client.send = (bytes) => new Promise((done) => (socket.writable ? socket.write(bytes, done) : done()));
  client.close = () => socket.destroy();
  return client;
}

export const requestHead = (method, path, fields) => `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${fields.map((f) => `${f}\r\n`).join('')}\r\n`;

// Start probe.js; the function returned ends it and resolves to {count, failed, p50, p99, max} in milliseconds.
export function startProbe({ url, token, every, body }) {
  const child = spawn(process.execPath, [here('probe.js'), url, String(every), body ?? ''], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TOKEN: token } });
  let text = '';
  child.stdout.on('data', (bytes) => { text += bytes; });
  const ended = new Promise((done) => child.once('close', done));
  return async () => {
    child.stdin.end();
    await ended;
    return JSON.parse(text);
  };
}

