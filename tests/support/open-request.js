// A request whose body the test sends when it wants, or never: {send(bytes), answer, cut(), received()}. `answer` is
// like that of client.js; `received()` is the text so far.
import net from 'node:net';
import tls from 'node:tls';
import { parseAnswer, requestHead } from './raw.js';

export function openRequest(stack, method, target, { token, headers } = {}) {
  const { protocol, hostname, port } = new URL(stack.url);
  const socket = (protocol === 'https:' ? tls : net).connect({ host: hostname, port, ca: stack.ca });
  const pieces = [];
  const bytes = () => Buffer.concat(pieces);
  socket.on('error', () => {}).on('data', (piece) => pieces.push(piece));
  const answer = new Promise((done) => socket.on('close', done)).then(() => parseAnswer({ method, target }, bytes()));
  socket.write(requestHead(method, target, { ...(token && { Authorization: `Bearer ${token}` }), ...headers }));
  return {
    answer,
    send: (piece) => new Promise((done) => socket.write(piece, () => done())),
    cut: () => socket.destroy(),
    received: () => bytes().toString('latin1'),
  };
}
