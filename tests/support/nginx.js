// A real nginx in a folder of its own, as a child in the foreground: no service, no system files.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './ports.js';
import { gone, pause } from './stack.js';

// `http` are lines for the http block, `server` for its one server. Gives {url, log(), stop()}.
export async function startNginx({ http = '', server = '' }) {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-nginx-'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${folder}/${n};`).join('\n');
  writeFileSync(join(folder, 'nginx.conf'), `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log ${folder}/error.log;
    events {}
    http {
      access_log off;
      ${temporary}
      ${http}
      server {
        listen 127.0.0.1:${port};
        ${server}
      }
    }`);
  const child = spawn('nginx', ['-p', folder, '-e', `${folder}/error.log`, '-c', join(folder, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  process.once('exit', () => child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}: ${said}`);
    if (await fetch(url).catch(() => undefined)) break;
    await pause(20);
  }
  return {
    url,
    log: () => readFileSync(join(folder, 'error.log'), 'utf8'),
    async stop() {
      child.kill('SIGKILL');
      await gone(child.pid);
      rmSync(folder, { recursive: true });
    },
  };
}
