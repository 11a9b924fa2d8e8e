// Apache run by an ordinary user, as a shared host would run it for one customer: the customer
// only has .htaccess. On a real host suEXEC changes to the customer's user, but it needs root
// to be set up; here the whole server runs as that user instead.
import { readFileSync } from 'node:fs';
import { startServer } from './server.js';

const nobody = Number(/^nobody:[^:]*:(\d+)/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1] ?? 65534);

// The user that the server runs as (uid and gid for spawn()); its files must belong to that user.
export const ordinaryUser = process.getuid() === 0 ? { uid: nobody, gid: nobody } : {};

const modules = {
  prefork: ['mpm_prefork', 'cgi'],
  event: ['mpm_event', 'cgid'],
};

// `root` is the web root. `mpm` is prefork (with mod_cgi) or event (with mod_cgid). `more` are lines of the
// host's own configuration.
export const startApache = ({ root, mpm = 'prefork', more = '', errorLog }) => startServer('apache2', (folder, port) => ({
  args: (file) => ['-D', 'FOREGROUND', '-d', folder, '-f', file],
  text: [
    ...[...modules[mpm], 'authz_core', 'mime', 'dir', 'rewrite', 'headers', 'env', 'fcgid']
      .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
    `ServerName localhost`,
    `Listen 127.0.0.1:${port}`,
    `ServerRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${folder}/pid`,
    `Mutex file:${folder} default`,
    `ErrorLog ${errorLog ?? `${folder}/error.log`}`,
    `LogLevel error`,
    `TypesConfig /dev/null`,
    `DocumentRoot ${root}`,
    mpm === 'event' ? `ScriptSock ${folder}/cgid.sock` : '',
    `FcgidIPCDir ${folder}/fcgid`,
    `FcgidProcessTableFile ${folder}/fcgid.table`,
    `<Directory />\nAllowOverride None\nRequire all denied\n</Directory>`,
    `<Directory ${root}>\nAllowOverride All\nOptions FollowSymLinks\nRequire all granted\n</Directory>`,
    more,
  ].join('\n') + '\n',
}), { signal: 'SIGTERM', user: ordinaryUser });
