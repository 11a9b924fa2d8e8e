// job-queue.js - a queue of jobs in a folder, which survives crashes.
//
//   FOLDER/waiting/ID   a job: the JSON of its event
//   FOLDER/done/ID      what became of it, kept for DONE_DAYS so that a repeated event is recognized
//   FOLDER/work/        files of the job in progress; emptied when the queue opens
//
// One process may use a folder at a time. A job that was in progress when the process died waits again.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const DONE_DAYS = 30; // longer than EVENT_DAYS: an event is not repeated after that

export class JobQueue {
  #folder;
  #retryAt = new Map(); // id -> time in ms before which it is not taken again
  #added = false; // since `next` last looked
  #wake = () => {};

  constructor(folder) {
    this.#folder = folder;
    rmSync(join(folder, 'work'), { recursive: true, force: true });
    for (const name of ['waiting', 'done', 'work']) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  }

  path(...names) {
    return join(this.#folder, ...names);
  }

  isKnown(id) {
    return existsSync(this.path('waiting', id)) || existsSync(this.path('done', id));
  }

  // When this returns, the job is on disk.
  async add(id, event) {
    await this.#write('waiting', id, event);
    this.#added = true;
    this.#wake();
  }

  async finish(id, outcome) {
    await this.#write('done', id, outcome);
    await rm(this.path('waiting', id));
    this.#retryAt.delete(id);
  }

  retryLater(id, seconds) {
    this.#retryAt.set(id, Date.now() + seconds * 1000);
  }

  // The next job, as {id, event}; waits for one. Undefined once `stop` is aborted.
  async next(stop) {
    for (;;) {
      if (stop.aborted) return undefined;
      this.#added = false;
      const ids = (await readdir(this.path('waiting'))).sort();
      const id = ids.find((one) => (this.#retryAt.get(one) ?? 0) <= Date.now());
      if (id) return { id, event: JSON.parse(await readFile(this.path('waiting', id), 'utf8')) };
      await this.#sleep(Math.min(...ids.map((one) => this.#retryAt.get(one)), Date.now() + 60_000) - Date.now(), stop);
    }
  }

  removeOld() {
    const limit = Date.now() - DONE_DAYS * 86_400_000;
    for (const id of readdirSync(this.path('done')))
      if (statSync(this.path('done', id)).mtimeMs < limit) rmSync(this.path('done', id));
  }

  #sleep(ms, stop) {
    if (this.#added || stop.aborted) return undefined;
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        stop.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      stop.addEventListener('abort', wake);
      this.#wake = wake;
    });
  }

  // The file appears whole or not at all, and is on disk.
  async #write(folder, id, value) {
    const temporary = this.path('work', randomUUID());
    const file = await open(temporary, 'w', 0o600);
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
    await file.close();
    await rename(temporary, this.path(folder, id));
    const parent = await open(this.path(folder), 'r');
    await parent.sync();
    await parent.close();
  }
}
