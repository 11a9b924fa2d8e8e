// The options of scripts/bench --peers. Run as a program, it checks them only.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const EX_USAGE = 64;
const root = fileURLToPath(new URL('../..', import.meta.url));
export const rowNames = ['download', 'download-asked', 'validate', 'validate-asked', 'upload', 'cgi', 'login', 'large', 'tus', 'large-download',
  'memory', 'slow-tus', 'slow-plain', 'one-byte-sends', 'end-together', 'many-files', 'search'];
const files = ['json', 'svg', 'write'], numbers = ['rounds', 'seconds', 'size'];

function wrong(why) {
  process.stderr.write(`bench: ${why}; see --help\n`);
  process.exit(EX_USAGE);
}

export function parse(args) {
  const options = { rounds: 5, seconds: 2, size: 1024, only: [], json: join(root, 'build/bench/peers.json'), svg: join(root, 'build/bench/peers.svg') };
  for (let i = 0; i < args.length; i++) {
    const name = /^--(.+)$/.exec(args[i])?.[1];
    if (name === 'trial') {
      Object.assign(options, { trial: true, rounds: 1, seconds: 1, size: 1 });
      continue;
    }
    if (![...files, ...numbers, 'only'].includes(name)) wrong(`unknown option ${args[i]}`);
    const value = args[++i];
    if (value === undefined) wrong(`--${name} needs a value`);
    if (name === 'only') options.only.push(...value.split(','));
    else if (files.includes(name)) options[name] = resolve(value);
    else if (/^[1-9]\d{0,5}$/.test(value)) options[name] = Number(value);
    else wrong(`--${name} needs a number from 1 on`);
  }
  for (const name of options.only) if (!rowNames.includes(name)) wrong(`there is no row ${name}`);
  return options;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) parse(process.argv.slice(2));
