// A request as exact bytes over a socket, for what no HTTP library would send.
import net from 'node:net';
import { finish } from './client.js';

// Send `bytes` (string or Buffer) to the listener `base`, read until the server closes (so send
// `Connection: close`), and return the answer like client.js, or `{cut: true}` if the server
// closes without one. `end: true` closes our side after the last byte.
export async function sendRaw(base, bytes, { end = false } = {}) {
  const { hostname, port } = new URL(base);
  const socket = net.connect({ host: hostname, port, allowHalfOpen: true });
  const received = [];
  await new Promise((resolve, reject) => {
    socket.on('error', (e) => (e.code === 'ECONNRESET' || e.code === 'EPIPE' ? resolve() : reject(e)));
    socket.on('data', (chunk) => received.push(chunk));
    socket.on('end', resolve);
    socket.on('close', resolve);
    socket.write(bytes);
    if (end) socket.end();
  });
  socket.destroy();
  return parseAnswer(requestLine(bytes), Buffer.concat(received));
}

// The head of an HTTP/1.1 request that is the last of its connection.
export function requestHead(method, target, headers = {}) {
  const lines = Object.entries({ Host: 'localhost', Connection: 'close', ...headers });
  return `${method} ${target} HTTP/1.1\r\n` + lines.map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n';
}

function requestLine(bytes) {
  const [method, target = ''] = bytes.toString('latin1').split('\r\n', 1)[0].split(' ');
  return { method, target };
}

export function parseAnswer(request, bytes) {
  const head = bytes.indexOf('\r\n\r\n');
  if (head < 0) return { ...request, cut: true, status: 0, headers: new Headers(), text: '' };
  const [line, ...fields] = bytes.subarray(0, head).toString('latin1').split('\r\n');
  const status = Number(line.split(' ')[1]);
  if (status === 100) return parseAnswer(request, bytes.subarray(head + 4));
  const headers = new Headers();
  for (const field of fields) {
    const colon = field.indexOf(':');
    headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
  }
  let body = bytes.subarray(head + 4);
  if (headers.get('transfer-encoding') === 'chunked') body = unchunk(body);
  return finish({ ...request, status, headers, bytes: body });
}

function unchunk(bytes) {
  const parts = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    const size = parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (!size) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
