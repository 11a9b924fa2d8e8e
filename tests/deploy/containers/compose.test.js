// deploy/container: the commands of README.md as they stand, and then its promises.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eicar, startClamd } from '../../support/clamd.js';
import { assertProblem, assertStatus, call } from '../../support/client.js';
import { base, env, inBackground, logs, podman, shell, state, tryPodman, until, whyUnavailable } from '../../support/containers.js';
import { sha256 } from '../../support/files.js';
import { commandsOf } from '../../support/manual.js';
import { freePort } from '../../support/ports.js';
import { isSigned, WebhookReceiver } from '../../support/webhook-receiver.js';
import { pause, repository, run } from '../../support/stack.js';
import { patchHeaders, resumable, uploadInHalves } from '../../support/uploads.js';

const skip = (await whyUnavailable()) ?? false;
const project = `gatehouse-test-${process.pid}`;
const secret = (name) => readFileSync(join(repository, 'deploy', 'container', 'secrets', name), 'utf8').trim();
const name = (service) => `${project}_${service}_1`;
const servers = ['edge', 'cgi-auth', 'cgi-gateway', 'database'];
const ours = {};
let url, token, anotherImage;

const ask = (method, target, options) => call(url, method, target, { token, ...options });
const untilHealthy = (service) => until(`${service} is well`, async () => (await tryPodman(['exec', name(service), 'gatehouse', 'health'])).code === 0);

const readme = 'deploy/container/README.md';
const [up, use] = commandsOf(readme, '## Quick start');
const [look, down] = commandsOf(readme, '## Daily operation');
const [carryAway, bringIn, goOn] = commandsOf(readme, '## Backup and restore');
const manual = 'docs/backup.md';
const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'));
// A copy of the sources, to be changed there
const next = join(scratch, 'next');
const images = () => Promise.all(servers.map(async (service) => podman('inspect', '--format', '{{.Image}}', name(service))));

before(async () => {
  if (skip) return;
  ours.PORT = String(await freePort());
  ours.COMPOSE_PROJECT_NAME = project;
  url = `http://127.0.0.1:${ours.PORT}`;
});
after(async () => {
  rmSync(scratch, { recursive: true });
  if (skip) return;
  await shell('deploy/container/compose down -v -t 3', ours);
  const left = await podman('volume', 'ls', '--quiet', '--filter', `name=${project}_`);
  // podman-compose leaves networks; docker compose does not.
  await podman('network', 'rm', ...['edge', 'database', 'receivers'].map((network) => `${project}_${network}`));
  if (anotherImage) await podman('rmi', anotherImage);
  assert.equal(left, '', 'down -v leaves volumes');
});

describe('README.md of deploy/container', { skip }, () => {
  test('one command of the README starts everything', async () => {
    const said = await shell(up, ours);
    assert.match(said, new RegExp(`Gatehouse runs at ${url}`));
    assert.ok(said.includes(secret('first-user')), said);
  });

  test('the commands of the README for logging in, uploading, downloading and inspecting work', async () => {
    const said = await shell(use + look, ours);
    assert.match(said, /"files":\[\{"id":"[0-9a-f-]{36}","name":"README.md"/);
    assert.match(said, /^well$/m);
    assert.match(said, /me@example\.com +no +enabled/);
    assert.match(said, /Key \S+ signs/);
    // podman-compose only prints the exit code of a command
    assert.doesNotMatch(said, /exit code: [^0]/);
  });

  test('the started system can be used', async () => {
    const login = await call(url, 'POST', '/login', { basic: ['me@example.com', secret('first-user')] });
    assertStatus(login, 200);
    token = login.json.access_token;
    assert.equal((await ask('GET', '/files')).json.files[0].name, 'README.md');
    assert.match(await (await fetch(url)).text(), /^<!doctype html>/i);
  });
});

describe('containers', { skip }, () => {
  test('the containers run as ordinary users without capabilities on a read-only root', async () => {
    for (const service of servers) {
      const status = await podman('exec', name(service), 'cat', '/proc/1/status');
      assert.match(status, /^Uid:\t1000[12]\t1000[12]\t1000[12]\t1000[12]$/m, service);
      assert.match(status, /^CapEff:\t0{16}$/m, service);
      assert.match(status, /^CapBnd:\t0{16}$/m, service);
      assert.match(status, /^NoNewPrivs:\t1$/m, service);
      assert.match(status, /^Seccomp:\t2$/m, service);
      assert.match((await tryPodman(['exec', name(service), 'touch', '/usr/x'])).stderr, /Read-only file system/);
    }
  });

  test('the health check of the image reports each container\'s state', async () => {
    for (const service of servers) assert.equal((await tryPodman(['healthcheck', 'run', name(service)])).code, 0, service);
    await podman('pause', name('database'));
    try {
      // The probe gives up before the health check times out.
      const { code, stderr } = await tryPodman(['exec', name('cgi-auth'), 'gatehouse', 'health']);
      assert.notEqual(code, 0);
      assert.match(stderr, /fcgi-probe: \/readyz at \/run\/gatehouse\/cgi-auth.sock/);
      assert.equal((await tryPodman(['exec', name('edge'), 'gatehouse', 'health'])).code, 0);
    } finally {
      await podman('unpause', name('database'));
    }
    await untilHealthy('cgi-auth');
  });

  test('the containers reach only what they need', async () => {
    const reaches = async (from, to) => (await tryPodman(['exec', name(from), 'bash', '-c', `exec 3<>/dev/tcp/${to}`])).code === 0;
    assert.equal(await reaches('cgi-auth', 'database/3306'), true);
    assert.equal(await reaches('edge', 'database/3306'), false);
    const mounts = JSON.parse(await podman('inspect', '--format', '{{json .Mounts}}', name('edge')));
    assert.equal(mounts.find((m) => m.Destination === '/var/lib/gatehouse/data').RW, false);
    assert.ok(!mounts.some((m) => m.Destination.startsWith('/run/secrets')));
    const secrets = JSON.parse(await podman('inspect', '--format', '{{json .Mounts}}', name('cgi-gateway'))).filter((m) => m.Destination.startsWith('/run/secrets'));
    assert.deepEqual(secrets.map((m) => m.Destination).sort(), ['/run/secrets/mysql-gateway']);
  });

  test('the metrics can be read from the network of edge', async () => {
    for (const program of ['cgi-auth', 'cgi-gateway']) {
      const said = await podman('run', '--rm', '--network', `${project}_edge`, base, 'bash', '-c',
        `exec 3<>/dev/tcp/edge/9080; printf 'GET /${program}/metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`);
      assert.ok(said.includes(`gatehouse_build_info{program="${program}"`), said);
    }
  });

  test('deliver waits without EVENT_URLS and exits 0 on SIGTERM', async () => {
    assert.match(await logs(name('deliver')), /EVENT_URLS is not set: there are no receivers of events/);
    await untilHealthy('deliver');
    await podman('stop', '--time', '40', name('deliver'));
    assert.equal((await state(name('deliver'))).ExitCode, 0);
    await podman('start', name('deliver'));
  });

  test('the logs, with lighttpd\'s access log, are in podman\'s logs, and contain no secret', async () => {
    const { stdout } = await tryPodman(['logs', name('edge')]);
    assert.match(stdout, /POST \/cgi-auth\/login HTTP\/1\.1 200 /);
    assert.match(await logs(name('cgi-auth')), /"event":"request".*"path":"\/login"/);
    for (const service of [...servers, 'migrate', 'keys', 'deliver'])
      for (const what of ['mysql-root', 'mysql-auth', 'mysql-gateway', 'first-user', 'event'])
        assert.ok(!(await logs(name(service))).includes(secret(what)), `${what} in the log of ${service}`);
  });
});

describe('image', { skip }, () => {
  const image = 'localhost/gatehouse:0.1.0';
  const inside = (...command) => podman('run', '--rm', '--network=none', '--entrypoint', command[0], image, ...command.slice(1));

  test('the image has no compiler, documentation, secret or setuid program', async () => {
    const found = await inside('sh', '-c', `
      for tool in cc gcc clang make ld python3 curl; do command -v $tool; done
      find /usr/share/doc /usr/share/man /usr/include -type f 2>/dev/null | head
      find / -xdev -type f -perm /6000
      find / -xdev -type d -name secrets; find / -xdev -name '*.env'; find /etc/gatehouse /var/lib/gatehouse /run/gatehouse -type f; true`);
    assert.equal(found, '');
    const history = await podman('history', '--no-trunc', image);
    const config = await podman('inspect', image);
    for (const what of ['mysql-root', 'mysql-auth', 'mysql-gateway', 'first-user']) assert.ok(!(history + config).includes(secret(what)));
  });

  test('the image has labels, versions and a usage', async () => {
    const labels = JSON.parse(await podman('inspect', '--format', '{{json .Config.Labels}}', image));
    const version = /^VERSION := (.*)$/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1];
    assert.equal(labels['org.opencontainers.image.version'], version);
    assert.equal(labels['org.opencontainers.image.licenses'], 'MIT');
    assert.equal(await inside('/usr/lib/gatehouse/cgi-gateway', '--version'), `cgi-gateway ${version}`);
    assert.match(await podman('run', '--rm', image), /^usage: gatehouse PART/);
  });

  test('the image adds less than 40 MB to its base', async () => {
    const size = async (of) => Number(await podman('inspect', '--format', '{{.Size}}', of));
    const [whole, base] = [await size(image), await size('localhost/debian:bookworm-slim')];
    console.log(`ℹ answers: image ${Math.round(whole / 1e6)} MB, of which its base ${Math.round(base / 1e6)} MB`);
    assert.ok(whole - base < 40e6, `${whole} - ${base}`);
  });

  test('the image refuses unusable settings and names them', async () => {
    for (const [env, part, why] of [
      ['GATEHOUSE_LISTEN=9000', 'cgi-auth', /GATEHOUSE_LISTEN: "9000" is not HOST:PORT/],
      ['GATEHOUSE_AUTH=cgi-auth:9000', 'edge', /GATEHOUSE_GATEWAY: "" is not HOST:PORT/],
      ['MAX_UPLOAD=1";', 'edge', /MAX_UPLOAD: .* is not a whole number/],
      ['DATA_DIR=/x"y', 'edge', /DATA_DIR: .* is not a plain absolute path/],
    ]) {
      const { code, stderr } = await tryPodman(['run', '--rm', '-e', env, image, part]);
      assert.equal(code, 78, env);
      assert.match(stderr, why);
    }
    assert.equal((await tryPodman(['run', '--rm', image, 'nothing'])).code, 64);
  });
});

async function newest() {
  const record = (await ask('GET', '/files?limit=1')).json.files[0];
  return { record, bytes: (await ask('GET', record.url)).bytes };
}

describe('running containers', { skip }, () => {
  const body = randomBytes(2_000_000);

  // The unit runs this at boot, for all containers of the machine.
  test('the containers start again by the command of podman-restart.service', async () => {
    const all = [...servers, 'deliver'];
    await podman('stop', '--time', '40', ...all.map(name));
    for (const service of all) assert.equal((await state(name(service))).Running, false, service);
    await podman('start', '--all', '--filter', 'restart-policy=always', '--filter', `name=^${project}_`);
    for (const service of all.filter((one) => one !== 'database')) await untilHealthy(service);
    assertStatus(await call(url, 'POST', '/login', { basic: ['me@example.com', secret('first-user')] }), 200);
  });

  // Wait until a log has the text once more than before `action`: a log outlives its container
  async function untilLogged(service, text, action) {
    const times = async () => (await logs(name(service))).split(text).length;
    const before = await times();
    const done = action();
    await until(`${service} logs ${text}`, async () => (await times()) > before);
    return done;
  }

  test('a killed container is started again, and a resumable upload continues', async () => {
    const upload = await resumable(ask, body.length);
    assertStatus(await upload.patch(0, body.subarray(0, 700_000)), 204);
    for (const service of ['cgi-gateway', 'cgi-auth', 'edge', 'database']) {
      const { Pid: pid } = await state(name(service));
      process.kill(pid, 'SIGKILL');
      await until(`${service} runs again`, async () => {
        const now = await state(name(service));
        return now.Running && now.Pid !== pid && now.Pid !== 0;
      });
    }
    await Promise.all(['database', 'edge'].map(async (service) => until(service, async () => (await tryPodman(['healthcheck', 'run', name(service)])).code === 0)));
    await untilHealthy('cgi-auth');
    await untilHealthy('cgi-gateway');
    assert.equal(await upload.offset(), 700_000);
    assertStatus(await upload.patch(700_000, body.subarray(700_000)), 204);
    assert.equal(sha256((await newest()).bytes), sha256(body));
    assertStatus(await call(url, 'POST', '/login', { basic: ['me@example.com', secret('first-user')] }), 200);
  });

  test('a container that is stopped during an upload finishes it and exits 0', async () => {
    const { path } = await resumable(ask, body.length);
    const upload = uploadInHalves(url, token, 'PATCH', path, patchHeaders(0), body);
    await until('the program receives bytes', async () => (await podman('exec', name('cgi-gateway'), 'sh', '-c', 'cat /var/lib/gatehouse/data/incoming/* | wc -c')) >= 500_000);
    const stopped = await untilLogged('cgi-gateway', 'draining', () => inBackground('stop', '--time', '40', name('cgi-gateway')));
    const { status, text } = await upload.finish();
    assert.equal(status, 204, text);
    assert.equal(await stopped.ended, 0);
    assert.equal((await state(name('cgi-gateway'))).ExitCode, 0);
    await podman('start', name('cgi-gateway'));
    await untilHealthy('cgi-gateway');
    assert.equal(sha256((await newest()).bytes), sha256(body));
  });

  test('lighttpd that is stopped finishes uploads in progress and refuses new connections', async () => {
    const upload = uploadInHalves(url, token, 'PUT', '/upload/last.bin', {}, body);
    await until('lighttpd receives bytes', async () => (await podman('exec', name('edge'), 'ls', '-l', '/proc/1/fd')).includes('lighttpd-upload'));
    const stopped = await untilLogged('edge', 'graceful shutdown started', () => inBackground('stop', '--time', '40', name('edge')));
    await assert.rejects(fetch(url));
    const { status, text } = await upload.finish();
    assert.equal(status, 201, text);
    assert.equal(await stopped.ended, 0);
    assert.equal((await state(name('edge'))).ExitCode, 0);
    await podman('start', name('edge'));
    await untilHealthy('edge');
    assert.equal(sha256((await newest()).bytes), sha256(body));
  });
});

// Run the manual's lines in deploy/container/shell.
async function paste(heading) {
  const { code, stdout, stderr } = await run('deploy/container/shell', [], { input: commandsOf(manual, heading).join(''), cwd: repository, env: { ...env, ...ours } });
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, '');
}

describe('backups', { skip }, () => {
  const body = randomBytes(2_000_000);
  let kept, upload;

  test('a backup is made in deploy/container/shell by the lines of docs/backup.md, during uploads and deletions', async () => {
    for (let n = 0; n < 3; n++) assertStatus(await ask('PUT', `/upload/kept-${n}.bin`, { body: randomBytes(10_000 * n) }), 201);
    kept = (await ask('GET', '/files?limit=100')).json.files;
    upload = await resumable(ask, body.length);
    assertStatus(await upload.patch(0, body.subarray(0, 900_000)), 204);
    let going = true;
    const busy = (async () => {
      while (going) {
        const put = await ask('PUT', '/upload/short-lived', { body: 'short' });
        assertStatus(put, 201);
        assertStatus(await ask('DELETE', `/files/${put.json.files[0].id}`), 204);
      }
    })();
    await Promise.all([busy, paste('## Make a backup').finally(() => (going = false))]);
    // edge has no keys and cannot read those of the backup either.
    assert.match((await tryPodman(['exec', name('edge'), 'ls', '/var/lib/gatehouse/data/backup.new'])).stderr, /Permission denied/);
    symlinkSync(join(repository, 'deploy'), join(scratch, 'deploy'));
    await shell(carryAway, ours, scratch);
    const said = (await run('tar', ['-tf', join(scratch, 'backup.tar')])).stdout;
    for (const file of ['databases.sql', 'keyring', 'settings/container/compose.yaml', 'settings/container/secrets/mysql-root', `objects/${kept[0].id.slice(-2)}/${kept[0].id}`])
      assert.ok(said.split('\n').includes(`backup.new/${file}`), file);
  });

  test('a backup restores everything after every volume is removed', async () => {
    await shell('deploy/container/compose down -t 40 -v', ours);
    assert.equal(await podman('volume', 'ls', '--quiet', '--filter', `name=${project}_`), '');
    await shell(bringIn, ours, scratch);
    await paste('## Restore');
    const said = await shell(goOn, ours, scratch);
    assert.match(said, / 0 repaired\nexit code: 0/);
    assert.doesNotMatch(said, /exit code: [^0]/);
    // A token from before is valid, because the keys are the same.
    for (const { id, url: target, sha256: expected } of kept) {
      const got = await ask('GET', target);
      assertStatus(got, 200);
      assert.equal(sha256(got.bytes), expected, id);
    }
    assertStatus(await call(url, 'POST', '/login', { basic: ['me@example.com', secret('first-user')] }), 200);
    assert.equal(await upload.offset(), 900_000);
    assertStatus(await upload.patch(900_000, body.subarray(900_000)), 204);
    // The newest file may be a short-lived one that the dump contains
    const finished = (await ask('GET', '/files?limit=100')).json.files.find(({ size }) => size === body.length);
    assert.equal(sha256((await ask('GET', finished.url)).bytes), sha256(body));
    assert.equal((await tryPodman(['exec', name('edge'), 'ls', '/var/lib/gatehouse/data/backup.new'])).code, 2);
  });
});

describe('updates', { skip }, () => {
  const body = randomBytes(2_000_000);

  // Send requests until stop(), which returns the different statuses in order, and the time without 200.
  function startPolling() {
    const seen = [];
    let going = true, downtime = 0;
    const done = (async () => {
      while (going) {
        const now = await ask('GET', '/files?limit=1').then(({ status }) => status, () => 'refused');
        if (seen.at(-1) !== now) seen.push(now);
        const began = performance.now();
        await pause(20);
        if (now !== 200) downtime += performance.now() - began;
      }
    })();
    return { stop: async () => { going = false; await done; return { seen, downtime }; } };
  }

  test('an update to another image replaces the containers after requests in progress, and keeps everything', async () => {
    const before_ = { images: await images(), files: (await ask('GET', '/files?limit=100')).json.files };
    const half = await resumable(ask, body.length);
    assertStatus(await half.patch(0, body.subarray(0, 600_000)), 204);
    const slow = uploadInHalves(url, token, 'PUT', '/upload/through.bin', {}, body);
    await until('lighttpd receives bytes', async () => (await podman('exec', name('edge'), 'ls', '-l', '/proc/1/fd')).includes('lighttpd-upload'));

    // A version that differs in a label
    mkdirSync(next);
    await shell(`cp -a Makefile LICENSE common cgi-auth cgi-gateway schema lighttpd scripts deploy ${next}`);
    appendFileSync(join(next, 'deploy/container/Containerfile'), 'LABEL another=version\n');
    const polling = startPolling();
    const replaced = shell(up, ours, next);
    await until('edge drains', async () => (await logs(name('edge'))).includes('graceful shutdown started'));
    assert.equal((await slow.finish()).status, 201);
    await replaced;
    await until('requests are answered', async () => (await ask('GET', '/files?limit=1')).status === 200);
    const { seen, downtime } = await polling.stop();
    console.log(`ℹ answers: during an update ${seen.join(', ')}; unavailable for ${Math.round(downtime / 1000)} s`);
    assert.deepEqual([seen[0], seen.at(-1)], [200, 200]);
    assert.ok(seen.includes('refused'));
    assert.ok(seen.every((what) => [200, 'refused', 500, 503].includes(what)), seen.join());

    const after_ = await images();
    for (const [n, service] of servers.entries()) assert.equal(after_[n] === before_.images[n], service === 'database', service);
    [anotherImage] = after_;
    const [through, ...files] = (await ask('GET', '/files?limit=100')).json.files;
    assert.deepEqual([through.name, through.sha256], ['through.bin', sha256(body)]);
    assert.deepEqual(files, before_.files);
    assert.equal(await half.offset(), 600_000);
    assertStatus(await half.patch(600_000, body.subarray(600_000)), 204);
  });

  // This machine's address in a network, which exists only while a container is in the network.
  const addressIn = async (network) => JSON.parse(await podman('network', 'inspect', `${project}_${network}`))[0].subnets[0].gateway;

  test('EVENT_URLS and CLAMD in settings are printed, and take effect', async () => {
    const holder = await podman('run', '--detach', '--rm', '--network', `${project}_receivers,${project}_database`, base, 'sleep', 'infinity');
    const receiver = await WebhookReceiver.start({ host: await addressIn('receivers') });
    const scanner = await addressIn('database'), clamd = await startClamd([`TCPAddr ${scanner}`]);
    try {
      writeFileSync(join(next, 'deploy/container/settings'), `EVENT_URLS=${receiver.url}\nCLAMD=${scanner}:${clamd.port}\n`);
      const said = await shell(up, ours, next);
      assert.ok(said.includes(`Receivers of events: ${receiver.url}\nVirus scanner: ${scanner}:${clamd.port}\n`), said);
      assertProblem(await ask('PUT', '/upload/eicar.com', { body: eicar }), 422, 'infected');
      const put = await ask('PUT', '/upload/told.txt', { body: 'told' });
      assertStatus(put, 201);
      await receiver.waitFor(1);
      assertStatus(await ask('DELETE', `/files/${put.json.files[0].id}`), 204);
      await receiver.waitFor(2);
      assert.deepEqual(receiver.requests.map(({ json }) => json.type), ['file.uploaded', 'file.deleted']);
      for (const one of receiver.requests) assert.ok(isSigned(one, secret('event')));
      assert.equal((await tryPodman(['exec', name('deliver'), 'gatehouse', 'health'])).code, 0);
      await podman('stop', '--time', '40', name('deliver'));
      assert.equal((await state(name('deliver'))).ExitCode, 0);
    } finally {
      await clamd.stop();
      await receiver.stop();
      await podman('rm', '--force', '--time', '0', holder);
    }
  });
});

test('compose down and up keep files, users and keys', { skip }, async () => {
  const before_ = (await ask('GET', '/files')).json.files;
  await shell(down, ours);
  assert.equal(await podman('ps', '--all', '--quiet', '--filter', `name=^${project}_`), '');
  await shell(up, ours);
  assert.deepEqual((await ask('GET', '/files')).json.files, before_);
});
