// A terminal to paste commands into: one bash that keeps running, so that a variable of one paste
// is set in the next.
//
//   const terminal = openTerminal({ cwd, set: { URL: stack.url } });
//   const { stdout, stderr, requests } = await terminal.paste('curl -sS "$URL/healthz"');
//
// `requests` has {code, status} of each curl, in the order in which they ended: curl's exit status
// and the last HTTP status (undefined if there was none). close() ends it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The system's curl without a .curlrc or a proxy of the machine. --trace-ascii records the head of an
// answer and does not interfere with -D, -w or -i of the command.
const CURL = `
curl() {
	local note code
	note=$(mktemp "$TERMINAL_NOTES/XXXXXXXX")
	command curl -q --noproxy '*' --trace-ascii "$note" "$@"
	code=$?
	printf 'code %d\\n' "$code" >>"$note"
	mv "$note" "$TERMINAL_NOTES/$(date +%s%N).$BASHPID"
	return "$code"
}
`;

const quoted = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;

export function openTerminal({ cwd, set = {} }) {
  const notes = mkdtempSync(join(tmpdir(), 'gatehouse-terminal-'));
  const bash = spawn('bash', ['--norc', '--noprofile'], { cwd, env: { ...process.env, TERMINAL_NOTES: notes } });
  const output = { stdout: '', stderr: '' };
  let waiting;
  for (const stream of ['stdout', 'stderr'])
    bash[stream].setEncoding('utf8').on('data', (text) => {
      output[stream] += text;
      waiting?.();
    });
  bash.stdin.write(CURL);

  const requests = () => readdirSync(notes).sort().map((name) => {
    const note = readFileSync(join(notes, name), 'utf8');
    rmSync(join(notes, name));
    return { code: Number(note.match(/^code (\d+)\n$/m)[1]), status: Number([...note.matchAll(/^0000: HTTP\/\S+ (\d+)/gm)].at(-1)?.[1]) || undefined };
  });

  let pastes = 0;
  async function paste(text) {
    const end = `--- end of paste ${++pastes} ---\n`;
    bash.stdin.write(`${text}\nprintf '\\n%s' ${quoted(end)}; printf '\\n%s' ${quoted(end)} >&2\n`);
    while (!(output.stdout.endsWith(end) && output.stderr.endsWith(end))) {
      if (bash.exitCode !== null) throw new Error(`bash ended: ${output.stderr}`);
      await new Promise((done) => (waiting = done));
    }
    const [stdout, stderr] = [output.stdout, output.stderr].map((whole) => whole.slice(0, -end.length - 1));
    output.stdout = output.stderr = '';
    return { stdout, stderr, requests: requests() };
  }

  for (const [name, value] of Object.entries(set)) bash.stdin.write(`${name}=${quoted(value)}\n`);
  bash.on('exit', () => waiting?.());
  return {
    paste,
    value: async (name) => (await paste(`printf '%s' "$${name}"`)).stdout,
    close: () => {
      bash.stdin.end();
      rmSync(notes, { recursive: true, force: true });
    },
  };
}
