// A terminal into which someone pastes: one bash that goes on living, so that variables of one paste
// are there for the next.
//
//   const terminal = openTerminal({ cwd, set: { URL: stack.url } });
//   const { stdout, stderr, requests } = await terminal.paste('curl -sS "$URL/healthz"');
//
// `requests` has {code, status} of each curl, in the order in which they ended: what curl itself
// returned, and the last status of HTTP (undefined if there was none). close() ends it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The curl of the system without a .curlrc or a proxy of the machine. --trace-ascii notes the head of
// an answer, and takes nothing from a line that has -D, -w or -i itself.
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
  const said = { stdout: '', stderr: '' };
  let waiting;
  for (const stream of ['stdout', 'stderr'])
    bash[stream].setEncoding('utf8').on('data', (text) => {
      said[stream] += text;
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
    while (!(said.stdout.endsWith(end) && said.stderr.endsWith(end))) {
      if (bash.exitCode !== null) throw new Error(`bash ended: ${said.stderr}`);
      await new Promise((done) => (waiting = done));
    }
    const [stdout, stderr] = [said.stdout, said.stderr].map((whole) => whole.slice(0, -end.length - 1));
    said.stdout = said.stderr = '';
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
