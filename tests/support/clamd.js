// A real clamd in a folder of its own, as a child in the foreground, that knows one signature. What
// Debian's clamav-daemon brings is the program alone: its millions of signatures come by freshclam.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { gone, pause } from './stack.js';

// The file that every scanner knows (EICAR), in two halves, so that none takes this one for it.
export const eicar = Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STAND', 'ARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''));
export const SIGNATURE = 'Gatehouse.Test.Eicar';

// `settings` are lines of clamd.conf. Gives a clamd that runs: {socket, port, log(), kill(), start(), freeze(), thaw(), stop()}.
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
    // name : any kind of file : at any place : bytes
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
    this.said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (this.said += chunk));
    const failed = new Promise((_, fail) => child.on('error', fail));
    failed.catch(() => {});
    while (!(await Promise.race([this.#answers(), failed]))) {
      if (child.exitCode !== null) throw new Error(`clamd ended with ${child.exitCode}: ${this.said}`);
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
    this.#child.kill('SIGKILL'); // also when it is frozen
    await gone(this.#child.pid);
    this.#child = undefined;
    rmSync(this.socket, { force: true });
  }

  // It exists, and does nothing: connections wait for it.
  freeze() {
    this.#child.kill('SIGSTOP');
  }

  thaw() {
    this.#child.kill('SIGCONT');
  }

  // How many are connected to its socket, or wait to be.
  connections() {
    return readFileSync('/proc/net/unix', 'utf8').split('\n').filter((line) => line.endsWith(` ${this.socket}`)).length - 1;
  }

  async stop() {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}
