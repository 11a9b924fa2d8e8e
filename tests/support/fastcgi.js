// The web server's side of FastCGI 1.0 (responder or authorizer), one request a connection, for tests that decide
// when each byte of a body reaches a program.
import { once } from 'node:events';
import net from 'node:net';

const BEGIN = 1, ABORT = 2, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

function record(type, content) {
  const head = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return Buffer.concat([head, content]);
}

function nameValue(name, value) {
  const size = (n) => (n < 128 ? Buffer.from([n]) : Buffer.from([(n >> 24) | 128, (n >> 16) & 255, (n >> 8) & 255, n & 255]));
  const [n, v] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([size(n.length), size(v.length), n, v]);
}

// Begin a request at a Unix socket ('/path'), or TCP ({host, port}). Returns {send(bytes), finish(), abort(),
// disconnect(), answer}: send parts of the body, then finish and await the answer ({status, text}, or {cut: true}).
// With `half` only the first half of the variables is sent until rest() is called. With `late` nothing of the answer is
// read before read(). With `stays` our side stays open after the program has closed its own. `broken` is the error code
// of the connection, if it broke.
export function begin(where, variables, { authorizer = false, half = false, late = false, stays = false } = {}) {
  const socket = net.connect({ ...(typeof where === 'string' ? { path: where } : where), allowHalfOpen: stays });
  let broken;
  const out = [];
  let pending = Buffer.alloc(0);
  const answer = new Promise((done) => {
    const end = (cut) => {
      const text = Buffer.concat(out).toString('latin1');
      done(cut && !text ? { cut: true, status: 0, text } : { cut, status: Number(/^Status: (\d+)/im.exec(text)?.[1] ?? 200), text });
    };
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 8) {
        const size = pending.readUInt16BE(4), whole = 8 + size + pending[6];
        if (pending.length < whole) return;
        if (pending[1] === STDOUT) out.push(pending.subarray(8, 8 + size));
        if (pending[1] === END) end(false);
        pending = pending.subarray(whole);
      }
    });
    if (late) socket.pause();
    socket.on('error', ({ code }) => {
      broken = code;
      end(true);
    });
    socket.on('close', () => end(true));
  });
  const parameters = Buffer.concat(Object.entries(variables).map(([k, v]) => nameValue(k, String(v))));
  socket.write(record(BEGIN, Buffer.from([0, authorizer ? 2 : 1, 0, 0, 0, 0, 0, 0])));
  const cut = half ? parameters.length >> 1 : parameters.length;
  const rest = () => {
    if (cut < parameters.length) socket.write(record(PARAMS, parameters.subarray(cut)));
    socket.write(record(PARAMS, Buffer.alloc(0)));
  };
  socket.write(record(PARAMS, parameters.subarray(0, cut)));
  if (!half) rest();
  return {
    rest,
    answer,
    get broken() { return broken; },
    read: () => socket.resume(),
    send(bytes) {
      for (let at = 0; at < bytes.length; at += 65528) socket.write(record(STDIN, bytes.subarray(at, at + 65528)));
    },
    finish() {
      socket.write(record(STDIN, Buffer.alloc(0)));
      return answer;
    },
    abort() {
      socket.write(record(ABORT, Buffer.alloc(0)));
      return answer;
    },
    disconnect() {
      socket.destroy();
    },
    // Close the connection when the kernel has all bytes that were sent; returns when it is closed.
    async disconnectAfterSending() {
      if (socket.connecting) await once(socket, 'connect');
      while (socket.writableLength > 0) await new Promise(setImmediate);
      socket.destroy();
      await once(socket, 'close');
    },
  };
}
