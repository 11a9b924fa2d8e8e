// lighttpd with TLS in front of the programs of an instance (transport spawn-fcgi), and a certificate
// authority that openssl makes for this run.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { startServer } from './server.js';
import { repository } from './stack.js';

// Make ca.pem, certificate.pem and key.pem, for localhost.
export function makeCertificate(folder) {
  const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=Throw-away authority');
  openssl('req', ...key, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=localhost');
  writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl('x509', '-req', '-in', 'request.pem', '-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2', '-extfile', 'names', '-out', 'certificate.pem');
}

// Returns what startServer() does, with `ca` (PEM), `caFile` and `internalUrl`.
export async function startHttps(stack) {
  const internal = await freePort();
  const lighttpd = join(repository, 'lighttpd');
  const server = await startServer('lighttpd', (folder, port) => {
    makeCertificate(folder);
    for (const name of ['log', 'spool']) mkdirSync(join(folder, name));
    const set = Object.entries({
      lighttpd, programs: 'spawn-fcgi', listen: 'https', bind: '127.0.0.1', port, internal: `127.0.0.1:${internal}`,
      tls_certificate: join(folder, 'certificate.pem'), tls_key: join(folder, 'key.pem'),
      build: '/nowhere', conf: '/nowhere', data: stack.path('data'), spool: join(folder, 'spool'), run: stack.path('run'), log: join(folder, 'log'),
      www: join(lighttpd, 'www'), max_body: 10_000_000, max_fds: 1024, drain: 5,
    });
    return {
      args: (file) => ['-D', '-f', file],
      text: set.map(([name, value]) => `var.gatehouse.${name} = ${JSON.stringify(value)}\n`).join('') + 'include var.gatehouse.lighttpd + "/gatehouse.conf"\n',
    };
  }, { signal: 'SIGTERM', scheme: 'https' });
  const caFile = join(server.folder, 'ca.pem');
  return { ...server, ca: readFileSync(caFile, 'utf8'), caFile, internalUrl: `http://127.0.0.1:${internal}` };
}
