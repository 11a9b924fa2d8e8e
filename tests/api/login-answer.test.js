// LOGIN_ANSWER=text: the token alone, for gateways that put the text of the answer into a header
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertProblem, assertStatus, basic } from '../support/client.js';
import { build, run, startStack } from '../support/stack.js';

let stack, ann;
before(async () => {
  stack = await startStack({ settings: { LOGIN_ANSWER: 'text' } });
  ann = await stack.person({ admin: true });
});
after(() => stack?.stop());

const login = (headers) => stack.call('POST', '/login', { basic: [ann.email, ann.password], headers });

describe('with LOGIN_ANSWER=text', () => {
  test('a gateway with one address for /login and /validate works without a change', async () => {
    const { internalUrl } = stack;
    const answer = await fetch(`${internalUrl}/login`, { method: 'POST', headers: { Authorization: basic(ann.email, ann.password), Accept: '*/*' } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
    const token = await answer.text();
    // its client puts the text into a header, which may have no newline
    assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    const valid = await fetch(`${internalUrl}/validate`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
    assert.equal(valid.status, 200);
    const claims = await valid.json();
    assert.deepEqual([claims.username, claims.admin], [ann.email, true]);
  });

  test('a client that prefers JSON gets JSON', async () => {
    for (const accept of ['application/json', 'application/json, text/plain;q=0.5', 'application/json, */*;q=0.1']) {
      const answer = await login({ Accept: accept });
      assertStatus(answer, 200);
      assert.equal(answer.headers.get('content-type'), 'application/json', accept);
      assert.ok(answer.json.refresh_token);
    }
  });

  test('a client without a preference gets text', async () => {
    for (const headers of [{}, { Accept: '*/*' }, { Accept: 'text/html,*/*;q=0.8' }])
      assert.match((await login(headers)).text, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assert.match((await login({ Accept: 'text/plain' })).text, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  });

  test('a login that wants the cookie gets JSON, and so does a refresh', async () => {
    const answer = await login({ 'X-Refresh-Cookie': '1' });
    assert.ok(answer.json.access_token);
    const cookie = answer.headers.get('set-cookie').split(';')[0];
    const refreshed = await stack.call('POST', '/refresh', { headers: { Cookie: cookie } });
    assertStatus(refreshed, 200);
    assert.ok(refreshed.json.access_token);
  });

  test('an error is a problem as ever', async () => {
    assertProblem(await stack.call('POST', '/login', { basic: [ann.email, 'wrong'] }), 401, 'invalid-credentials');
  });
});

test('LOGIN_ANSWER takes json and text only', async () => {
  const env = { GATEHOUSE_CONF: stack.path('conf', 'auth.env') };
  const check = (value) => run(join(build, 'cgi-auth'), ['--check'], { env: { ...env, LOGIN_ANSWER: value } });
  const { code, stderr } = await check('xml');
  assert.equal(code, 78);
  assert.match(stderr, /LOGIN_ANSWER: must be json or text, not "xml"/);
  assert.equal((await check('json')).code, 0);
});
