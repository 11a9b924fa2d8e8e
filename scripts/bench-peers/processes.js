// Processor time and memory of process trees, read from /proc.
import { readFileSync, readdirSync } from 'node:fs';

const TICKS = 100; // a second; USER_HZ of Linux

// Fields of /proc/PID/stat; undefined if the process has ended.
function stat(pid) {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const name = line.slice(line.indexOf('(') + 1, line.lastIndexOf(')')), f = line.slice(line.lastIndexOf(')') + 2).split(' ');
    const [own, waited] = [Number(f[11]) + Number(f[12]), Number(f[13]) + Number(f[14])];
    return { pid, name, parent: Number(f[1]), cpu: (own + waited) / TICKS, waited: waited / TICKS };
  } catch {
    return undefined;
  }
}

// The processes of `roots` and all their descendants.
export function tree(roots) {
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map((pid) => stat(Number(pid))).filter(Boolean);
  const children = childrenOf(all);
  const found = [], next = all.filter((p) => roots.includes(p.pid));
  for (let p; (p = next.pop()); ) {
    found.push(p);
    next.push(...(children.get(p.pid) ?? []));
  }
  return found;
}

function childrenOf(all) {
  const map = new Map();
  for (const p of all) map.set(p.parent, [...(map.get(p.parent) ?? []), p]);
  return map;
}

// CPU seconds of a tree so far, by name of the program. The time of a child that has ended is its parent's.
export function cpu(roots) {
  const seconds = {};
  for (const p of tree(roots)) seconds[p.name] = (seconds[p.name] ?? 0) + p.cpu;
  return seconds;
}

// CPU seconds of the children of this process that have ended.
export const endedChildren = () => stat(process.pid).waited;

const resident = (pid, field) => {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has just ended
  }
};

// Resident MiB of the processes of a tree that have one of `names` (all without), now or at their peak.
export function memory(roots, names, field = 'VmRSS') {
  return tree(roots).filter((p) => !names || names.includes(p.name)).reduce((sum, p) => sum + resident(p.pid, field), 0);
}

// The highest sum of `memory` while `work` runs: {result, peak}.
export async function peakWhile(roots, names, work) {
  let peak = 0;
  const sample = () => { peak = Math.max(peak, memory(roots, names)); };
  const timer = setInterval(sample, 100);
  try {
    const result = await work();
    sample();
    return { result, peak };
  } finally {
    clearInterval(timer);
  }
}

// Less than a tick is not measured: no ratio becomes infinite.
export const atLeastHalfATick = (seconds) => Math.max(seconds, 0.5 / TICKS);

// Run `work` and return its figures with the CPU seconds of the tree (`cpu`, and `parts` by program) and the
// wall seconds that it took.
export async function measure(roots, work) {
  const before = cpu(roots), begun = process.hrtime.bigint();
  const figures = await work();
  const wall = Number(process.hrtime.bigint() - begun) / 1e9, after = cpu(roots);
  const parts = Object.fromEntries(Object.entries(after).map(([name, s]) => [name, s - (before[name] ?? 0)]));
  return { wall, cpu: atLeastHalfATick(Object.values(parts).reduce((a, b) => a + b, 0)), parts, ...figures };
}
