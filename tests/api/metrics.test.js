// /metrics of both programs: Prometheus' text format, with exact numbers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCgi } from '../support/cgi.js';
import { assertStatus, basic } from '../support/client.js';
import { begin } from '../support/fastcgi.js';
import { parse, scrape, total } from '../support/metrics.js';
import { build, pause, run, startStack } from '../support/stack.js';
import { transport } from '../support/transport.js';

// An instance of its own, because other tests' requests would count.
const stack = await startStack();
after(() => stack.stop());

let ann;
before(async () => {
  ann = await stack.person();
});

const PROGRAMS = ['cgi-auth', 'cgi-gateway'];
const requests = 'gatehouse_http_requests_total';

// The increase of a metric during `work`.
async function growth(program, name, labels, work) {
  const first = total(await scrape(stack, program), name, labels);
  await work();
  return total(await scrape(stack, program), name, labels) - first;
}

const times = (n, work) => Promise.all(Array.from({ length: n }, (_, i) => work(i)));

describe('the text format', () => {
  for (const program of PROGRAMS) {
    test(`the metrics of ${program} are in Prometheus' text format`, async () => {
      const answer = await stack.callInternal('GET', `/${program}/metrics`);
      assertStatus(answer, 200);
      assert.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
      const families = parse(answer.text);
      for (const family of Object.values(families))
        for (const sample of family.samples)
          if (family.name.startsWith('gatehouse_')) assert.equal(sample.labels.program, program);
    });

    test(`promtool accepts the metrics of ${program}`, async () => {
      const { text } = await stack.callInternal('GET', `/${program}/metrics`);
      const { code, stdout, stderr } = await run('promtool', ['check', 'metrics'], { input: text });
      assert.equal(code, 0, stdout + stderr);
      assert.equal(stdout + stderr, '');
    });
  }

  test('the metrics have version and start time', async () => {
    const families = await scrape(stack, 'cgi-auth');
    assert.match(families.gatehouse_build_info.samples[0].labels.version, /^\d+\.\d+\.\d+$/);
    assert.equal(families.gatehouse_build_info.samples[0].value, 1);
    const started = total(families, 'process_start_time_seconds');
    assert.ok(started > Date.now() / 1000 - 600 && started <= Date.now() / 1000 + 1, String(started));
  });
});

describe('requests', () => {
  test('parallel requests are all counted', async () => {
    const ok = { method: 'GET', route: '/me', code: '200' }, refused = { ...ok, code: '401' };
    const n = transport === 'cgi' ? 40 : 300;
    let good;
    const bad = await growth('cgi-auth', requests, refused, async () => {
      good = await growth('cgi-auth', requests, ok, () =>
        times(n, (i) => stack.call('GET', '/me', i % 3 ? { token: ann.token } : {})));
    });
    assert.equal(bad, Math.ceil(n / 3));
    assert.equal(good, n - Math.ceil(n / 3));
  });

  test('requests are measured by route and method', async () => {
    const labels = { method: 'GET', route: '/files/*' };
    const count = 'gatehouse_http_request_duration_seconds_count';
    assert.equal(await growth('cgi-gateway', count, labels, () =>
      times(5, (i) => stack.call('GET', `/files/no-such-file-${i}`, { token: ann.token }))), 5);
    const families = await scrape(stack, 'cgi-gateway');
    const routes = new Set(families[requests].samples.map((s) => s.labels.route));
    assert.ok(![...routes].some((route) => route.includes('no-such-file')), [...routes].join());
    const seconds = total(families, 'gatehouse_http_request_duration_seconds_sum', labels);
    assert.ok(seconds > 0 && seconds < 60, String(seconds));
  });

  test('requests by HEAD, by a wrong method and by an unknown method are counted separately', async () => {
    const of = (method, code, work) => growth('cgi-gateway', requests, { method, code, route: '/files' }, work);
    assert.equal(await of('HEAD', '200', () => stack.call('HEAD', '/files', { token: ann.token })), 1);
    assert.equal(await of('DELETE', '405', () => stack.call('DELETE', '/files', { token: ann.token })), 1);
    assert.equal(await of('other', '405', () => stack.call('PROPFIND', '/files', { token: ann.token })), 1);
  });

  test('a request for metrics counts as one in flight', async () => {
    for (const program of PROGRAMS)
      assert.equal(total(await scrape(stack, program), 'gatehouse_http_requests_in_flight'), 1);
  });

  test('bytes of requests and answers are counted', async () => {
    const body = 'x'.repeat(12345);
    const upload = () => stack.call('PUT', '/upload/counted.txt', { token: ann.token, body });
    const labels = { route: '/upload/*' };
    assert.equal(await growth('cgi-gateway', 'gatehouse_http_request_bytes_total', labels, upload), body.length);
    assert.equal(await growth('cgi-gateway', 'gatehouse_uploads_bytes_total', {}, upload), body.length);
    assert.equal(await growth('cgi-gateway', 'gatehouse_uploads_files_total', {}, upload), 1);
    let answer;
    assert.equal(await growth('cgi-gateway', 'gatehouse_http_response_bytes_total', labels, async () => {
      answer = await upload();
    }), answer.bytes.length);
  });
});

describe('logins', () => {
  const by = (outcome, options) =>
    growth('cgi-auth', 'gatehouse_logins_total', { outcome }, () => stack.call('POST', '/login', options));

  test('logins are counted by outcome', async () => {
    assert.equal(await by('ok', { basic: [ann.email, ann.password] }), 1);
    assert.equal(await by('wrong-password', { basic: [ann.email, 'not this one'] }), 1);
    assert.equal(await by('unknown-user', { basic: ['nobody@example.org', 'whatever it is'] }), 1);
    assert.equal(await by('malformed', { headers: { Authorization: 'Basic !!!' } }), 1);
  });
});

describe('the database', () => {
  test('database connections are counted and stay within the pool\'s limit', { skip: transport === 'cgi' }, async () => {
    await times(20, () => stack.call('GET', '/files', { token: ann.token }));
    const families = await scrape(stack, 'cgi-gateway');
    const open = total(families, 'gatehouse_db_connections');
    assert.ok(open >= 1 && open <= total(families, 'gatehouse_db_connections_limit'), String(open));
    assert.equal(total(families, 'gatehouse_db_connections', { state: 'used' }), 0);
    assert.equal(total(families, 'gatehouse_db_errors_total'), 0);
  });
});

describe('processes', () => {
  test('processes of plain CGI share their counters', { skip: stack.front === 'apache-fcgid' && 'its processes stay' }, async () => {
    const grown = await growth('cgi-auth', requests, { route: '/healthz', code: '200' }, () =>
      times(40, async () => assertStatus(await runCgi(stack, 'cgi-auth', 'GET', '/healthz'), 200)));
    assert.equal(grown, 40);
    assert.equal(total(await scrape(stack, 'cgi-auth'), 'gatehouse_processes'), 1);
  });

  test('a process with a full disk counts in memory and logs a warning', async () => {
    const wrapper = ['sh', '-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh'];
    const METRICS_FILE = stack.path('run', 'no-room.metrics');
    const answer = await runCgi(stack, 'cgi-auth', 'GET', '/metrics', { wrapper, variables: { METRICS_FILE } });
    assertStatus(answer, 200);
    assert.equal(total(parse(answer.text), 'gatehouse_http_requests_in_flight'), 1);
    assert.match(answer.stderr, /"level":"warn".*"event":"metrics".*METRICS_FILE/);
  });

  test('a METRICS_FILE that cannot be created stops the programs', async () => {
    for (const args of [['--check'], []])
      for (const program of PROGRAMS) {
        const env = { GATEHOUSE_CONF: stack.path('conf', `${program.slice(4)}.env`), METRICS_FILE: stack.path('no', 'folder', 'x') };
        const { code, stderr } = await run(join(build, program), args, { env });
        assert.equal(code, 78);
        assert.match(stderr, /^cgi-\w+: METRICS_FILE: .*\n$/);
      }
  });

  test('killed processes lose their requests in flight and keep what was counted', { skip: transport === 'cgi' }, async () => {
    const done = total(await scrape(stack, 'cgi-gateway'), requests, { code: '200' });
    const upload = begin(stack.fcgiAddress('cgi-gateway'), {
      REQUEST_METHOD: 'PUT', SCRIPT_NAME: '/cgi-gateway', PATH_INFO: '/upload/half', REQUEST_URI: '/upload/half',
      CONTENT_LENGTH: '1000', HTTP_AUTHORIZATION: `Bearer ${ann.token}`,
    });
    upload.send(Buffer.from('half'));
    const inFlight = async () => total(await scrape(stack, 'cgi-gateway'), 'gatehouse_http_requests_in_flight');
    while ((await inFlight()) !== 2) await pause(10);

    for (const pid of stack.processes('cgi-gateway')) process.kill(pid, 'SIGKILL');
    await upload.answer;
    while ((await fetch(`${stack.internalUrl}/cgi-gateway/healthz`)).status !== 200) await pause(50);
    assert.equal(await inFlight(), 1);
    assert.ok(total(await scrape(stack, 'cgi-gateway'), requests, { code: '200' }) > done);
  });
});

test('the metrics cannot be reached from outside', async () => {
  for (const path of ['/metrics', '/cgi-auth/metrics', '/cgi-gateway/metrics', '/files/..%2Fmetrics', '/cgi-bin/cgi-auth/metrics']) {
    const { status } = await fetch(stack.url + path, { headers: { Authorization: basic(ann.email, ann.password) } });
    assert.ok([401, 404].includes(status), `${path}: ${status}`);
  }
});
