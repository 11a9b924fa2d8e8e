// A receiver of webhooks: a real HTTP server that answers as the test chooses and records its
// requests. Signatures are checked with Node's own crypto, not with code of ours.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

export class WebhookReceiver {
  #server;
  #waiting = [];
  requests = []; // {id, sent, json, headers, accepted}, in order of arrival
  respond = accept;

  // `tls` is {key, cert} and `create` https.createServer, for https; `host` is an address of this machine; `at` is a
  // net.Server that listens already.
  static async start({ create = createServer, tls = {}, host = '127.0.0.1', at } = {}) {
    const receiver = new WebhookReceiver();
    receiver.#server = create(tls, (request, response) => receiver.#receive(request, response));
    receiver.#server.keepAliveTimeout = 0;
    await new Promise((done) => receiver.#server.listen(...(at ? [at] : [0, host]), done));
    const { port } = receiver.#server.address();
    receiver.url = `${create === createServer ? 'http' : 'https'}://${host}:${port}/hook`;
    return receiver;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }

  async #receive(request, response) {
    request.on('error', () => {});
    response.on('error', () => {});
    const body = Buffer.concat(await request.toArray().catch(() => []));
    const one = {
      method: request.method, path: request.url, headers: request.headers, body,
      id: request.headers['webhook-id'], sent: Number(request.headers['webhook-timestamp']),
      json: JSON.parse(body.toString('utf8')), accepted: false,
    };
    this.requests.push(one);
    for (const done of this.#waiting.splice(0)) done();
    await this.respond(one, response, this.requests.length);
    one.accepted = response.statusCode >= 200 && response.statusCode < 300 && response.writableEnded;
  }

  // Wait until `count` requests have arrived.
  async waitFor(count) {
    while (this.requests.length < count) await new Promise((done) => this.#waiting.push(done));
  }

  reset() {
    this.requests = [];
    this.respond = accept;
  }

  // The accepted events of one file: "uploaded deleted"; failed requests are left out.
  acceptedEvents(file) {
    return this.requests.filter((a) => a.accepted && a.json.data.id === file).map((a) => a.json.type.replace('file.', '')).join(' ');
  }
}

// How it answers
export const accept = (one, response) => response.writeHead(204).end();
export const respondWith = (status, headers = {}) => (one, response) => response.writeHead(status, headers).end('no');
export const hangUp = (one, response) => response.destroy();
export const neverRespond = () => {};
export const inTurn = (...ways) => (one, response, n) => ways[n % ways.length](one, response, n);

// Whether a `webhook-signature` was made with `secret`, as standardwebhooks.com defines it.
export function isSigned({ headers, body }, secret) {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  const mac = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.`).update(body).digest();
  return headers['webhook-signature'].split(' ').some((one) => {
    const [version, text] = one.split(',');
    const got = Buffer.from(text ?? '', 'base64');
    return version === 'v1' && got.length === mac.length && timingSafeEqual(got, mac);
  });
}
