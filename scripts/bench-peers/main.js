// scripts/bench --peers; see its --help.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { output } from './load.js';
import { parse } from './options.js';
import { chart, judge, partsTable, replaceBetween, table } from './report.js';
import { clients } from './rows/clients.js';
import { largeBodies, largeRows } from './rows/large.js';
import { small, smallBodies } from './rows/small.js';
import { Servers } from './servers.js';

const EX_CANTCREAT = 73;
const MIB = 1 << 20;
const rows = [...small, ...largeRows, ...clients];

// What all rows are measured with: sizes, and files in `place`.
async function context(options, place, chosen) {
  const { trial, seconds, size } = options;
  const ctx = {
    place, seconds, bytes: size * MIB, piece: Math.min(8 * MIB, (size * MIB) / 2),
    many: trial ? 40 : 1000, hold: trial ? 1 : 6, sends: trial ? 200 : 12000, settle: trial ? 500 : 5000, logins: trial ? 2 : 20,
    files: trial ? 3000 : 1000000, few: trial ? 300 : 1000,
    small: join(place, 'small'),
  };
  writeFileSync(ctx.small, randomBytes(10240));
  ctx.bodies = smallBodies(place);
  if (chosen.some((row) => largeRows.includes(row))) Object.assign(ctx, await largeBodies(place, ctx.bytes, ctx.piece));
  ctx.servers = new Servers(join(place, 'servers'));
  return ctx;
}

const amount = (bytes) => (bytes >= 1024 * MIB ? `${bytes / 1024 / MIB} GiB` : bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / 1024} KiB`);

// Fill {size}, {many} … into the texts of a row, and into bounds that depend on them.
function filled(row, ctx) {
  const words = { size: amount(ctx.bytes), piece: amount(ctx.piece), many: ctx.many.toLocaleString('en'), sends: ctx.sends.toLocaleString('en'), files: ctx.files.toLocaleString('en'), few: ctx.few.toLocaleString('en') };
  const text = (t) => t.replaceAll(/\{(\w+)\}/g, (_, name) => words[name]);
  return { ...row, title: text(row.title), goals: row.goals.map((g) => ({ ...g, ...(g.least === '{many}' && { least: ctx.many }) })) };
}

// Run the contenders of a row in turn, each once a round.
async function run(row, ctx, count) {
  const contenders = await row.contenders(ctx), rounds = [];
  for (let i = 0; i < (row.once ? 1 : count); i++) {
    const round = {};
    for (const [name, work] of Object.entries(contenders)) round[name] = await work();
    rounds.push(round);
  }
  await row.end?.(ctx);
  return rounds;
}

const version = async (file, args, pattern) => pattern.exec(await output(file, args).catch(() => ''))?.[1] ?? '?';

async function machine() {
  const release = /PRETTY_NAME="([^"]*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  return {
    processors: cpus().length, system: release, node: process.version.slice(1),
    lighttpd: await version('lighttpd', ['-v'], /lighttpd\/([\d.]+)/), mariadb: await version('mariadbd', ['--version'], /Ver ([\d.]+)/),
    php: await version('php', ['--version'], /PHP ([\d.]+)/),
  };
}

function write(path, text) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exitCode = EX_CANTCREAT;
  }
}

// The page's table and the chart beside it.
function writePage(path, report) {
  const svg = path.replace(/(\.md)?$/, '.svg'), { when, machine: m } = report;
  const head = `Measured on ${when.slice(0, 10)}: ${m.processors} processors, ${m.system}, lighttpd ${m.lighttpd}, MariaDB ${m.mariadb}, PHP ${m.php},
Node.js ${m.node}; ${report.rounds} rounds.`;
  const content = [head, `![Each figure beside its goal](${basename(svg)})`, table(report.goals), 'By part:', partsTable(report.rows)].join('\n\n');
  write(path, replaceBetween(readFileSync(path, 'utf8'), 'peers', content));
  write(svg, chart(report.goals));
}

const options = parse(process.argv.slice(2));
process.env.PATH += ':/usr/local/sbin:/usr/sbin:/sbin';
const chosen = rows.filter((row) => options.only.length ? options.only.includes(row.name) : !row.long || options.trial);
const place = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
const ctx = await context(options, place, chosen);
const report = { when: new Date().toISOString(), machine: await machine(), rounds: options.rounds, trial: Boolean(options.trial), goals: [], rows: [], failed: [] };
let ending;
const end = () => (ending ??= ctx.servers.end());
process.on('exit', () => rmSync(place, { recursive: true, force: true, maxRetries: 3 }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => end().finally(() => process.exit(130)));

try {
  for (const row of chosen.map((r) => filled(r, ctx))) {
    if (ending) break; // by a signal
    const begun = Date.now();
    try {
      const rounds = await run(row, ctx, options.rounds);
      report.rows.push({ name: row.name, title: row.title, rounds });
      report.goals.push(...row.goals.map((goal) => judge(row, goal, rounds)));
    } catch (error) {
      if (ending) break;
      report.failed.push({ row: row.name, why: error.message });
      process.stderr.write(`bench: ${row.name}: ${error.message}\n`);
      process.exitCode = 1;
    }
    process.stderr.write(`bench: ${row.name}: ${((Date.now() - begun) / 1000).toFixed(0)} s\n`);
  }
} finally {
  await end();
}
console.log(`${table(report.goals)}\n\n${partsTable(report.rows)}`);
write(options.json, `${JSON.stringify(report, (_, value) => (value === Infinity ? null : value), 2)}\n`);
write(options.svg, chart(report.goals));
if (options.write) writePage(options.write, report);
