// format.js - sizes, counts, times and file types as text. Pure, apart from the browser's time zone.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

// 1536 -> "1.54 KB": units of 1000 bytes, as in current file managers; three digits at most.
export function size(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${Number(value.toFixed(digits)).toLocaleString('en')} ${UNITS[unit]}`;
}

const plural = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;

// Seconds -> "40 seconds", "3 minutes", "2 hours", "5 days": rounded to the largest fitting unit.
export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return plural(s, 'second');
  if (s < 90 * 60) return plural(Math.round(s / 60), 'minute');
  const hours = Math.round(s / 3600);
  if (hours < 36 && hours !== 24) return plural(hours, 'hour');
  if (s < 60 * 86400) return plural(Math.round(s / 86400), 'day');
  const months = Math.round(s / (30.44 * 86400));
  return months < 24 && months !== 12 ? plural(months, 'month') : plural(Math.round(months / 12), 'year');
}

export const count = (n, one) => `${n.toLocaleString('en')} ${one}${n === 1 ? '' : 's'}`;

const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long' });
const DAY_OF_YEAR = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long' });

export const time = (date) => TIME.format(date);

const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());

// "Today", "Yesterday", "Tomorrow", "Monday" (within the last week), "3 May", "3 May 2024" (another year).
export function day(date, now = new Date()) {
  const days = Math.round((midnight(now) - midnight(date)) / 86400000);
  if (days === 0) return 'Today';
  if (days === -1) return 'Tomorrow';
  if (days === 1) return 'Yesterday';
  if (days > 0 && days < 7) return WEEKDAY.format(date);
  return (date.getFullYear() === now.getFullYear() ? DAY : DAY_OF_YEAR).format(date);
}

export const dayAndTime = (date, now) => `${day(date, now).replace(/^(Today|Yesterday|Tomorrow)$/, (word) => word.toLowerCase())}, ${time(date)}`;

// Join the non-empty `parts` with dots, without a line break before a dot.
export const joinByDots = (...parts) => parts.filter(Boolean).join('\u00a0· ');

// The time from `now` to `date`: "in 3 days", or "expired".
export function timeUntil(date, now = Date.now()) {
  const left = (date - now) / 1000;
  return left <= 0 ? 'expired' : `in ${duration(left)}`;
}

// A short label for the type of a file: its extension, else a word from its media type.
export function fileKind(name, type = '') {
  const extension = /[^.]\.([A-Za-z0-9]{1,4})$/.exec(name)?.[1];
  if (extension) return extension.toUpperCase();
  const [main, sub = ''] = type.split('/');
  if (main === 'text') return 'TXT';
  if (['image', 'audio', 'video'].includes(main) && /^[a-z0-9]{2,4}$/.test(sub)) return sub.toUpperCase();
  return 'FILE';
}
