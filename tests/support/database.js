// A second MariaDB server for an instance, with a copy of its databases, that a test may stop, kill
// and start while the programs run. (scripts/run ends everything when its own server ends.)
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { untilExit, pause, run, startStack } from './stack.js';

// An instance whose programs use the test's own server: {stack, database}. Stop both.
// `lines` are added to the server's configuration.
export async function startStackWithDatabase({ lines = '', ...options } = {}) {
  const stack = await startStack(options);
  const database = new Database(stack, lines);
  await stack.halt();
  cpSync(stack.path('mysql', 'data'), stack.path('mysql2', 'data'), { recursive: true });
  mkdirSync(stack.path('mysql2', 'tmp'));
  await database.start();
  stack.configure({ MYSQL_SOCKET: database.socket });
  await stack.start();
  return { stack, database };
}

class Database {
  #child;

  constructor(stack, lines) {
    this.config = stack.path('mysql2.cnf');
    this.socket = stack.path('mysql2', 'sock');
    const text = readFileSync(stack.path('mysql', 'my.cnf'), 'utf8')
      .replaceAll(stack.path('mysql/'), stack.path('mysql2/'))
      .replace(/^log-error=.*$/m, `log-error=${stack.path('log', 'mariadb2.log')}`);
    writeFileSync(this.config, text + lines);
  }

  // Change the configuration for the next start.
  configure(change) {
    writeFileSync(this.config, change(readFileSync(this.config, 'utf8')));
  }

  async start() {
    if (this.#child) return;
    const asRoot = process.getuid() === 0 ? ['--user=root'] : [];
    const child = spawn('mariadbd', [`--defaults-file=${this.config}`, ...asRoot], { stdio: 'ignore' });
    this.#child = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`mariadbd ended with ${child.exitCode}`);
      // A client of MariaDB 11.4 or newer would insist on TLS
      const { code } = await run('mariadb', ['--no-defaults', '--skip-ssl', '-S', this.socket, '-u', 'root', '-e', 'SELECT 1']);
      if (code === 0) return;
      await pause(50);
    }
  }

  async stop(signal = 'SIGTERM') {
    if (!this.#child) return;
    this.#child.kill(signal);
    await untilExit(this.#child.pid);
    this.#child = undefined;
  }
}
