// podman for the tests of deploy/: the machine's own, as root, with a base image of Debian's packages.
//
//   GATEHOUSE_LONG=1 node support/containers.js      prints in one line why containers cannot run here, or nothing
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pause, repository, run } from './stack.js';

export const base = 'localhost/debian:bookworm-slim';
export const env = {
  CONTAINERS_CONF: process.env.CONTAINERS_CONF ?? join(repository, 'tests', 'support', 'containers.conf'),
  BASE: base, COMPOSE: 'podman-compose', BUILDAH_FORMAT: 'docker',
};

export const tryPodman = (args, options) => run('podman', args, { ...options, env: { ...env, ...options?.env } });

export async function podman(...args) {
  const { code, stdout, stderr } = await tryPodman(args);
  if (code !== 0) throw new Error(`podman ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

// The reason why containers cannot run here, or undefined. Makes the base image.
export async function whyUnavailable() {
  if (!process.env.GATEHOUSE_LONG) return 'only in scripts/test --long';
  if (process.getuid() !== 0) return 'only root can make a base image without a registry';
  for (const tool of ['podman', 'podman-compose', 'runc', 'mmdebstrap'])
    if ((await run('sh', ['-c', `command -v ${tool}`])).code !== 0) return `${tool} is not installed (scripts/setup --long)`;
  const made = await run(join(repository, 'deploy', 'container', 'make-base'), [], { env });
  if (made.code !== 0) return `no base image could be made: ${lastLine(made.stderr)}`;
  const tried = await tryPodman(['run', '--rm', '--pull=never', base, 'true']);
  return tried.code === 0 ? undefined : `podman cannot run a container: ${lastLine(tried.stderr)}`;
}

const lastLine = (text) => text.trim().split('\n').at(-1);

// Run commands and stop at the first that fails; returns their output.
export async function shell(commands, more = {}, cwd = repository) {
  const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', commands], { cwd, env: { ...env, ...more } });
  if (code !== 0) throw new Error(`${commands}\n${code}\n${stdout}${stderr}`);
  return stdout;
}

// The log of a container so far, stdout and stderr.
export async function logs(container) {
  const { stdout, stderr } = await tryPodman(['logs', container]);
  return stdout + stderr;
}

export const state = async (container) => JSON.parse(await podman('inspect', '--format', '{{json .State}}', container));

// Start a command and do not wait; returns {ended: a promise of its exit code}.
export function inBackground(...args) {
  const child = spawn('podman', args, { env: { ...process.env, ...env }, stdio: 'ignore' });
  return { ended: new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal))) };
}

// Call isSo() until it returns a true value, for at most a minute, which is far more than any test needs.
export async function until(what, isSo) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const answer = await isSo();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`still not so after a minute: ${what}`);
    await pause(100);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const why = await whyUnavailable();
  if (why) console.log(why);
}
