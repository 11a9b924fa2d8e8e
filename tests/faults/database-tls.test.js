// TLS between the programs and the database: MYSQL_TLS, and servers and accounts that demand it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem } from '../support/client.js';
import { startStackWithDatabase } from '../support/database.js';
import { uploadFile } from '../support/files.js';
import { makeCertificate } from '../support/https.js';
import { freePort } from '../support/ports.js';
import { build, repository, run } from '../support/stack.js';

// Two authorities with a certificate each. The server has a copy of one, for 127.0.0.1 and localhost.
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'));
for (const name of ['ours', 'strange', 'served']) mkdirSync(join(folder, name));
const pem = (who, what) => join(folder, who, `${what}.pem`);
makeCertificate(join(folder, 'ours'));
makeCertificate(join(folder, 'strange'));
const serve = (who) => cpSync(join(folder, who), join(folder, 'served'), { recursive: true });
serve('ours');

const port = await freePort();
const served = ['ca', 'cert', 'key'].map((what) => `ssl-${what}=${pem('served', what === 'cert' ? 'certificate' : what)}\n`).join('');
const { stack, database } = await startStackWithDatabase({ lines: `skip-networking=0\nport=${port}\nbind-address=127.0.0.1,127.0.0.2\n${served}` });
after(async () => {
  await stack.stop();
  await database.stop();
  rmSync(folder, { recursive: true });
});

const asRoot = async (sql) => {
  const { code, stdout, stderr } = await run('mariadb', ['--no-defaults', '-N', '-S', database.socket, '-u', 'root', '-e', sql]);
  assert.equal(code, 0, stderr);
  return stdout;
};
const accounts = "'gatehouse_auth'@'localhost', 'gatehouse_gateway'@'localhost'";
const require = (what) => asRoot(`ALTER USER ${accounts} REQUIRE ${what}`);

const overNetwork = { MYSQL_SOCKET: '', MYSQL_HOST: '127.0.0.1', MYSQL_PORT: port };
const environment = (settings) => Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
const toolsOf = { 'auth-admin': ['user', 'list'], 'gateway-admin': ['stat'] };
// A GATEHOUSE_CONF without the server: an empty variable does not hide a line of it.
async function conf(program) {
  const path = join(folder, `${program}.env`);
  const { code } = await run('sh', ['-c', `grep -vE '^MYSQL_(SOCKET|HOST|PORT|TLS)' "$1" >"$2"`, 'sh', stack.path('conf', `${program}.env`), path]);
  assert.equal(code, 0);
  return path;
}
async function tool(name, settings) {
  const env = { GATEHOUSE_CONF: await conf(name.replace('-admin', '')), ...environment({ ...overNetwork, ...settings }) };
  return run(join(build, name), toolsOf[name], { env });
}
const migrate = (settings, ...args) => run(join(repository, 'scripts', 'migrate'),
  ['--host', '127.0.0.1', '--port', String(port), '--user', 'root', ...args], { env: environment(settings) });

// Start a program as FastCGI: the status that it exits with and what it says, or undefined if it serves.
async function startsAndExits(name, settings) {
  const socket = join(folder, `${name}.sock`);
  const child = spawn('spawn-fcgi', ['-n', '-s', socket, '--', join(build, name)], {
    env: { ...process.env, GATEHOUSE_CONF: await conf(name.replace('cgi-', '')), METRICS_FILE: join(folder, 'metrics'), ...environment({ ...overNetwork, ...settings }) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
    if (stderr.includes('"detail":"ready"')) child.kill('SIGTERM');
  });
  const code = await new Promise((done) => child.on('close', done));
  rmSync(socket, { force: true });
  return { code, stderr };
}

const verify = { MYSQL_TLS: 'verify', MYSQL_TLS_CA: pem('ours', 'ca') };
const certified = { MYSQL_TLS_CERT: pem('ours', 'certificate'), MYSQL_TLS_KEY: pem('ours', 'key') };

describe('a server and accounts that demand TLS', () => {
  before(() => asRoot('SET GLOBAL require_secure_transport = ON'));
  after(() => asRoot('SET GLOBAL require_secure_transport = OFF').then(() => require('NONE')));

  for (const [what, demand, settings] of [
    ['require_secure_transport with MYSQL_TLS=on', 'NONE', { MYSQL_TLS: 'on' }],
    ['require_secure_transport with MYSQL_TLS=verify', 'NONE', verify],
    ['REQUIRE SSL', 'SSL', verify],
    ['REQUIRE X509', 'X509', { ...verify, ...certified }],
    ['REQUIRE X509 with MYSQL_TLS=on', 'X509', { MYSQL_TLS: 'on', ...certified }],
  ])
    for (const name of Object.keys(toolsOf))
      test(`${name} works with ${what}`, async () => {
        await require(demand);
        const { code, stderr } = await tool(name, settings);
        assert.equal(code, 0, stderr);
      });

  for (const name of Object.keys(toolsOf)) {
    test(`${name} without TLS exits with 69 and names MYSQL_TLS`, async () => {
      await require('SSL');
      const { code, stderr } = await tool(name, {});
      assert.equal(code, 69);
      assert.match(stderr, /MYSQL_TLS/);
    });

    test(`${name} without the certificate of REQUIRE X509 exits with 69 and names MYSQL_TLS_CERT`, async () => {
      await require('X509');
      const { code, stderr } = await tool(name, verify);
      assert.equal(code, 69);
      assert.match(stderr, /MYSQL_TLS_CERT/);
    });
  }

  test('both programs serve by TLS; if the certificate becomes wrong, they answer 503 and log why', async () => {
    await require('X509');
    await stack.halt();
    for (const program of ['auth', 'gateway'])
      assert.equal((await run('sed', ['-i', '/^MYSQL_SOCKET=/d', stack.path('conf', `${program}.local.env`)])).code, 0);
    stack.configure({ ...overNetwork, ...verify, ...certified });
    await stack.start();
    const ann = await stack.person();
    const record = await uploadFile(stack, ann, 'by-tls', 'bytes');
    assert.equal((await stack.call('GET', `/download/${record.id}`, { token: ann.token })).text, 'bytes');
    serve('strange');
    await asRoot('FLUSH SSL; KILL USER gatehouse_auth; KILL USER gatehouse_gateway');
    try {
      for (const [target, options] of [['/files', { token: ann.token }], ['/me', { token: ann.token }]]) assertProblem(await stack.call('GET', target, options), 503, 'unavailable');
      assert.match(await stack.logLine('no TLS connection'), /self-signed certificate/);
    } finally {
      serve('ours');
      await asRoot('FLUSH SSL');
    }
    assert.equal((await stack.call('GET', '/files', { token: ann.token })).status, 200);
  });
});

describe('a server that is not the right one', () => {
  const wrong = [
    ['a certificate of another authority', { MYSQL_TLS: 'verify', MYSQL_TLS_CA: pem('strange', 'ca') }, /self-signed certificate/],
    ['a certificate of another name', { ...verify, MYSQL_HOST: '127.0.0.2' }, /certificate|hostname/i],
  ];
  for (const [what, settings, reason] of wrong) {
    for (const name of ['cgi-auth', 'cgi-gateway'])
      test(`${name} exits with 69 at its start because of ${what}`, async () => {
        const { code, stderr } = await startsAndExits(name, settings);
        assert.equal(code, 69, stderr);
        assert.match(stderr, reason);
        assert.match(stderr, /no TLS connection to the database/);
      });
    for (const name of Object.keys(toolsOf))
      test(`${name} exits with 69 because of ${what}`, async () => {
        const { code, stderr } = await tool(name, settings);
        assert.equal(code, 69, stderr);
        assert.match(stderr, reason);
      });
  }

  test('a program starts if the database is down, and if the certificate is right', async () => {
    assert.equal((await startsAndExits('cgi-gateway', verify)).code, 0);
    assert.equal((await startsAndExits('cgi-gateway', { ...verify, MYSQL_PORT: await freePort() })).code, 0);
  });

  test('migrate verifies the server, and takes the settings from the environment', async () => {
    await asRoot("CREATE OR REPLACE USER 'root'@'127.0.0.1'; GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION");
    assert.deepEqual(await migrate({}, '--tls', 'verify', '--tls-ca', pem('ours', 'ca')), { code: 0, stdout: '', stderr: '' });
    assert.equal((await migrate(verify)).code, 0);
    const { code, stderr } = await migrate({}, '--tls', 'verify', '--tls-ca', pem('strange', 'ca'));
    assert.equal(code, 1);
    assert.match(stderr, /self-signed certificate/);
    assert.equal((await migrate({ MYSQL_TLS: 'maybe' })).code, 64);
    assert.equal((await migrate({}, '--tls-ca', pem('ours', 'ca'))).code, 64);
  });
});

test('a Unix socket is encrypted too if MYSQL_TLS says so', async () => {
  await require('SSL');
  try {
    for (const settings of [{ MYSQL_TLS: 'on' }, verify]) {
      const { code, stderr } = await run(join(build, 'gateway-admin'), ['stat'], {
        env: { GATEHOUSE_CONF: await conf('gateway'), ...environment({ ...settings, MYSQL_SOCKET: database.socket, MYSQL_HOST: 'localhost' }) } });
      assert.equal(code, 0, stderr);
    }
  } finally {
    await require('NONE');
  }
});

describe('a server without TLS', () => {
  before(async () => {
    await database.stop();
    // Without a certificate, MariaDB makes one for itself from 11.4 on
    database.configure((text) => `${text.replaceAll(/^ssl-.*\n/gm, '')}skip-ssl\n`);
    await database.start();
  });

  for (const [mode, settings] of [['on', { MYSQL_TLS: 'on' }], ['verify', verify]]) {
    for (const name of ['cgi-auth', 'cgi-gateway'])
      test(`${name} exits with 69 at its start, with MYSQL_TLS=${mode}`, async () => {
        const { code, stderr } = await startsAndExits(name, settings);
        assert.equal(code, 69, stderr);
        assert.match(stderr, /the server does not support (TLS|it)/);
      });
    test(`migrate exits with 1, with --tls ${mode}`, async () => {
      const { code, stderr } = await migrate(settings);
      assert.equal(code, 1);
      assert.match(stderr, /does not support (TLS|it)/);
    });
  }
});
