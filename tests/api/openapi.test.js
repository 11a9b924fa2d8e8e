// docs/openapi.yaml as a document
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { document, documentPath, operations, schemaErrors } from '../support/contract.js';

test('it is valid OpenAPI 3.1', async () => {
  assert.match(document.openapi, /^3\.1\./);
  const { valid, errors } = await new Validator().validate(documentPath);
  assert.ok(valid, JSON.stringify(errors, null, 1));
});

test('every operation has an id of its own, a summary and a security', () => {
  const ids = operations.map(({ path, method }) => document.paths[path][method].operationId);
  assert.equal(new Set(ids).size, operations.length);
  for (const { path, method } of operations) {
    const operation = document.paths[path][method];
    assert.ok(operation.operationId && operation.summary && operation.security, `${method} ${path}`);
  }
});

describe('every example is one', () => {
  const visit = (node, steps) => {
    if (node === null || typeof node !== 'object') return;
    if ('example' in node && 'schema' in node)
      test(steps.join(' '), () => assert.deepEqual(schemaErrors([...steps, 'schema'], node.example), []));
    for (const [key, value] of Object.entries(node)) if (key !== 'example') visit(value, [...steps, key]);
  };
  visit(document, []);
});

test('every reference leads somewhere and every component is used', () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path));
  for (const path of references) assert.ok(path.split('/').reduce((node, step) => node?.[step], document), path);
  for (const [kind, members] of Object.entries(document.components))
    for (const name of Object.keys(members))
      if (kind !== 'securitySchemes') assert.ok(references.has(`components/${kind}/${name}`), `${kind}/${name}`);
});
