// convert.js - one job: fetch a video, extract its sound with ffmpeg, and store the MP3 with the same owner.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

// A job that may succeed later; `seconds` says when to try again, if the server said so.
export class Retry extends Error {
  constructor(message, seconds) {
    super(message);
    this.seconds = seconds;
  }
}

// Only formats that contain their own data. A playlist, disguised as a video, could name other files of this machine.
const FORMATS = 'asf,avi,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mpeg,mpegts,mpegvideo,ogg';

const RETRIED = new Set([401, 403, 408, 423, 429, 500, 502, 503, 504, 507]);

export class Converter {
  #url;
  #token;
  #seconds;

  // `url` is the address of Gatehouse; `token` returns an API token; ffmpeg may take `seconds`.
  constructor({ url, token, seconds }) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
    this.#seconds = seconds;
  }

  // Convert the file of `event`, with `temporary` as the beginning of the names of its temporary files.
  // Returns what became of it, as an object for the log. Throws Retry if it may succeed later.
  async run({ data }, temporary, stop) {
    const video = `${temporary}.video`;
    const sound = `${temporary}.mp3`;
    try {
      if (!(await this.#fetch(data, video, stop))) return { result: 'the file no longer exists' };
      const failure = await this.#extract(video, sound, stop);
      if (failure) return { result: 'ffmpeg cannot convert it', reason: failure };
      return await this.#store(data, sound, stop);
    } finally {
      await Promise.all([video, sound].map((path) => rm(path, { force: true })));
    }
  }

  async #request(path, options, stop) {
    const headers = { Authorization: `Bearer ${this.#token()}`, ...options.headers };
    const response = await fetch(this.#url + path, { ...options, headers, signal: stop }).catch((error) => {
      throw new Retry(`${this.#url} cannot be reached: ${error.cause?.message ?? error.message}`);
    });
    if (!RETRIED.has(response.status)) return response;
    const problem = await response.text().catch(() => '');
    throw new Retry(`${options.method ?? 'GET'} ${path}: ${response.status} ${problem}`, Number(response.headers.get('retry-after')) || undefined);
  }

  // False if the file was deleted meanwhile.
  async #fetch({ id, owner, sha256 }, path, stop) {
    const response = await this.#request(`/download/${id}?owner=${owner}`, {}, stop);
    if (response.status === 404 || response.status === 410) return false;
    if (response.status !== 200) throw new Retry(`GET /download/${id}: ${response.status} ${await response.text()}`);
    const hash = createHash('sha256');
    const hashed = new Transform({ transform: (chunk, _, done) => (hash.update(chunk), done(null, chunk)) });
    await pipeline(Readable.fromWeb(response.body), hashed, createWriteStream(path), { signal: stop }).catch((error) => {
      throw new Retry(`GET /download/${id} broke off: ${error.message}`);
    });
    if (hash.digest('hex') !== sha256) throw new Retry(`GET /download/${id}: the bytes do not match their SHA-256`);
    return true;
  }

  // Resolves to the reason of a failure, or to undefined. +bitexact: the same video yields the same bytes each time.
  async #extract(video, sound, stop) {
    const args = ['-nostdin', '-hide_banner', '-loglevel', 'error', '-y', '-protocol_whitelist', 'file', '-format_whitelist', FORMATS,
      '-i', `file:${video}`, '-map', '0:a:0', '-codec:a', 'libmp3lame', '-q:a', '2', '-map_metadata', '-1',
      '-fflags', '+bitexact', '-flags:a', '+bitexact', `file:${sound}`];
    const late = AbortSignal.timeout(this.#seconds * 1000);
    const child = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'pipe'], signal: AbortSignal.any([stop, late]), killSignal: 'SIGKILL' });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => (text = (text + chunk).slice(0, 2000)));
    const error = await new Promise((resolve) => child.on('error', resolve).on('close', (code) => resolve(code === 0 ? undefined : new Error(text.trim()))));
    if (stop.aborted) throw new Retry('the converter stops');
    if (late.aborted) return `it took longer than ${this.#seconds} seconds`;
    if (error?.code === 'ENOENT') throw new Retry('ffmpeg is not installed');
    return error?.message;
  }

  // If a result of an earlier attempt is there, whose answer was lost, it is not stored again.
  async #store({ name, owner }, path, stop) {
    const target = `${[...name.replace(/\.[^.]{1,8}$/, '')].slice(0, 60).join('')}.mp3`;
    const sha256 = await digest(path);
    const query = new URLSearchParams({ owner, q: target });
    const list = await this.#request(`/files?${query}`, {}, stop);
    const found = list.status === 200 && (await list.json()).files.find((file) => file.name === target && file.sha256 === sha256);
    if (found) return { result: 'stored', id: found.id, name: target };
    const response = await this.#request(`/upload/${encodeURIComponent(target)}?owner=${owner}&sha256=${sha256}`, {
      method: 'PUT', body: createReadStream(path), duplex: 'half',
      headers: { 'Content-Type': 'audio/mpeg', 'Content-Length': String((await stat(path)).size) },
    }, stop);
    const answer = await response.json();
    if (response.status !== 201) return { result: 'Gatehouse refused the MP3', status: response.status, reason: answer.detail };
    return { result: 'stored', id: (answer.files?.[0] ?? answer).id, name: target };
  }
}

async function digest(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
