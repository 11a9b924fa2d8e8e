// Requests to servers in another network namespace, sent by a Node process inside it.
//
//   const network = await enterNetwork(pid);         the namespace of a process
//   await network.fetch('http://127.0.0.1:8080/');   like Node's own fetch
//   const socket = await network.connect(8080);      a net.Socket connected inside, used here
//   server.listen(await network.listen());           a socket that listens inside, on a free port
//   await network.leave();
import { fork } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(import.meta.url);

export async function enterNetwork(pid) {
  const child = fork(file, ['inside'], { execPath: 'nsenter', execArgv: ['-t', String(pid), '-n', process.execPath], serialization: 'advanced', stdio: 'inherit' });
  process.once('exit', () => child.kill());
  const waiting = new Map();
  child.on('message', ({ id, ...answer }, handle) => {
    waiting.get(id)({ ...answer, handle });
    waiting.delete(id);
  });
  const ended = new Promise((done) => child.on('exit', done));
  ended.then(() => waiting.forEach((done) => done({ error: 'the network was left' })));
  let last = 0;
  const request = async (what, ...args) => {
    const answer = await new Promise((done) => {
      waiting.set(++last, done);
      child.send({ id: last, what, args });
    });
    if (answer.error) throw Object.assign(new TypeError(`${what} failed`), { cause: answer.error });
    return answer;
  };
  return {
    async fetch(url, { method = 'GET', headers = {}, body } = {}) {
      const { status, headers: got, bytes } = await request('fetch', url, { method, headers: [...new Headers(headers)], body });
      return new Response([204, 304].includes(status) ? null : bytes, { status, headers: got });
    },
    connect: async (port) => (await request('connect', port)).handle,
    listen: async () => (await request('listen')).handle,
    leave: () => (child.kill(), ended),
  };
}

// --- inside the namespace

const once = (emitter, event) => new Promise((done, fail) => emitter.once(event, done).once('error', fail));

const inside = {
  async fetch(url, options) {
    const response = await fetch(url, { ...options, redirect: 'manual' });
    return { status: response.status, headers: [...response.headers], bytes: Buffer.from(await response.arrayBuffer()) };
  },
  async connect(port) {
    const handle = net.connect(port, '127.0.0.1');
    await once(handle, 'connect');
    return { handle };
  },
  async listen() {
    const handle = net.createServer().listen(0, '127.0.0.1');
    await once(handle, 'listening');
    return { handle };
  },
};

if (process.argv[2] === 'inside' && process.argv[1] === file)
  process.on('message', async ({ id, what, args }) => {
    const { handle, ...answer } = await inside[what](...args).catch((error) => ({ error: String(error.cause ?? error) }));
    process.send({ id, ...answer }, handle, () => handle instanceof net.Server && handle.close());
  });
