// Kubernetes manifests without a cluster: rendered by kubectl, and checked against the API's own schemas.
import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { BlockList } from 'node:net';
import { delimiter, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repository, run } from './stack.js';

// Every document of a YAML text, as values; throws if it is not YAML or has a key twice.
export function documents(text, what = 'YAML') {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    const wrong = [...document.errors, ...document.warnings];
    if (wrong.length) throw new Error(`${what}: ${wrong.map(String).join('\n')}`);
    return document.toJS();
  }).filter((value) => value !== null);
}

// --- kubectl kustomize ---------------------------------------------------------------

// A kubectl whose kustomize is 5 or newer, or undefined: Debian 12's own is from 2020 (scripts/setup --long finds one).
export async function findKubectl() {
  for (const folder of [...process.env.PATH.split(delimiter), join(repository, 'build', 'tools')]) {
    const kubectl = join(folder, 'kubectl');
    if (!existsSync(kubectl)) continue;
    const { stdout } = await run(kubectl, ['version', '--client']);
    if (/Kustomize Version: v[5-9]/.test(stdout)) return kubectl;
  }
  return undefined;
}

export async function render(kubectl, folder) {
  const { code, stdout, stderr } = await run(kubectl, ['kustomize', folder]);
  if (code !== 0 || stderr) throw new Error(`kubectl kustomize ${folder}: ${code}\n${stderr}`);
  const objects = documents(stdout, folder);
  // kubectl folds long values; base64 stays the same without line breaks.
  for (const { kind, data } of objects) if (kind === 'Secret') for (const key of Object.keys(data)) data[key] = data[key].replaceAll('\n', '');
  return objects;
}

// Copy an overlay's folder, beside it, with its commented-out lines switched on; returns the copy's path.
export function withComponents(folder) {
  const copy = `${folder}+`, file = join(copy, 'kustomization.yaml');
  cpSync(folder, copy, { recursive: true });
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^( *)#(?=\S)/gm, '$1'));
  return copy;
}

// The objects in a folder's files as written, with no overlay applied.
export const objectsIn = (folder) => readdirSync(folder).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml')
  .flatMap((name) => documents(readFileSync(join(folder, name), 'utf8'), name));

// --- schemas -----------------------------------------------------------------------------

// The schemas know what a field must be and which fields are required, but ignore unknown fields. An unknown field
// is never read during validation: `watched` notes which fields are read.
function watched(value, seen) {
  if (value === null || typeof value !== 'object') return value;
  const children = new Map();
  return new Proxy(value, {
    get(target, key) {
      const child = target[key];
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return child;
      if (!seen.has(target)) seen.set(target, new Set());
      seen.get(target).add(key);
      if (!children.has(key)) children.set(key, watched(child, seen));
      return children.get(key);
    },
  });
}

function unseen(value, seen, path) {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const here = `${path}/${key}`;
    if (!Array.isArray(value) && !seen.get(value)?.has(key)) return [`${here}: there is no such field`];
    return unseen(child, seen, here);
  });
}

// What is wrong with an object, a line each.
export async function schemaFaults(object) {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['core', object.apiVersion];
  const name = ['Io', 'K8s', 'Api', group.split('.')[0], version, object.kind].map((w) => w[0].toUpperCase() + w.slice(1)).join('');
  let schema;
  try {
    schema = await import(`kubernetes-models/_schemas/${name}`);
  } catch {
    return [`${object.apiVersion} ${object.kind}: there is no such kind`];
  }
  const seen = new Map();
  const fits = schema.validate(watched(object, seen));
  const errors = fits ? [] : schema.validate.errors.map((e) => `${e.instancePath}: ${e.keyword} ${JSON.stringify(e.params)}`);
  return [...errors, ...unseen(object, seen, '')].map((line) => `${object.kind} ${object.metadata?.name}: ${line}`);
}

// --- selectors and policies ---------------------------------------------------------------------

// The pod template of an object, or undefined.
export function podOf(object) {
  if (object.kind === 'Pod') return object;
  if (object.kind === 'CronJob') return object.spec.jobTemplate.spec.template;
  return ['Deployment', 'StatefulSet', 'DaemonSet', 'Job'].includes(object.kind) ? object.spec.template : undefined;
}

export function selects(selector, labels) {
  if (!Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value)) return false;
  return (selector?.matchExpressions ?? []).every(({ key, operator, values }) => {
    if (operator === 'In') return values.includes(labels[key]);
    if (operator === 'NotIn') return !values.includes(labels[key]);
    throw new Error(`operator ${operator} is not known here`);
  });
}

function lies(address, cidrs) {
  const list = new BlockList();
  for (const cidr of cidrs) list.addSubnet(cidr.split('/')[0], Number(cidr.split('/')[1]));
  return list.check(address);
}

// Whether NetworkPolicies let `from` open a connection to `to` at a TCP port. Both are {labels, namespace (its
// labels)}, or {address} for an address outside of the cluster. All policies are in one namespace, `home`.
export function mayReach(policies, home, from, to, port) {
  const isHere = (who) => who.namespace?.['kubernetes.io/metadata.name'] === home;
  const of = (who, type) => policies.filter(({ spec }) => isHere(who) && spec.policyTypes.includes(type) && selects(spec.podSelector, who.labels));
  const matches = (peer, who) => {
    if (peer.ipBlock) return who.address !== undefined && lies(who.address, [peer.ipBlock.cidr]) && !lies(who.address, peer.ipBlock.except ?? []);
    if (!who.namespace) return false;
    if (peer.namespaceSelector ? !selects(peer.namespaceSelector, who.namespace) : !isHere(who)) return false;
    return !peer.podSelector || selects(peer.podSelector, who.labels);
  };
  const allows = (rules, side, who) => (rules ?? []).some((rule) =>
    (!rule[side] || rule[side].some((peer) => matches(peer, who))) && (!rule.ports || rule.ports.some((p) => p.protocol === 'TCP' && p.port === port)));
  const out = of(from, 'Egress'), inwards = of(to, 'Ingress');
  return (!out.length || out.some(({ spec }) => allows(spec.egress, 'to', to))) &&
    (!inwards.length || inwards.some(({ spec }) => allows(spec.ingress, 'from', from)));
}
