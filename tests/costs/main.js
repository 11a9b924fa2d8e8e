// scripts/bench --quick [--record]: measure what requests cost, and compare it with costs.json. See --help there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const place = mkdtempSync(join(tmpdir(), 'gatehouse-costs-'));
// stack.js takes the programs from here; they are written before it starts one.
process.env.GATEHOUSE_BUILD = join(place, 'programs');
process.on('exit', () => rmSync(place, { recursive: true, force: true }));

const { Counted, countedPrograms } = await import('./instance.js');
const { requestKinds } = await import('./requests.js');
const { countInstructions } = await import('./instructions.js');
const { differences, readTable, system, writeTable } = await import('./table.js');

const REQUESTS = 10;

async function measure(transport) {
  const counted = await Counted.start(place, transport), costs = {}, names = {};
  try {
    const kinds = await requestKinds(counted.stack);
    if (transport === 'fastcgi')
      await counted.settle(async () => {
        for (const { send } of kinds.filter(({ name }) => ['download', 'validate'].includes(name))) await send();
      });
    for (const { name, prepare, send } of kinds) {
      const things = [];
      for (let i = 0; i < 2 * REQUESTS + 2; i++) things.push(await prepare());
      for (const thing of things.splice(0, 2)) await send(thing);
      const pass = (part) => async () => {
        for (const thing of part) await send(thing);
      };
      const { byName, ...cost } = await counted.cost(REQUESTS, [pass(things.slice(0, REQUESTS)), pass(things.slice(REQUESTS))]);
      costs[name] = cost;
      names[name] = byName;
    }
  } finally {
    await counted.stop();
  }
  return { costs, names };
}

const record = process.argv.includes('--record');
const table = readTable();
await countedPrograms(place);
const measured = { system: system() }, names = {};
for (const transport of ['fastcgi', 'cgi']) ({ costs: measured[transport], names: names[transport] } = await measure(transport));
measured.instructions = await countInstructions(place, table?.instructions);
writeFileSync(process.env.GATEHOUSE_COSTS ?? join(place, 'measured.json'), JSON.stringify({ measured, names }));

if (record) {
  writeTable(measured);
  console.log('bench: recorded in tests/costs/costs.json');
} else {
  const { risen, fallen } = differences(table, measured);
  for (const line of fallen) console.log(`less: ${line}`);
  for (const { text, transport, kind } of risen) {
    console.log(`more: ${text}`);
    const calls = names[transport]?.[kind];
    if (calls && text.includes('calls')) console.log(`      ${Object.entries(calls).map(([name, n]) => `${name} ${n}`).join(', ')}`);
  }
  console.log(risen.length
    ? 'bench: some costs have risen. If that is wanted, record them: scripts/bench --quick --record'
    : `bench: no cost has risen${fallen.length ? '; scripts/bench --quick --record records those that have fallen' : ''}`);
  process.exitCode = risen.length ? 1 : 0;
}
