// A TCP proxy between a client and an instance that breaks its connections.
//
//   const proxy = await startProxy(stack.url, { every: 5_000_000, times: 10 });
//   proxy.url                     the URL for the client
//   proxy.cuts                    how often it broke so far
//   await proxy.stop()
//
// Whenever clients have sent `every` more bytes, all connections break at once, by turns with a reset
// and with a plain close; `times` in all.
import net from 'node:net';

export async function startProxy(target, { every = Infinity, times = Infinity } = {}) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  const proxy = { cuts: 0, bytes: 0 };

  proxy.cut = () => {
    proxy.cuts++;
    for (const [client, server] of pairs) {
      if (proxy.cuts % 2) client.resetAndDestroy();
      else client.destroy();
      server.destroy();
    }
    pairs.clear();
  };

  const listener = net.createServer((client) => {
    const server = net.connect({ host: hostname, port });
    const pair = [client, server];
    pairs.add(pair);
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
        if (from !== client) return;
        proxy.bytes += bytes.length;
        if (proxy.bytes >= every * (proxy.cuts + 1) && proxy.cuts < times) proxy.cut();
      });
      to.on('drain', () => from.resume());
      from.on('end', () => to.end());
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        to.destroy();
      });
    }
  });
  await new Promise((done) => listener.listen(0, '127.0.0.1', done));
  proxy.url = `http://127.0.0.1:${listener.address().port}`;
  proxy.stop = () => {
    for (const [client, server] of pairs) {
      client.destroy();
      server.destroy();
    }
    return new Promise((done) => listener.close(done));
  };
  return proxy;
}
