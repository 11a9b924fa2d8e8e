// The peak memory of an instance's processes, sampled while something runs: a CGI process has exited
// before the end.
import { readFileSync } from 'node:fs';

// Run `work`; returns {name: peak resident bytes} of the largest process of each name.
export async function peakMemory(stack, names, work) {
  const peak = Object.fromEntries(names.map((name) => [name, 0]));
  const sample = () => {
    for (const name of names)
      for (const pid of stack.processes(name)) peak[name] = Math.max(peak[name], highWater(pid));
  };
  const timer = setInterval(sample, 100);
  try {
    await work();
    sample();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function highWater(pid) {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // the process has just exited
  }
}
