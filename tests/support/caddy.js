// Caddy with deploy/caddy/Caddyfile.
import { join } from 'node:path';
import { startServer } from './server.js';
import { repository } from './stack.js';

export const startCaddy = ({ run, maxBody = '10GB', proxies = '' }) => startServer('caddy', (folder, port) => ({
  args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
  env: {
    XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder,
    GATEHOUSE_SITE: `http://:${port}`, GATEHOUSE_RUN: run, GATEHOUSE_LIGHTTPD: join(repository, 'lighttpd'), GATEHOUSE_MAX_BODY: maxBody, GATEHOUSE_PROXIES: proxies,
  },
  text: `{\n\tadmin off\n\tdefault_bind 127.0.0.1\n}\nimport ${join(repository, 'deploy', 'caddy', 'Caddyfile')}\n`,
}), { signal: 'SIGTERM' });
