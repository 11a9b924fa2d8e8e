// One request to a program as plain CGI (RFC 3875), without a server.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { finish } from './client.js';
import { build, sanitizerLines } from './stack.js';

// `path` may have a query. `variables` are added to those that every server sets. The body is
// `input`, through a pipe, or the file at `file`, opened as standard input, as lighttpd does with
// a spooled body. `wrapper` is a command that starts the program. Returns an answer like client.js,
// with the exit status `code` and `stderr`.
export function runCgi(stack, program, method, path, { variables = {}, input, file, wrapper } = {}) {
  const request = beginCgi(stack, program, method, path, { variables: { ...lengthOf(input), ...variables }, file, wrapper });
  return request.finish(input);
}

// The same with a body that the test sends piece by piece: {send(bytes), finish(bytes), answer, pid}.
export function beginCgi(stack, program, method, path, { variables = {}, file, wrapper = [] } = {}) {
  const env = { ...serverVariables(stack, program, method, path), ...variables };
  const stdin = file ? openSync(file, 'r') : 'pipe';
  const [command, ...args] = [...wrapper, join(build, program)];
  const child = spawn(command, args, { env, stdio: [stdin, 'pipe', 'pipe'] });
  if (file) closeSync(stdin);
  else child.stdin.on('error', () => {}); // the program may exit without reading
  const collect = async (stream) => Buffer.concat(await stream.toArray());
  const ended = new Promise((done) => child.on('exit', (code, signal) => done(code ?? signal)));
  const answer = Promise.all([collect(child.stdout), collect(child.stderr), ended]).then(([stdout, stderr, code]) => {
    if (sanitizerLines(stderr.toString()).length) throw new Error(stderr.toString());
    return Object.assign(parse({ method, target: path }, stdout), { code, stderr: stderr.toString() });
  });
  return {
    answer,
    pid: child.pid,
    send: (bytes) => new Promise((done) => child.stdin.write(bytes, () => done())),
    finish(bytes) {
      child.stdin?.end(bytes ?? '');
      return answer;
    },
  };
}

const lengthOf = (input) => (input === undefined ? {} : { CONTENT_LENGTH: String(Buffer.byteLength(input)) });

function serverVariables(stack, program, method, path) {
  const [pathInfo, query = ''] = path.split('?');
  const variables = {
    PATH: process.env.PATH,
    GATEHOUSE_CONF: stack.path('conf', `${program.replace('cgi-', '')}.env`),
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost',
    SERVER_PORT: '80',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: method,
    REQUEST_URI: `/cgi-bin/${program}${path}`,
    SCRIPT_NAME: `/cgi-bin/${program}`,
    PATH_INFO: decodeURIComponent(pathInfo),
    QUERY_STRING: query,
  };
  for (const name of ['ASAN_OPTIONS', 'UBSAN_OPTIONS']) if (process.env[name]) variables[name] = process.env[name];
  return variables;
}

function parse(request, stdout) {
  const end = stdout.indexOf('\r\n\r\n');
  if (end < 0) return { ...request, status: 0, headers: new Headers(), text: stdout.toString() };
  const lines = stdout.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Headers(lines.map((l) => [l.slice(0, l.indexOf(':')), l.slice(l.indexOf(':') + 1).trim()]));
  const status = Number(headers.get('status')?.split(' ')[0] ?? 200);
  return finish({ ...request, status, headers, bytes: stdout.subarray(end + 4) });
}
