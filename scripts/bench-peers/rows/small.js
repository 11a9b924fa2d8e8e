// Rows of small requests: many a second, by wrk.
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { bearer, output, wrk } from '../load.js';
import { measure } from '../processes.js';

// A contender: CPU of `server` a request, and the rate.
const load = (server, url, options) => measure(server.roots, () => wrk(url, options)).then((m) => ({
  rate: m.rate, cpu: m.cpu / m.requests, parts: Object.fromEntries(Object.entries(m.parts).map(([name, s]) => [name, s / m.requests])),
}));

// Programs that remember no rows ask the database at each request. (Without such a setting they always do.)
async function askingGatehouse(servers) {
  const help = await output(servers.program('cgi-gateway'), ['--help']);
  return /^ {2}CHANGES_DIR /m.test(help) ? servers.gatehouse('asking', { settings: { CHANGES_DIR: '' } }) : servers.gatehouse();
}

function downloadOf(row, find) {
  return {
    ...row,
    async contenders({ servers, seconds, small }) {
      const ours = await find(servers), php = await servers.php(), flask = await servers.flask();
      const id = await ours.upload(small);
      for (const peer of [php, flask]) copyFileSync(small, join(peer.folder, 'small'));
      return {
        gatehouse: () => load(ours, `${ours.url}/download/${id}`, { seconds, headers: [bearer(ours.token)] }),
        php: () => load(php, `${php.url}/download?id=small`, { seconds, headers: [bearer(servers.token)] }),
        flask: () => load(flask, `${flask.url}/download/small`, { seconds, headers: [bearer(servers.token)] }),
      };
    },
  };
}

const download = downloadOf({
  name: 'download',
  title: '10 KiB download, 16 connections',
  goals: [
    { title: 'CPU', figure: 'cpu', unit: 'µs', peers: ['php'], most: 0.7 },
    { title: 'rate', figure: 'rate', unit: '/s', peers: ['flask'], least: 15 },
  ],
}, (servers) => servers.gatehouse());

const asked = downloadOf({
  name: 'download-asked',
  title: '10 KiB download, database asked each time',
  goals: [{ title: 'CPU', figure: 'cpu', unit: 'µs', peers: ['php'], most: 1.8 }],
}, askingGatehouse);

function validateOf(row, find) {
  return {
    ...row,
    async contenders({ servers, seconds }) {
      const ours = await find(servers), flask = await servers.flask();
      return {
        gatehouse: () => load(ours, `${ours.internalUrl}/validate`, { seconds, headers: [bearer(ours.token)] }),
        flask: () => load({ roots: flask.authRoots }, `${flask.auth}/validate`, { seconds, headers: [bearer(servers.token)] }),
      };
    },
  };
}

const validate = validateOf({
  name: 'validate',
  title: '/validate, 16 connections',
  goals: [{ title: 'rate', figure: 'rate', unit: '/s', peers: ['flask'], least: 3.5 }],
}, (servers) => servers.gatehouse());

const validateAsked = validateOf({
  name: 'validate-asked',
  title: '/validate, database asked each time',
  goals: [{ title: 'rate', figure: 'rate', unit: '/s', peers: ['flask'], least: 1.7 }],
}, askingGatehouse);

// Each measurement has a folder of its own: creating a file among thousands, or where thousands were removed, costs more.
let folders = 0;
function phpUpload(servers, php, query, options) {
  const folder = String(++folders);
  mkdirSync(join(php.folder, folder));
  return load(php, `${php.url}/upload?folder=${folder}${query}`, { ...options, headers: [bearer(servers.token)] });
}

const kinds = ['random', 'json', 'text', 'png'];
const uploads = {
  name: 'upload',
  title: '10 KiB upload, durable',
  goals: [
    { title: 'rate, 1 connection', figure: 'rate', unit: '/s', of: 'random-1', peers: ['php-fsync-1'], least: 0.75 },
    { title: 'rate, 16 connections', figure: 'rate', unit: '/s', of: 'random', peers: ['php-fsync'], least: 0.85 },
    ...kinds.map((kind) => ({ title: `CPU, ${kind === 'random' ? 'random bytes' : kind === 'text' ? kind : kind.toUpperCase()}`, figure: 'cpu', unit: 'µs', of: kind, peers: ['php-fsync'], most: 1.4 })),
    { title: 'rate at 1, PHP without fsync', figure: 'rate', unit: '/s', of: 'random-1', peers: ['php-1'] },
    { title: 'rate at 16, PHP without fsync', figure: 'rate', unit: '/s', of: 'random', peers: ['php'] },
  ],
  async contenders({ servers, seconds, small, bodies }) {
    const ours = await servers.gatehouse(), php = await servers.php();
    const put = (body, connections) => () => load(ours, `${ours.url}/upload/note.bin`, { seconds, connections, body, headers: [bearer(ours.token)] });
    const peer = (query, connections) => () => phpUpload(servers, php, query, { seconds, connections, body: small });
    return {
      'random-1': put(small, 1),
      'php-fsync-1': peer('&fsync=1', 1),
      'php-1': peer('', 1),
      random: put(small, 16),
      'php-fsync': peer('&fsync=1', 16),
      php: peer('', 16),
      ...Object.fromEntries(kinds.slice(1).map((kind) => [kind, put(bodies[kind], 16)])),
    };
  },
};

const cgi = {
  name: 'cgi',
  title: 'Plain CGI',
  goals: [{ title: 'CPU of a 10 KiB download', figure: 'cpu', unit: 'ms', most: 4 }],
  async contenders({ servers, seconds, small }) {
    const ours = await servers.gatehouse('cgi', { transport: 'cgi' });
    const id = await ours.upload(small);
    return { gatehouse: () => load(ours, `${ours.url}/download/${id}`, { seconds, connections: 2, headers: [bearer(ours.token)] }) };
  },
};

// Milliseconds of one login, by the clock of the client.
async function logins(ours, count) {
  const headers = { Authorization: `Basic ${Buffer.from(`${ours.email}:${ours.password}`).toString('base64')}` };
  const took = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    const answer = await fetch(`${ours.url}/login`, { method: 'POST', headers });
    await answer.arrayBuffer();
    if (answer.status !== 200) throw new Error(`/login: ${answer.status}`);
    took.push(performance.now() - begun);
  }
  return median(took);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

// Statements and transactions that wrote, so far; what asking costs itself is subtracted.
async function counts(ours) {
  const read = async () => {
    const rows = await ours.sql("SHOW GLOBAL STATUS LIKE 'Questions'; SELECT 'commits', COUNT FROM information_schema.INNODB_METRICS WHERE NAME='trx_rw_commits';");
    return rows.map(([, value]) => Number(value));
  };
  const [first, second] = [await read(), await read()];
  return { statements: second[0], commits: second[1], asking: second[0] - first[0] };
}

const login = {
  name: 'login',
  title: 'Login',
  goals: [
    { title: 'beyond the hash', figure: 'beyond', unit: 'ms', most: 4 },
    { title: 'beyond the hash, CPU', figure: 'cpu', unit: 'ms' },
    { title: 'commits', figure: 'commits', unit: '', most: 2 },
    { title: 'statements', figure: 'statements', unit: '', most: 5 },
  ],
  async contenders({ servers, logins: count }) {
    const ours = await servers.gatehouse();
    await ours.sql("SET GLOBAL innodb_monitor_enable='trx_rw_commits';");
    const [[stored]] = await ours.sql(`SELECT password FROM user WHERE email='${ours.email}';`, 'auth');
    return {
      gatehouse: async () => {
        const before = await counts(ours), took = await measure(ours.roots, async () => ({ whole: await logins(ours, count) })), after = await counts(ours);
        // With the priority of cgi-auth's own
        const hash = JSON.parse(await output('nice', ['-n', '19', 'python3', servers.peer('hash.py'), String(count)], { input: `${stored}\n${ours.password}\n` }));
        // Two readings of the counters lie between
        return {
          beyond: took.whole - 1000 * median(hash.seconds), cpu: (took.cpu - hash.cpu) / count, whole: took.whole, hash: 1000 * median(hash.seconds),
          commits: (after.commits - before.commits) / count, statements: (after.statements - before.statements - 2 * after.asking) / count,
        };
      },
    };
  },
};

export const small = [download, asked, validate, validateAsked, uploads, cgi, login];

// A picture of 58 by 58 pixels of noise: some 10 KiB of PNG.
function picture() {
  const side = 58, chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]), length = Buffer.alloc(4), sum = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.from([0, 0, 0, side, 0, 0, 0, side, 8, 2, 0, 0, 0]), pixels = randomBytes(side * (1 + 3 * side));
  for (let i = 0; i < side; i++) pixels[i * (1 + 3 * side)] = 0;
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))]);
}

// RFC 2083 15
function crc(bytes) {
  let c = 0xffffffff;
  for (const byte of bytes) {
    c ^= byte;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}

// Bodies of 10 KiB of each kind, as files in `place`.
export function smallBodies(place) {
  const size = 10240, bodies = {};
  const records = [];
  while (JSON.stringify(records).length < size - 100) records.push({ id: records.length, name: `file ${records.length}`, tags: ['a', 'b'], size: records.length * 1000 });
  const write = (kind, bytes) => {
    bodies[kind] = join(place, `small.${kind}`);
    writeFileSync(bodies[kind], bytes);
  };
  write('json', JSON.stringify(records).padEnd(size));
  write('text', readFileSync(new URL('../../../docs/architecture.md', import.meta.url)).subarray(0, size));
  write('png', picture());
  return bodies;
}

