// A real clamd as a child in the foreground, with a folder of its own and one signature. Debian's
// clamav-daemon contains only the program: freshclam downloads its millions of signatures.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { untilExit, pause } from './stack.js';

// The EICAR test file, which every scanner reports, in two halves so that no scanner reports this file.
export const eicar = Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND', 'ARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''));
export const SIGNATURE = 'Gatehouse.Test.Eicar';

// `settings` are lines of clamd.conf. Returns a running clamd: {socket, port, kill(), start(), freeze(), thaw(),
// connections(), stop()}.
export async function startClamd(settings = []) {
  const clamd = new Clamd(mkdtempSync(join(tmpdir(), 'gatehouse-clamd-')), await freePort(), settings);
  try {
    await clamd.start();
  } catch (error) {
    await clamd.stop();
    throw error;
  }
  return clamd;
}

class Clamd {
  #folder;
  #child;

  constructor(folder, port, settings) {
    this.#folder = folder;
    this.port = port;
    this.socket = join(folder, 'sock');
    for (const name of ['db', 'tmp']) mkdirSync(join(folder, name));
    // signature name : any file type : any offset : bytes
    writeFileSync(join(folder, 'db', 'test.ndb'), `${SIGNATURE}:0:*:${eicar.toString('hex')}\n`);
    writeFileSync(join(folder, 'clamd.conf'), [
      'Foreground yes', `DatabaseDirectory ${join(folder, 'db')}`, `TemporaryDirectory ${join(folder, 'tmp')}`,
      `LocalSocket ${this.socket}`, `TCPSocket ${port}`, 'TCPAddr 127.0.0.1', 'MaxThreads 4', ...settings, ''].join('\n'));
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  async start() {
    if (this.#child) return;
    const child = spawn('clamd', ['-c', join(this.#folder, 'clamd.conf')], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.output += chunk));
    const failed = new Promise((_, fail) => child.on('error', fail));
    failed.catch(() => {});
    while (!(await Promise.race([this.#answers(), failed]))) {
      if (child.exitCode !== null) throw new Error(`clamd ended with ${child.exitCode}: ${this.output}`);
      await pause(20);
    }
  }

  #answers() {
    return new Promise((done) => {
      const socket = net.connect(this.socket, () => socket.write('zPING\0'));
      socket.on('data', (bytes) => { done(bytes.toString() === 'PONG\0'); socket.destroy(); });
      socket.on('error', () => done(false));
      socket.on('close', () => done(false));
    });
  }

  async kill() {
    if (!this.#child) return;
    this.#child.kill('SIGKILL'); // works on a frozen process, too
    await untilExit(this.#child.pid);
    this.#child = undefined;
    rmSync(this.socket, { force: true });
  }

  // The process exists but does nothing: connections wait.
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  // The number of connections to its socket, with those that wait to be accepted.
  connections() {
    return readFileSync('/proc/net/unix', 'utf8').split('\n').filter((line) => line.endsWith(` ${this.socket}`)).length - 1;
  }

  async stop() {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
