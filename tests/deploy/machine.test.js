// A clean machine that runs systemd, on which each block of commands of deploy/systemd/README.md, docs/upgrading.md,
// docs/backup.md and deploy/nginx/README.md is run as it stands. Takes minutes: scripts/test --long.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus, call } from '../support/client.js';
import { uploadFile, sha256 } from '../support/files.js';
import { makeCertificate } from '../support/https.js';
import { startLoad } from '../support/load.js';
import { cannotBoot, debootstrap } from '../support/machine.js';
import { commandsOf } from '../support/manual.js';
import { WebhookReceiver, isSigned } from '../support/webhook-receiver.js';
import { pause, repository, run } from '../support/stack.js';
import { newUpload, fileOf, offsetOf, openPatch, patch } from '../support/tus.js';

const skip = process.env.GATEHOUSE_LONG ? await cannotBoot() : 'only in scripts/test --long';

const README = 'deploy/systemd/README.md', SETTINGS = '## Settings and secrets', MANUAL = 'docs/backup.md';
const settings = commandsOf(README, SETTINGS), updating = commandsOf(README, '## Updating and removing');
const linesOf = (paste) => paste.trim().split('\n');
const sources = '/srv/gatehouse', upstream = '/srv/upstream';
const programs = ['gatehouse-auth', 'gatehouse-gateway'];

describe('a machine set up by deploy/systemd/README.md', { skip }, () => {
  const ann = { email: 'ann@example.org', password: 'a long password' };
  const url = 'http://127.0.0.1:8080';
  let machine, there, receiver, record, present;

  const path = (...steps) => join(machine.root, ...steps);
  const edit = (file, change) => writeFileSync(path(file), change(readFileSync(path(file), 'utf8')));
  const inSources = (line) => machine.sh(`cd ${sources} && export MAKEFLAGS=-j2 && ${line}`);
  const login = () => there.call('POST', '/login', { basic: [ann.email, ann.password] });
  const files = (token = ann.token) => there.call('GET', '/files', { token });
  const admin = (args) => machine.sh(`GATEHOUSE_CONF=/etc/gatehouse/auth.env auth-admin ${args}`);
  const restart = () => machine.sh(linesOf(updating[0])[2]);
  const runJobs = async () => {
    for (const job of ['gatehouse-gc', 'gatehouse-verify', 'gatehouse-auth-gc']) await machine.sh(`systemctl start ${job}.service`);
  };
  const running = () => machine.sh(`ps -e -o comm= | grep -E '^(cgi-|gateway-admin|lighttpd)' || true`);
  const pids = () => machine.sh(`systemctl show -P MainPID ${programs.join(' ')} | grep .`);
  // Every file in the folders of the system
  const system = async () => new Set((await machine.sh('find /etc /lib/ /usr -not -type d')).split('\n'));

  before(async () => {
    machine = await debootstrap('systemd-sysv, dbus, git, nginx-light');
    await machine.prepare('systemctl disable nginx');
    const copied = await run(join(repository, 'scripts/copy-sources'), [path(upstream)]);
    assert.equal(copied.code, 0, copied.stderr);
    await machine.prepare(`cd ${upstream} && git init -q -b main && git add -A && ${commit('As it is here')} && git clone -q . ${sources}`);
  });
  after(async () => {
    await receiver?.stop();
    await machine?.remove();
  });

  const commit = (message) => `git -c user.name=Tests -c user.email=tests@example.org commit -qam '${message}'`;

  // Send requests without pause, and a resumable upload piece by piece, before, during and after `work`. Returns the
  // answers that differ from `fine`, as {what, status, text}; status 0 is a broken or refused connection.
  const fine = { login: 200, list: 200, upload: 201, download: 200, piece: 204 };
  async function underLoad(work) {
    const wrong = [], count = {};
    const on = ({ what, status, text }) => {
      count[what] = (count[what] ?? 0) + 1;
      if (status !== fine[what]) wrong.push({ what, status, text });
    };
    const upload = await startUpload(on);
    const stop = startLoad(there, ann, record, on);
    const more = async () => {
      const seen = { ...count };
      while (!Object.keys(fine).every((what) => (count[what] ?? 0) > (seen[what] ?? 0) + 1)) await pause(20);
    };
    await more();
    try {
      await work();
      await more();
    } finally {
      await stop();
      await upload.stop();
    }
    await upload.finish();
    return wrong;
  }

  // An upload by a tus client that asks for the offset after each failure. Its length is sent with the last piece.
  async function startUpload(on) {
    const sum = createHash('sha256'), place = await newUpload(there, ann, null);
    let length = 0, stopped = false;
    const askOffset = async () => {
      for (;;) {
        try {
          return await offsetOf(there, ann, place);
        } catch {
          await pause(20);
        }
      }
    };
    const send = async (piece, headers) => {
      const start = length;
      sum.update(piece);
      length += piece.length;
      for (let offset = start; offset < length; ) {
        const status = await patch(there, ann, place, offset, piece.subarray(offset - start), headers).then((answer) => answer.status, () => 0);
        on({ what: 'piece', status });
        offset = status === 204 ? length : await askOffset();
      }
    };
    const pieces = (async () => {
      while (!stopped) await send(randomBytes(200));
    })();
    return {
      stop: () => ((stopped = true), pieces),
      async finish() {
        await send(randomBytes(100), { 'Upload-Length': String(length + 100) });
        assert.equal((await fileOf(there, ann, place)).sha256, sum.digest('hex'));
      },
    };
  }

  // A resumable upload whose first half has arrived. rest() sends the other half in the same request, and isWhole()
  // checks the file.
  async function halfUpload() {
    const bytes = randomBytes(600_000), half = bytes.length / 2;
    const place = await newUpload(there, ann, bytes.length);
    const request = await openPatch(there, ann, place, 0, bytes.length);
    await request.send(bytes.subarray(0, half));
    const arrived = () => machine.sh(`stat -c %s /var/lib/gatehouse/data/incoming/${place.split('/').at(-1)}* | sort -n | tail -n 1`);
    while (Number(await arrived()) < half) await pause(20);
    return {
      async rest() {
        await request.send(bytes.subarray(half));
        assert.equal(await request.answer, 204, request.text);
      },
      isWhole: async () => assert.equal((await fileOf(there, ann, place)).sha256, sha256(bytes)),
    };
  }

  // The request that the receiver gets for a new file
  async function receivedEvent() {
    const { id } = await uploadFile(there, ann, 'told.bin', 'content');
    while (!receiver.acceptedEvents(id)) {
      assert.equal(await machine.active('gatehouse-deliver'), 'active');
      await pause(20);
    }
    return receiver.requests.find(({ json }) => json.data.id === id);
  }

  // systemctl edit opens an editor at a terminal
  async function dropIn(units, text) {
    writeFileSync(path('srv/drop-in'), text);
    writeFileSync(path('srv/editor'), '#!/bin/sh\nfor file in "$@"; do cp /srv/drop-in "$file"; done\n', { mode: 0o755 });
    await machine.type(`SYSTEMD_EDITOR=/srv/editor systemctl edit ${units}`, []);
  }

  test('the first block of the README ends with a user and an answer', async () => {
    const [packages, building, ...rest] = linesOf(commandsOf(README)[0]);
    const offline = (line, input) => machine.prepare(`cd ${sources}; export MAKEFLAGS=-j2; ${line}`, input);
    await offline(packages, 'y\n');
    await offline(building);
    await machine.boot();
    const { fetch, connect } = machine.network;
    there = { url, fetch, connect, call: (method, target, options) => call(url, method, target, { ...options, fetch }) };
    present = await system();
    const said = await machine.type(`cd ${sources}; set -e; ${rest.join('\n')}`, [
      [/New password for ann@example\.org: $/, ann.password],
      [/The same again: $/, ann.password],
    ]);
    assert.match(said, /^\{"status":"ok"\}$/m);
  });

  test('only the documented addresses are listened on', async () => {
    const addresses = async () => (await machine.sh('ss -Htln')).split('\n').map((line) => line.split(/\s+/)[3]).sort();
    const ours = ['127.0.0.1:8080', '127.0.0.1:9080'];
    // If Debian's MariaDB is one day configured otherwise, the second block is no longer needed
    assert.deepEqual(await addresses(), ['*:3306', ...ours]);
    await machine.sh(commandsOf(README)[1]);
    assert.deepEqual(await addresses(), ['127.0.0.1:3306', ...ours]);
  });

  test('the user logs in, uploads, downloads and continues a resumable upload', async () => {
    const answer = await login();
    assertStatus(answer, 200);
    ann.token = answer.json.access_token;
    const content = randomBytes(300_000);
    record = await uploadFile(there, ann, 'file.bin', content);
    assert.deepEqual((await there.call('GET', record.url, { token: ann.token })).bytes, content);
    const upload = await halfUpload();
    await upload.rest();
    await upload.isWhole();
    assert.equal(await machine.sh('systemctl --failed --no-legend'), '');
  });

  describe('events', () => {
    const secret = () => machine.sh('cat /etc/gatehouse/keys/event-secret');

    test('events are signed, with the secret as a credential', async () => {
      receiver = await WebhookReceiver.start({ at: await machine.network.listen() });
      const [make, start] = settings;
      await machine.sh(make);
      await dropIn('gatehouse-deliver', commandsOf(README, SETTINGS, 'ini')[0]);
      appendFileSync(path('etc/gatehouse/gateway.env'), `EVENT_URLS=${receiver.url}\n`);
      await machine.sh(start);
      assert.ok(isSigned(await receivedEvent(), await secret()));
    });

    test('the other units and gatehouse-setup work without the event secret', async () => {
      await runJobs();
      await machine.sh('gatehouse-setup');
    });

    test('the process that sends events cannot read the signing keys', async () => {
      const pid = await machine.sh('systemctl show -P MainPID gatehouse-deliver');
      assert.equal(await machine.sh(`ps -o supgrp= -p ${pid}`), 'gatehouse');
      assert.notEqual((await machine.try(`nsenter -m -t ${pid} test -e /etc/gatehouse/keys/keyring`)).code, 0);
    });

    test('events are signed with both secrets while there are two', async () => {
      const old = await secret(), next = `whsec_${randomBytes(32).toString('base64')}`;
      const put = (text) => (writeFileSync(path('etc/gatehouse/keys/event-secret'), `${text}\n`), machine.sh('systemctl restart gatehouse-deliver'));
      await put(`${next} ${old}`);
      const both = await receivedEvent();
      assert.deepEqual([isSigned(both, old), isSigned(both, next)], [true, true]);
      await put(next);
      const one = await receivedEvent();
      assert.deepEqual([isSigned(one, old), isSigned(one, next)], [false, true]);
    });
  });

  describe('updates', () => {
    const [pull, setup, restartPrograms, restartEdge] = linesOf(updating[0]);
    const newer = '0.0.0+newer';
    const versions = () => Promise.all(['cgi-auth', 'cgi-gateway'].map(async (program) =>
      /^gatehouse_build_info.*version="(.*?)"/m.exec(await (await there.fetch(`http://127.0.0.1:9080/${program}/metrics`)).text())[1]));
    const page = async () => (await (await there.fetch(`${url}/`)).text()).includes('<title>A newer page</title>');
    const isRefused = () => there.fetch(`${url}/healthz`).then(() => false, ({ cause }) => /ECONNREFUSED/.test(cause));
    // systemd reports it as started a moment before it listens
    const isBack = async () => {
      while (await isRefused()) await pause(20);
    };
    let current;

    before(async () => {
      current = await versions();
      edit(`${upstream}/Makefile`, (text) => text.replace(/^VERSION := .*$/m, `VERSION := ${newer}`));
      edit(`${upstream}/lighttpd/www/index.html`, (text) => text.replace(/<title>.*<\/title>/, '<title>A newer page</title>'));
      writeFileSync(path(`${upstream}/schema/gateway/999-later.sql`), 'CREATE TABLE later (id INT PRIMARY KEY);\n');
      await machine.sh(`cd ${upstream} && git add -A && ${commit('A newer version')}`);
    });

    test('an update of programs and databases fails no request', async (t) => {
      const before = await pids();
      const wrong = await underLoad(async () => {
        await inSources(pull);
        assert.deepEqual([await page(), await versions(), await pids()], [true, current, before]);
        const said = await machine.sh(setup);
        assert.match(said, /999-later\.sql/);
        assert.deepEqual([await versions(), await pids()], [current, before]);
        const started = Date.now();
        await machine.sh(restartPrograms);
        t.diagnostic(`restart of the programs under load: ${Date.now() - started} ms`);
        assert.deepEqual(await versions(), [newer, newer]);
      });
      assert.deepEqual(wrong, []);
      assert.equal(await machine.sh(`mariadb -N -e "SHOW TABLES FROM gateway LIKE 'later'"`), 'later');
    });

    test('an update waits for requests in progress, and the new program answers those that arrive meanwhile', async () => {
      const upload = await halfUpload();
      const old = await machine.sh('systemctl show -P MainPID gatehouse-gateway');
      const restarted = machine.sh(restartPrograms);
      while (!(await machine.sh(`journalctl _PID=${old}`)).includes('draining')) await pause(50);
      const answer = files();
      await upload.rest();
      await restarted;
      assertStatus(await answer, 200);
      await upload.isWhole();
      assert.notEqual(await machine.sh('systemctl show -P MainPID gatehouse-gateway'), old);
    });

    test('a restart of lighttpd finishes requests in progress and refuses connections until then', async () => {
      const upload = await halfUpload();
      const restarted = machine.sh(restartEdge);
      while (!(await isRefused())) await pause(20);
      await upload.rest();
      await restarted;
      await isBack();
      await upload.isWhole();
    });

    test('a restart of lighttpd only breaks connections, and a resumable upload continues', async (t) => {
      let began, took;
      const wrong = await underLoad(async () => {
        began = Date.now();
        await machine.sh(restartEdge);
        await isBack();
        took = Date.now() - began;
      });
      t.diagnostic(`restart of lighttpd under load: ${took} ms; failed requests: ${wrong.length}`);
      assert.deepEqual(wrong.filter(({ status }) => status !== 0), []);
    });
  });

  describe('a change of the signing key', () => {
    const table = (row) => readFileSync(join(repository, MANUAL), 'utf8').split('\n').find((line) => line.startsWith(`| ${row}`));
    const kid = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;

    test('a key rotation fails no request', async () => {
      assert.match(table('the key that signs tokens'), /`auth-admin key rotate`/);
      const wrong = await underLoad(async () => {
        await admin('key rotate');
        // Whichever key signs, both programs know it
        let token;
        do {
          token = (await login()).json.access_token;
          assertStatus(await files(token), 200);
        } while (kid(token) === kid(ann.token));
      });
      assert.deepEqual(wrong, []);
      assert.match(await admin('key list'), new RegExp(kid(ann.token)));
    });

    test('replacing a stolen key ends its tokens, and no session', async () => {
      const { json: { access_token: stolen, refresh_token } } = await login();
      await admin('key rotate');
      edit('etc/gatehouse/keys/keyring', (text) => text.split('\n').filter((line) => !line.includes(kid(stolen))).join('\n'));
      for (const route of ['/files', '/me']) {
        let answer;
        while ((answer = await there.call('GET', route, { token: stolen })).status === 200) await pause(50);
        assertStatus(answer, 401);
      }
      const answer = await there.call('POST', '/refresh', { json: { refresh_token } });
      assertStatus(answer, 200);
      ann.token = answer.json.access_token;
      assertStatus(await files(), 200);
    });
  });

  test('a change between JWT_SECRET and a keyring ends the earlier tokens', async () => {
    await machine.sh('(umask 027 && head -c 32 /dev/urandom | base64 >/etc/gatehouse/keys/jwt-secret && chgrp gatehouse-keys /etc/gatehouse/keys/jwt-secret)');
    for (const line of ['JWT_SECRET_FILE=/etc/gatehouse/keys/jwt-secret', 'JWT_KEYRING=/etc/gatehouse/keys/keyring']) {
      for (const name of ['auth', 'gateway']) edit(`etc/gatehouse/${name}.env`, (text) => text.replace(/^JWT_.*$/m, line));
      await machine.sh('gatehouse-setup');
      await restart();
      assertStatus(await files(), 401);
      ann.token = (await login()).json.access_token;
      assertStatus(await files(), 200);
      // The jobs sign nothing and cannot read the key
      await runJobs();
      await receivedEvent();
    }
  });

  describe('a change of the database passwords', () => {
    const replace = () => machine.sh('rm /etc/gatehouse/keys/mysql-auth /etc/gatehouse/keys/mysql-gateway && gatehouse-setup');

    test('a change of the database passwords causes nothing worse than some 503', async () => {
      const wrong = await underLoad(async () => {
        await replace();
        await restart();
      });
      assert.deepEqual(wrong.filter(({ status }) => status !== 503), []);
    });

    test('a changed database password breaks only new connections, until the restart', async () => {
      assertStatus(await files(), 200);
      await replace();
      assertStatus(await files(), 200);
      const theirs = `SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user LIKE 'gatehouse%'`;
      await machine.sh(`mariadb -N -e "${theirs}" | mariadb`);
      assertProblem(await files(), 503, 'unavailable');
      assertProblem(await login(), 503, 'unavailable');
      await restart();
      assertStatus(await files(), 200);
      assertStatus(await login(), 200);
      await receivedEvent();
    });
  });

  test('a wrong setting is in the journal and ends the socket, and the documented commands restart it', async () => {
    const status = async () => (await there.fetch(`${url}/files`, { headers: { Authorization: `Bearer ${ann.token}` } })).status;
    appendFileSync(path('etc/gatehouse/gateway.env'), 'DB_POOL=none\n');
    // The command fails if systemd notices the exit of the program before its start
    await machine.try(linesOf(updating[0])[2]);
    const seen = new Set();
    while ((await machine.active('gatehouse-gateway.socket')) !== 'failed') seen.add(await status());
    seen.add(await status());
    assert.deepEqual([...seen].sort(), [500, 503]);
    assert.match(await machine.sh('journalctl -u gatehouse-gateway'), /DB_POOL: "none" is not a whole number/);

    edit('etc/gatehouse/gateway.env', (text) => text.replace('DB_POOL=none\n', ''));
    await machine.sh(settings[2]);
    let answer;
    while ((answer = await status()) === 503) await pause(50);
    assert.equal(answer, 200);
    assert.equal(await machine.sh('systemctl --failed --no-legend'), '');
  });

  test('a restore from a backup recovers everything', async () => {
    const section = '## Restore', [variables] = commandsOf(MANUAL, '## Variables', ''), [stop, start, check] = commandsOf(MANUAL, section, '');
    const paste = (heading) => machine.sh(`${variables}${commandsOf(MANUAL, heading).join('')}`);
    const content = randomBytes(100_000), saved = await uploadFile(there, ann, 'saved.bin', content);
    await paste('## Make a backup');
    assert.deepEqual((await machine.sh('ls /var/lib/gatehouse/backup.new/settings')).split('\n').sort(), ['gatehouse', 'gatehouse-deliver.service.d']);
    await machine.sh(stop);
    assert.equal(await running(), '');
    await machine.sh(`mariadb -e 'DROP DATABASE auth; DROP DATABASE gateway' && rm -r /var/lib/gatehouse/data/* /etc/gatehouse/keys/keyring && gatehouse-setup --keys-only`);
    await paste(section);
    await machine.sh('gatehouse-setup');
    await machine.sh(start);
    await machine.sh(`set -e; ${check}`);
    assert.deepEqual((await there.call('GET', saved.url, { token: ann.token })).bytes, content);
    await machine.sh('systemctl start gatehouse-deliver && rm -r /var/lib/gatehouse/backup.new');
    await receivedEvent();
    assert.equal(await machine.sh('systemctl --failed --no-legend'), '');
  });

  test('nginx replaces lighttpd by deploy/nginx/README.md, and back', async () => {
    const page = 'deploy/nginx/README.md', [noEdge, letIn] = commandsOf(page), [sockets] = commandsOf(page, undefined, 'ini');
    const sendfile = (how) => edit('etc/gatehouse/gateway.env', (text) => text.replace(/^SENDFILE=.*$/m, `SENDFILE=${how}`));
    await machine.sh(noEdge);
    await dropIn('gatehouse-auth.socket gatehouse-gateway.socket', sockets);
    await machine.sh(`set -e; ${letIn}`);
    sendfile('x-accel-redirect');
    await machine.sh('cp /usr/share/doc/gatehouse/examples/nginx/gatehouse{,-http}.conf /etc/nginx && rm /etc/nginx/sites-enabled/default');
    const [http, server] = [...readFileSync(path('etc/nginx/gatehouse.conf'), 'utf8').matchAll(/(?:^# {5}.*\n)+/gm)].map(([block]) => block.replaceAll(/^# {5}/gm, ''));
    writeFileSync(path('etc/nginx/conf.d/gatehouse.conf'), `${http}server {\nlisten 127.0.0.1:8080;\n${server}include /etc/nginx/gatehouse.conf;\n}\n`);
    await machine.sh('systemctl restart gatehouse-gateway nginx');

    const content = randomBytes(100_000), { url: place } = await uploadFile(there, ann, 'nginx.bin', content);
    const answer = await there.call('GET', place, { token: ann.token });
    assert.match(answer.headers.get('server'), /nginx/);
    assert.deepEqual(answer.bytes, content);
    assertStatus(await login(), 200);
    assert.notEqual((await machine.try('setpriv --reuid=www-data --regid=www-data --init-groups cat /etc/gatehouse/keys/keyring')).code, 0);

    sendfile('x-sendfile');
    await machine.sh(`systemctl stop nginx && rm /etc/nginx/gatehouse{,-http}.conf /etc/nginx/conf.d/gatehouse.conf
      systemctl revert gatehouse-auth.socket gatehouse-gateway.socket && ${linesOf(letIn).slice(0, 2).join(' && ')}
      systemctl enable --now gatehouse-edge.service`);
    assert.deepEqual((await there.call('GET', place, { token: ann.token })).bytes, content);
  });

  test('files can be moved to another folder', async () => {
    const content = randomBytes(100_000), before = await uploadFile(there, ann, 'before.bin', content);
    await machine.sh(`set -e; ${commandsOf(README, '## Files elsewhere')[0]}`);
    await machine.sh('rm -r /var/lib/gatehouse/data/*');
    assert.deepEqual((await there.call('GET', before.url, { token: ann.token })).bytes, content);
    const after = await uploadFile(there, ann, 'after.bin', content);
    assert.deepEqual((await there.call('GET', after.url, { token: ann.token })).bytes, content);
    await runJobs();
    assert.equal(await machine.sh('find /var/lib/gatehouse/data -type f'), '');
  });

  test('TLS works on port 443, with a key that only root can read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-certificate-')), live = 'etc/letsencrypt/live/example.org';
    makeCertificate(folder);
    mkdirSync(path('etc/letsencrypt/live'), { recursive: true, mode: 0o700 });
    mkdirSync(path(live));
    for (const [from, to] of [['certificate.pem', 'fullchain.pem'], ['key.pem', 'privkey.pem']]) cpSync(join(folder, from), path(live, to));
    cpSync(join(folder, 'ca.pem'), path('srv/ca.pem'));
    rmSync(folder, { recursive: true });

    await dropIn('gatehouse-edge', commandsOf(README, SETTINGS, 'ini')[1]);
    for (const line of linesOf(commandsOf(README, SETTINGS, '')[0])) {
      const [name] = line.split(' ');
      edit('etc/gatehouse/site.conf', (text) => text.replace(new RegExp(`^#?${name} .*$`, 'm'), line));
    }
    edit('etc/gatehouse/site.conf', (text) => text.replace(/^(var\.gatehouse\.port +=).*$/m, '$1 443'));
    await machine.sh('systemctl restart gatehouse-edge');
    assert.equal(await machine.sh('curl -sS --retry 10 --retry-connrefused --cacert /srv/ca.pem https://localhost/healthz'), '{"status":"ok"}');
    const key = '/run/credentials/gatehouse-edge.service/tls-key';
    assert.match(await machine.sh(`cat ${key}`), /PRIVATE KEY/);
    for (const user of ['gatehouse', 'gatehouse-auth', 'nobody'])
      for (const file of [key, `/${live}/privkey.pem`]) {
        const { code, stderr } = await machine.try(`setpriv --reuid=${user} --regid=${user === 'nobody' ? 'nogroup' : user} --init-groups cat ${file}`);
        assert.notEqual(code, 0, `${user} reads ${file}`);
        assert.match(stderr, /Permission denied/);
      }
  });

  test('make uninstall leaves changed settings, keys, files, logs, users and databases, and nothing else', async () => {
    const rows = await machine.sh(`mariadb -N -e 'SELECT COUNT(*) FROM gateway.file'`);
    await inSources(`set -e; ${updating[1]}`);
    assert.equal(await machine.sh(`systemctl list-units --all --no-legend 'gatehouse*'; systemctl list-unit-files --no-legend 'gatehouse*' || true`), '');
    assert.equal(await running(), '');
    const left = [...(await system())].filter((file) => !present.has(file) && !file.startsWith('/etc/letsencrypt/')).sort();
    assert.deepEqual(left, [
      ...['gateway.env', 'keys/event-secret', 'keys/jwt-secret', 'keys/keyring', 'keys/mysql-auth', 'keys/mysql-gateway', 'site.conf'].map((name) => `/etc/gatehouse/${name}`),
      ...['deliver.service.d/override', 'edge.service.d/override', 'gateway.service.d/files', 'gc.service.d/files', 'verify.service.d/files']
        .map((name) => `/etc/systemd/system/gatehouse-${name}.conf`),
    ]);
    assert.ok(Number(rows) > 0);
    assert.equal(await machine.sh('find /srv/files/objects -type f | wc -l'), rows);
    assert.equal(await machine.sh(`mariadb -N -e 'SELECT COUNT(*) FROM gateway.file'`), rows);
    await machine.sh('test -s /var/log/gatehouse/access.log && getent passwd gatehouse gatehouse-auth gatehouse-edge');
  });
});
