// The figures of a run as a table, as JSON and as a chart.

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const spread = (values) => ({ median: median(values), least: Math.min(...values), most: Math.max(...values) });
const rounded = (n) => (!Number.isFinite(n) ? String(n) : n >= 100 ? Math.round(n).toLocaleString('en') : n >= 10 ? n.toFixed(1) : n.toFixed(2));

const labels = {
  php: 'PHP', 'php-1': 'PHP', 'php-fsync': 'PHP with fsync', 'php-fsync-1': 'PHP with fsync', flask: 'Flask', webdav: 'WebDAV PUT', sha256: 'SHA-256', copy: 'cp',
  'tus-server': '@tus/server', static: 'static file', raw: 'raw', 'first-few': 'few', 'last-few': 'few', 'download-few': 'few',
};
const scales = { µs: 1e6, ms: 1e3 };

// The value of a figure in the unit of its goal: `cpu` and `wall` are measured in seconds.
const inUnit = (value, { figure, unit }) => (figure === 'cpu' || figure === 'wall' ? value * (scales[unit] ?? 1) : value);

// A goal of a row with what was measured. `rounds` is [{contender: {figure: number}}].
export function judge(row, goal, rounds) {
  const value = (round, name) => inUnit(round[name][goal.figure], goal);
  const ours = rounds.map((round) => value(round, goal.of ?? 'gatehouse'));
  const theirs = goal.peers && rounds.map((round) => goal.peers.reduce((sum, name) => sum + value(round, name), 0));
  const ratios = theirs?.map((t, i) => ours[i] / t), judged = spread(ratios ?? ours);
  const met = goal.most !== undefined ? judged.median <= goal.most : goal.least !== undefined ? judged.median >= goal.least : undefined;
  return {
    row: row.name, title: `${row.title}: ${goal.title}`, unit: goal.unit, figure: goal.figure, ours: spread(ours),
    ...(theirs && { peers: goal.peers.map((name) => labels[name] ?? name).join(' + '), theirs: spread(theirs), ratio: spread(ratios) }),
    ...(goal.most !== undefined && { most: goal.most }), ...(goal.least !== undefined && { least: goal.least }), ...(met !== undefined && { met }),
  };
}

const withUnit = (n, unit) => `${rounded(n)}${unit === '/s' ? '/s' : unit ? ` ${unit}` : ''}`;
const range = ({ median: m, least, most }) => (least === most ? rounded(m) : `${rounded(m)} (${rounded(least)}–${rounded(most)})`);

function goalText(j) {
  if (j.met === undefined) return '';
  const bound = j.most !== undefined ? `≤ ${rounded(j.most)}` : `≥ ${rounded(j.least)}`;
  return j.ratio ? `${bound} ×` : `${bound}${j.unit ? ` ${j.unit}` : ''}`;
}

// Columns of Markdown.
export function table(judged) {
  const lines = judged.map((j) => [
    j.title, withUnit(j.ours.median, j.unit), j.theirs ? `${j.peers} ${withUnit(j.theirs.median, j.unit)}` : '', j.ratio ? range(j.ratio) : '', goalText(j),
    j.met === undefined ? '' : j.met ? 'yes' : 'no',
  ]);
  return [['work', 'Gatehouse', 'beside it', 'ratio', 'goal', 'met'], Array(6).fill('---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

// CPU by program of each contender that has a rate, in µs a request.
export function partsTable(rows) {
  const lines = [];
  for (const row of rows)
    for (const name of Object.keys(row.rounds[0] ?? {}).filter((n) => row.rounds[0][n].rate && row.rounds[0][n].parts)) {
      const of = (test) => median(row.rounds.map((round) => Object.entries(round[name].parts).reduce((sum, [p, s]) => sum + (test(p) ? s * 1e6 : 0), 0)));
      const server = of((p) => p === 'lighttpd'), database = of((p) => p === 'mariadbd'), rest = of((p) => p !== 'lighttpd' && p !== 'mariadbd');
      lines.push([row.title, row.rounds[0][name].label ?? name, ...[server, rest, database, server + rest + database].map((n) => (n < 0.5 ? '' : rounded(Math.round(n))))]);
    }
  return [['CPU in µs a request', 'of', 'lighttpd', 'program', 'MariaDB', 'all'], Array(6).fill('---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

// A chart of all goals: how far each figure is from its goal, on a logarithmic scale. Left of the line is better.
export function chart(judged) {
  const goals = judged.filter((j) => j.met !== undefined), left = 430, width = 430, line = 24, top = 56, span = Math.log(8);
  const place = (part) => left + width * (0.5 + Math.max(-1, Math.min(1, Math.log(part) / span)) / 2);
  // 1 is the goal; more is worse
  const part = (j, n) => (j.most !== undefined ? (n || 1e-3) / (j.most || 1e-3) : (j.least || 1e-3) / (n || 1e-3));
  const rows = goals.map((j, i) => {
    const s = j.ratio ?? j.ours, y = top + i * line, at = place(part(j, s.median)), ends = [place(part(j, s.least)), place(part(j, s.most))].sort((a, b) => a - b);
    const colour = j.met ? '#0a7d5c' : '#c2410c', middle = place(1);
    return `<text x="${left - 10}" y="${y + 4}" text-anchor="end">${escape(j.title)}</text>
<line x1="${middle}" x2="${at.toFixed(1)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="9" stroke-opacity="0.75"/>
<line x1="${ends[0].toFixed(1)}" x2="${ends[1].toFixed(1)}" y1="${y}" y2="${y}" stroke="#111827" stroke-width="1.5"/>
<circle cx="${at.toFixed(1)}" cy="${y}" r="4" fill="${colour}"/>
<text x="${left + width + 10}" y="${y + 4}">${escape(j.ratio ? `${rounded(s.median)} ×` : withUnit(s.median, j.unit))}</text>`;
  });
  const height = top + goals.length * line + 8;
  const marks = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((n) => `<line x1="${place(n)}" x2="${place(n)}" y1="${top - 16}" y2="${height - 12}" stroke="${n === 1 ? '#111827' : '#d1d5db'}"/>
<text x="${place(n)}" y="${top - 22}" text-anchor="middle">${n === 1 ? 'goal' : n < 1 ? `${1 / n} × better` : `${n} × worse`}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 110} ${height}" font-family="sans-serif" font-size="12" role="img">
<title>Figures of scripts/bench --peers beside their goals</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${marks.join('\n')}
${rows.join('\n')}
</svg>
`;
}

// `text` with what is between the marks of `name` replaced.
export function replaceBetween(text, name, content) {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`], from = text.indexOf(begin), to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`there is no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
