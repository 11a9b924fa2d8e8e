// auth-admin and gateway-admin when their output cannot be written: every command exits with 74
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build, repository, run, useStack } from '../support/stack.js';
import { totp } from '../support/totp.js';

const stack = await useStack();
const PASSWORD = 'a good password\n';
const EX_IOERR = 74;
const LISTED = 'http://127.0.0.1:1/listed';

let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-output-'));
  assert.equal((await run('mkfifo', [join(folder, 'fifo')])).code, 0);
  // so that events list has something to print
  await stack.sql('gateway', `INSERT INTO event (receiver, kind, at, due_at, file_id, owner, name, type, claimed_type, size, sha256, created_at)
    VALUES ('${LISTED}', 'uploaded', UNIX_TIMESTAMP(), 1, '0190b3a2-0000-7000-8000-000000000001', 1, 'a', 'text/plain', '', 0, UNHEX(REPEAT('00', 32)), 1)`);
});
after(async () => {
  rmSync(folder, { recursive: true });
  await stack.sql('gateway', `DELETE FROM event WHERE receiver = '${LISTED}'`);
});

const newUser = async () => (await stack.person()).email;
const enrolled = async () => {
  const email = await newUser();
  const { stdout } = await stack.authAdmin(['user', 'totp', 'enrol', email]);
  return { email, secret: /[?&]secret=([A-Z2-7]+)/.exec(stdout)[1] };
};
let files = 0;
const keyringCopy = () => {
  const path = join(folder, `keyring-${++files}`);
  copyFileSync(stack.settings('auth').JWT_KEYRING, path);
  return path;
};
const deliveries = { EVENT_URLS: 'http://127.0.0.1:1/output', EVENT_SECRET: 'k3V9xQ0mZt7Lw2Rb8Yc5Hn1Pd6Sf4GjT' };

// Each command, as a function that prepares what it works on and returns [arguments, {input, env}].
const commands = {
  'auth-admin': {
    'user add': () => [[`o${Date.now()}${++files}@example.org`, '--password-stdin'], { input: PASSWORD }],
    'user set': async () => [[await newUser(), '--admin']],
    'user passwd': async () => [[await newUser(), '--password-stdin'], { input: PASSWORD }],
    'user disable': async () => [[await newUser()]],
    'user enable': async () => [[await newUser()]],
    'user delete': async () => [[await newUser(), '--yes']],
    'user totp enrol': async () => [[await newUser()]],
    'user totp confirm': async () => {
      const { email, secret } = await enrolled();
      return [[email, '--code', totp(secret)]];
    },
    'user totp reset': async () => [[(await enrolled()).email]],
    'user list': () => [[]],
    'user show': async () => [[await newUser()]],
    'user import-plaintext': () => [['--dry-run']],
    'session list': async () => [[await newUser()]],
    'session end': async () => [[await newUser()]],
    audit: () => [['--last', '1000']],
    gc: () => [[]],
    changed: () => [[]],
    'key new': () => [[], { env: { JWT_KEYRING: join(folder, `new-${++files}`) } }],
    'key rotate': () => [[], { env: { JWT_KEYRING: keyringCopy() } }],
    'key list': () => [[]],
  },
  'gateway-admin': {
    gc: () => [[]],
    changed: () => [[]],
    verify: () => [['--rate', '0']],
    index: () => [[]],
    stat: () => [[]],
    'quota show': () => [['1']],
    'quota set': async () => [[String((await stack.person()).id), '--files', '5']],
    'quota recount': () => [[]],
    deliver: () => [[], { env: deliveries }],
    'events list': () => [[]],
    'events retry': () => [['--id', '999999999']],
    'events forget': () => [['--id', '999999999']],
  },
};
const withJson = {
  'auth-admin': ['user add', 'user set', 'user list', 'user show', 'session list', 'audit', 'key list'],
  'gateway-admin': Object.keys(commands['gateway-admin']).filter((command) => command !== 'changed'),
};

const envOf = (program) => ({ GATEHOUSE_CONF: stack.path('conf', program === 'auth-admin' ? 'auth.env' : 'gateway.env') });

// Runs it by a shell that redirects as `how` says.
function redirected(how, program, args, { input, env } = {}) {
  return run('sh', ['-c', `exec "$0" "$@" ${how}`, join(build, program), ...args], { input, env: { ...envOf(program), ...env } });
}

// Runs it with a pipe for standard output whose only reader is closed.
async function intoClosedPipe(program, args, { input, env, before = '' } = {}) {
  const script = before + 'exec 3<>"$FIFO" 4>"$FIFO" 3>&-; exec "$0" "$@" >&4 4>&-';
  const { code, stderr } = await run('sh', ['-c', script, join(build, program), ...args], { input, env: { FIFO: join(folder, 'fifo'), ...envOf(program), ...env } });
  return { code, stderr };
}

for (const [program, all] of Object.entries(commands))
  describe(`${program}, whose output cannot be written,`, () => {
    for (const [command, prepare] of Object.entries(all)) {
      const words = command.split(' ');
      for (const extra of withJson[program].includes(command) ? [[], ['--json']] : [[]]) {
        const name = [command, ...extra].join(' ');
        test(`${name} exits with 74 and says why`, async () => {
          const [args, options] = await prepare();
          const { code, stderr } = await redirected('>/dev/full', program, [...words, ...args, ...extra], options);
          assert.equal(code, EX_IOERR, stderr);
          assert.match(stderr, new RegExp(`^${program}.*: cannot write the output: No space left on device\n$`));
        });

        test(`${name} ends by SIGPIPE and says nothing of a closed pipe`, async () => {
          const [args, options] = await prepare();
          assert.deepEqual(await intoClosedPipe(program, [...words, ...args, ...extra], options), { code: 'SIGPIPE', stderr: '' });
        });
      }
    }

    for (const args of [['--help'], ['--version'], ...Object.keys(all).map((command) => [...command.split(' '), '--help'])])
      test(`${args.join(' ')} exits with 74, or ends by SIGPIPE`, async () => {
        assert.equal((await redirected('>/dev/full', program, args)).code, EX_IOERR);
        assert.deepEqual(await intoClosedPipe(program, args), { code: 'SIGPIPE', stderr: '' });
        assert.deepEqual(await intoClosedPipe(program, args, { before: "trap '' PIPE; " }), { code: EX_IOERR, stderr: '' });
      });

    test('exits with 74 also where standard error is full, or both are closed', async () => {
      const [command] = Object.entries(all).at(-1);
      for (const args of [['--help'], [...command.split(' '), '--help'], program === 'auth-admin' ? ['user', 'list'] : ['stat']])
        for (const how of ['>/dev/full 2>/dev/full', '>/dev/full 2>&-', '>&-', '>&- 2>&-', '<&- >&- 2>&-'])
          assert.equal((await redirected(how, program, args)).code, EX_IOERR, `${args.join(' ')} ${how}`);
    });
  });

test('scripts/admin audit | head prints what head takes, and nothing else', async () => {
  for (let times = 0; times < 30; times++) assert.equal((await stack.call('POST', '/login', { basic: ['nobody@example.org', 'x'] })).status, 401);
  for (const extra of ['', ' --json']) {
    const line = `"$0" --state "$STATE" --build "$BUILD" audit --last 1000${extra} | head -n 2; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await run('bash', ['-c', line, join(repository, 'scripts/admin')], { env: { STATE: stack.state, BUILD: build } });
    const lines = stdout.trim().split('\n');
    assert.deepEqual([lines.length, stderr], [3, '']);
    // 0 where the pipe took everything before head ended; else 128 + SIGPIPE, as for every program
    assert.ok(['0', '141'].includes(lines[2]), lines[2]);
  }
});

describe('a closed standard error', () => {
  test('changes no exit status', async () => {
    for (const [program, args, code] of [['auth-admin', ['user', 'list'], 0], ['auth-admin', ['user', 'show', 'nobody@example.org'], 1], ['auth-admin', ['nonsense'], 64],
      ['gateway-admin', ['stat'], 0], ['gateway-admin', ['quota', 'show', 'x'], 64], ['gateway-admin', ['nonsense'], 64]])
      for (const how of ['2>&-', '2>/dev/full']) assert.equal((await redirected(how, program, args)).code, code, `${program} ${args.join(' ')} ${how}`);
  });
});

describe('the help', () => {
  const statuses = ['0', '1', '64', '69', '71', '74', '75', '78'];
  const help = async (program, ...args) => {
    const { code, stdout, stderr } = await run(join(build, program), [...args, '--help']);
    assert.deepEqual([code, stderr], [0, ''], args.join(' '));
    return stdout;
  };

  test('of both tools has the same list of exit statuses', async () => {
    const [auth, gateway] = await Promise.all(Object.keys(commands).map((program) => help(program)));
    const list = (text) => text.slice(text.indexOf('Exit status:'));
    assert.equal(list(auth), list(gateway));
    assert.deepEqual([...list(auth).matchAll(/^ {2}(\d+) /gm)].map(([, n]) => n), statuses);
  });

  test('names every command, which has a help of its own', async () => {
    for (const [program, all] of Object.entries(commands)) {
      const text = await help(program);
      for (const command of Object.keys(all)) {
        assert.match(text, new RegExp(`^ +${program} ${command} `, 'm'));
        assert.match(await help(program, ...command.split(' ')), new RegExp(`^usage: ${program} ${command}`));
      }
      assert.equal([...text.matchAll(new RegExp(`^ +${program} `, 'gm'))].length, Object.keys(all).length);
    }
  });

  test('of a group of commands lists these', async () => {
    for (const [program, all] of Object.entries(commands))
      for (const group of new Set(Object.keys(all).flatMap((c) => c.split(' ').slice(0, -1).map((_, i, words) => words.slice(0, i + 1).join(' '))))) {
        const members = Object.keys(all).filter((c) => c.startsWith(`${group} `));
        assert.equal([...(await help(program, ...group.split(' '))).matchAll(new RegExp(`^ +${program} `, 'gm'))].length, members.length, group);
      }
  });

  test('fits into 80 columns', async () => {
    for (const [program, all] of Object.entries(commands))
      for (const command of ['', 'user', 'events', ...Object.keys(all)]) {
        if (command === 'user' && program !== 'auth-admin' || command === 'events' && program !== 'gateway-admin') continue;
        for (const line of (await help(program, ...command.split(' ').filter(Boolean))).split('\n')) assert.ok(line.length <= 80, `${command}: ${line}`);
      }
  });
});
