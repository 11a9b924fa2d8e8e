// What can be said of deploy/'s files without a cluster: that they are what Kubernetes and compose read, and keep what they promise.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { documents, faults, findKubectl, mayReach, podOf, render, selects, withComponents, written } from '../support/kubernetes.js';
import { commandsOf } from '../support/manual.js';
import { build, repository, run } from '../support/stack.js';

const deploy = join(repository, 'deploy');
const version = /^VERSION := (.*)$/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1];
const kubectl = await findKubectl();
const noKubectl = kubectl ? false : 'no kubectl with kustomize 5 is installed (scripts/setup --long)';

const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

// deploy/k8s in a folder of its own, with the secrets that its README has one make.
const copy = mkdtempSync(join(tmpdir(), 'gatehouse-k8s-'));
after(() => rmSync(copy, { recursive: true }));
const readme = readFileSync(join(deploy, 'k8s', 'README.md'), 'utf8');
const overlays = {}; // what they render to; with a + behind their names, with the components

before(async () => {
  cpSync(deploy, join(copy, 'deploy'), { recursive: true, filter: (path) => !/\/(secrets|settings)$/.test(path) });
  const made = await run('bash', ['-euo', 'pipefail', '-c', commandsOf('deploy/k8s/README.md').join('\n')], { cwd: copy });
  assert.equal(made.code, 0, made.stderr);
  if (!kubectl) return;
  for (const name of ['minikube', 'production']) {
    overlays[name] = await render(kubectl, join(copy, 'deploy', 'k8s', 'overlays', name));
    overlays[`${name}+`] = await render(kubectl, withComponents(join(copy, 'deploy', 'k8s', 'overlays', name)));
  }
});

test('every YAML file is YAML, and no key stands in it twice', () => {
  const yaml = files(deploy).filter((name) => /\.ya?ml$/.test(name));
  assert.ok(yaml.length > 10);
  for (const name of yaml) assert.ok(documents(readFileSync(name, 'utf8'), name).length > 0, name);
});

describe('the schemas of Kubernetes', () => {
  const example = () => structuredClone(written(join(deploy, 'k8s', 'base')).find((o) => o.kind === 'Deployment'));

  test('find nothing in the files as they are written', async () => {
    for (const folder of ['base', 'overlays/minikube', 'overlays/production', 'components/deliver', 'components/backup'])
      for (const object of written(join(deploy, 'k8s', folder))) assert.deepEqual(await faults(object), []);
  });

  test('find nothing in what the overlays make of them', { skip: noKubectl }, async () => {
    for (const [name, objects] of Object.entries(overlays)) {
      assert.ok(objects.length > 20, name);
      for (const object of objects) assert.deepEqual(await faults(object), [], name);
    }
  });

  // A check that cannot fail is none.
  for (const [what, spoil, complaint] of [
    ['a field that there is not', (o) => (o.spec.template.spec.containers[0].readinessprobe = {}), /readinessprobe: there is no such field/],
    ['one at the top', (o) => (o.specs = {}), /\/specs: there is no such field/],
    ['a field of another type', (o) => (o.spec.template.spec.terminationGracePeriodSeconds = '45'), /terminationGracePeriodSeconds: type/],
    ['a field that is missing', (o) => delete o.spec.selector, /required/],
    ['an entry of a list that is wrong', (o) => (o.spec.template.spec.volumes[0].secrt = {}), /volumes\/0\/secrt/],
    ['a kind that there is not', (o) => (o.apiVersion = 'apps/v9'), /no such kind/],
  ])
    test(`would find ${what}`, async () => {
      const object = example();
      spoil(object);
      assert.match((await faults(object)).join('\n'), complaint);
    });
});

describe('each pod', { skip: noKubectl }, () => {
  const pods = () => Object.entries(overlays).flatMap(([overlay, objects]) =>
    objects.filter(podOf).map((object) => ({ where: `${overlay}: ${object.kind} ${object.metadata.name}`, object, spec: podOf(object).spec })));

  test('runs as an ordinary user with nothing that it does not need', () => {
    assert.ok(pods().length >= 12);
    for (const { where, spec } of pods()) {
      assert.equal(spec.securityContext.runAsNonRoot, true, where);
      assert.ok(spec.securityContext.runAsUser > 10000, where);
      assert.equal(spec.securityContext.seccompProfile.type, 'RuntimeDefault', where);
      assert.equal(spec.automountServiceAccountToken, false, where);
      for (const container of spec.containers)
        assert.deepEqual(container.securityContext, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } }, where);
    }
  });

  test('says what it needs and what it may have', () => {
    for (const { where, spec } of pods())
      for (const { resources } of spec.containers)
        for (const kind of ['requests', 'limits']) assert.ok(resources[kind].cpu && resources[kind].memory, where);
  });

  test('runs an image of this version', () => {
    for (const { where, spec } of pods()) for (const { image } of spec.containers) assert.match(image, new RegExp(`/gatehouse(-database)?:${version}$`), where);
    // One and the same in an overlay: who names another does so for all
    for (const [overlay, objects] of Object.entries(overlays))
      assert.equal(new Set(objects.filter((o) => podOf(o) && o.kind !== 'StatefulSet').map((o) => podOf(o).spec.containers[0].image)).size, 1, overlay);
  });

  test('mounts only what there is, and its secrets as files', () => {
    for (const [overlay, objects] of Object.entries(overlays)) {
      const known = (kind) => objects.filter((o) => o.kind === kind).map((o) => o.metadata.name);
      for (const { spec } of objects.filter(podOf).map(podOf)) {
        for (const container of spec.containers) {
          for (const { name } of container.volumeMounts ?? [])
            assert.ok([...(spec.volumes ?? []).map((v) => v.name), 'database'].includes(name), `${overlay} ${name}`);
          for (const variable of container.env ?? []) assert.equal(variable.valueFrom, undefined, `${overlay} ${variable.name}`);
          for (const { configMapRef } of container.envFrom ?? []) assert.ok(known('ConfigMap').includes(configMapRef.name), overlay);
        }
        for (const { secret, persistentVolumeClaim } of spec.volumes ?? []) {
          if (secret && overlay.startsWith('minikube')) assert.ok(known('Secret').includes(secret.secretName), secret.secretName);
          if (persistentVolumeClaim) assert.ok(known('PersistentVolumeClaim').includes(persistentVolumeClaim.claimName));
        }
      }
    }
  });
});

describe('each server', { skip: noKubectl }, () => {
  const servers = () => Object.values(overlays).flatMap((objects) => objects.filter((o) => o.kind === 'Deployment' && podOf(o).spec.containers[0].ports)
    .map((object) => ({ objects, object, name: object.metadata.name, spec: object.spec.template.spec, container: object.spec.template.spec.containers[0] })));

  test('is asked whether it has started, can serve and lives, by what it understands', () => {
    assert.equal(servers().length, 12);
    for (const { name, container } of servers()) {
      const asked = Object.fromEntries(['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => {
        const { exec, timeoutSeconds } = container[probe];
        const own = exec.command.indexOf('--timeout');
        // Whoever is cut off by Kubernetes cannot say why.
        if (own >= 0) assert.ok(Number(exec.command[own + 1]) < timeoutSeconds, `${name} ${probe}`);
        return [probe, exec.command.join(' ').replace(/ --timeout \d+/, '')];
      }));
      const program = (path) => `fcgi-probe --path ${path} 127.0.0.1:9000`;
      assert.deepEqual(asked, name === 'edge'
        ? { startupProbe: 'gatehouse health', readinessProbe: 'gatehouse health', livenessProbe: 'gatehouse health' }
        : { startupProbe: program('/healthz'), readinessProbe: program('/readyz'), livenessProbe: program('/healthz') });
    }
  });

  test('is given the time that it needs to drain', () => {
    for (const { objects, name, spec, container } of servers()) {
      const { data } = objects.find((o) => o.kind === 'ConfigMap');
      const pause = Number(container.lifecycle.preStop.exec.command[1]);
      assert.ok(spec.terminationGracePeriodSeconds >= pause + Number(data.DRAIN_SECONDS) + 5, name);
    }
  });

  test('is spread over nodes and zones, keeps one when nodes are drained, and has a Service', () => {
    for (const { objects, object, name, spec } of servers()) {
      const { labels } = object.spec.template.metadata;
      assert.ok(selects(object.spec.selector, labels), name);
      assert.deepEqual(spec.topologySpreadConstraints.map((c) => c.topologyKey), ['kubernetes.io/hostname', 'topology.kubernetes.io/zone']);
      for (const constraint of spec.topologySpreadConstraints) assert.ok(selects(constraint.labelSelector, labels));
      const budget = objects.find((o) => o.kind === 'PodDisruptionBudget' && o.metadata.name === name);
      assert.ok(selects(budget.spec.selector, labels) && budget.spec.maxUnavailable === 1);
      const service = objects.find((o) => o.kind === 'Service' && o.metadata.name === name);
      assert.ok(selects({ matchLabels: service.spec.selector }, labels), name);
      for (const { targetPort } of service.spec.ports) assert.ok(spec.containers[0].ports.some((p) => p.name === targetPort), name);
    }
    const scaled = overlays.production.filter((o) => o.kind === 'HorizontalPodAutoscaler').map((o) => [o.spec.scaleTargetRef.name, o.spec.minReplicas]);
    assert.deepEqual(scaled.sort(), [['cgi-auth', 2], ['cgi-gateway', 2], ['edge', 2]]);
    for (const { object } of servers()) assert.equal(object.spec.replicas, undefined, 'the autoscaler says how many');
  });
});

describe('who may reach whom', { skip: noKubectl }, () => {
  // Pods by their names here, others, and what may be: everything that is not listed may not.
  const elsewhere = (namespace, labels = {}) => ({ labels: {}, namespace: { 'kubernetes.io/metadata.name': namespace, ...labels } });
  const others = {
    internet: { address: '203.0.113.7' },
    'the database outside': { address: '10.0.0.10' },
    'another namespace': elsewhere('default'),
    'the ingress controller': elsewhere('ingress-nginx'),
    monitoring: elsewhere('monitoring', { 'gatehouse.example/may-ask-inside': 'yes' }),
    'a receiver': elsewhere('media', { 'gatehouse.example/is-told': 'yes' }),
  };
  const ports = { edge: [8080, 9080], 'cgi-auth': [9000], 'cgi-gateway': [9000], database: [3306], 'the database outside': [3306, 22, 443], internet: [443, 80], 'a receiver': [7000] };
  const common = ['edge > cgi-auth:9000', 'edge > cgi-gateway:9000', 'monitoring > edge:9080'];
  const clients = ['cgi-auth', 'cgi-gateway', 'gc-auth', 'gc-gateway', 'migrate', 'verify'];
  const expected = {
    minikube: [...common, ...clients.map((c) => `${c} > database:3306`),
      ...['a receiver', 'another namespace', 'internet', 'monitoring', 'the database outside', 'the ingress controller'].map((who) => `${who} > edge:8080`)],
    production: [...common, ...clients.map((c) => `${c} > the database outside:3306`), 'the ingress controller > edge:8080'],
  };
  const told = ['deliver > a receiver:7000', 'deliver > internet:443'];
  expected['minikube+'] = [...expected.minikube, ...told, 'deliver > database:3306', 'backup > database:3306'];
  expected['production+'] = [...expected.production, ...told, 'deliver > the database outside:3306', 'backup > the database outside:3306'];

  for (const overlay of Object.keys(expected))
    test(`in ${overlay} is as decided, and nothing else`, () => {
      const objects = overlays[overlay];
      const policies = objects.filter((o) => o.kind === 'NetworkPolicy');
      const here = { 'kubernetes.io/metadata.name': 'gatehouse' };
      const all = { ...others };
      for (const object of objects.filter(podOf)) all[object.metadata.name] = { labels: podOf(object).metadata.labels, namespace: here };
      const may = [];
      for (const [from, who] of Object.entries(all))
        for (const [to, list] of Object.entries(ports)) {
          if (from === to || !all[to] || (!who.labels?.['app.kubernetes.io/name'] && !all[to].labels?.['app.kubernetes.io/name'])) continue;
          for (const port of list) if (mayReach(policies, 'gatehouse', who, all[to], port)) may.push(`${from} > ${to}:${port}`);
        }
      // edge itself lets everybody in by 8080 in minikube, pods of its own namespace too; they are let out nowhere.
      assert.deepEqual(may.sort(), expected[overlay].sort());
    });
});

test('what is commented out in an overlay, once it is switched on, adds to it and takes nothing away', { skip: noKubectl }, () => {
  for (const overlay of ['minikube', 'production']) {
    const [without, switchedOn] = [overlays[overlay], overlays[`${overlay}+`]];
    const settings = (objects) => objects.find((o) => o.kind === 'ConfigMap').data;
    const { EVENT_URLS, ...others } = settings(switchedOn);
    assert.ok(EVENT_URLS && others.MYSQL_HOST, overlay);
    assert.deepEqual(others, settings(without), overlay);
    // The hash of the settings is in the names of more than one object, and differs.
    const plain = (objects) => objects.filter((o) => o.kind !== 'ConfigMap').map((o) => JSON.stringify(o).replace(/"gatehouse-[a-z0-9]{10}"/g, '"gatehouse"'));
    const [before_, after_] = [plain(without), plain(switchedOn)];
    for (const object of before_) assert.ok(after_.includes(object), object);
    assert.deepEqual(after_.filter((o) => !before_.includes(o)).map((o) => JSON.parse(o)).filter((o) => o.kind !== 'Secret').map((o) => `${o.kind} ${o.metadata.name}`).sort(),
      ['Deployment backup', 'Deployment deliver', 'NetworkPolicy deliver-to-receivers']);
  }
});

test('the ingress controller writes down no path, for those of links are secrets', { skip: noKubectl }, () => {
  const { metadata } = overlays.production.find((o) => o.kind === 'Ingress');
  assert.equal(metadata.annotations['nginx.ingress.kubernetes.io/enable-access-log'], 'false');
});

describe('README.md', { skip: noKubectl }, () => {
  test('names what there is', () => {
    const there = overlays['minikube+'].map((o) => `${o.kind.toLowerCase()}/${o.metadata.name}`);
    const kinds = { deploy: 'deployment', svc: 'service' };
    const named = [...readme.matchAll(/\b(deployment|deploy|job|svc)\/([a-z][a-z-]*)(?![\w/-])/g)].map(([, kind, name]) => `${kinds[kind] ?? kind}/${name}`);
    assert.ok(named.length > 20);
    for (const name of named) assert.ok(there.includes(name), name);
  });

  test('has migrations run with all that they want before any program is of the new version', () => {
    const [, key, values] = /-l '(\S+) notin \(([a-z,-]+)\)'/.exec(readme);
    const selector = { matchExpressions: [{ key, operator: 'NotIn', values: values.split(',') }] };
    for (const [overlay, objects] of Object.entries(overlays)) {
      const first = objects.filter((o) => selects(selector, o.metadata.labels ?? {}));
      const has = (kind) => first.filter((o) => o.kind === kind).map((o) => o.metadata.name);
      const { spec } = podOf(first.find((o) => o.kind === 'Job' && o.metadata.name === 'migrate'));
      const elsewhere = overlay.startsWith('production') ? ['mysql-root', 'mysql-auth', 'mysql-gateway'] : [];
      for (const { secret } of spec.volumes.filter((v) => v.secret)) assert.ok([...elsewhere, ...has('Secret')].includes(secret.secretName), secret.secretName);
      for (const { configMapRef } of spec.containers[0].envFrom) assert.ok(has('ConfigMap').includes(configMapRef.name));
      assert.ok(['nobody-to-nobody', 'to-database'].every((name) => has('NetworkPolicy').includes(name)), overlay);
      const later = objects.filter((o) => podOf(o) && !first.includes(o)).map((o) => o.metadata.name);
      assert.deepEqual(later.sort(), [...values.split(',')].filter((name) => name !== 'deliver' || overlay.endsWith('+')).sort(), overlay);
      assert.deepEqual([has('Deployment'), has('CronJob')], [overlay.endsWith('+') ? ['backup'] : [], []]);
    }
  });

  test('has what happens to files written down by all who know of it, and signed by who tells it', () => {
    for (const overlay of ['minikube+', 'production+']) {
      const objects = overlays[overlay];
      assert.match(objects.find((o) => o.kind === 'ConfigMap').data.EVENT_URLS, /^https:\S+ http:/);
      for (const name of ['cgi-gateway', 'gc-gateway', 'deliver']) {
        const { volumes, containers: [container] } = podOf(objects.find((o) => podOf(o) && o.metadata.name === name)).spec;
        assert.ok(container.envFrom.some((e) => e.configMapRef.name.startsWith('gatehouse')), name);
        const [file, mount] = [container.env.find((e) => e.name === 'EVENT_SECRET_FILE'), container.volumeMounts.find((m) => m.name === 'event')];
        if (name === 'deliver') {
          assert.equal(file.value, `${mount.mountPath}/secret`);
          assert.match(volumes.find((v) => v.name === 'event').secret.secretName, /^event/);
        } else assert.deepEqual([file, mount], [undefined, undefined], name);
      }
    }
  });
});

test('a signing key is changed in three steps, and in each the tokens of the one before are good', async () => {
  const file = join(copy, 'keyring'), script = join(deploy, 'k8s', 'keyring');
  const step = async (what) => {
    const { code, stderr } = await run(script, [what, file]);
    assert.equal(code, 0, stderr);
    const { stdout } = await run(join(build, 'auth-admin'), ['key', 'list'], { env: { JWT_KEYRING: file } });
    return stdout.trim().split('\n').slice(1).map((line) => line.split(/\s+/).slice(0, 2));
  };
  const [[old]] = await step('add');
  const added = await step('add');
  assert.deepEqual(added.map(([, does]) => does), ['verifies', 'signs']);
  assert.equal(added[1][0], old);
  const new_ = added[0][0];
  assert.deepEqual(await step('sign'), [[old, 'verifies'], [new_, 'signs']]);
  assert.deepEqual(await step('drop'), [[new_, 'signs']]);
  const refused = await run(script, ['drop', file]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /fewer than two keys/);
});

describe('deploy/container/settings', () => {
  const here = () => join(copy, 'deploy', 'container');
  // What the program that COMPOSE chooses is given
  const given = async (lines, env = {}) => {
    writeFileSync(join(here(), 'settings'), lines);
    const { code, stdout, stderr } = await run(join(here(), 'compose'), [], { env: { COMPOSE: 'sh -c env', ...env } });
    return { code, stderr, ...Object.fromEntries(stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)])) };
  };

  test('are what compose starts the containers with, in whatever shell, and the environment may say otherwise', async () => {
    const lines = '# for good\n\nCLAMD=clamav:3310\nEVENT_URLS=https://a.example/?x=y http://b:70/\nPORT=9000';
    const { code, CLAMD, EVENT_URLS, PORT } = await given(lines);
    assert.deepEqual([code, CLAMD, EVENT_URLS, PORT], [0, 'clamav:3310', 'https://a.example/?x=y http://b:70/', '9000']);
    const other = await given(lines, { PORT: '9001', CLAMD: '' });
    assert.deepEqual([other.CLAMD, other.EVENT_URLS, other.PORT], ['', EVENT_URLS, '9001']);
  });

  for (const [what, lines, why] of [
    ['is no setting', 'CLAMAV=clamav:3310\n', /settings: there is no setting "CLAMAV"/],
    ['says no value', 'export CLAMD\n', /settings: "export CLAMD" is not NAME=value/],
  ])
    test(`in which a line ${what} start nothing`, async () => {
      const { code, stderr, PATH } = await given(lines);
      assert.deepEqual([code, PATH], [78, undefined]);
      assert.match(stderr, why);
    });
});

describe('compose.yaml', () => {
  const [compose] = documents(readFileSync(join(deploy, 'container', 'compose.yaml'), 'utf8'));
  const services = Object.entries(compose.services);

  test('hardens each of its services', () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.equal(service.privileged, undefined, name);
      assert.ok(service.image.endsWith(`:${version}`), name);
    }
  });

  test('opens one port, on this machine only, and gives secrets as files to whom they are for', () => {
    assert.deepEqual(services.filter(([, s]) => s.ports).map(([name, s]) => [name, s.ports]), [['edge', ['127.0.0.1:${PORT:-8080}:8080']]]);
    const secrets = Object.fromEntries(services.map(([name, s]) => [name, s.secrets ?? []]));
    assert.deepEqual(secrets, {
      database: ['mysql-root'], keys: [], migrate: ['mysql-root', 'mysql-auth', 'mysql-gateway'],
      'cgi-auth': ['mysql-auth'], 'cgi-gateway': ['mysql-gateway'], deliver: ['mysql-gateway', 'event'], edge: [],
    });
    for (const [name, s] of services) for (const variable of Object.keys(s.environment ?? {})) assert.ok(!/(PASSWORD|SECRET)$/.test(variable), name);
  });

  test('lets servers drain before it kills them', () => {
    for (const name of ['cgi-auth', 'cgi-gateway', 'edge']) {
      const { environment, stop_grace_period: grace } = compose.services[name];
      assert.ok(parseInt(grace, 10) >= Number(environment.DRAIN_SECONDS) + 5, name);
    }
  });

  test('names no two volumes of which one begins like the other: podman-compose takes them for the same', () => {
    const names = Object.keys(compose.volumes);
    for (const a of names) for (const b of names) assert.ok(a === b || !a.startsWith(b), `${a} ${b}`);
  });
});
