// docs/openapi.yaml is valid, complete and described
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { document, documentPath, operations, schemaErrors } from '../support/contract.js';
import { resolved } from '../support/document.js';
import { repository } from '../support/stack.js';

test('docs/openapi.yaml is valid OpenAPI 3.1', async () => {
  assert.match(document.openapi, /^3\.1\./);
  const { valid, errors } = await new Validator().validate(documentPath);
  assert.ok(valid, JSON.stringify(errors, null, 1));
});

describe('operations', () => {
  const ids = operations.map(({ operation }) => operation.operationId);

  test('every operation has a unique id, a summary, a description, one tag and a security', () => {
    assert.equal(new Set(ids).size, operations.length);
    for (const { path, method, operation } of operations)
      for (const member of ['operationId', 'summary', 'description', 'security'])
        assert.ok(operation[member], `${method} ${path} has no ${member}`);
    for (const { operation } of operations) assert.equal(operation.tags?.length, 1, operation.operationId);
  });

  test('every operation lists a success, and 401 if it needs a token', () => {
    for (const { operation, statuses } of operations)
      assert.equal(statuses.some((s) => /^20\d$/.test(s)), !operation.summary.startsWith('Refused'), operation.operationId);
    for (const { operation, statuses } of operations)
      if (operation.security.some((way) => way.bearer)) assert.ok(statuses.includes('401'), operation.operationId);
  });

  test('every operation declares exactly the parameters of its path', () => {
    for (const { path, operation, parameters } of operations) {
      const declared = parameters.filter((p) => p.in === 'path').map((p) => p.name);
      assert.deepEqual(declared.sort(), [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(), operation.operationId);
    }
  });
});

test('every tag is described and used', () => {
  const used = new Set(operations.flatMap(({ operation }) => operation.tags));
  assert.deepEqual([...used].sort(), document.tags.map((tag) => tag.name).sort());
  for (const { name, description } of document.tags) assert.ok(description, name);
});

// [where, node] of everything of a kind, with references resolved
const responses = operations.flatMap(({ operation }) =>
  Object.entries(operation.responses).map(([status, response]) => [`${operation.operationId} ${status}`, resolved(response)]));
const bodies = [
  ...responses,
  ...operations.filter(({ operation }) => operation.requestBody).map(({ operation }) => [operation.operationId, operation.requestBody]),
].flatMap(([where, { content }]) => Object.entries(content ?? {}).map(([type, media]) => [`${where} ${type}`, media]));

test('every parameter is described, with a schema and an example', () => {
  for (const { operation, parameters } of operations)
    for (const { name, description, schema, example } of parameters)
      assert.ok(description && schema && example !== undefined, `${operation.operationId}: ${name}`);
});

test('every header of an answer is described, with a schema', () => {
  for (const [where, { headers }] of responses)
    for (const [name, header] of Object.entries(headers ?? {}))
      assert.ok(resolved(header).description && resolved(header).schema, `${where}: ${name}`);
});

test('every body has a schema and an example, except the bytes of a file', () => {
  for (const [where, { schema, example }] of bodies)
    if (!/(\*\/\*|octet-stream)$/.test(where)) assert.ok(schema && (example !== undefined || / multipart\//.test(where)), where);
});

test('every member of every schema is described', () => {
  const visit = (where, raw) => {
    const schema = resolved(raw);
    for (const [name, member] of Object.entries(schema.properties ?? {})) {
      assert.ok(resolved(member).description, `${where}.${name}`);
      visit(`${where}.${name}`, member);
    }
    if (schema.items) visit(`${where}[]`, schema.items);
    for (const one of schema.oneOf ?? []) visit(where, one);
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.ok(schema.description, name);
    visit(name, schema);
  }
  for (const [where, { schema }] of bodies) if (schema) visit(where, schema);
});

describe('examples', () => {
  const visit = (node, steps) => {
    if (node === null || typeof node !== 'object') return;
    if ('example' in node && 'schema' in node)
      test(`the example at ${steps.join(' ')} matches its schema`, () => assert.deepEqual(schemaErrors([...steps, 'schema'], node.example), []));
    for (const [key, value] of Object.entries(node)) if (key !== 'example') visit(value, [...steps, key]);
  };
  visit(document, []);
});

test('the problem types are exactly those of the programs and lighttpd, each described', () => {
  const read = (...steps) => readFileSync(join(repository, ...steps), 'utf8');
  const known = new Set([...read('common', 'http', 'problem.c').matchAll(/\b[45]\d\d, "([a-z-]+)"/g)].map(([, slug]) => slug));
  assert.ok(known.has('internal-error') && known.size > 20, [...known].join(' '));
  for (const page of readdirSync(join(repository, 'lighttpd', 'errors')))
    known.add(JSON.parse(read('lighttpd', 'errors', page)).type.replace('urn:gatehouse:', ''));
  const types = document.components.schemas.ProblemType.oneOf;
  assert.deepEqual(types.map((type) => type.const.replace('urn:gatehouse:', '')).sort(), [...known].sort());
  for (const type of types) assert.ok(type.description, type.const);
});

test('every problem type that an answer names is declared', () => {
  const types = document.components.schemas.ProblemType.oneOf.map((type) => type.const);
  const named = new Set(JSON.stringify(document).match(/urn:gatehouse:[a-z-]+/g));
  for (const name of named) assert.ok(types.includes(name), name);
});

test('every reference resolves and every component is used', () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path));
  for (const path of references) assert.ok(path.split('/').reduce((node, step) => node?.[step], document), path);
  const schemes = operations.flatMap(({ operation }) => operation.security.flatMap(Object.keys));
  for (const name of schemes) references.add(`components/securitySchemes/${name}`);
  for (const [kind, members] of Object.entries(document.components))
    for (const name of Object.keys(members)) assert.ok(references.has(`components/${kind}/${name}`), `${kind}/${name}`);
});
