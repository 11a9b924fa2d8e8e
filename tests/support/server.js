// A web server with its own folder and port, as a child in the foreground: no service, no system files.
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { untilExit, pause } from './stack.js';

// Whether a port accepts connections; nothing is sent.
const listens = (port) => new Promise((done) => {
  const socket = net.connect(port, '127.0.0.1').on('connect', () => done(true)).on('error', () => done(false));
  socket.on('close', () => socket.destroy());
  socket.on('connect', () => socket.destroy());
});

// `name` is the program; `configure(folder, port)` returns {text, args(file), env}. `signal` must end the server and
// all its children. Returns {url, port, folder, pid, log(), stop()}; log() is `folder`/error.log.
export async function startServer(name, configure, { signal = 'SIGKILL', scheme = 'http', user } = {}) {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  if (user?.uid) chownSync(folder, user.uid, user.gid);
  const port = await freePort();
  const { text, args, env = {} } = configure(folder, port);
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, text);
  // A process group of its own, because Apache signals its whole group when it ends
  const child = spawn(name, args(file), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder, ...env }, detached: true, ...user });
  let output = '', failed;
  child.on('error', (error) => (failed = error));
  child.stderr.on('data', (chunk) => (output += chunk));
  const kill = () => child.kill(signal);
  process.once('exit', kill);
  while (!(await listens(port))) {
    if (failed) throw failed;
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${output}`);
    await pause(20);
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    folder,
    pid: child.pid,
    log: () => readFileSync(join(folder, 'error.log'), 'utf8'),
    output: () => output,
    async stop() {
      process.off('exit', kill);
      child.kill(signal);
      await untilExit(child.pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
