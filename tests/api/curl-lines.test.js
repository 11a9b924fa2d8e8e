// The lines of curl in docs/curl.md and README.md, pasted into a bash as they stand there
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { allFiles, sha256 } from '../support/files.js';
import { fenced } from '../support/manual.js';
import { repository, useStack } from '../support/stack.js';
import { openTerminal } from '../support/terminal.js';
import { totp } from '../support/totp.js';

const stack = await useStack();

// [heading, [fenced shell]] of each section of a Markdown text
function pastes(text) {
  return text.split(/^## /m).slice(1).map((part) => [part.slice(0, part.indexOf('\n')), fenced(part)]);
}
const read = (...steps) => readFileSync(join(repository, ...steps), 'utf8');

// The JSON texts that curl printed one behind the other
const answers = (stdout) => stdout.trim().split(/\n|(?<=\})(?=\{)/).filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
const statuses = (requests) => requests.map(({ status }) => status);

describe('docs/curl.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-lines-'));
  const parts = pastes(read('docs', 'curl.md')).filter(([, blocks]) => blocks.length);
  const bytes = (name) => readFileSync(join(folder, name));
  let ann, terminal, secret, recoveryCodes, other;

  before(async () => {
    ann = await stack.person();
    terminal = openTerminal({ cwd: folder, set: { URL: stack.url, EMAIL: ann.email, PASSWORD: ann.password } });
  });
  after(() => {
    terminal.close();
    rmSync(folder, { recursive: true });
  });

  const setCode = (code) => terminal.paste(`CODE=${code}`);
  const names = async () => (await allFiles(stack, ann)).map(({ name }) => name);
  const sessions = async () => (await stack.call('GET', '/sessions', { token: ann.token })).json.sessions;
  const isLoggedIn = async () => {
    const token = (await terminal.value('AUTH')).replace('Authorization: Bearer ', '');
    return (await stack.call('GET', '/me', { token })).status === 200;
  };

  // heading: one check for each of its pastes, called with the result. `ready` has what must be done before a paste.
  const ready = {
    'Add a second factor 2': () => setCode(totp(secret)),
    'Log in with a second factor 1': () => setCode(recoveryCodes[0]),
    'Remove the second factor 1': () => setCode(recoveryCodes[1]),
    'List sessions and end one 2': () => terminal.paste(`SESSION=${other.id}`),
  };
  const checks = {
    Prepare: [({ requests }) => {
      assert.deepEqual(requests, []);
      assert.equal(statSync(join(folder, 'large.bin')).size, 3000000);
    }],
    'Log in': [({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [200, 200]);
      assert.equal(answers(stdout)[0].email, ann.email);
    }],
    'Stay logged in': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [200, 200]);
      assert.ok(await isLoggedIn());
    }],
    'Add a second factor': [
      ({ requests, stdout }) => {
        assert.deepEqual(statuses(requests), [200]);
        ({ secret } = answers(stdout)[0]);
      },
      ({ requests, stdout }) => {
        assert.deepEqual(statuses(requests), [200]);
        recoveryCodes = answers(stdout)[0].recovery_codes;
      },
    ],
    'Log in with a second factor': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [200]);
      assert.ok(await isLoggedIn());
    }],
    'Remove the second factor': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [204]);
      assert.equal((await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).status, 200);
    }],
    'Create, use and revoke an API token': [async ({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [201, 201, 200, 204]);
      assert.equal(answers(stdout).find((answer) => answer.tokens).tokens[0].name, 'backup');
      assert.equal((await stack.call('GET', '/files', { token: await terminal.value('API') })).status, 401);
    }],
    Upload: [async ({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [201, 201, 201, 201]);
      assert.deepEqual(answers(stdout).map(({ files }) => files.map(({ name }) => name)), [['note.txt', 'large.bin'], ['now.txt'], ['note.txt'], ['backup.bin']]);
      const digest = sha256(bytes('large.bin'));
      assert.equal((await allFiles(stack, ann)).filter((file) => file.sha256 === digest).length, 2);
    }],
    'Verify an upload': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [201, 201]);
      assert.equal((await names()).filter((name) => name === 'checked.bin').length, 2);
    }],
    'Upload for a day': [({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [201]);
      const [file] = answers(stdout)[0].files;
      assert.equal(Date.parse(file.expires_at) - Date.parse(file.created_at), 86400000);
    }],
    'Resume an upload': [
      async ({ requests }) => {
        assert.deepEqual(statuses(requests), [201]);
        assert.ok((await terminal.value('AT')).startsWith(`${stack.url}/tus/`));
      },
      ({ requests }) => assert.deepEqual(statuses(requests), [204]),
      async ({ requests, stdout }) => {
        assert.deepEqual(statuses(requests), [200, 204, 200]);
        assert.equal(await terminal.value('OFFSET'), '1000000');
        const file = answers(stdout)[0];
        assert.equal(file.name, 'large.bin');
        assert.equal(file.sha256, sha256(bytes('large.bin')));
      },
    ],
    List: [async ({ requests, stdout }) => {
      const all = await names();
      assert.equal(requests.length, Math.ceil(all.length / 2));
      assert.deepEqual(answers(stdout).flatMap(({ files }) => files.map(({ name }) => name)), all);
    }],
    Search: [async ({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [200, 200]);
      assert.deepEqual(answers(stdout)[0].files.map(({ name, id }) => [name, id]), [['backup.bin', await terminal.value('ID')]]);
    }],
    Download: [({ requests }) => {
      assert.deepEqual(statuses(requests), [200]);
      assert.ok(bytes('backup.bin').equals(bytes('large.bin')));
    }],
    'Resume a download and verify it': [({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [206, 206, 200]);
      assert.equal(stdout.trim(), 'copy.bin: OK');
      assert.ok(bytes('copy.bin').equals(bytes('large.bin')));
    }],
    'Rename, or change when a file expires': [({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [200, 200, 200]);
      assert.deepEqual(answers(stdout).map(({ name, expires_at: end }) => [name, typeof end]), [['renamed.bin', 'object'], ['renamed.bin', 'string'], ['renamed.bin', 'object']]);
    }],
    'Share a file': [({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [201, 200, 200, 204]);
      assert.match(stdout, new RegExp(`^${stack.url}/s/[\\w-]{32}$`, 'm'));
      assert.ok(bytes('shared.bin').equals(bytes('large.bin')));
      assert.deepEqual(answers(stdout)[0].links.map(({ downloads }) => downloads), [1]);
    }],
    'Receive files from others': [async ({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [201, 201, 200, 204]);
      const [receipt, { links: [link] }] = answers(stdout);
      assert.equal(receipt.files[0].name, 'note.txt');
      assert.equal(link.files, 1);
      assert.equal((await allFiles(stack, ann))[0].upload_link, link.id);
    }],
    'Show usage and quota': [async ({ requests, stdout }) => {
      assert.deepEqual(statuses(requests), [200]);
      assert.equal(answers(stdout)[0].files, (await names()).length);
    }],
    Delete: [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [204]);
      assert.ok(!(await names()).includes('renamed.bin'));
    }],
    'List sessions and end one': [
      async ({ requests, stdout }) => {
        assert.deepEqual(statuses(requests), [200]);
        const ours = (await sessions()).find(({ current }) => current).id;
        other = answers(stdout)[0].sessions.find(({ id, current }) => !current && id !== ours);
      },
      async ({ requests }) => {
        assert.deepEqual(statuses(requests), [204]);
        assert.ok((await sessions()).every(({ id }) => id !== other.id));
      },
    ],
    'Change the password': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [204]);
      assert.ok(await isLoggedIn());
      const login = await stack.call('POST', '/login', { basic: [ann.email, await terminal.value('PASSWORD')] });
      assert.equal(login.status, 200);
      assert.equal((await stack.call('POST', '/login', { basic: [ann.email, ann.password] })).status, 401);
      ann.token = login.json.access_token;
    }],
    'Log out': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [204]);
      assert.ok(!(await isLoggedIn()));
    }],
    'Log out everywhere': [async ({ requests }) => {
      assert.deepEqual(statuses(requests), [200, 204]);
      assert.equal((await stack.call('GET', '/me', { token: ann.token })).status, 401);
    }],
  };

  for (const [heading, blocks] of parts)
    for (const [i, block] of blocks.entries())
      test(`${heading}${blocks.length > 1 ? `, paste ${i + 1}` : ''}`, async () => {
        assert.ok(checks[heading]?.[i], 'no check is written for this paste');
        await ready[`${heading} ${i + 1}`]?.();
        const came = await terminal.paste(block);
        assert.equal(came.stderr, '');
        for (const { code } of came.requests) assert.equal(code, 0);
        await checks[heading][i](came);
      });

  test('nothing is checked that is not there', () => {
    for (const [heading, functions] of Object.entries(checks))
      assert.equal(parts.find(([name]) => name === heading)?.[1].length, functions.length, heading);
  });
});

describe('README.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-readme-'));
  const blocks = fenced(read('README.md'));
  let ann, terminal;

  before(async () => {
    ann = await stack.person();
    terminal = openTerminal({ cwd: folder, set: { URL: stack.url, EMAIL: ann.email, PASSWORD: ann.password } });
  });
  after(() => {
    terminal.close();
    rmSync(folder, { recursive: true });
  });

  test('its block logs in, uploads, lists, downloads, shares, changes, deletes, makes an API token and logs out', async () => {
    const { requests, stdout, stderr } = await terminal.paste(blocks[0]);
    assert.equal(stderr, '');
    assert.deepEqual(statuses(requests), [200, 201, 201, 200, 200, 200, 201, 200, 204, 201, 201, 204]);
    for (const { code } of requests) assert.equal(code, 0);
    assert.match(stdout, /^hello$/m, 'the download');
    const [, , , link] = answers(stdout);
    assert.equal(link.max_downloads, 1);
    assert.match(stdout, /"name":"new\.txt"/);
    assert.deepEqual((await allFiles(stack, ann)).map(({ name }) => name), ['hello.txt', 'hello.txt']);
  });

  test('its API token may write and not read, and its login has ended', async () => {
    const { json } = await stack.call('GET', '/files?limit=1', { token: await terminal.value('API') });
    assert.equal(json.type, 'urn:gatehouse:insufficient-scope');
    const token = (await terminal.value('AUTH')).replace('Authorization: Bearer ', '');
    assert.equal((await stack.call('GET', '/me', { token })).status, 401);
  });

  test('it has one block', () => assert.equal(blocks.length, 1));
});
