// Requests without pause from several loops, until they are stopped; every answer is reported.
import { randomBytes } from 'node:crypto';

// Four loops that log in, list, upload and download as `person`. `on(answer)` is called with each answer:
// {what, status, retryAfter}; status 0 means that the connection broke.
export function startLoad(stack, person, record, on) {
  let stopped = false;
  const auth = { Authorization: `Bearer ${person.token}` };
  const basic = 'Basic ' + Buffer.from(`${person.email}:${person.password}`).toString('base64');
  const { url, fetch = globalThis.fetch } = stack;
  const requests = {
    login: () => fetch(`${url}/login`, { method: 'POST', headers: { Authorization: basic } }),
    list: () => fetch(`${url}/files`, { headers: auth }),
    upload: () => fetch(`${url}/upload/load`, { method: 'PUT', headers: auth, body: randomBytes(20_000) }),
    download: () => fetch(url + record.url, { headers: auth }),
  };
  const loops = Object.entries(requests).map(async ([what, send]) => {
    while (!stopped) {
      const begun = process.hrtime.bigint();
      try {
        const response = await send();
        const text = await response.text();
        on({ what, begun, status: response.status, retryAfter: response.headers.get('retry-after'), text });
      } catch (error) {
        on({ what, begun, status: 0, text: String(error.cause ?? error) });
      }
    }
  });
  return async () => {
    stopped = true;
    await Promise.all(loops);
  };
}
