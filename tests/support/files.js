// The files of a user: upload one, list all.
import { createHash } from 'node:crypto';
import { assertStatus } from './client.js';

export const sha256 = (bytes, encoding = 'hex') => createHash('sha256').update(bytes).digest(encoding);

// Upload `content` under `name`; returns the file's JSON.
export async function uploadFile(stack, person, name, content, { type = 'application/octet-stream', query = '' } = {}) {
  const answer = await stack.call('PUT', `/upload/${encodeURIComponent(name)}${query}`,
    { token: person.token, body: content, headers: { 'Content-Type': type } });
  assertStatus(answer, 201);
  return answer.json.files[0];
}

// The JSON of all files of a user, newest first.
export async function allFiles(stack, person) {
  const answer = await stack.call('GET', '/files?limit=1000', { token: person.token });
  assertStatus(answer, 200);
  return answer.json.files;
}

