// A web server of its own folder and port, as a child in the foreground: no service, no system files.
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { gone, pause } from './stack.js';

// Whether somebody listens; nothing is asked of them.
const listens = (port) => new Promise((done) => {
  const socket = net.connect(port, '127.0.0.1').on('connect', () => done(true)).on('error', () => done(false));
  socket.on('close', () => socket.destroy());
  socket.on('connect', () => socket.destroy());
});

// `name` is the program; `configure(folder, port)` gives {text, args(file), env}. Of `signal` the server
// ends with all its children. Gives {url, port, folder, pid, log(), stop()}; log() is `folder`/error.log.
export async function startServer(name, configure, { signal = 'SIGKILL', scheme = 'http', user } = {}) {
  const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
  if (user?.uid) chownSync(folder, user.uid, user.gid);
  const port = await freePort();
  const { text, args, env = {} } = configure(folder, port);
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, text);
  // A group of its own, for Apache ends by a signal to its whole group
  const child = spawn(name, args(file), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder, ...env }, detached: true, ...user });
  let said = '', failed;
  child.on('error', (error) => (failed = error));
  child.stderr.on('data', (chunk) => (said += chunk));
  const kill = () => child.kill(signal);
  process.once('exit', kill);
  while (!(await listens(port))) {
    if (failed) throw failed;
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}: ${said}`);
    await pause(20);
  }
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    folder,
    pid: child.pid,
    log: () => readFileSync(join(folder, 'error.log'), 'utf8'),
    said: () => said,
    async stop() {
      process.off('exit', kill);
      child.kill(signal);
      await gone(child.pid);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
