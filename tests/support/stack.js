// A whole instance (MariaDB, lighttpd, both programs), made by scripts/run in a temporary folder.
//
//   const stack = await useStack();              the run's shared instance, or a new one if a file runs alone
//   const stack = await startStack({ settings: { MAX_UPLOAD: 1000 } });   a new instance; stop() it
//
// GATEHOUSE_TRANSPORT (transport.js) and GATEHOUSE_BUILD (a folder of programs) choose what runs. support/suite.js
// starts the shared instance and passes its folder in GATEHOUSE_STATE.
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { call } from './client.js';
import { startFront } from './front.js';
import { signingKey } from './tokens.js';
import { chosen, resolveTransport } from './transport.js';

// An ordinary user of Debian has no sbin in PATH; servers that tests start are there.
process.env.PATH += ':/usr/local/sbin:/usr/sbin:/sbin';

export const repository = fileURLToPath(new URL('../..', import.meta.url));
export const build = resolve(process.env.GATEHOUSE_BUILD || join(repository, 'build'));

// Run a program to its end; returns {code, stdout, stderr}. `input` is its standard input.
export function run(file, args, { input = '', env = {}, cwd, encoding = 'utf8' } = {}) {
  return new Promise((done, fail) => {
    const child = execFile(file, args,
      { env: { ...process.env, ...env }, cwd, encoding, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => (error?.code === 'ENOENT' ? fail(error) : done({ code: error ? error.code ?? error.signal : 0, stdout, stderr })));
    child.stdin.on('error', () => {}); // it may exit without reading
    child.stdin.end(input);
  });
}

async function mustRun(file, args, options) {
  const { code, stdout, stderr } = await run(file, args, options);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

const script = (name, ...args) => mustRun(join(repository, 'scripts', name), args);

export async function useStack() {
  if (process.env.GATEHOUSE_STATE) return new Stack(process.env.GATEHOUSE_STATE);
  const stack = await startSharedStack();
  after(() => stack.stop());
  return stack;
}

// The instance for all tests that need no other settings.
export const startSharedStack = () => startStack({ settings: { CORS_ORIGINS: 'https://app.example https://other.example:8443' } });

// Tests send many wrong passwords from one address; tests/api/throttle.test.js tests the throttle.
const NO_THROTTLE = { THROTTLE_FAILURES: 1000, THROTTLE_ADDRESS: 1000000 };

const started = new Set();

// `settings` are settings of the programs; null is as if the setting were not there.
// `how` is a transport other than the run's.
export async function startStack({ settings, how = chosen } = {}) {
  const stack = new Stack(mkdtempSync(join(tmpdir(), 'gatehouse-test-')), how);
  started.add(stack);
  stack.configure({ ...NO_THROTTLE, ...resolveTransport(how).settings, ...settings });
  try {
    await stack.start();
  } catch (error) {
    await stack.stop().catch(() => {});
    throw error;
  }
  return stack;
}

// No process is left running, however the test process ends.
process.on('exit', () => {
  for (const stack of started) spawnSync(join(repository, 'scripts', 'stop'), ['--state', stack.state]);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

export class Stack {
  constructor(state, how = chosen) {
    this.state = state;
    ({ transport: this.transport, front: this.front } = resolveTransport(how));
  }

  // Returns the output of scripts/run.
  async start() {
    const output = await script('run', '--detach', '--port', '0', '--state', this.state, '--transport', this.transport, '--build', build);
    if (this.front) {
      this.server = await startFront(this);
      writeFileSync(this.path('front-url'), this.server.url);
    }
    return output;
  }

  async halt() {
    await this.server?.stop();
    this.server = undefined;
    await script('stop', '--state', this.state);
  }

  // Stop everything; throws if a log has a report of a sanitizer.
  async stop() {
    await this.halt();
    started.delete(this);
    const complaints = sanitizerLines(this.logs);
    rmSync(this.state, { recursive: true, force: true });
    if (complaints.length) throw new Error(`the programs' logs:\n${complaints.join('\n')}`);
  }

  get url() {
    return this.#line(this.front ? 'front-url' : 'url');
  }

  get internalUrl() {
    return this.#line('internal-url');
  }

  #line(name) {
    return readFileSync(join(this.state, name), 'utf8').trim().replace(/\/$/, '');
  }

  path(...steps) {
    return join(this.state, ...steps);
  }

  // The NAME=value lines of conf/auth.env or conf/gateway.env.
  settings(program) {
    const lines = readFileSync(this.path('conf', `${program}.env`), 'utf8').split('\n');
    return Object.fromEntries(lines.filter((l) => /^\w+=/.test(l)).map((l) => [l.slice(0, l.indexOf('=')), l.slice(l.indexOf('=') + 1)]));
  }

  // Change settings for the next start. scripts/run appends *.local.env to the files it makes; an empty value unsets.
  configure(settings) {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value ?? ''}\n`);
    mkdirSync(this.path('conf'), { recursive: true });
    for (const program of ['auth', 'gateway']) appendFileSync(this.path('conf', `${program}.local.env`), lines.join(''));
  }

  // The FastCGI address of a program, for support/fastcgi.js.
  fcgiAddress(program) {
    if (this.transport === 'tcp') {
      const site = readFileSync(this.path('conf', 'lighttpd-site.conf'), 'utf8');
      return { host: '127.0.0.1', port: Number(new RegExp(`${program.replace('cgi-', '')}_port *= (\\d+)`).exec(site)[1]) };
    }
    return this.path('run', readdirSync(this.path('run')).find((name) => name.startsWith(`${program}.sock`)));
  }

  // A request to the public listener; callInternal() sends one to the internal listener (see client.js).
  call(method, target, options) {
    return call(this.url, method, target, options);
  }

  callInternal(method, target, options) {
    return call(this.internalUrl, method, target, { ...options, inside: true });
  }

  // Run auth-admin or gateway-admin with the instance's configuration: {code, stdout, stderr}.
  authAdmin(args, input) {
    return run(join(build, 'auth-admin'), args, { input, env: { GATEHOUSE_CONF: this.path('conf', 'auth.env') } });
  }

  gatewayAdmin(args) {
    return run(join(build, 'gateway-admin'), args, { env: { GATEHOUSE_CONF: this.path('conf', 'gateway.env') } });
  }

  // Add a user and log in: {email, password, id, scope, token}.
  async person({ admin = false, password = randomBytes(12).toString('hex') } = {}) {
    const email = `p${randomBytes(6).toString('hex')}@example.org`;
    const added = await this.authAdmin(['user', 'add', email, '--password-stdin', ...(admin ? ['--admin'] : [])], password + '\n');
    if (added.code !== 0) throw new Error(`auth-admin user add: ${added.code} ${added.stderr}`);
    const login = await this.call('POST', '/login', { basic: [email, password], headers: { Accept: 'application/json' } });
    if (login.status !== 200) throw new Error(`login of a new user: ${login.status} ${login.text}`);
    const token = login.json.access_token;
    const id = Number(JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).sub);
    return { email, password, id, token, scope: login.json.scope };
  }

  signingKey() {
    return signingKey(this.settings('auth').JWT_KEYRING);
  }

  databasePassword(program) {
    const { MYSQL_PASSWORD: value, MYSQL_PASSWORD_FILE: file } = this.settings(program);
    return value ?? readFileSync(file, 'utf8').trim();
  }

  // The rows of a statement, run with the program's own database account (`auth` or `gateway`).
  async sql(program, statement) {
    const set = this.settings(program);
    const out = await mustRun('mariadb',
      ['--no-defaults', '--default-character-set=utf8mb4', '-S', set.MYSQL_SOCKET, '-u', set.MYSQL_USER, '-N', '-B', '--raw',
        '-e', statement, set.MYSQL_DB],
      { env: { MYSQL_PWD: this.databasePassword(program) } });
    // As docs/running.md says of changes by SQL
    if (set.CHANGES_DIR && !/^\s*(SELECT|SHOW|EXPLAIN)\b/i.test(statement))
      await mustRun(join(build, program === 'auth' ? 'auth-admin' : 'gateway-admin'), ['changed'], { env: { GATEHOUSE_CONF: this.path('conf', `${program}.env`) } });
    return out.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  // The ids of this instance's processes of one name.
  processes(name) {
    return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== name.slice(0, 15)) return false;
        return ['cmdline', 'environ'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(this.state));
      } catch {
        return false; // the process has just exited
      }
    });
  }

  get logs() {
    const folder = this.path('log');
    if (!existsSync(folder)) return '';
    const text = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
    // Apache writes a prefix before each line of a program
    return this.front?.startsWith('apache') ? text.replace(/^\[.*AH01215: (stderr from [^:]*: )?/gm, '') : text;
  }

  // The log line that contains `text`; waits, because it may be written after the answer.
  async logLine(text) {
    for (let tries = 0; tries < 200; tries++) {
      const line = this.logs.split('\n').find((l) => l.includes(text));
      if (line) return line;
      await pause(25);
    }
    throw new Error(`no log line has ${text}`);
  }
}

export const sanitizerLines = (text) => text.split('\n').filter((l) => /ERROR: \w+Sanitizer|runtime error:/.test(l));

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export function running(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function untilExit(pid) {
  while (running(pid)) await pause(10);
}
