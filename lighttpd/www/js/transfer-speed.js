// transfer-speed.js - the average speed of a transfer, and the time that the rest will take. Pure: the
// caller passes the time, in milliseconds.

const AVERAGE_OVER = 8000; // ms: time constant of the moving average
const MIN_INTERVAL = 250; // ms between measurements

export class TransferSpeed {
  #speed; // bytes a ms
  #time;
  #bytes;

  // Record that `bytes` in total have been sent by `now`. A smaller total than before starts a new count.
  update(bytes, now) {
    if (this.#time === undefined || bytes < this.#bytes) {
      [this.#time, this.#bytes] = [now, bytes];
      return;
    }
    const elapsed = now - this.#time;
    if (elapsed < MIN_INTERVAL) return;
    const latest = (bytes - this.#bytes) / elapsed;
    const weight = 1 - Math.exp(-elapsed / AVERAGE_OVER);
    this.#speed = this.#speed === undefined ? latest : this.#speed + weight * (latest - this.#speed);
    [this.#time, this.#bytes] = [now, bytes];
  }

  // The time until the next update does not count: the transfer is paused.
  pause() {
    this.#time = undefined;
  }

  get bytesPerSecond() {
    return (this.#speed ?? 0) * 1000;
  }

  // Seconds that `bytes` will take, or undefined while the speed is unknown or 0.
  secondsFor(bytes) {
    return this.#speed > 0 ? bytes / this.#speed / 1000 : undefined;
  }
}
