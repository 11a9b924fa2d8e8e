// The peak memory of an instance's processes, watched while something runs: a CGI process is gone
// before anyone could ask at the end.
import { readFileSync } from 'node:fs';

// Run `work`; {name: peak resident bytes} of the largest process of each name.
export async function peakMemory(stack, names, work) {
  const peak = Object.fromEntries(names.map((name) => [name, 0]));
  const look = () => {
    for (const name of names)
      for (const pid of stack.processes(name)) peak[name] = Math.max(peak[name], highWater(pid));
  };
  const timer = setInterval(look, 100);
  try {
    await work();
    look();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function highWater(pid) {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}
