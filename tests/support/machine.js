// A Debian machine that runs systemd, for tests of an installed package.
//
//   const why = cannotBoot();             the reason why it cannot boot here, or undefined
//   const machine = await debootstrap(packages);
//   await machine.prepare('apt-get …');      in its root, before it is booted, with this machine's network
//   await machine.boot();
//   await machine.sh('systemctl start x');   returns standard output; throws when the command fails
//   await machine.type('passwd', [[/New password: $/, 'secret']]);   the same at a terminal, with what is typed
//   machine.network                          requests to what listens in the machine: see network.js
//   await machine.remove();
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enterNetwork } from './network.js';
import { untilExit, pause, repository, run } from './stack.js';

const hierarchy = () => readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')).find(([, , type]) => type === 'cgroup2')?.[1];

export async function cannotBoot() {
  if (process.getuid() !== 0) return 'a machine is made and booted by root only';
  for (const program of ['debootstrap', 'unshare', 'nsenter'])
    if ((await run('which', [program])).code !== 0) return `${program} is not installed: scripts/setup --long`;
  if (!hierarchy()) return 'there is no cgroup2 hierarchy here';
  const { code, stderr } = await run('unshare', ['--mount', '--pid', '--net', '--cgroup', '--fork', 'true']);
  return code === 0 ? undefined : `no namespaces can be made here: ${stderr.trim()}`;
}

async function must(file, args, options) {
  const { code, stdout, stderr } = await run(file, args, options);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}\n${stdout.slice(-3000)}${stderr.slice(-3000)}`);
  return stdout;
}

const policy = 'usr/sbin/policy-rc.d';

// `dependencies` as in a control file; apt installs them before the machine is booted.
export async function debootstrap(dependencies) {
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-machine-'));
  const machine = new Machine(root);
  try {
    await must('debootstrap', ['--variant=minbase', 'bookworm', root]);
    chmodSync(root, 0o755);
    writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n');
    // Nothing can be started before it is booted
    writeFileSync(join(root, policy), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
    await machine.prepare(`apt-get satisfy --yes --no-install-recommends '${dependencies}'`);
  } catch (error) {
    await machine.remove();
    throw error;
  }
  return machine;
}

const environment = ['HOME=/root', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'DEBIAN_FRONTEND=noninteractive'];

class Machine {
  #child;
  #init;
  #cgroup;

  constructor(root) {
    this.root = root;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  prepare(line, input) {
    return must('chroot', [this.root, 'env', ...environment, 'bash', '-ec', line], { input });
  }

  async boot() {
    rmSync(join(this.root, policy), { force: true });
    this.#cgroup = join(hierarchy(), `gatehouse-machine-${process.pid}`);
    mkdirSync(this.#cgroup);
    let output = '';
    const child = spawn(join(repository, 'tests/support/machine'), [this.root, this.#cgroup], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => { output += text; });
    this.#child = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`it did not boot: ${output}`);
      this.#init = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ')[0]);
      if (this.#init && readFileSync(`/proc/${this.#init}/comm`, 'utf8').trim() === 'systemd') break;
      await pause(50);
    }
    // "degraded" too: a unit of the distribution may fail on a machine without devices
    while (!/^(running|degraded)/.test((await this.try('systemctl is-system-running')).stdout)) await pause(100);
    this.network = await enterNetwork(this.#init);
  }

  // Run a line of shell in the machine: {code, stdout, stderr}.
  try(line, input) {
    return run('nsenter', [...this.#inside(), 'bash', '-c', line], { input });
  }

  async sh(line, input) {
    const { code, stdout, stderr } = await this.try(line, input);
    if (code !== 0) throw new Error(`${line}: ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  async active(unit) {
    return (await this.try(`systemctl is-active ${unit}`)).stdout.trim();
  }

  // Run a line at a terminal. `answers` are [prompt, what is then typed], in order.
  async type(line, answers) {
    const child = spawn('nsenter', [...this.#inside(), 'script', '--quiet', '--return', '--command', line, '/dev/null']);
    const left = [...answers];
    let output = '', seen = 0;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (!left.length || !left[0][0].test(output.slice(seen))) return;
      seen = output.length;
      child.stdin.write(`${left.shift()[1]}\n`);
    });
    const code = await new Promise((done) => child.on('close', done));
    if (code !== 0 || left.length) throw new Error(`${line}: ${code}\n${output}`);
    return output.replaceAll('\r\n', '\n');
  }

  #inside() {
    return ['-t', String(this.#init), '-a', '-r', '-w', 'env', '-i', ...environment];
  }

  async #end() {
    await this.network?.leave();
    this.network = undefined;
    if (!this.#child) return;
    // When its process 1 ends, all of its processes end
    if (this.#init) process.kill(this.#init, 'SIGKILL');
    else this.#child.kill('SIGKILL');
    await untilExit(this.#child.pid);
    this.#child = this.#init = undefined;
    const folders = readdirSync(this.#cgroup, { recursive: true, withFileTypes: true }).filter((f) => f.isDirectory()).map((f) => join(f.path, f.name));
    for (const folder of folders.sort().reverse()) rmdirSync(folder);
    rmdirSync(this.#cgroup);
  }

  // An orderly shutdown and a new boot.
  async reboot() {
    await this.try('systemctl poweroff');
    await untilExit(this.#init);
    this.#init = undefined;
    await this.#end();
    await this.boot();
  }

  async remove() {
    await this.#end();
    rmSync(this.root, { recursive: true, force: true });
  }
}
