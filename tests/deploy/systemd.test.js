// The units of deploy/systemd: valid, sandboxed and working. No systemd runs here: each ExecStart is
// started as its unit says; debian.test.js and machine.test.js boot a machine.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertStatus, call } from '../support/client.js';
import { uploadFile } from '../support/files.js';
import { install, readUnit, units } from '../support/installed.js';
import { freePort } from '../support/ports.js';
import { pause, run, startStack } from '../support/stack.js';
import { head, newUpload, patch } from '../support/tus.js';

const systemd = (await run('systemd-analyze', ['--version']).catch(() => ({ code: 1 }))).code === 0;
const skip = !systemd && 'systemd-analyze is not installed: scripts/setup --test installs it';

const installed = await install();
after(() => installed.remove());
const names = readdirSync(installed.path(units)).sort();
const services = names.filter((name) => name.endsWith('.service'));
const unit = (name) => readUnit(installed.path(units, name));

describe('the units', { skip }, () => {
  test('systemd-analyze verify finds nothing in the units', async () => {
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...names.map((name) => installed.path(units, name))]);
    assert.deepEqual([code, stdout + stderr], [0, '']);
  });

  for (const name of services)
    test(`the exposure of ${name} by systemd-analyze security is at most 2.0`, async () => {
      const { code, stdout, stderr } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', installed.path(units, name)]);
      assert.equal(code, 0, stdout.split('\n').at(-2) + stderr);
    });

  test('systemd-sysusers creates the users of the units', async () => {
    const root = installed.path('sysusers');
    mkdirSync(join(root, 'etc'), { recursive: true });
    const { code, stderr } = await run('systemd-sysusers', [`--root=${root}`, installed.path('usr/lib/sysusers.d/gatehouse.conf')]);
    assert.equal(code, 0, stderr);
    const made = (file) => readFileSync(join(root, 'etc', file), 'utf8').split('\n').map((line) => line.split(':')[0]);
    for (const { Service: service } of services.map(unit)) {
      assert.ok(made('passwd').includes(service.User[0]), service.User[0]);
      for (const group of [...service.Group, ...(service.SupplementaryGroups ?? [])]) assert.ok(made('group').includes(group), group);
    }
  });

  test('the timers run existing services and catch up after downtime', async () => {
    const timers = names.filter((name) => name.endsWith('.timer'));
    assert.ok(timers.length > 0);
    for (const name of timers) {
      assert.ok(services.includes(name.replace('.timer', '.service')), name);
      const { Timer: timer } = unit(name);
      assert.equal((await run('systemd-analyze', ['calendar', timer.OnCalendar[0]])).code, 0, timer.OnCalendar[0]);
      assert.deepEqual(timer.Persistent, ['yes']);
      assert.ok(timer.RandomizedDelaySec);
    }
  });

  test('no program can close the socket of systemd', () => {
    for (const { Service: service } of services.map(unit).filter(({ Service }) => Service.StandardInput?.[0] === 'socket'))
      assert.ok(service.Environment.includes('LISTEN_FDS=1'));
  });
});

describe('an installation whose units are started without systemd', { skip }, () => {
  let stack, ann, auth, gateway, edge, url;
  const internal = () => url.internal;

  before(async () => {
    // Only its MariaDB is used
    stack = await startStack();
    const socket = stack.path('mysql', 'sock');
    // As tmpfiles.d does
    for (const folder of ['run/gatehouse/changes', 'etc/gatehouse/keys', 'var/lib/gatehouse/data', 'var/lib/gatehouse/spool', 'var/log/gatehouse'])
      mkdirSync(installed.path(folder), { recursive: true });
    for (const name of ['auth', 'gateway']) {
      writeFileSync(installed.path('etc/gatehouse/keys', `mysql-${name}`), `secret of ${name}\n`, { mode: 0o600 });
      appendFileSync(installed.path('etc/gatehouse', `${name}.env`), `MYSQL_SOCKET=${socket}\n`);
    }
    const key = await run(installed.path('usr/bin/auth-admin'), ['key', 'new'], { env: { GATEHOUSE_CONF: installed.path('etc/gatehouse/auth.env') } });
    assert.equal(key.code, 0, key.stderr);
    const migrated = await run(installed.path('usr/share/gatehouse/scripts/migrate'),
      ['--socket', socket, '--grants', ...['auth', 'gateway'].flatMap((n) => [`--${n}-password-file`, installed.path('etc/gatehouse/keys', `mysql-${n}`)])]);
    assert.equal(migrated.code, 0, migrated.stderr);

    const [open, inner] = [await freePort(), await freePort()];
    const site = installed.path('etc/gatehouse/site.conf');
    writeFileSync(site, readFileSync(site, 'utf8').replace(/^(var\.gatehouse\.port +=).*/m, `$1 ${open}`).replace(/(internal = ).*/, `$1"127.0.0.1:${inner}"`));
    url = { open: `http://127.0.0.1:${open}`, internal: `http://127.0.0.1:${inner}` };
    const checked = await run(unit('gatehouse-edge.service').Service.ExecStartPre[0].split(' ')[0],
      unit('gatehouse-edge.service').Service.ExecStartPre[0].split(' ').slice(1));
    assert.equal(checked.code, 0, checked.stderr);
    auth = installed.start('gatehouse-auth');
    gateway = installed.start('gatehouse-gateway');
    edge = installed.start('gatehouse-edge');
    const ready = (program) => fetch(`${internal()}/${program}/readyz`).then((answer) => answer.status === 200, () => false);
    for (const program of ['cgi-auth', 'cgi-gateway']) {
      while (!(await ready(program))) {
        for (const it of [auth, gateway, edge]) assert.equal(await Promise.race([it.ended, pause(50)]), undefined, it.log());
      }
    }
    const email = 'ann@example.org', password = 'a long password';
    const added = await run(installed.path('usr/bin/auth-admin'), ['user', 'add', email, '--password-stdin'],
      { input: `${password}\n`, env: { GATEHOUSE_CONF: installed.path('etc/gatehouse/auth.env') } });
    assert.equal(added.code, 0, added.stderr);
    const login = await ask('POST', '/login', { basic: [email, password] });
    assertStatus(login, 200);
    ann = { email, password, token: login.json.access_token };
  });
  after(() => stack?.stop());

  const ask = (method, target, options) => call(url.open, method, target, options);
  const there = { call: ask };

  test('an installation stores a file, which lighttpd sends', async () => {
    const content = Buffer.alloc(300_000, 'x');
    const record = await uploadFile(there, ann, 'x.bin', content);
    const answer = await ask('GET', record.url, { token: ann.token, headers: { Range: 'bytes=1-3' } });
    assertStatus(answer, 206);
    assert.equal(answer.text, 'xxx');
    assert.deepEqual((await ask('GET', record.url, { token: ann.token })).bytes, content);
  });

  test('an installation accepts a resumable upload', async () => {
    const path = await newUpload(there, ann, 10, { name: 'r.bin' });
    assertStatus(await patch(there, ann, path, 0, 'hello'), 204);
    assert.equal((await head(there, ann, path)).headers.get('upload-offset'), '5');
    assertStatus(await patch(there, ann, path, 5, 'world'), 204);
  });

  test('the metrics of an installation are in the runtime folders of the programs', async () => {
    for (const name of ['auth', 'gateway']) assert.ok(readdirSync(installed.path('run', `gatehouse-${name}`)).includes('metrics'));
    assert.match((await call(internal(), 'GET', '/cgi-auth/metrics', { inside: true })).text, /outcome="ok"} 1$/m);
  });

  test('the programs of an installation exit 0 on the signals of their units', async () => {
    for (const it of [edge, gateway, auth]) assert.equal(await it.stop(), 0, it.log());
  });
});
