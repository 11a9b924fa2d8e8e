// A server other than lighttpd as the public listener of an instance; transport.js lists them.
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startApache } from './apache.js';
import { startCaddy } from './caddy.js';
import { startNginx } from './nginx.js';
import { build, repository } from './stack.js';

const lighttpd = () => join(repository, 'lighttpd'); // a function, because stack.js may be loaded after this file

async function frontNginx(stack) {
  return startNginx({
    http: `include ${join(repository, 'deploy', 'nginx', 'gatehouse-http.conf')};
      upstream gatehouse_auth { server unix:${stack.path('run', 'cgi-auth.sock')}; }
      upstream gatehouse_gateway { server unix:${stack.path('run', 'cgi-gateway.sock')}; }`,
    server: `
      set $gatehouse_data ${stack.path('data')};
      set $gatehouse_lighttpd ${lighttpd()};
      access_log ${stack.path('log', 'nginx.log')} gatehouse;
      client_max_body_size 100g;
      include ${join(repository, 'deploy', 'nginx', 'gatehouse.conf')};`,
  });
}

// The web root is a copy of the real one; the files beside it start the programs of this instance.
// Server and programs run as one ordinary user, as under a host's suEXEC.
async function frontApache(stack, suffix) {
  if (process.getuid() === 0) throw new Error('Apache does not run as root: use an ordinary user, or node support/suite.js');
  const hosting = stack.path('hosting');
  const root = join(hosting, 'public');
  rmSync(hosting, { recursive: true, force: true });
  const from = join(repository, 'deploy', 'shared-hosting', 'public');
  cpSync(from, root, { recursive: true });
  cpSync(join(lighttpd(), 'www'), root, { recursive: true, dereference: true });
  mkdirSync(join(root, 'errors'));
  for (const status of [400, 403, 404, 405, 408, 411, 413, 414, 500, 503]) cpSync(join(lighttpd(), 'errors', `${status}.html`), join(root, 'errors', `${status}.problem`));
  if (suffix !== 'cgi') for (const name of ['cgi-auth', 'cgi-gateway']) cpSync(join(root, 'cgi-bin', `${name}.cgi`), join(root, 'cgi-bin', `${name}.${suffix}`));
  const access = join(root, '.htaccess');
  writeFileSync(access, readFileSync(access, 'utf8').replaceAll(/(cgi-(auth|gateway))\.cgi/g, `$1.${suffix}`));
  mkdirSync(join(hosting, 'gatehouse'));
  const start = join(hosting, 'gatehouse', 'start');
  writeFileSync(start, `#!/bin/sh\nGATEHOUSE_CONF=${stack.path('conf')}/\${1#cgi-}.env exec ${build}/$1\n`);
  chmodSync(start, 0o755);
  return startApache({
    root,
    errorLog: stack.path('log', 'apache.log'),
    more: 'LimitRequestBody 0\nFcgidMaxRequestLen 4294967296\nFcgidIOTimeout 300\nFcgidMaxProcessesPerClass 16\nFcgidSpawnScoreUpLimit 1000\nMaxRequestWorkers 64',
  });
}

const starters = {
  nginx: frontNginx,
  caddy: (stack) => startCaddy({ run: stack.path('run'), proxies: '127.0.0.1' }),
  'apache-cgi': (stack) => frontApache(stack, 'cgi'),
  'apache-fcgid': (stack) => frontApache(stack, 'fcgi'),
};

// Returns what startServer() does.
export const startFront = (stack) => starters[stack.front](stack);
