// An installation by `make install` in a temporary folder, with its units run as systemd would run them.
//
//   const installed = await install();             paths of it: installed.path('etc/gatehouse')
//   const auth = installed.start('gatehouse-auth'); its ExecStart, with its environment, credentials and socket
import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build, repository, run } from './stack.js';

export const units = 'usr/lib/systemd/system';

// make install (or another target), with everything below `root`. -o all: the programs are not built again.
export async function make(target, root, more = []) {
  const where = [`PREFIX=${root}/usr`, `SYSCONFDIR=${root}/etc`, `LOCALSTATEDIR=${root}/var`, `RUNSTATEDIR=${root}/run`];
  const { code, stdout, stderr } = await run('make', ['-s', '-C', repository, '-o', 'all', target, `BUILD=${build}`, ...where, ...more]);
  if (code !== 0) throw new Error(`make ${target}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

export async function install() {
  const installed = new Installed(mkdtempSync(join(tmpdir(), 'gatehouse-installed-')));
  await make('install', installed.root);
  return installed;
}

// {Section: {Name: [values]}}
export function readUnit(file) {
  const unit = {};
  let section;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, name, key, value] = /^(?:\[(\w+)\]|(\w+)=(.*))$/.exec(line) ?? [];
    if (name) section = unit[name] = {};
    else if (key) (section[key] ??= []).push(value);
  }
  return unit;
}

class Installed {
  #running = [];

  constructor(root) {
    this.root = root;
  }

  path(...steps) {
    return join(this.root, ...steps);
  }

  // {pid, ended (a promise of its exit status), log()}. systemd-socket-activate opens the socket, waits for
  // the first connection, and then becomes the program, with the socket as descriptor 0.
  start(name) {
    const { Service: service } = readUnit(this.path(units, `${name}.service`));
    const credentials = this.path('run/credentials', name), run_ = this.path('run');
    const specifiers = (text) => text.replaceAll('%d', credentials).replaceAll('%t', run_);
    const folders = [credentials, ...(service.RuntimeDirectory ?? []).map((folder) => join(run_, folder))];
    for (const folder of folders) mkdirSync(folder, { recursive: true });
    for (const line of service.LoadCredential ?? []) {
      const [id, file] = line.split(':');
      copyFileSync(file, join(credentials, id));
    }
    const environment = (service.Environment ?? []).map(specifiers);
    let command = service.ExecStart[0].split(' ');
    if (service.StandardInput?.[0] === 'socket') {
      const { Socket: socket } = readUnit(this.path(units, `${name}.socket`));
      mkdirSync(dirname(socket.ListenStream[0]), { recursive: true });
      command = ['systemd-socket-activate', '--inetd', '-l', socket.ListenStream[0], ...environment.flatMap((e) => ['-E', e]), ...command];
    }
    const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...Object.fromEntries(environment.map((e) => e.split(/=(.*)/s))) };
    const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.on('data', (text) => { log += text; });
    const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
    process.once('exit', () => child.kill('SIGKILL'));
    this.#running.push({ child, ended });
    const signal = service.KillSignal?.[0] ?? 'SIGTERM';
    return { pid: child.pid, ended, log: () => log, stop: () => (child.kill(signal), ended) };
  }

  async remove() {
    for (const { child, ended } of this.#running) {
      child.kill('SIGKILL');
      await ended;
    }
    if (existsSync(this.root)) rmSync(this.root, { recursive: true });
  }
}
