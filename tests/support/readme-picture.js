// Make docs/page.png, the picture of the page in README.md, from a real instance:
//
//   node tests/support/readme-picture.js [FILE]
//
// The files of earlier days are rows with another id, time and size: an instance of a minute has none.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { repository, startStack } from './stack.js';

const EMAIL = 'ann@example.org';
const PASSWORD = 'a password for the picture';
const QUOTA = 50e9;
const DAY = 86400e3;
const FILES = [ // oldest first: name, bytes, days ago, share of the day
  ['Budget 2026.xlsx', 187_604, 1, 0.63],
  ['Site photos.zip', 1_284_331_520, 1, 0.66],
  ['Product film, rough cut.mov', 6_812_400_128, 0, 0.32],
  ['Floor plan.pdf', 2_418_733, 0, 0.38],
  ['Team photo.jpg', 3_904_187, 0, 0.41],
];

// Add a record by SQL: a copy of the uploaded file `id`, with the name, size and time of an entry of FILES.
async function addFile(stack, id, [name, size, daysAgo, share]) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const ms = midnight - daysAgo * DAY + Math.floor(share * DAY);
  const hex = ms.toString(16).padStart(12, '0');
  const changed = { id: `'${hex.slice(0, 8)}-${hex.slice(8)}${id.slice(13)}'`, name: `'${name}'`, size, created_at: Math.floor(ms / 1000) };
  const columns = (await stack.sql('gateway', 'SHOW COLUMNS FROM file')).map(([column]) => column);
  await stack.sql('gateway', `INSERT INTO file (${columns}) SELECT ${columns.map((c) => changed[c] ?? c)} FROM file WHERE id = '${id}'`);
}

async function fill(stack) {
  await stack.authAdmin(['user', 'add', EMAIL, '--password-stdin'], `${PASSWORD}\n`);
  const { json: { access_token: token } } = await stack.call('POST', '/login', { basic: [EMAIL, PASSWORD] });
  const upload = await stack.call('PUT', '/upload/seed', { token, body: 'x' });
  const [{ id }] = upload.json.files;
  for (const file of FILES) await addFile(stack, id, file);
  await stack.call('DELETE', `/files/${id}`, { token });
  const { sub } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  await stack.gatewayAdmin(['quota', 'set', sub, '--bytes', String(QUOTA)]);
  await stack.gatewayAdmin(['quota', 'recount']);
}

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-picture-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

function largeFile(name, bytes) {
  const path = join(folder, name);
  writeFileSync(path, '');
  truncateSync(path, bytes);
  return path;
}

async function takePicture(stack, file) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: { width: 900, height: 756 }, colorScheme: 'light', reducedMotion: 'reduce' });
  await page.goto(stack.url);
  await page.getByLabel('Email').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.file').nth(FILES.length - 1).waitFor();
  const network = await page.context().newCDPSession(page);
  await network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 5 << 20 });
  await page.locator('#file-input').setInputFiles([largeFile('Interview, part 1.wav', 48e6), largeFile('Interview, part 2.wav', 37e6)]);
  await page.waitForFunction(() => document.querySelector('.uploads > progress')?.value > 0.5);
  await page.locator('.file').nth(2).hover(); // shows the buttons of the row
  await page.screenshot({ path: file });
  await browser.close();
}

const stack = await startStack();
try {
  await fill(stack);
  await takePicture(stack, process.argv[2] ?? join(repository, 'docs', 'page.png'));
} finally {
  await stack.stop();
}
