// The files of deploy/ without a cluster: Kubernetes and compose can read them, and they keep the documented promises.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { documents, schemaFaults, findKubectl, mayReach, podOf, render, selects, withComponents, objectsIn } from '../support/kubernetes.js';
import { commandsOf } from '../support/manual.js';
import { build, repository, run } from '../support/stack.js';

const deploy = join(repository, 'deploy');
const version = /^VERSION := (.*)$/m.exec(readFileSync(join(repository, 'Makefile'), 'utf8'))[1];
const kubectl = await findKubectl();
const noKubectl = kubectl ? false : 'no kubectl with kustomize 5 is installed (scripts/setup --long)';

const files = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

// A copy of deploy/k8s, with the secrets that its README tells the operator to make.
const copy = mkdtempSync(join(tmpdir(), 'gatehouse-k8s-'));
after(() => rmSync(copy, { recursive: true }));
const readme = readFileSync(join(deploy, 'k8s', 'README.md'), 'utf8');
const overlays = {}; // the rendered objects by overlay; "minikube+" is the overlay with its components

before(async () => {
  cpSync(deploy, join(copy, 'deploy'), { recursive: true, filter: (path) => !/\/(secrets|settings)$/.test(path) });
  const made = await run('bash', ['-euo', 'pipefail', '-c', commandsOf('deploy/k8s/README.md').join('\n')], { cwd: copy });
  assert.equal(made.code, 0, made.stderr);
  if (!kubectl) return;
  for (const name of ['minikube', 'production']) {
    overlays[name] = await render(kubectl, join(copy, 'deploy', 'k8s', 'overlays', name));
    overlays[`${name}+`] = await render(kubectl, withComponents(join(copy, 'deploy', 'k8s', 'overlays', name)));
  }
  overlays['minikube-ingress'] = await render(kubectl, join(copy, 'deploy', 'k8s', 'overlays', 'minikube-ingress'));
});

test('every YAML file is valid and has no duplicate key', () => {
  const yaml = files(deploy).filter((name) => /\.ya?ml$/.test(name));
  assert.ok(yaml.length > 10);
  for (const name of yaml) assert.ok(documents(readFileSync(name, 'utf8'), name).length > 0, name);
});

describe('the schemas of Kubernetes', () => {
  const example = () => structuredClone(objectsIn(join(deploy, 'k8s', 'base')).find((o) => o.kind === 'Deployment'));

  test('the files as written match the schemas of Kubernetes', async () => {
    for (const folder of ['base', 'overlays/minikube', 'overlays/minikube-ingress', 'overlays/production', 'components/deliver', 'components/backup'])
      for (const object of objectsIn(join(deploy, 'k8s', folder))) assert.deepEqual(await schemaFaults(object), []);
  });

  test('the rendered overlays match the schemas of Kubernetes', { skip: noKubectl }, async () => {
    for (const [name, objects] of Object.entries(overlays)) {
      assert.ok(objects.length > 20, name);
      for (const object of objects) assert.deepEqual(await schemaFaults(object), [], name);
    }
  });

  // Each check must be able to fail.
  for (const [what, spoil, complaint] of [
    ['an unknown field', (o) => (o.spec.template.spec.containers[0].readinessprobe = {}), /readinessprobe: there is no such field/],
    ['an unknown field at the top', (o) => (o.specs = {}), /\/specs: there is no such field/],
    ['a field of another type', (o) => (o.spec.template.spec.terminationGracePeriodSeconds = '45'), /terminationGracePeriodSeconds: type/],
    ['a missing field', (o) => delete o.spec.selector, /required/],
    ['a wrong entry of a list', (o) => (o.spec.template.spec.volumes[0].secrt = {}), /volumes\/0\/secrt/],
    ['an unknown kind', (o) => (o.apiVersion = 'apps/v9'), /no such kind/],
  ])
    test(`the schema check finds ${what}`, async () => {
      const object = example();
      spoil(object);
      assert.match((await schemaFaults(object)).join('\n'), complaint);
    });
});

describe('pods', { skip: noKubectl }, () => {
  const pods = () => Object.entries(overlays).flatMap(([overlay, objects]) =>
    objects.filter(podOf).map((object) => ({ where: `${overlay}: ${object.kind} ${object.metadata.name}`, object, spec: podOf(object).spec })));

  test('each pod runs as an ordinary user without privileges', () => {
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

  test('each pod has requests and limits', () => {
    for (const { where, spec } of pods())
      for (const { resources } of spec.containers)
        for (const kind of ['requests', 'limits']) assert.ok(resources[kind].cpu && resources[kind].memory, where);
  });

  test('each pod runs an image of this version', () => {
    for (const { where, spec } of pods()) for (const { image } of spec.containers) assert.match(image, new RegExp(`/gatehouse(-database)?:${version}$`), where);
    // An overlay has one image: a change of its name applies to all
    for (const [overlay, objects] of Object.entries(overlays))
      assert.equal(new Set(objects.filter((o) => podOf(o) && o.kind !== 'StatefulSet').map((o) => podOf(o).spec.containers[0].image)).size, 1, overlay);
  });

  test('each pod mounts only existing volumes, and its secrets as files', () => {
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

describe('servers', { skip: noKubectl }, () => {
  const servers = () => Object.values(overlays).flatMap((objects) => objects.filter((o) => o.kind === 'Deployment' && podOf(o).spec.containers[0].ports)
    .map((object) => ({ objects, object, name: object.metadata.name, spec: object.spec.template.spec, container: object.spec.template.spec.containers[0] })));

  test('each server has startup, readiness and liveness probes that it understands', () => {
    assert.equal(servers().length, 15);
    for (const { name, container } of servers()) {
      const asked = Object.fromEntries(['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) => {
        const { exec, timeoutSeconds } = container[probe];
        const own = exec.command.indexOf('--timeout');
        // The probe must give up before Kubernetes does, to report the reason.
        if (own >= 0) assert.ok(Number(exec.command[own + 1]) < timeoutSeconds, `${name} ${probe}`);
        return [probe, exec.command.join(' ').replace(/ --timeout \d+/, '')];
      }));
      const program = (path) => `fcgi-probe --path ${path} 127.0.0.1:9000`;
      assert.deepEqual(asked, name === 'edge'
        ? { startupProbe: 'gatehouse health', readinessProbe: 'gatehouse health', livenessProbe: 'gatehouse health' }
        : { startupProbe: program('/healthz'), readinessProbe: program('/readyz'), livenessProbe: program('/healthz') });
    }
  });

  test('each server has the time that it needs to drain', () => {
    for (const { objects, name, spec, container } of servers()) {
      const { data } = objects.find((o) => o.kind === 'ConfigMap');
      const pause = Number(container.lifecycle.preStop.exec.command[1]);
      assert.ok(spec.terminationGracePeriodSeconds >= pause + Number(data.DRAIN_SECONDS) + 5, name);
    }
  });

  test('each server is spread over nodes and zones, has a disruption budget and a Service', () => {
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
    for (const { object } of servers()) assert.equal(object.spec.replicas, undefined, 'the autoscaler sets the number');
  });
});

describe('network policies', { skip: noKubectl }, () => {
  // Pods by name, other peers, and the allowed connections: every other one must be refused.
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
  expected['minikube-ingress'] = [...common, ...clients.map((c) => `${c} > database:3306`), 'the ingress controller > edge:8080'];
  const delivery = ['deliver > a receiver:7000', 'deliver > internet:443'];
  expected['minikube+'] = [...expected.minikube, ...delivery, 'deliver > database:3306', 'backup > database:3306'];
  expected['production+'] = [...expected.production, ...delivery, 'deliver > the database outside:3306', 'backup > the database outside:3306'];

  for (const overlay of Object.keys(expected))
    test(`the allowed connections in ${overlay} are exactly the expected ones`, () => {
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
      // In minikube, edge accepts everybody on 8080, pods of its own namespace too, but they are not let out.
      assert.deepEqual(may.sort(), expected[overlay].sort());
    });
});

test('switching on the commented-out parts of an overlay only adds to it', { skip: noKubectl }, () => {
  for (const overlay of ['minikube', 'production']) {
    const [without, switchedOn] = [overlays[overlay], overlays[`${overlay}+`]];
    const settings = (objects) => objects.find((o) => o.kind === 'ConfigMap').data;
    const { EVENT_URLS, ...others } = settings(switchedOn);
    assert.ok(EVENT_URLS && others.MYSQL_HOST, overlay);
    assert.deepEqual(others, settings(without), overlay);
    // The names of several objects have the hash of the settings, which differs.
    const plain = (objects) => objects.filter((o) => o.kind !== 'ConfigMap').map((o) => JSON.stringify(o).replace(/"gatehouse-[a-z0-9]{10}"/g, '"gatehouse"'));
    const [before_, after_] = [plain(without), plain(switchedOn)];
    for (const object of before_) assert.ok(after_.includes(object), object);
    assert.deepEqual(after_.filter((o) => !before_.includes(o)).map((o) => JSON.parse(o)).filter((o) => o.kind !== 'Secret').map((o) => `${o.kind} ${o.metadata.name}`).sort(),
      ['Deployment backup', 'Deployment deliver', 'NetworkPolicy deliver-to-receivers']);
  }
});

test('the ingress controller logs no path, because paths of links are secrets', { skip: noKubectl }, () => {
  for (const overlay of ['production', 'minikube-ingress']) {
    const { metadata } = overlays[overlay].find((o) => o.kind === 'Ingress');
    assert.equal(metadata.annotations['nginx.ingress.kubernetes.io/enable-access-log'], 'false', overlay);
  }
});

test('minikube with its ingress has one name, and trusts the addresses of its pods only', { skip: noKubectl }, () => {
  const objects = overlays['minikube-ingress'];
  const { data } = objects.find((o) => o.kind === 'ConfigMap');
  const [{ host }] = objects.find((o) => o.kind === 'Ingress').spec.rules;
  assert.deepEqual([data.PUBLIC_URL, data.TRUSTED_PROXIES], [`http://${host}`, '10.244.0.0/16']);
  assert.match(readme, new RegExp(`minikube ip\\) ${host}`));
  const { spec } = objects.find((o) => o.kind === 'Service' && o.metadata.name === 'edge');
  assert.deepEqual([spec.type, spec.ports[0].nodePort], [undefined, undefined]);
});

describe('deploy/k8s/README.md', { skip: noKubectl }, () => {
  test('the README names only existing objects', () => {
    const there = overlays['minikube+'].map((o) => `${o.kind.toLowerCase()}/${o.metadata.name}`);
    const kinds = { deploy: 'deployment', svc: 'service' };
    const named = [...readme.matchAll(/\b(deployment|deploy|job|svc)\/([a-z][a-z-]*)(?![\w/-])/g)].map(([, kind, name]) => `${kinds[kind] ?? kind}/${name}`);
    assert.ok(named.length > 20);
    for (const name of named) assert.ok(there.includes(name), name);
  });

  test('the README\'s selector starts migrations with all they need before the programs', () => {
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

  test('all programs with events know the receivers, and deliver has the secret', () => {
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

test('a signing key is changed in three steps, each of which keeps the tokens of the one before valid', async () => {
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
  // The environment of the program that COMPOSE chooses
  const environmentOf = async (lines, env = {}) => {
    writeFileSync(join(here(), 'settings'), lines);
    const { code, stdout, stderr } = await run(join(here(), 'compose'), [], { env: { COMPOSE: 'sh -c env', ...env } });
    return { code, stderr, ...Object.fromEntries(stdout.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)])) };
  };

  test('settings are the environment of compose, and the shell\'s environment overrides them', async () => {
    const lines = '# for good\n\nCLAMD=clamav:3310\nEVENT_URLS=https://a.example/?x=y http://b:70/\nPORT=9000';
    const { code, CLAMD, EVENT_URLS, PORT } = await environmentOf(lines);
    assert.deepEqual([code, CLAMD, EVENT_URLS, PORT], [0, 'clamav:3310', 'https://a.example/?x=y http://b:70/', '9000']);
    const other = await environmentOf(lines, { PORT: '9001', CLAMD: '' });
    assert.deepEqual([other.CLAMD, other.EVENT_URLS, other.PORT], ['', EVENT_URLS, '9001']);
  });

  for (const [what, lines, why] of [
    ['is not a setting', 'CLAMAV=clamav:3310\n', /settings: there is no setting "CLAMAV"/],
    ['has no value', 'export CLAMD\n', /settings: "export CLAMD" is not NAME=value/],
  ])
    test(`a line of settings that ${what} starts nothing`, async () => {
      const { code, stderr, PATH } = await environmentOf(lines);
      assert.deepEqual([code, PATH], [78, undefined]);
      assert.match(stderr, why);
    });
});

describe('compose.yaml', () => {
  const [compose] = documents(readFileSync(join(deploy, 'container', 'compose.yaml'), 'utf8'));
  const services = Object.entries(compose.services);

  test('each service of compose.yaml is hardened', () => {
    for (const [name, service] of services) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
      assert.equal(service.privileged, undefined, name);
      assert.ok(service.image.endsWith(`:${version}`), name);
    }
  });

  test('compose.yaml opens one port, on loopback, and gives each secret as a file to its service', () => {
    assert.deepEqual(services.filter(([, s]) => s.ports).map(([name, s]) => [name, s.ports]), [['edge', ['127.0.0.1:${PORT:-8080}:8080']]]);
    const secrets = Object.fromEntries(services.map(([name, s]) => [name, s.secrets ?? []]));
    assert.deepEqual(secrets, {
      database: ['mysql-root'], keys: [], migrate: ['mysql-root', 'mysql-auth', 'mysql-gateway'],
      'cgi-auth': ['mysql-auth'], 'cgi-gateway': ['mysql-gateway'], deliver: ['mysql-gateway', 'event'], edge: [],
    });
    for (const [name, s] of services) for (const variable of Object.keys(s.environment ?? {})) assert.ok(!/(PASSWORD|SECRET)$/.test(variable), name);
  });

  test('compose.yaml lets servers drain before it kills them', () => {
    for (const name of ['cgi-auth', 'cgi-gateway', 'edge']) {
      const { environment, stop_grace_period: grace } = compose.services[name];
      assert.ok(parseInt(grace, 10) >= Number(environment.DRAIN_SECONDS) + 5, name);
    }
  });

  test('no volume name of compose.yaml is a prefix of another, because podman-compose confuses them', () => {
    const names = Object.keys(compose.volumes);
    for (const a of names) for (const b of names) assert.ok(a === b || !a.startsWith(b), `${a} ${b}`);
  });
});
