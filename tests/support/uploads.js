// Uploads that send each part when the test says so.
import http from 'node:http';
import { assertStatus } from './client.js';

// One upload request; finish() sends the second half of the body and returns {status, text}.
export function uploadInHalves(url, token, method, path, headers, bytes) {
  const half = bytes.length >> 1;
  const request = http.request(url + path, { method, headers: { Authorization: `Bearer ${token}`, 'Content-Length': bytes.length, ...headers }, agent: false });
  const answer = new Promise((done, fail) => {
    request.on('error', fail);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk)).on('end', () => done({ status: response.statusCode, text }));
    });
  });
  answer.catch(() => {}); // an error is reported by finish()
  request.write(bytes.subarray(0, half));
  return { finish: () => (request.end(bytes.subarray(half)), answer) };
}

const version = { 'Tus-Resumable': '1.0.0' };
export const patchHeaders = (from) => ({ ...version, 'Upload-Offset': String(from), 'Content-Type': 'application/offset+octet-stream' });

// A resumable upload through `ask(method, target, options)`: {path, offset(), patch(from, bytes)}.
export async function resumable(ask, length) {
  const made = await ask('POST', '/tus', { headers: { ...version, 'Upload-Length': String(length) }, body: '' });
  assertStatus(made, 201);
  const path = new URL(made.headers.get('location'), 'http://any').pathname;
  return {
    path,
    offset: async () => Number((await ask('HEAD', path, { headers: version })).headers.get('upload-offset')),
    patch: (from, bytes) => ask('PATCH', path, { headers: patchHeaders(from), body: bytes }),
  };
}
