// The rendered overlay minikube of deploy/k8s, with podman instead of a cluster (support/kube-play.js lists the
// differences).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertStatus, call } from '../../support/client.js';
import { base, inBackground, logs, podman, shell, state, tryPodman, until, whyUnavailable } from '../../support/containers.js';
import { sha256 } from '../../support/files.js';
import { KubePlay } from '../../support/kube-play.js';
import { findKubectl, render, withComponents } from '../../support/kubernetes.js';
import { commandsOf } from '../../support/manual.js';
import { freePort } from '../../support/ports.js';
import { isSigned, WebhookReceiver } from '../../support/webhook-receiver.js';
import { repository, run } from '../../support/stack.js';
import { patchHeaders, resumable, uploadInHalves } from '../../support/uploads.js';

const kubectl = await findKubectl();
const skip = (await whyUnavailable()) ?? (kubectl ? false : 'no kubectl with kustomize 5 is installed (scripts/setup --long)');
const copy = mkdtempSync(join(tmpdir(), 'gatehouse-k8s-'));
let cluster, url, token, receiver;

const secret = (name) => readFileSync(join(copy, 'deploy/k8s/overlays/minikube/secrets', name), 'utf8').trim();
const password = () => secret('first-user');
const ask = (method, target, options) => call(url, method, target, { token, ...options });
const inside = (name, ...command) => tryPodman(['exec', cluster.container(name), ...command]);
const spec = (name) => cluster.find('Deployment', name).spec.template.spec;

// Run a probe of a Deployment as the kubelet would.
const runProbe = (name, probe) => inside(name, ...spec(name).containers[0][probe].exec.command);
const ready = (name) => until(`${name} is ready`, async () => (await runProbe(name, 'readinessProbe')).code === 0);

before(async () => {
  if (skip) return;
  // The secrets that README.md tells the operator to make, in a copy.
  cpSync(join(repository, 'deploy'), join(copy, 'deploy'), { recursive: true, filter: (path) => !path.endsWith('/secrets') });
  const made = await run('bash', ['-euo', 'pipefail', '-c', commandsOf('deploy/k8s/README.md').join('\n')], { cwd: copy });
  assert.equal(made.code, 0, made.stderr);
  const build = 'podman build --quiet --format docker --build-arg BASE=$BASE -f deploy/container/Containerfile';
  await shell(`${build} -t localhost/gatehouse:0.1.0 . && ${build} --target database -t localhost/gatehouse-database:0.1.0 .`);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  cluster = new KubePlay(await render(kubectl, withComponents(join(copy, 'deploy/k8s/overlays/minikube'))), `gatehouse-play-${process.pid}`, port);
  await cluster.open();
  // The network has an address on this machine only while a container is in it.
  await podman('run', '--detach', '--rm', '--stop-timeout', '1', '--network', cluster.prefix, base, 'sleep', 'infinity');
  const [{ gateway }] = JSON.parse(await podman('network', 'inspect', cluster.prefix))[0].subnets;
  receiver = await WebhookReceiver.start({ host: gateway });
  cluster.objects.find((o) => o.kind === 'ConfigMap').data.EVENT_URLS = receiver.url;
  cluster.objects.find((o) => o.kind === 'ConfigMap').data.MIGRATE_USER = 'gatehouse_migrate';
});
after(async () => {
  await cluster?.close();
  await receiver?.stop();
  rmSync(copy, { recursive: true });
});

async function startDatabase() {
  await cluster.play('StatefulSet', 'database');
  await until('the database is ready', async () => (await inside('database', 'database', 'health')).code === 0);
  // The account of README.md instead of root
  const [account] = commandsOf('deploy/k8s/README.md', '## In production', 'sql');
  const client = ['exec', '-i', cluster.container('database'), 'mariadb', '--no-defaults', '--socket=/tmp/mysqld.sock', '--user=mysql'];
  const made = await tryPodman(client, { input: account.replace('PASSWORD', secret('mysql-root')) });
  assert.equal(made.code, 0, made.stderr);
  await cluster.play('Job', 'migrate');
  await until('migrate is done', async () => (await state(cluster.container('migrate'))).Status === 'exited');
  assert.equal((await state(cluster.container('migrate'))).ExitCode, 0, await logs(cluster.container('migrate')));
}

async function startPrograms() {
  for (const name of ['cgi-auth', 'cgi-gateway', 'edge']) await cluster.play('Deployment', name);
  for (const name of ['cgi-auth', 'cgi-gateway', 'edge']) await ready(name);
}

describe('the overlay minikube', { skip }, () => {
  test('the overlay minikube starts database, migrations, programs and edge', async () => {
    await startDatabase();
    await startPrograms();
    for (const name of ['cgi-auth', 'cgi-gateway', 'edge'])
      for (const probe of ['startupProbe', 'livenessProbe']) assert.equal((await runProbe(name, probe)).code, 0, `${name} ${probe}`);
  });

  test('a user of the cluster can log in, upload and download', async () => {
    const added = await tryPodman(['exec', '-i', cluster.container('cgi-auth'), 'auth-admin', 'user', 'add', 'me@example.com', '--password-stdin'],
      { input: `${password()}\n` });
    assert.equal(added.code, 0, added.stderr);
    const login = await call(url, 'POST', '/login', { basic: ['me@example.com', password()] });
    assertStatus(login, 200);
    token = login.json.access_token;
    const bytes = randomBytes(3_000_000);
    const put = await ask('PUT', '/upload/a.bin', { body: bytes });
    assertStatus(put, 201);
    const got = await ask('GET', put.json.files[0].url);
    assert.equal(sha256(got.bytes), sha256(bytes));
    const part = await ask('GET', put.json.files[0].url, { headers: { Range: 'bytes=5-9' } });
    assertStatus(part, 206);
    assert.deepEqual(part.bytes, bytes.subarray(5, 10));
  });

  test('pods run without privileges on a read-only root, and edge cannot write files', async () => {
    for (const name of ['cgi-auth', 'cgi-gateway', 'edge', 'database']) {
      const status = (await inside(name, 'cat', '/proc/1/status')).stdout;
      assert.match(status, /^Uid:\t1000[12]\t/m, name);
      assert.match(status, /^CapEff:\t0{16}$/m, name);
      assert.match(status, /^NoNewPrivs:\t1$/m, name);
      assert.match((await inside(name, 'touch', '/usr/x')).stderr, /Read-only file system/, name);
    }
    assert.match((await inside('edge', 'touch', '/var/lib/gatehouse/data/x')).stderr, /Read-only file system/);
  });

  test('the CronJobs succeed', async () => {
    for (const name of ['gc-auth', 'gc-gateway', 'verify']) {
      await cluster.play('CronJob', name);
      await until(`${name} is done`, async () => (await state(cluster.container(name))).Status === 'exited');
      assert.equal((await state(cluster.container(name))).ExitCode, 0, await logs(cluster.container(name)));
    }
  });
});

describe('components', { skip }, () => {
  const DATA = '/var/lib/gatehouse/data';
  const paste = async (heading, before_ = '') => {
    const { code, stdout, stderr } = await tryPodman(['exec', '-i', cluster.container('backup'), 'gatehouse', 'shell'],
      { input: before_ + commandsOf('docs/backup.md', heading).join('') });
    assert.deepEqual([code, stderr], [0, ''], stdout);
  };

  test('the component deliver sends events to a receiver', async () => {
    await cluster.play('Deployment', 'deliver');
    await receiver.waitFor(1);
    const put = await ask('PUT', '/upload/told.txt', { body: 'told' });
    assertStatus(put, 201);
    await receiver.waitFor(2);
    assert.deepEqual(receiver.requests.map(({ json }) => [json.type, json.data.name]), [['file.uploaded', 'a.bin'], ['file.uploaded', 'told.txt']]);
    for (const one of receiver.requests) assert.ok(isSigned(one, secret('event')));
    await podman('stop', '--time', '40', cluster.container('deliver'));
    assert.equal((await state(cluster.container('deliver'))).ExitCode, 0);
  });

  // podman 4.3 no longer finds "database" in a network whose other pods were stopped, hence another network.
  test('the component backup makes a backup by the lines of docs/backup.md, restored into another cluster', async () => {
    await cluster.play('Deployment', 'backup');
    const bytes = randomBytes(100_000), half = await resumable(ask, bytes.length);
    assertStatus(await half.patch(0, bytes.subarray(0, 40_000)), 204);
    const { files } = (await ask('GET', '/files')).json;
    await paste('## Make a backup');
    const { stdout: archive } = await tryPodman(['exec', cluster.container('backup'), 'tar', '-C', DATA, '-c', 'backup.new'], { encoding: 'buffer' });
    await cluster.close();

    cluster = new KubePlay(cluster.objects, `${cluster.prefix}-b`, cluster.httpPort);
    await cluster.open();
    await startDatabase();
    await cluster.play('Deployment', 'backup');
    const { code, stderr } = await tryPodman(['exec', '-i', cluster.container('backup'), 'tar', '-C', DATA, '-x'], { input: archive });
    assert.equal(code, 0, stderr);
    await paste('## Restore', 'KEYRING=/tmp/keyring\n');
    assert.equal((await inside('backup', 'cmp', '/tmp/keyring', '/etc/gatehouse/keys/keyring')).code, 0);
    assert.equal((await inside('backup', 'rm', '-r', `${DATA}/backup.new`)).code, 0);
    await startPrograms();
    assert.deepEqual((await ask('GET', '/files')).json.files, files);
    for (const { url: target, sha256: expected } of files) assert.equal(sha256((await ask('GET', target)).bytes), expected);
    assert.equal((await inside('cgi-gateway', 'gateway-admin', 'verify')).code, 0);
    assert.equal(await half.offset(), 40_000);
    assertStatus(await half.patch(40_000, bytes.subarray(40_000)), 204);
  });
});

describe('a running cluster', { skip }, () => {
  const body = randomBytes(2_000_000);

  test('a killed program restarts, and a resumable upload continues', async () => {
    const upload = await resumable(ask, body.length);
    assertStatus(await upload.patch(0, body.subarray(0, 500_000)), 204);
    for (const name of ['cgi-gateway', 'cgi-auth']) {
      const { Pid: pid } = await state(cluster.container(name));
      process.kill(pid, 'SIGKILL');
      await until(`${name} runs again`, async () => {
        const now = await state(cluster.container(name));
        return now.Running && now.Pid !== pid && now.Pid !== 0;
      });
      await ready(name);
    }
    await until('edge reaches the program again', async () => (await fetch(`${url}/healthz`)).status === 200);
    assert.equal(await upload.offset(), 500_000);
    assertStatus(await upload.patch(500_000, body.subarray(500_000)), 204);
    const record = (await ask('GET', '/files?limit=1')).json.files[0];
    assert.equal(sha256((await ask('GET', record.url)).bytes), sha256(body));
  });

  test('the programs without the database are alive and not ready, and the probe reports the reason', async () => {
    await podman('pause', cluster.container('database'));
    try {
      for (const name of ['cgi-auth', 'cgi-gateway']) {
        const { code, stderr } = await runProbe(name, 'readinessProbe');
        assert.equal(code, 1);
        assert.match(stderr, /fcgi-probe: \/readyz at 127\.0\.0\.1:9000/);
        assert.equal((await runProbe(name, 'livenessProbe')).code, 0);
      }
      assert.equal((await runProbe('edge', 'readinessProbe')).code, 0);
    } finally {
      await podman('unpause', cluster.container('database'));
    }
    for (const name of ['cgi-auth', 'cgi-gateway']) await ready(name);
  });

  test('a program that gets SIGTERM during an upload finishes it over TCP and exits 0', async () => {
    const { path } = await resumable(ask, body.length);
    const name = cluster.container('cgi-gateway');
    const upload = uploadInHalves(url, token, 'PATCH', path, patchHeaders(0), body);
    await until('the program receives bytes', async () =>
      Number((await inside('cgi-gateway', 'sh', '-c', 'cat /var/lib/gatehouse/data/incoming/* | wc -c')).stdout) >= 500_000);
    const { Pid: pid } = await state(name);
    process.kill(pid, 'SIGTERM');
    await until('the program drains', async () => (await logs(name)).includes('draining'));
    assert.equal((await upload.finish()).status, 204);
    await until('the program exits', async () => (await state(name)).Pid !== pid);
    assert.match(await logs(name), /"event":"stop","detail":"done"/);
    await ready('cgi-gateway');
    const record = (await ask('GET', '/files?limit=1')).json.files[0];
    assert.equal(sha256((await ask('GET', record.url)).bytes), sha256(body));
  });

  test('edge that is stopped finishes uploads in progress and exits 0', async () => {
    const upload = uploadInHalves(url, token, 'PUT', '/upload/last.bin', {}, body);
    await until('lighttpd receives bytes', async () => (await inside('edge', 'ls', '-l', '/proc/1/fd')).stdout.includes('lighttpd-upload'));
    const grace = spec('edge').terminationGracePeriodSeconds;
    const stopped = inBackground('stop', '--time', String(grace), cluster.container('edge'));
    await until('edge drains', async () => (await logs(cluster.container('edge'))).includes('graceful shutdown started'));
    assert.equal((await upload.finish()).status, 201);
    assert.equal(await stopped.ended, 0);
    assert.equal((await state(cluster.container('edge'))).ExitCode, 0);
  });
});
