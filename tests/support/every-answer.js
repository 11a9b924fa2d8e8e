// List what docs/openapi.yaml promises and no test has seen: node support/every-answer.js SEEN
//
// SEEN is the file that the tests wrote under GATEHOUSE_SEEN. Prints TAP.
import { readFileSync } from 'node:fs';
import { operations } from './contract.js';

const seen = new Set(readFileSync(process.argv[2], 'utf8').split('\n'));
const promised = operations.flatMap(({ path, method, statuses }) => statuses.map((status) => `${method} ${path} ${status}`));
let failed = 0;
for (const [i, answer] of promised.entries()) {
  if (!seen.has(answer)) failed++;
  console.log(`${seen.has(answer) ? 'ok' : 'not ok'} ${i + 1} - ${answer}`);
}
console.log(`# pass ${promised.length - failed}\n# fail ${failed}`);
process.exit(failed ? 1 : 0);
