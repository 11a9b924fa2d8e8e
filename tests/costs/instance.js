// An instance whose programs can be counted: system calls by strace, allocations by count_allocations.c, and
// what the database is asked, by its general log.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, repository, run, startStack } from '../support/stack.js';

const PROGRAMS = ['cgi-auth', 'cgi-gateway'];
const real = (name) => join(repository, 'build', name);

// How often these are called depends on when threads and bytes arrive, or on what the allocator found before.
export const VARIES = ['futex', 'poll', 'ppoll', 'epoll_wait', 'epoll_pwait', 'select', 'recvfrom', 'rt_sigprocmask', 'restart_syscall', 'sched_yield', 'brk', 'mmap', 'munmap', 'mprotect', 'madvise', 'mremap',
  'rt_sigreturn', 'clock_nanosleep', 'nanosleep', 'getpid', 'gettid', 'rseq', 'set_robust_list', 'clone', 'clone3', 'exit', 'exit_group', 'wait4'];
const FLUSHES = ['fsync', 'fdatasync', 'syncfs', 'sync_file_range', 'msync'];

async function must(file, args, options) {
  const { code, stdout, stderr } = await run(file, args, options);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

// Make `place`/programs: the programs of build/, with the counter of allocations. A CGI program, which is a new
// process for each request, runs under strace or with the counter, as `place`/with says.
export async function countedPrograms(place) {
  const folder = join(place, 'programs'), counter = join(place, 'count_allocations.so');
  mkdirSync(folder);
  await must('gcc', ['-std=gnu17', '-O2', '-shared', '-fPIC', '-o', counter, join(repository, 'tests/costs/count_allocations.c')]);
  writeFileSync(join(place, 'allocations'), Buffer.alloc(8));
  writeFileSync(join(place, 'with'), 'allocations');
  for (const name of ['auth-admin', 'gateway-admin']) symlinkSync(real(name), join(folder, name));
  for (const name of PROGRAMS) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh
case $(cat '${place}/with') in
strace) exec strace -f -c -U calls,name -o '${place}'/calls.$$ '${real(name)}' "$@" ;;
*) LD_PRELOAD='${counter}' ALLOCATIONS='${place}/allocations' exec '${real(name)}' "$@" ;;
esac
`);
    chmodSync(path, 0o755);
  }
  return folder;
}

// {name: calls} of a summary of strace.
function callsOf(text) {
  const calls = {};
  for (const [, n, name] of text.matchAll(/^\s*(\d+)\s+(\w+)$/gm)) if (name !== 'total') calls[name] = (calls[name] ?? 0) + Number(n);
  return calls;
}

export class Counted {
  static async start(place, transport) {
    // One connection, so that each statement is prepared once; few threads.
    const stack = await startStack({ how: transport, settings: { DB_POOL: 1, THREADS: 4 } });
    const counted = new Counted();
    Object.assign(counted, { place, transport, stack, log: stack.path('log', 'asked.log') });
    await counted.#root(`SET GLOBAL general_log_file='${counted.log}'; SET GLOBAL innodb_monitor_enable='trx_rw_commits'`);
    return counted;
  }

  stop() {
    return this.stack.stop();
  }

  #root(sql) {
    return must('mariadb', ['--no-defaults', '-S', this.stack.path('mysql', 'sock'), '-u', 'root', '-N', '-B', '-e', sql]);
  }

  async #commits() {
    return Number(await this.#root("SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME='trx_rw_commits'"));
  }

  #allocations() {
    return Number(readFileSync(join(this.place, 'allocations')).readBigUInt64LE());
  }

  // Send `requests` until they ask the database no more: in its first seconds a program remembers no rows.
  async settle(requests) {
    for (let i = 0; (await this.#asked(requests)).statements > 0; i++) {
      if (i === 100) throw new Error('the programs do not remember rows');
      await pause(100);
    }
  }

  // What `work`, which sends `n` requests, costs by request.
  async cost(n, work) {
    const asked = await this.#asked(() => this.#traced(work[0]));
    // Allocations are counted without strace, whose CGI programs have no counter
    writeFileSync(join(this.place, 'with'), 'allocations');
    const before = this.#allocations();
    await work[1]();
    // A CGI program may still be ending
    await this.#idle();
    const allocations = this.#allocations() - before;
    const { calls, ...database } = asked;
    const sum = (test) => Object.entries(calls).reduce((total, [name, times]) => total + (test(name) ? times : 0), 0);
    const whole = {
      calls: sum((name) => !VARIES.includes(name)), flushes: sum((name) => FLUSHES.includes(name)), allocations, ...database,
    };
    const byName = Object.fromEntries(Object.entries(calls).map(([name, times]) => [name, times / n]).sort(([, a], [, b]) => b - a));
    return { ...Object.fromEntries(Object.entries(whole).map(([name, total]) => [name, Math.round((total / n) * 10) / 10])), byName };
  }

  async #idle() {
    if (this.transport !== 'cgi') return;
    while (PROGRAMS.some((name) => this.stack.processes(name).length)) await pause(20);
  }

  // Round trips, statements and commits while `work` runs, with what it returns as `calls`.
  async #asked(work) {
    const commits = await this.#commits();
    writeFileSync(this.log, '');
    await this.#root('SET GLOBAL general_log=ON');
    let calls;
    try {
      calls = await work();
    } finally {
      await this.#root('SET GLOBAL general_log=OFF');
    }
    const lines = readFileSync(this.log, 'utf8').split('\n').map((line) => /^(?:\d{6} [\d: ]{8})?\s+(\d+) ([A-Z][a-z]+(?: [a-z]+)?)\t(.*)$/.exec(line)).filter(Boolean);
    const mine = new Set(lines.filter(([, , what, text]) => what === 'Connect' && text.startsWith('root@')).map(([, id]) => id));
    const theirs = lines.filter(([, id, what]) => !mine.has(id) && !['Quit', 'Close stmt'].includes(what));
    return { calls, 'round trips': theirs.length, statements: theirs.filter(([, , what]) => ['Execute', 'Query'].includes(what)).length, commits: await this.#commits() - commits };
  }

  // The system calls of both programs while `work` runs.
  async #traced(work) {
    if (this.transport === 'cgi') {
      writeFileSync(join(this.place, 'with'), 'strace');
      await work();
      await this.#idle();
      return this.#summaries();
    }
    const out = join(this.place, 'calls.0');
    const pids = PROGRAMS.flatMap((name) => this.stack.processes(name));
    const strace = spawn('strace', ['-f', '-c', '-U', 'calls,name', '-o', out, ...pids.flatMap((pid) => ['-p', String(pid)])], { stdio: 'ignore' });
    const ended = new Promise((done) => strace.once('exit', done));
    const threads = pids.flatMap((pid) => readdirSync(`/proc/${pid}/task`).map((tid) => `/proc/${pid}/task/${tid}/status`));
    const attached = (path) => !/^TracerPid:\s+0$/m.test(readFileSync(path, 'utf8'));
    while (strace.exitCode === null && !threads.every(attached)) await pause(10);
    await work();
    strace.kill('SIGINT');
    await ended;
    return this.#summaries();
  }

  // strace creates its file when it starts, and writes the summary when its program has ended.
  async #summaries() {
    const files = () => readdirSync(this.place).filter((file) => file.startsWith('calls.'));
    while (files().some((name) => statSync(join(this.place, name)).size === 0)) await pause(20);
    const total = {};
    for (const name of files()) {
      for (const [call, n] of Object.entries(callsOf(readFileSync(join(this.place, name), 'utf8')))) total[call] = (total[call] ?? 0) + n;
      rmSync(join(this.place, name));
    }
    return total;
  }
}
