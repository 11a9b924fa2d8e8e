// A connection to a server that can be cut: a TCP proxy on loopback.
//
//   const line = await openLine(stack.url);   line.url is the address of the proxy
//   line.cut();                               breaks every connection; new ones pass
//   line.loseAnswer('PATCH');                 loses the next answer to such a request: the server got
//                                             all of it, the client gets nothing
import net from 'node:net';
import { after } from 'node:test';

export async function openLine(target) {
  const { hostname, port } = new URL(target);
  const pairs = new Set();
  let doomed; // the method whose next answer is lost

  const server = net.createServer((client) => {
    const upstream = net.connect({ host: hostname, port });
    const pair = [client, upstream];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    let marked = false;
    client.on('data', (bytes) => {
      if (doomed && bytes.subarray(0, 200).toString('latin1').startsWith(`${doomed} `)) {
        marked = true;
        doomed = undefined;
      }
      if (!upstream.write(bytes)) client.pause();
    });
    upstream.on('drain', () => client.resume());
    upstream.on('data', (bytes) => {
      if (marked) {
        line.lost++;
        end();
      } else {
        client.write(bytes);
      }
    });
    for (const socket of pair) socket.on('error', end).on('close', end);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));

  const line = {
    url: `http://127.0.0.1:${server.address().port}`,
    lost: 0,
    cut() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
    },
    loseAnswer(method) {
      doomed = method;
    },
  };
  after(() => {
    line.cut();
    server.close();
  });
  return line;
}
