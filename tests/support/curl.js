// The system's curl: {code, stdout, bytes, stderr}.
import { run } from './stack.js';

export async function curl(...args) {
  const { code, stdout, stderr } = await run('curl', ['-sS', '-q', '--noproxy', '*', ...args], { encoding: 'buffer' });
  return { code, stdout: stdout.toString('utf8'), bytes: stdout, stderr: stderr.toString('utf8') };
}

export const bearer = (token) => ['-H', `Authorization: Bearer ${token}`];
