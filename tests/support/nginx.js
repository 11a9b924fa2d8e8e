// nginx. `http` are lines for the http block, `server` for its one server.
import { startServer } from './server.js';

export const startNginx = ({ http = '', server = '' }) => startServer('nginx', (folder, port) => ({
  args: (file) => ['-p', folder, '-e', `${folder}/error.log`, '-c', file],
  text: `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log ${folder}/error.log;
    events {}
    http {
      access_log off;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${folder}/${n};`).join('\n')}
      ${http}
      server {
        listen 127.0.0.1:${port};
        ${server}
      }
    }`,
}));
