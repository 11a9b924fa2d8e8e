// probe.js URL MILLISECONDS [FILE] - how long requests take beside other load. A request begins every so many
// milliseconds, whether earlier ones have been answered or not, so that a wait is counted for each request that
// falls into it. With FILE they are PUTs of it. Prints figures as JSON when standard input ends.
import { readFileSync } from 'node:fs';
import http from 'node:http';

const [url, every, file] = process.argv.slice(2);
const body = file ? readFileSync(file) : undefined;
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const headers = { Authorization: `Bearer ${process.env.TOKEN}`, ...(body && { 'Content-Length': body.length }) };
const took = [];
let failed = 0, open = 0, stopped = false;

function finish() {
  if (!stopped || open) return;
  took.sort((a, b) => a - b);
  const at = (part) => took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? null;
  console.log(JSON.stringify({ count: took.length, failed, p50: at(0.5), p99: at(0.99), max: at(1) }));
  process.exit();
}

function ask() {
  const begun = performance.now();
  open++;
  const end = (ok) => {
    if (ok) took.push(performance.now() - begun);
    else failed++;
    open--;
    finish();
  };
  const request = http.request(url, { method: body ? 'PUT' : 'GET', headers, agent }, (answer) => {
    answer.resume().on('end', () => end(answer.statusCode < 300)).on('error', () => end(false));
  });
  request.on('error', () => end(false)).end(body);
}

const timer = setInterval(ask, Number(every));
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  stopped = true;
  finish();
});
