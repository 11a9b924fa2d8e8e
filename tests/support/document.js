// docs/openapi.yaml as data: its operations, and its references followed.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const documentPath = fileURLToPath(new URL('../../docs/openapi.yaml', import.meta.url));
export const document = parse(readFileSync(documentPath, 'utf8'));

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

const stepsOf = (ref) => ref.slice(2).split('/').map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));

// What `node` says with its $ref followed. What stands beside a $ref is said in addition (OpenAPI
// 3.1), and its `properties` narrow those of the other. `component` is its name, if it is a schema that has one.
export function resolved(node) {
  if (!node?.$ref) return node;
  const steps = stepsOf(node.$ref);
  const target = resolved(steps.reduce((at, step) => at?.[step], document));
  const { $ref, ...beside } = node;
  const properties = { ...target.properties };
  for (const [key, value] of Object.entries(beside.properties ?? {})) properties[key] = { ...resolved(properties[key]), ...value };
  return { ...target, ...beside, ...(target.properties && { properties }), component: target.component ?? (steps[1] === 'schemas' ? steps[2] : undefined) };
}

// A path that names its own server is one of the internal listener.
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => ({
    path,
    inside: Boolean(item.servers),
    method,
    statuses: Object.keys(item[method].responses),
    operation: item[method],
    parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolved),
  })));
