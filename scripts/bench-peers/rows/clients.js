// Rows of many clients at once: lists, slow uploads, uploads that end together, and what they cost in memory and
// in the time of somebody else's requests. Each has an instance of its own, because memory is not given back by
// every program.
import { readFileSync } from 'node:fs';
import { bearer, pause, requestHead, slowClient, startProbe, wrk } from '../load.js';
import { measure, peakWhile } from '../processes.js';

const programs = ['lighttpd', 'cgi-gateway', 'cgi-auth'];
const SMALL = 10240;

// Run `work` with an instance that is stopped afterwards.
async function withInstance(servers, name, work, options) {
  try {
    return await work(await servers.gatehouse(name, options));
  } finally {
    await servers.endGatehouse(name);
  }
}

// A row with one contender, which is measured once a run: an instance that has seen the load is no fresh one.
const alone = (row, work) => ({ ...row, once: true, contenders: async (ctx) => ({ gatehouse: () => withInstance(ctx.servers, row.name, (ours) => work(ours, ctx), row.instance) }) });

// `count` rows of files of the user of `email`, one a second, the newest now. They have no bytes.
export async function addFiles(ours, email, count) {
  await ours.sql(`INSERT INTO file (id, owner, name, type, claimed_type, size, sha256, created_at)
SELECT CONCAT(INSERT(LPAD(LOWER(HEX((UNIX_TIMESTAMP() - ${count} + seq) * 1000)), 12, '0'), 9, 0, '-'), '-7000-', SUBSTR(MD5('${email}'), 1, 4), '-', LPAD(seq, 12, '0')),
       (SELECT id FROM auth.user WHERE email='${email}'), CONCAT('file ', seq, '.txt'), 'text/plain', 'text/plain', 1024, REPEAT('x', 32), UNIX_TIMESTAMP() - ${count} + seq
  FROM seq_1_to_${count};`);
}

const memoryRow = alone({
  name: 'memory',
  title: 'Memory of cgi-gateway',
  goals: [
    { title: 'lists of 1,000 at 16 connections', figure: 'peak', unit: 'MiB', most: 24 },
    { title: '5 seconds after them', figure: 'settled', unit: 'MiB', most: 16 },
    { title: 'idle', figure: 'idle', unit: 'MiB' },
  ],
}, async (ours, { seconds, settle }) => {
  const gateway = () => ours.memory(['cgi-gateway']);
  await addFiles(ours, ours.email, 1000);
  const idle = gateway();
  const { peak } = await peakWhile(ours.roots, ['cgi-gateway'], () => wrk(`${ours.url}/files?limit=1000`, { seconds: 2 * seconds, headers: [bearer(ours.token)] }));
  await pause(settle);
  return { idle, peak, settled: gateway() };
});

// Users of whom each has some of the clients, so that no share of a single user is what counts.
async function users(ours, clients) {
  const tokens = [];
  for (let i = 0; i < Math.ceil(clients / 20); i++) tokens.push(await ours.person(`user${i}@example.org`));
  return tokens;
}

const each = (list, work) => Promise.all(list.map(work));

// Let `clients` send 100 bytes a second each for `seconds`, spread over the second.
async function trickle(clients, seconds) {
  const bytes = Buffer.alloc(100, 'x'), slices = 10;
  for (let turn = 0; turn < seconds * slices; turn++) {
    const until = performance.now() + 1000 / slices;
    clients.filter((_, i) => i % slices === turn % slices).forEach((client) => client.send(bytes));
    await pause(Math.max(0, until - performance.now()));
  }
}

const unanswered = (clients) => clients.filter((c) => !c.status && !c.ended).length;

// `work`, with a probe of downloads and one of uploads beside it, of a user who has none of the clients.
async function probed(ours, small, work) {
  const id = await ours.upload(small);
  const ends = [
    startProbe({ url: `${ours.url}/download/${id}`, token: ours.token, every: 20 }),
    startProbe({ url: `${ours.url}/upload/note.bin`, token: ours.token, every: 50, body: small }),
  ];
  let result, failure;
  try {
    result = await work();
  } catch (error) {
    failure = error;
  }
  const [download, upload] = await each(ends, (end) => end());
  if (failure) throw failure;
  return { result, download, upload };
}

const slowTus = alone({
  name: 'slow-tus',
  title: '{many} slow tus uploads',
  goals: [
    { title: 'served', figure: 'served', unit: '', least: '{many}' },
    { title: 'memory of the programs', figure: 'peak', unit: 'MiB', most: 96 },
    { title: 'memory of cgi-gateway', figure: 'gateway', unit: 'MiB', most: 24 },
    { title: "another's 10 KiB upload, p99", figure: 'upload', unit: 'ms', most: 100 },
    { title: "another's download, p99", figure: 'download', unit: 'ms', most: 20 },
  ],
}, async (ours, { many, small, hold }) => {
  const tokens = await users(ours, many);
  const fields = ['Tus-Resumable: 1.0.0', `Upload-Length: ${1 << 20}`];
  const paths = [];
  for (let i = 0; i < many; i++) {
    const answer = await fetch(`${ours.url}/tus/`, { method: 'POST', headers: Object.fromEntries([...fields, bearer(tokens[i % tokens.length])].map((f) => f.split(': '))) });
    await answer.arrayBuffer();
    if (answer.status !== 201) throw new Error(`POST /tus/: ${answer.status}`);
    paths.push(answer.headers.get('location'));
  }
  let gateway = 0;
  const { peak, result } = await peakWhile(ours.roots, programs, () => probed(ours, small, async () => {
    const clients = paths.map((path, i) => slowClient(ours.url, requestHead('PATCH', path,
      [bearer(tokens[i % tokens.length]), 'Tus-Resumable: 1.0.0', 'Upload-Offset: 0', 'Content-Type: application/offset+octet-stream', `Content-Length: ${1 << 20}`])));
    await each(clients, (c) => c.open);
    await trickle(clients, hold);
    gateway = ours.memory(['cgi-gateway']);
    // What a client has sent is at the server if it was served: its offset says so
    const served = await countServed(clients.map((client, i) => ({ client, ask: () => offsetOf(ours, paths[i], tokens[i % tokens.length]) })));
    clients.forEach((c) => c.close());
    return served;
  }));
  return { served: result.result, peak, gateway, upload: latency(result.upload), download: latency(result.download) };
});

// How many clients have no refusal, and an offset above 0. A few are asked at a time; one who waits in vain
// says enough about those behind it.
async function countServed(asked) {
  const waiting = asked.filter(({ client }) => !client.status && !client.ended);
  let served = 0, unserved = 0;
  await each(Array(8).fill(), async () => {
    for (let next; unserved < 40 && (next = waiting.pop()); ) {
      if (await next.ask() > 0 && !next.client.status) served++;
      else unserved++;
    }
  });
  return served;
}

// A request that failed is no fast one.
const latency = (figures) => (figures.failed > figures.count / 100 ? Infinity : figures.p99 ?? Infinity);

async function offsetOf(ours, path, token) {
  try {
    const answer = await fetch(ours.url + path, { method: 'HEAD', signal: AbortSignal.timeout(5000), headers: { Authorization: `Bearer ${token}`, 'Tus-Resumable': '1.0.0' } });
    return Number(answer.headers.get('upload-offset') ?? 0);
  } catch {
    return 0;
  }
}

const putHead = (token, bytes) => requestHead('PUT', '/upload/slow.bin', [bearer(token), `Content-Length: ${bytes}`]);

// A short body reaches the program as it arrives, a longer one is buffered first
const lengths = [32768, 131072];

const slowPlain = alone({
  name: 'slow-plain',
  title: '{many} slow plain uploads',
  goals: [
    { title: 'served', figure: 'served', unit: '', least: '{many}' },
    { title: 'memory of lighttpd and the programs', figure: 'peak', unit: 'MiB', most: 96 },
  ],
}, async (ours, { many, hold }) => {
  const tokens = await users(ours, many), piece = Buffer.alloc(100, 'x');
  const { peak, result } = await peakWhile(ours.roots, programs, async () => {
    const clients = Array.from({ length: many }, (_, i) => slowClient(ours.url, putHead(tokens[i % tokens.length], lengths[i % lengths.length])));
    await each(clients, (c) => c.open);
    // Small segments, as many as lighttpd keeps one by one
    for (let i = 0; i < 12 * hold; i++) {
      await each(clients, (c) => c.send(piece));
      await pause(20);
    }
    await pause(500);
    const served = unanswered(clients);
    clients.forEach((c) => c.close());
    return served;
  });
  return { served: result, peak };
});

const oneByte = alone({
  name: 'one-byte-sends',
  title: '{sends} one-byte sends of a connection',
  goals: [{ title: 'memory', figure: 'memory', unit: 'KiB', most: 128 }],
}, async (ours, { sends }) => {
  await ours.upload('/etc/os-release'); // what the first upload allocates is no connection's
  const before = ours.memory(programs), clients = lengths.map((length) => slowClient(ours.url, putHead(ours.token, length)));
  await each(clients, (c) => c.open);
  await pause(200);
  for (let i = 0; i < sends; i++) {
    await each(clients, (c) => c.send(Buffer.from('x')));
    await pause(0); // the server is to read each byte by itself
  }
  await pause(500);
  const grown = ours.memory(programs) - before;
  if (unanswered(clients) < clients.length) throw new Error(`an upload was refused: ${clients.map((c) => c.status)}`);
  clients.forEach((c) => c.close());
  return { memory: (Math.max(0, grown) * 1024) / clients.length };
});

const endTogether = alone({
  name: 'end-together',
  title: '{many} uploads end at once',
  goals: [
    { title: 'download, p99', figure: 'p99', unit: 'ms', most: 100 },
    { title: 'download, longest', figure: 'max', unit: 'ms' },
    { title: 'until the last answer', figure: 'wall', unit: 's' },
    { title: 'stored', figure: 'stored', unit: '', least: '{many}' },
  ],
}, async (ours, { many, small }) => {
  const tokens = await users(ours, many), body = readFileSync(small);
  const id = await ours.upload(small);
  const clients = Array.from({ length: many }, (_, i) => slowClient(ours.url, putHead(tokens[i % tokens.length], SMALL)));
  await each(clients, (c) => c.open);
  await each(clients, (c) => c.send(body.subarray(0, SMALL - 1)));
  await pause(1000);
  const end = startProbe({ url: `${ours.url}/download/${id}`, token: ours.token, every: 10 });
  await pause(300);
  const begun = performance.now();
  await each(clients, (c) => c.send(body.subarray(SMALL - 1)));
  await each(clients, (c) => c.answered);
  const wall = (performance.now() - begun) / 1000;
  const figures = await end();
  const stored = clients.filter((c) => c.status === 201).length;
  clients.forEach((c) => c.close());
  return { p99: latency(figures), max: figures.max, wall, stored };
});

// Requests of two users of one instance in turn: one has few files, one has many.
async function twoUsers({ servers, few, files }) {
  const ours = await servers.gatehouse('many'), other = 'other@example.org';
  const users = [{ who: 'few', email: other, token: await ours.person(other) }, { who: 'many', email: ours.email, token: ours.token }];
  await addFiles(ours, other, few);
  await addFiles(ours, ours.email, files);
  return { ours, users };
}

const get = (ours, path, token, seconds) => async () => {
  const m = await measure(ours.roots, () => wrk(ours.url + path, { seconds, connections: 1, headers: [bearer(token)] }));
  return { cpu: m.cpu / m.requests, wall: 1 / m.rate };
};

const manyFiles = {
  name: 'many-files',
  title: '{files} files beside {few}',
  goals: [
    { title: 'first page, CPU', figure: 'cpu', unit: 'ms', of: 'first-many', peers: ['first-few'], most: 1.1 },
    { title: 'last page, CPU', figure: 'cpu', unit: 'ms', of: 'last-many', peers: ['last-few'], most: 1.1 },
    { title: 'download, CPU', figure: 'cpu', unit: 'ms', of: 'download-many', peers: ['download-few'], most: 1.1 },
  ],
  async contenders(ctx) {
    const { ours, users } = await twoUsers(ctx), contenders = {};
    for (const { who, email, token } of users) {
      const [[after]] = await ours.sql(`SELECT id FROM file WHERE owner=(SELECT id FROM auth.user WHERE email='${email}') ORDER BY id LIMIT 1 OFFSET 101;`);
      const id = await ours.upload(ctx.small, { token });
      contenders[`first-${who}`] = get(ours, '/files?limit=100', token, ctx.seconds);
      contenders[`last-${who}`] = get(ours, `/files?limit=100&after=${after}`, token, ctx.seconds);
      contenders[`download-${who}`] = get(ours, `/download/${id}`, token, ctx.seconds);
    }
    return contenders;
  },
  end: ({ servers }) => servers.endGatehouse('many'),
};

// Making the index of a million files takes longer than all other rows.
const search = {
  name: 'search',
  title: 'Search in {files} files',
  long: true,
  goals: [
    { title: 'the oldest by its name', figure: 'wall', unit: 'ms', of: 'one', most: 50 },
    { title: 'a text of all', figure: 'wall', unit: 'ms', of: 'all', most: 50 },
    { title: 'a text of none', figure: 'wall', unit: 'ms', of: 'none', most: 50 },
  ],
  async contenders(ctx) {
    const { ours } = await twoUsers(ctx);
    await ours.admin('files', 'index');
    const find = (text) => get(ours, `/files?q=${text}`, ours.token, ctx.seconds);
    return { one: find('file+1.txt'), all: find('txt'), none: find('Gr%C3%BC%C3%9Fe') };
  },
  end: ({ servers }) => servers.endGatehouse('many'),
};

export const clients = [memoryRow, slowTus, slowPlain, oneByte, endTogether, manyFiles, search];
