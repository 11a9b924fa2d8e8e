// The pods of a rendered overlay under `podman kube play`, as far as podman 4.3 supports their manifests. What it does
// not support is translated here, and nowhere else:
//
//   Secrets          mounted from ConfigMaps of the same content
//   Services         each pod has its Service's name as an alias in the pods' network
//   Job, StatefulSet a Pod of their template; a claim template becomes a volume
//   replicas         one
//   $(NAME) in args  replaced here
//   any volume       podman's volume names are global to the machine, so each gets a name of its own
//   ports            podman publishes every containerPort; only edge's is published here
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { podman, tryPodman } from './containers.js';
import { podOf } from './kubernetes.js';

function asConfigMap({ metadata, data }, prefix) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `${prefix}-${metadata.name}` }, data: Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v, 'base64').toString()])) };
}

export class KubePlay {
  #folder = mkdtempSync(join(tmpdir(), 'gatehouse-play-'));
  #maps;
  #volumes = new Set();
  #played = [];

  constructor(objects, prefix, httpPort) {
    this.objects = objects;
    this.prefix = prefix;
    this.httpPort = httpPort;
    this.#maps = objects.filter((o) => ['ConfigMap', 'Secret'].includes(o.kind)).map((o) => (o.kind === 'Secret' ? asConfigMap(o, prefix) : o));
  }

  find(kind, name) {
    return this.objects.find((o) => o.kind === kind && o.metadata.name === name);
  }

  // The name that podman gives the container of a pod.
  container(name) {
    const object = this.objects.find((o) => podOf(o) && o.metadata.name === name);
    const pod = object.kind === 'Deployment' ? `${this.prefix}-${name}-pod-0` : `${this.prefix}-${name}`;
    return `${pod}-${podOf(object).spec.containers[0].name}`;
  }

  // A pod's template as podman understands it.
  #translate(object) {
    const name = object.metadata.name;
    const { metadata, spec } = structuredClone(podOf(object));
    for (const { metadata: claim } of object.spec.volumeClaimTemplates ?? []) spec.volumes.push({ name: claim.name, persistentVolumeClaim: { claimName: claim.name } });
    for (const volume of spec.volumes ?? []) {
      if (volume.secret) {
        Object.assign(volume, { configMap: { name: `${this.prefix}-${volume.secret.secretName}` }, secret: undefined });
        this.#volumes.add(volume.configMap.name);
      }
      if (volume.emptyDir) Object.assign(volume, { persistentVolumeClaim: { claimName: `${name}-${volume.name}` }, emptyDir: undefined });
      if (!volume.persistentVolumeClaim) continue;
      volume.persistentVolumeClaim.claimName = `${this.prefix}-${volume.persistentVolumeClaim.claimName}`;
      this.#volumes.add(volume.persistentVolumeClaim.claimName);
    }
    const values = Object.fromEntries(this.#maps.flatMap((map) => Object.entries(map.data)));
    for (const container of spec.containers) {
      container.args = container.args?.map((arg) => arg.replace(/\$\((\w+)\)/g, (_, key) => values[key]));
      container.ports = name === 'edge' ? [{ containerPort: 8080, hostPort: this.httpPort, hostIP: '127.0.0.1' }] : undefined;
    }
    const named = { name: `${this.prefix}-${name}`, labels: metadata.labels };
    if (object.kind === 'Deployment') return { ...object, metadata: named, spec: { ...object.spec, replicas: 1, template: { metadata: { labels: metadata.labels }, spec } } };
    return { apiVersion: 'v1', kind: 'Pod', metadata: named, spec };
  }

  async play(kind, name) {
    const file = join(this.#folder, `${name}.yaml`);
    const documents = [...this.#maps, this.#translate(this.find(kind, name))];
    writeFileSync(file, documents.map((d) => stringify(d, { aliasDuplicateObjects: false })).join('---\n'));
    this.#played.unshift(file);
    await podman('kube', 'play', '--network', `${this.prefix}:alias=${name}`, file);
  }

  async open() {
    await podman('network', 'create', this.prefix);
  }

  async close() {
    for (const file of this.#played) await tryPodman(['kube', 'down', file]);
    for (const volume of this.#volumes) await tryPodman(['volume', 'rm', '--force', volume]);
    await podman('network', 'rm', '--force', this.prefix);
    rmSync(this.#folder, { recursive: true });
  }
}
