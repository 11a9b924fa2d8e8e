// A TCP proxy between a client and an instance that breaks its connections.
//
//   const line = await startProxy(stack.url, { every: 5_000_000, times: 10 });
//   line.url                     the URL for the client
//   line.cuts                    how often it broke so far
//   await line.stop()
//
// Whenever clients have sent `every` more bytes, all connections break at once, by turns with a reset
// and with a plain close; `times` in all.
import net from 'node:net';

export async function startProxy(target, { every = Infinity, times = Infinity } = {}) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  const line = { cuts: 0, bytes: 0 };

  line.cut = () => {
    line.cuts++;
    for (const [client, server] of pairs) {
      if (line.cuts % 2) client.resetAndDestroy();
      else client.destroy();
      server.destroy();
    }
    pairs.clear();
  };

  const proxy = net.createServer((client) => {
    const server = net.connect({ host: hostname, port });
    const pair = [client, server];
    pairs.add(pair);
    for (const [from, to] of [[client, server], [server, client]]) {
      from.on('data', (bytes) => {
        if (!to.write(bytes)) from.pause();
        if (from !== client) return;
        line.bytes += bytes.length;
        if (line.bytes >= every * (line.cuts + 1) && line.cuts < times) line.cut();
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
  await new Promise((done) => proxy.listen(0, '127.0.0.1', done));
  line.url = `http://127.0.0.1:${proxy.address().port}`;
  line.stop = () => {
    for (const [client, server] of pairs) {
      client.destroy();
      server.destroy();
    }
    return new Promise((done) => proxy.close(done));
  };
  return line;
}
