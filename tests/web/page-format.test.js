// The modules format.js and transfer-speed.js: sizes, times and speeds as text.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

// The modules are for the browser, but these two use nothing of it.
const load = (name) => import(`data:text/javascript,${encodeURIComponent(readFileSync(new URL(`../../lighttpd/www/js/${name}`, import.meta.url), 'utf8'))}`);
const { count, day, dayAndTime, duration, fileKind, size, timeUntil } = await load('format.js');
const { TransferSpeed } = await load('transfer-speed.js');

test('a size has three digits at most, in units of a thousand', () => {
  const words = { 0: '0 B', 999: '999 B', 1000: '1 KB', 1536: '1.54 KB', 10_000: '10 KB', 99_949: '99.9 KB', 99_950: '100 KB', 999_499: '999 KB', 999_500: '1 MB', 1e9: '1 GB', 107374182400: '107 GB', 5e18: '5,000 PB' };
  for (const [bytes, text] of Object.entries(words)) assert.equal(size(Number(bytes)), text);
});

test('a duration is rounded to its largest fitting unit', () => {
  const [minute, hour, days] = [60, 3600, 86400];
  const words = [[-5, '0 seconds'], [0.6, '1 second'], [89, '89 seconds'], [90, '2 minutes'], [89 * minute, '89 minutes'], [2 * hour, '2 hours'], [24 * hour, '1 day'], [30 * hour, '30 hours'], [7 * days, '7 days'],
    [30 * days, '30 days'], [90 * days, '3 months'], [365 * days, '1 year'], [550 * days, '18 months'], [3650 * days, '10 years']];
  for (const [seconds, text] of words) assert.equal(duration(seconds), text);
});

test('a day has a name for a week, then a date, and a year if it is not this one', () => {
  const now = new Date(2026, 4, 20, 12);
  const words = [[[2026, 4, 20, 0, 1], 'Today'], [[2026, 4, 20, 23, 59], 'Today'], [[2026, 4, 19, 23, 59], 'Yesterday'], [[2026, 4, 14], 'Thursday'], [[2026, 4, 13], '13 May'],
    [[2025, 11, 31], '31 December 2025'], [[2026, 4, 21], 'Tomorrow'], [[2026, 4, 27], '27 May'], [[2027, 0, 1], '1 January 2027']];
  for (const [parts, text] of words) assert.equal(day(new Date(...parts), now), text);
  assert.equal(dayAndTime(new Date(2026, 4, 21, 9, 5), now), 'tomorrow, 09:05');
});

test('the time until a date is a duration, or "expired"', () => {
  assert.equal(timeUntil(10_000, 0), 'in 10 seconds');
  assert.equal(timeUntil(0, 0), 'expired');
});

test('a count has a plural, and commas at thousands', () => {
  assert.deepEqual([0, 1, 2, 10_000].map((n) => count(n, 'file')), ['0 files', '1 file', '2 files', '10,000 files']);
});

test('the kind of a file is its extension, else a word from its media type', () => {
  const kinds = [['a.pdf', '', 'PDF'], ['a.tar.gz', '', 'GZ'], ['.bashrc', 'text/plain', 'TXT'], ['noname', 'image/png', 'PNG'], ['a.longextension', 'application/x', 'FILE'], ['noname', 'video/x-matroska', 'FILE']];
  for (const [name, type, word] of kinds) assert.equal(fileKind(name, type), word);
});

test('the speed of a steady transfer is exact, and so is the time left', () => {
  const speed = new TransferSpeed();
  for (let t = 0; t <= 10_000; t += 500) speed.update(t * 1000, t); // a megabyte a second
  assert.equal(Math.round(speed.bytesPerSecond), 1_000_000);
  assert.equal(Math.round(speed.secondsFor(30_000_000)), 30);
});

test('the speed falls slowly during a stall, and does not change during a pause', () => {
  const speed = new TransferSpeed();
  for (let t = 0; t <= 10_000; t += 500) speed.update(t * 1000, t);
  speed.update(10_000_000, 11_000);
  assert.ok(speed.bytesPerSecond > 850_000, String(speed.bytesPerSecond));
  const before = speed.bytesPerSecond;
  speed.pause();
  speed.update(10_000_000, 3_600_000);
  speed.update(10_500_000, 3_600_500);
  assert.ok(speed.bytesPerSecond >= before);
});

test('the time left is unknown until bytes have been sent', () => {
  const speed = new TransferSpeed();
  assert.equal(speed.secondsFor(1), undefined);
  speed.update(0, 0);
  assert.equal(speed.bytesPerSecond, 0);
});
