// Run the tests of some folders against one shared instance:
//
//   node support/suite.js [--own-stacks] FOLDER…
//
// With --own-stacks no instance is started: each test file starts its own. The exit status is that of
// node --test, or 1 if a log has a report of a sanitizer. The reporter is spec, or TEST_REPORTER.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ordinaryUser } from './apache.js';
import { repository, startSharedStack } from './stack.js';
import { front } from './transport.js';

// With Apache, everything runs as an ordinary user.
if (front?.startsWith('apache') && process.getuid() === 0) {
  const { uid, gid } = ordinaryUser;
  const { status } = spawnSync('setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, HOME: tmpdir() } });
  process.exit(status ?? 1);
}

const tests = join(repository, 'tests');
const args = process.argv.slice(2);
const ownStacks = args[0] === '--own-stacks';
const files = (ownStacks ? args.slice(1) : args).flatMap((name) =>
  name.endsWith('.js') ? [resolve(name)] : readdirSync(join(tests, name)).filter((f) => f.endsWith('.test.js')).map((f) => join(tests, name, f)));

const FILE_MS = 20 * 60 * 1000;

// --test-force-exit: a file ends with its tests, even if a browser or client keeps a connection open.
// --test-timeout: a file that hangs fails, and is named.
function nodeTest(env) {
  const child = spawn(process.execPath,
    ['--test', '--test-force-exit', '--test-concurrency=2', `--test-timeout=${FILE_MS}`, `--test-reporter=${process.env.TEST_REPORTER || 'spec'}`, ...files],
    { stdio: 'inherit', cwd: tests, env: { ...process.env, ...env } });
  process.on('exit', () => child.kill());
  return new Promise((done) => child.on('exit', (code) => done(code ?? 1)));
}

if (ownStacks) process.exit(await nodeTest({}));

const stack = await startSharedStack();
let code = 1;
try {
  code = await nodeTest({ GATEHOUSE_STATE: stack.state });
} finally {
  try {
    await stack.stop();
  } catch (error) {
    console.log(`not ok - ${error.message}`);
    code = 1;
  }
}
process.exit(code);
