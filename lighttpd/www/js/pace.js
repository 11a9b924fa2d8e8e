// pace.js - how fast bytes move, and how long the rest will take, without jumping about. Pure: the
// caller tells the time, in milliseconds.

const MEMORY = 8000; // ms after which a measurement counts for a third
const STEP = 250; // ms between measurements

export class Pace {
  #speed; // bytes a ms
  #at;
  #bytes;

  // `bytes` have moved in all by `now`. Fewer than before: the count began anew.
  note(bytes, now) {
    if (this.#at === undefined || bytes < this.#bytes) {
      [this.#at, this.#bytes] = [now, bytes];
      return;
    }
    const took = now - this.#at;
    if (took < STEP) return;
    const latest = (bytes - this.#bytes) / took;
    const weight = 1 - Math.exp(-took / MEMORY);
    this.#speed = this.#speed === undefined ? latest : this.#speed + weight * (latest - this.#speed);
    [this.#at, this.#bytes] = [now, bytes];
  }

  // Nothing moves for a while, and that says nothing about the speed.
  rest() {
    this.#at = undefined;
  }

  get bytesPerSecond() {
    return (this.#speed ?? 0) * 1000;
  }

  // Seconds, or undefined while nobody can know.
  secondsFor(bytes) {
    return this.#speed > 0 ? bytes / this.#speed / 1000 : undefined;
  }
}
