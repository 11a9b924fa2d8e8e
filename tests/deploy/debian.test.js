// The Debian package: a reproducible build without a complaint of lintian, then installed, used, upgraded, removed
// and purged on a machine that runs systemd. Takes minutes: scripts/test --long.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sha256 } from '../support/files.js';
import { cannotBoot, debootstrap } from '../support/machine.js';
import { pause, repository, run } from '../support/stack.js';

const skip = !process.env.GATEHOUSE_LONG && 'only in scripts/test --long';
const machineless = !skip && (await cannotBoot());
const version = /^gatehouse \((.*)\)/.exec(readFileSync(join(repository, 'deploy/debian/changelog'), 'utf8'))[1];
const newer = `${version}+1`;

test('the package has the version of the programs', () => {
  assert.equal(version, /^VERSION := (.*)$/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1]);
});

test('the package\'s build dependencies are those that scripts/setup installs', () => {
  const [, list] = /^build=\(([^)]*)\)/m.exec(readFileSync(join(repository, 'scripts/setup'), 'utf8'));
  const control = readFileSync(join(repository, 'deploy/debian/control'), 'utf8');
  // Part of build-essential, which every package may rely on
  const given = ['gcc', 'make', 'libc6-dev'];
  for (const name of list.trim().split(/\s+/).filter((name) => !given.includes(name))) assert.match(control, new RegExp(`[ |]${name},`), name);
});

describe('the package', { skip }, () => {
  const out = mkdtempSync(join(tmpdir(), 'gatehouse-deb-'));
  after(() => rmSync(out, { recursive: true }));

  async function build(folder, { more = [], env = {} } = {}) {
    const { code, stdout, stderr } = await run('bash', ['-c', 'umask "$0" && exec "$@"', env.UMASK ?? '022', join(repository, 'scripts/deb'), '--out', join(out, folder), ...more], { env });
    assert.equal(code, 0, stdout.slice(-3000) + stderr.slice(-3000));
    return readdirSync(join(out, folder)).filter((name) => /\.(deb|tar\.xz)$/.test(name)).sort();
  }
  const bytes = (folder, name) => sha256(readFileSync(join(out, folder, name)));
  let files;
  before(async () => {
    files = await build('first');
  });

  test('the package is the same when built in another folder, time zone, language and umask', async () => {
    assert.deepEqual(await build('second/elsewhere', { env: { TZ: 'Asia/Tokyo', LC_ALL: 'C', UMASK: '077' } }), files);
    for (const name of files) assert.equal(bytes('second/elsewhere', name), bytes('first', name), name);
  });

  test('lintian finds nothing in the package', async () => {
    const { code, stdout, stderr } = await run('lintian', ['--allow-root', '--fail-on', 'error,warning', join(out, 'first', `gatehouse_${version}_${await architecture()}.changes`)]);
    assert.deepEqual([code, stdout + stderr], [0, '']);
  });

  const architecture = async () => (await run('dpkg', ['--print-architecture'])).stdout.trim();


  describe('on a machine', { skip: machineless }, () => {
    let machine, token, id;
    before(async () => {
      await build('newer', { more: ['--version', newer] });
      const arch = await architecture(), first = join(out, 'first', `gatehouse_${version}_${arch}.deb`);
      const depends = (await run('dpkg-deb', ['-f', first, 'Depends', 'Recommends'])).stdout.split('\n').filter((l) => /^\w+: /.test(l)).map((l) => l.split(': ')[1]);
      machine = await debootstrap([...depends, 'mariadb-server', 'dbus', 'curl'].join(', '));
      mkdirSync(join(machine.root, 'srv/debs'));
      copyFileSync(first, join(machine.root, 'srv/debs/first.deb'));
      copyFileSync(join(out, 'newer', `gatehouse_${newer}_${arch}.deb`), join(machine.root, 'srv/debs/newer.deb'));
      await machine.boot();
    });
    after(() => machine?.remove());

    const bearer = () => `-H 'Authorization: Bearer ${token}'`;
    const status = (target, more = '') => machine.sh(`curl -sS -m 30 -o /dev/null -w '%{http_code}' ${more} http://127.0.0.1:${target}`);
    const same = async () => assert.equal(await machine.sh(`curl -sS ${bearer()} http://127.0.0.1:8080/download/${id} | sha256sum`), await machine.sh('sha256sum </srv/file'));
    const units = ['gatehouse-auth.socket', 'gatehouse-gateway.socket', 'gatehouse-auth.service', 'gatehouse-gateway.service', 'gatehouse-edge.service', 'gatehouse-gc.timer', 'gatehouse-auth-gc.timer', 'gatehouse-verify.timer'];

    test('the installed package runs and has not changed any database', async () => {
      await machine.sh('dpkg -i /srv/debs/first.deb');
      // The programs start with their first request
      for (const unit of units.filter((name) => !/-(auth|gateway)\.service$/.test(name))) assert.equal(await machine.active(unit), 'active', unit);
      assert.equal(await machine.sh('systemctl is-enabled gatehouse-edge.service gatehouse-auth.socket gatehouse-gateway.socket'), 'enabled\nenabled\nenabled');
      assert.equal(await status('8080/healthz'), '200');
      assert.equal(await status('9080/cgi-gateway/readyz'), '503');
      assert.equal(await machine.sh(`mariadb -N -e "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('auth', 'gateway')"`), '0');
    });

    test('the package\'s secrets are readable only by their users', async () => {
      assert.equal(await machine.sh(`cd /etc/gatehouse/keys && stat -c '%n %U %G %a' . *`),
        ['. root gatehouse-keys 750', 'keyring root gatehouse-keys 640', 'mysql-auth root root 600', 'mysql-gateway root root 600'].join('\n'));
    });

    test('gatehouse-setup creates the databases once', async () => {
      const said = await machine.sh('gatehouse-setup');
      assert.match(said, /^gateway: schema\/gateway\//m);
      assert.doesNotMatch(await machine.sh('gatehouse-setup'), /schema/);
      for (const program of ['cgi-auth', 'cgi-gateway']) assert.equal(await status(`9080/${program}/readyz`), '200');
    });

    test('a user of the package logs in, uploads, downloads and continues a resumable upload', async () => {
      await machine.sh('GATEHOUSE_CONF=/etc/gatehouse/auth.env auth-admin user add ann@example.org --password-stdin', 'a long password\n');
      token = await machine.sh(`curl -sS -d '' -u 'ann@example.org:a long password' -H 'Accept: text/plain' http://127.0.0.1:8080/login`);
      await machine.sh('head -c 3000000 /dev/urandom >/srv/file');
      const record = JSON.parse(await machine.sh(`curl -sS ${bearer()} -T /srv/file http://127.0.0.1:8080/upload/`)).files[0];
      id = record.id;
      await same();
      const tus = `${bearer()} -H 'Tus-Resumable: 1.0.0'`;
      const place = await machine.sh(`curl -sS -d '' -o /dev/null -D - ${tus} -H 'Upload-Length: 10' http://127.0.0.1:8080/tus/ | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p'`);
      const part = (offset, text) => status(`8080${place}`, `-X PATCH ${tus} -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: ${offset}' --data-binary ${text}`);
      assert.equal(await part(0, 'hello'), '204');
      assert.equal(await part(5, 'world'), '204');
    });

    test('no program has more rights than its unit says', async () => {
      for (const [unit, user] of [['auth', 'gatehouse-auth'], ['gateway', 'gatehouse'], ['edge', 'gatehouse-edge']]) {
        const pid = await machine.sh(`systemctl show -P MainPID gatehouse-${unit}`);
        const state = await machine.sh(`ps -o user:20= -p ${pid}; grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/${pid}/status`);
        assert.match(state, new RegExp(`^${user}\\s`));
        assert.match(state, /NoNewPrivs:\s1/);
        assert.match(state, /Seccomp:\s2/);
        assert.match(state, unit === 'edge' ? /CapEff:\s0{13}400$/m : /CapEff:\s0{16}$/m);
      }
      // The files of the other units are out of reach
      const pid = await machine.sh('systemctl show -P MainPID gatehouse-edge');
      assert.notEqual((await machine.try(`nsenter -m -t ${pid} test -e /etc/gatehouse/keys/keyring`)).code, 0);
    });

    test('a program that is killed, stopped or restarted refuses no request', async () => {
      for (const how of ['kill -s KILL gatehouse-gateway', 'stop gatehouse-gateway', 'restart gatehouse-gateway', 'restart gatehouse-auth']) {
        await machine.sh(`systemctl ${how}`);
        // (a request in a killed program is lost; this one comes after)
        assert.equal(await status('8080/files', bearer()), '200', how);
      }
    });

    test('the services of the timers succeed', async () => {
      for (const job of ['gatehouse-gc', 'gatehouse-auth-gc', 'gatehouse-verify']) await machine.sh(`systemctl start ${job}.service`);
    });

    test('rotated logs are reopened', async () => {
      await machine.sh('logrotate -f /etc/logrotate.d/gatehouse');
      // The signal is not waited for: an earlier request may still go into the old file
      do {
        await status('8080/files', bearer());
        await pause(100);
      } while (!(await machine.sh('cat /var/log/gatehouse/access.log')).includes('/files HTTP'));
    });

    test('an upgrade keeps configuration, sessions and files', async () => {
      await machine.sh(`sed -i 's/^#MYSQL_HOST=.*/DB_POOL=4/' /etc/gatehouse/gateway.env`);
      const keyring = await machine.sh('sha256sum /etc/gatehouse/keys/*');
      const socket = await machine.sh('systemctl show -P ActiveEnterTimestampMonotonic gatehouse-gateway.socket');
      const pid = await machine.sh('systemctl show -P MainPID gatehouse-gateway');
      await machine.sh('dpkg --force-confold -i /srv/debs/newer.deb');
      assert.equal(await machine.sh(`dpkg-query -W -f '\${Version}' gatehouse`), newer);
      assert.match(await machine.sh('cat /etc/gatehouse/gateway.env'), /^DB_POOL=4$/m);
      assert.equal(await machine.sh('sha256sum /etc/gatehouse/keys/*'), keyring);
      assert.notEqual(await machine.sh('systemctl show -P MainPID gatehouse-gateway'), pid);
      assert.equal(await machine.sh('systemctl show -P ActiveEnterTimestampMonotonic gatehouse-gateway.socket'), socket, 'the socket was closed');
      await machine.sh('gatehouse-setup');
      await same();
    });

    test('the package works after a reboot', async () => {
      await machine.reboot();
      while ((await machine.active('mariadb.service')) !== 'active') await pause(100);
      await same();
    });

    test('removing the package stops it and keeps configuration, keys and files', async () => {
      await machine.sh('dpkg -r gatehouse');
      for (const unit of units) assert.equal(await machine.active(unit), 'inactive', unit);
      await machine.sh('test -s /etc/gatehouse/site.conf && test -s /etc/gatehouse/keys/keyring');
    });

    test('purging the package keeps the uploaded files only', async () => {
      const said = await machine.sh('dpkg -P gatehouse');
      assert.match(said, /uploaded files stay in \/var\/lib\/gatehouse/);
      assert.equal(await machine.sh(`find / -xdev -path '*gatehouse*' -not -path '/srv/*' -not -path '/proc/*' -not -path '/var/lib/mysql/*' | grep -v '^/var/lib/gatehouse' || true`), '');
      assert.equal(await machine.sh('find /var/lib/gatehouse/data/objects -type f | wc -l'), '2');
      assert.equal(await machine.sh(`mariadb -N -e 'SELECT COUNT(*) FROM gateway.file'`), '2');
      await machine.sh('dpkg -i /srv/debs/first.deb && gatehouse-setup');
      token = await machine.sh(`curl -sS -d '' -u 'ann@example.org:a long password' -H 'Accept: text/plain' http://127.0.0.1:8080/login`);
      await same();
    });
  });
});
