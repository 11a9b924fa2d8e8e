// costs.json: what requests cost when it was last recorded, one line a kind of request.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('costs.json', import.meta.url));

export const system = () => /^PRETTY_NAME="(.*?)(?: \(.*)?"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? '';
export const readTable = () => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined);

export function writeTable(table) {
  const lines = (part) => Object.entries(part).map(([name, costs]) => `    ${JSON.stringify(name)}: ${JSON.stringify(costs).replaceAll(/([:,])"?/g, (all, mark) => all.replace(mark, `${mark} `))}`).join(',\n');
  const parts = Object.entries(table).map(([name, part]) => (typeof part === 'string' ? `  "${name}": ${JSON.stringify(part)}` : `  "${name}": {\n${lines(part)}\n  }`));
  writeFileSync(path, `{\n${parts.join(',\n')}\n}\n`);
}

// What a count may rise by without being reported: some depend a little on what was in memory, or on libraries.
const ALLOWED = {
  calls: (n) => Math.max(1, 0.03 * n), allocations: (n) => Math.max(2, 0.03 * n), instructions: (n) => 0.03 * n,
  'round trips': () => 0.8, statements: () => 0.8, commits: () => 0.8, flushes: () => 0.8,
};

// {risen: [{text, transport, kind}], fallen: [text]}. A kind that is new or gone has risen: the table has to be recorded.
export function differences(table, measured) {
  const risen = [], fallen = [];
  for (const transport of ['fastcgi', 'cgi', 'instructions']) {
    const [was, is] = [table?.[transport] ?? {}, measured[transport]];
    for (const kind of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const report = (what) => risen.push({ text: `${transport}, ${kind}: ${what}`, transport, kind });
      if (!was[kind] || !is[kind]) {
        report(is[kind] ? 'is not in the table' : 'was not measured');
        continue;
      }
      for (const [name, allowed] of Object.entries(ALLOWED).filter(([n]) => n in is[kind])) {
        const [from, to] = [was[kind][name] ?? 0, is[kind][name]];
        if (to > from + allowed(from)) report(`${name} ${from} → ${to}`);
        else if (to < from - allowed(from)) fallen.push(`${transport}, ${kind}: ${name} ${from} → ${to}`);
      }
    }
  }
  return { risen, fallen };
}
