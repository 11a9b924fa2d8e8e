// The servers that are compared: instances of Gatehouse by scripts/run, and the peers, each with a folder of its
// own under one temporary folder. They run as children, on loopback, at ports that the system chooses.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { curl, output, pause } from './load.js';
import { memory, tree } from './processes.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const peers = fileURLToPath(new URL('peers/', import.meta.url));
const sbin = (name) => ['/usr/local/sbin', '/usr/sbin', '/usr/bin'].map((folder) => join(folder, name)).find(existsSync) ?? name;

const freePort = () => new Promise((done) => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

// Wait until `ready` resolves; throws with the log if a child has ended before, or after 20 seconds.
async function until(ready, children, log) {
  for (let tries = 0; tries < 400; tries++) {
    if (await ready().then(() => true, () => false)) return;
    if (children.some((child) => child.exitCode !== null)) break;
    await pause(50);
  }
  throw new Error(`a server did not start:\n${existsSync(log) ? readFileSync(log, 'utf8').slice(-2000) : ''}`);
}

const answers = (url) => async () => {
  await (await fetch(url)).arrayBuffer(); // of any status
};

// The servers of a run, each made when it is first asked for. Call end() last.
export class Servers {
  #made = new Map();
  #children = [];
  secret = randomBytes(32).toString('hex');

  constructor(place) {
    this.place = place;
    const segment = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${segment({ alg: 'HS256', typ: 'JWT' })}.${segment({ iss: 'gatehouse', sub: '1', exp: Math.floor(Date.now() / 1000) + 86400 })}`;
    // A token that the PHP and Flask peers accept
    this.token = `${text}.${createHmac('sha256', this.secret).update(text).digest('base64url')}`;
  }

  program(name) {
    return join(root, 'build', name);
  }

  peer(name) {
    return join(peers, name);
  }

  #once(name, make) {
    if (!this.#made.has(name)) {
      const folder = join(this.place, name);
      mkdirSync(folder, { recursive: true });
      this.#made.set(name, make.call(this, folder));
    }
    return this.#made.get(name);
  }

  #spawn(folder, file, args, env = {}) {
    const child = spawn('bash', ['-c', 'exec "$0" "$@" >>"$LOG" 2>&1', file, ...args],
      { stdio: 'ignore', cwd: folder, env: { ...process.env, ...env, LOG: join(folder, 'log') } });
    this.#children.push(child);
    return child;
  }

  // lighttpd with `lines`, and the settings by which Gatehouse's own receives bodies.
  async #lighttpd(folder, lines) {
    const port = await freePort();
    mkdirSync(join(folder, 'spool'));
    writeFileSync(join(folder, 'lighttpd.conf'), `server.document-root = "${folder}/www"
server.bind = "127.0.0.1"
server.port = ${port}
server.upload-dirs = ( "${folder}/spool" )
server.max-fds = 16384
server.listen-backlog = 1024
server.max-keep-alive-requests = 10000
${lines}`);
    const child = this.#spawn(folder, sbin('lighttpd'), ['-D', '-f', join(folder, 'lighttpd.conf')]);
    const url = `http://127.0.0.1:${port}`;
    await until(answers(url), [child], join(folder, 'log'));
    return { url, roots: [child.pid] };
  }

  // lighttpd that sends the files of www/, and stores what is PUT under /dav.
  static() {
    return this.#once('static', async (folder) => {
      mkdirSync(join(folder, 'www/dav'), { recursive: true });
      // One temporary file a body, so that it can be renamed
      return { folder, ...await this.#lighttpd(folder, `server.modules = ( "mod_webdav" )
server.upload-temp-file-size = 2147483647
$HTTP["url"] =~ "^/dav/" { webdav.activate = "enable" }
`) };
    });
  }

  // PHP-FPM under lighttpd: /download?id=, /upload and /upload?fsync=1.
  php() {
    return this.#once('php', async (folder) => {
      const files = join(folder, 'files');
      mkdirSync(files);
      writeFileSync(join(folder, 'fpm.conf'), `[global]
daemonize = no
error_log = ${folder}/fpm.log
[www]
listen = ${folder}/fpm.sock
listen.backlog = 1024
pm = static
pm.max_children = 16
${process.getuid() === 0 ? 'user = root\ngroup = root' : ''}
clear_env = no
php_admin_flag[opcache.enable] = on
php_admin_flag[opcache.validate_timestamps] = off
php_admin_flag[enable_post_data_reading] = off
`);
      const name = readdirSync('/usr/sbin').filter((file) => /^php-fpm[\d.]+$/.test(file)).sort().at(-1) ?? 'php-fpm';
      const fpm = this.#spawn(folder, sbin(name), ['-F', ...(process.getuid() === 0 ? ['-R'] : []), '--fpm-config', join(folder, 'fpm.conf')], { SECRET: this.secret, FILES: files });
      await until(async () => { if (!existsSync(join(folder, 'fpm.sock'))) throw new Error('not yet'); }, [fpm], join(folder, 'log'));
      // With the log lines, the headers and the checks of heads that Gatehouse's own lighttpd has
      const server = await this.#lighttpd(folder, `server.modules = ( "mod_rewrite", "mod_setenv", "mod_fastcgi", "mod_accesslog" )
server.upload-temp-file-size = 67108864
server.stream-response-body = 1
server.http-parseopts = ( "header-strict" => "enable", "host-strict" => "enable", "host-normalize" => "enable", "url-normalize" => "enable",
  "url-normalize-unreserved" => "enable", "url-ctrls-reject" => "enable", "url-path-dotseg-remove" => "enable" )
accesslog.filename = "${folder}/access.log"
accesslog.format = "%{%Y-%m-%dT%H:%M:%S%z}t %h %{X-Request-ID}o %m %U %H %s %b %D"
setenv.set-response-header = ( "X-Content-Type-Options" => "nosniff", "Referrer-Policy" => "no-referrer" )
url.rewrite-once = ( "^/(download|upload)(\\?.*)?$" => "${peers}$1.php$2" )
server.document-root := "/"
fastcgi.server = ( ".php" => (( "socket" => "${folder}/fpm.sock", "x-sendfile" => "enable", "x-sendfile-docroot" => ( "${files}" ) )) )
`);
      return { ...server, folder: files, roots: [...server.roots, fpm.pid] };
    });
  }

  // The course's two services: a gateway that asks the auth service, each under gunicorn.
  flask() {
    return this.#once('flask', async (folder) => {
      const files = join(folder, 'files'), [auth, gateway] = [await freePort(), await freePort()];
      mkdirSync(files);
      const start = (app, port) => this.#spawn(folder, 'gunicorn',
        ['--chdir', peers, '--bind', `127.0.0.1:${port}`, '--worker-class', 'gthread', '--workers', '2', '--threads', '8', '--keep-alive', '60', '--worker-tmp-dir', folder, `${app}:app`],
        { SECRET: this.secret, FILES: files, AUTH: `127.0.0.1:${auth}`, PYTHONDONTWRITEBYTECODE: '1' });
      const children = [start('auth', auth), start('gateway', gateway)];
      for (const port of [auth, gateway]) await until(answers(`http://127.0.0.1:${port}/`), children, join(folder, 'log'));
      return { url: `http://127.0.0.1:${gateway}`, auth: `http://127.0.0.1:${auth}`, folder: files, roots: children.map((c) => c.pid), authRoots: [children[0].pid] };
    });
  }

  // nginx that stores what is PUT.
  nginx() {
    return this.#once('nginx', async (folder) => {
      const port = await freePort();
      for (const name of ['www', 'tmp']) mkdirSync(join(folder, name));
      const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/tmp/${kind};`).join(' ');
      writeFileSync(join(folder, 'nginx.conf'), `daemon off; ${process.getuid() === 0 ? 'user root;' : ''} worker_processes 2; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  ${temp} access_log off; sendfile on;
  client_max_body_size 0; client_body_buffer_size 256k;
  server { listen 127.0.0.1:${port}; root ${folder}/www; dav_methods PUT DELETE; }
}
`);
      const child = this.#spawn(folder, sbin('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')]);
      const url = `http://127.0.0.1:${port}`;
      await until(answers(url), [child], join(folder, 'log'));
      return { url, folder: join(folder, 'www'), roots: [child.pid] };
    });
  }

  tus() {
    return this.#once('tus', async (folder) => {
      const port = await freePort();
      mkdirSync(join(folder, 'files'));
      const child = this.#spawn(folder, process.execPath, [join(peers, 'tus-server.js'), join(folder, 'files'), String(port)], { NODE_ENV: 'production' });
      const url = `http://127.0.0.1:${port}`;
      await until(answers(url), [child], join(folder, 'log'));
      return { url, folder: join(folder, 'files'), roots: [child.pid] };
    });
  }

  // An instance of Gatehouse; those of another `name` are others.
  gatehouse(name = 'main', options = {}) {
    return this.#once(`gatehouse-${name}`, async (folder) => {
      const instance = new Instance(folder, options);
      await instance.start();
      return instance;
    });
  }

  // Stop and remove an instance before the end, so that it takes nothing from what follows.
  async endGatehouse(name) {
    const key = `gatehouse-${name}`;
    const instance = await this.#made.get(key);
    this.#made.delete(key);
    await instance?.stop();
    rmSync(join(this.place, key), { recursive: true, force: true });
  }

  async end() {
    for (const [name, made] of this.#made)
      if (name.startsWith('gatehouse-')) await made.then((instance) => instance.stop(), () => {});
    for (const child of this.#children.filter((c) => c.exitCode === null)) {
      const ended = new Promise((done) => child.once('exit', done));
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.place, { recursive: true, force: true });
  }
}

class Instance {
  constructor(state, { transport = 'fastcgi', settings = {} } = {}) {
    Object.assign(this, { state, transport, settings });
  }

  async start() {
    mkdirSync(join(this.state, 'conf'), { recursive: true });
    // A long run must not outlast its token, and a thousand connections come from one address.
    const lines = Object.entries({ TOKEN_LIFE: 86400, ...this.settings }).map(([name, value]) => `${name}=${value}\n`).join('');
    for (const program of ['auth', 'gateway']) writeFileSync(join(this.state, `conf/${program}.local.env`), lines);
    try {
      await this.#script('run', '--detach', '--port', '0', '--state', this.state, '--transport', this.transport, '--build', join(root, 'build'));
    } catch (error) {
      await this.stop().catch(() => {});
      throw error;
    }
    [this.email, this.password] = readFileSync(join(this.state, 'first-user'), 'utf8').split('\n');
    this.url = readFileSync(join(this.state, 'url'), 'utf8').trim();
    this.internalUrl = readFileSync(join(this.state, 'internal-url'), 'utf8').trim();
    this.roots = [Number(readFileSync(join(this.state, 'run/lock'), 'utf8'))];
    this.token = await this.login(this.email, this.password);
  }

  #script(name, ...args) {
    return output(join(root, 'scripts', name), args);
  }

  stop() {
    return this.#script('stop', '--state', this.state);
  }

  async login(email, password) {
    return (await curl('-u', `${email}:${password}`, '-d', '', '-H', 'Accept: text/plain', `${this.url}/login`)).trim();
  }

  // Add a user, and return a token of theirs.
  async person(email) {
    const password = randomBytes(12).toString('hex');
    await output(join(root, 'build/auth-admin'), ['user', 'add', email, '--password-stdin'], { input: `${password}\n`, env: { GATEHOUSE_CONF: join(this.state, 'conf/auth.env') } });
    return this.login(email, password);
  }

  admin(...args) {
    return this.#script('admin', '--state', this.state, ...args);
  }

  // The rows of statements, run as the database's root.
  async sql(statements, database = 'gateway') {
    const text = await output('mariadb', ['--no-defaults', '--skip-ssl', `--socket=${this.state}/mysql/sock`, '--user=root', '-N', '-B', database], { input: statements });
    return text.split('\n').filter(Boolean).map((line) => line.split('\t'));
  }

  // Upload the file at `path`; returns its id.
  async upload(path, { token = this.token, form = false } = {}) {
    const what = form ? ['-F', `file=@${path}`, `${this.url}/upload`] : ['-T', path, `${this.url}/upload/`];
    return /"id":"([0-9a-f-]{36})"/.exec(await curl('-H', `Authorization: Bearer ${token}`, '-H', 'Expect:', ...what))[1];
  }

  remove(id) {
    return curl('-X', 'DELETE', '-H', `Authorization: Bearer ${this.token}`, `${this.url}/files/${id}`);
  }


  // Resident MiB of the programs of `names`: lighttpd, cgi-gateway, cgi-auth, mariadbd.
  memory(names, field) {
    return memory(this.roots, names, field);
  }

  pids(name) {
    return tree(this.roots).filter((p) => p.name === name).map((p) => p.pid);
  }
}
