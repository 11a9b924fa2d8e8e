// Instructions of the parsers and of the token check, counted by callgrind: each harness of tests/fuzz runs once
// with one file of its corpus.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repository, run } from '../support/stack.js';

const fuzz = join(repository, 'tests/fuzz');
// The functions that count. jwt is the token check; its harness signs a token, too.
const COUNTED = { jwt: 'jwt_verify' };

const harnesses = () => readdirSync(fuzz).map((file) => /^fuzz_(\w+)\.c$/.exec(file)?.[1]).filter(Boolean).sort();

// The largest file of a corpus is the one that has most of a format.
function inputOf(name, recorded) {
  const folder = join(fuzz, 'corpus', name);
  if (recorded && existsSync(join(folder, recorded))) return recorded;
  if (name === 'jwt') return 'ours';
  return readdirSync(folder).sort().reduce((a, b) => (statSync(join(folder, b)).size > statSync(join(folder, a)).size ? b : a));
}

// {name: {input, instructions}}; `table` is what was recorded.
export async function countInstructions(place, table = {}) {
  const names = harnesses(), counted = {};
  const made = await run('make', ['-s', '-j2', '-C', repository, ...names.map((name) => `build/costs/${name}`)]);
  if (made.code !== 0) throw new Error(`make: ${made.stderr}`);
  for (const name of names) {
    const input = inputOf(name, table[name]?.input), out = join(place, 'callgrind');
    const { code, stderr } = await run('valgrind', ['--tool=callgrind', `--callgrind-out-file=${out}`, `--toggle-collect=${COUNTED[name] ?? 'LLVMFuzzerTestOneInput'}`,
      join(repository, 'build/costs', name), join(fuzz, 'corpus', name, input)]);
    if (code !== 0) throw new Error(`valgrind of ${name}: ${stderr}`);
    counted[name] = { input, instructions: Number(/^(?:summary|totals): (\d+)/m.exec(readFileSync(out, 'utf8'))[1]) };
  }
  return counted;
}
