/** Ring and ringback made with WebAudio, so that no sound file has to be fetched. */

/** @typedef {{frequencies: number[], onSeconds: number[], periodSeconds: number, volume: number}} Pattern */

/** @type {Record<"ring" | "ringback", Pattern>} `onSeconds` are start and end pairs inside one period. */
const patterns = {
  ring: { frequencies: [660, 880], onSeconds: [0, 0.35, 0.5, 0.85], periodSeconds: 2.6, volume: 0.12 },
  ringback: { frequencies: [425], onSeconds: [0, 1], periodSeconds: 4, volume: 0.05 },
};

export class Tones {
  /** @type {AudioContext | null} */ #context = null;
  /** @type {"ring" | "ringback" | null} */ #playing = null;
  #timer = 0;

  /** Browsers give sound only after a gesture: call this from a click, as early as there is one. */
  unlock() {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") {
      this.#context.resume().catch((error) => console.info("no sound yet:", error.message));
    }
  }

  /** @param {"ring" | "ringback"} tone */
  play(tone) {
    if (this.#playing === tone) return;
    this.stop();
    this.#playing = tone;
    const repeat = () => this.#playOnce(patterns[tone]);
    repeat();
    this.#timer = setInterval(repeat, patterns[tone].periodSeconds * 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#playing = null;
  }

  /** @param {Pattern} pattern */
  #playOnce(pattern) {
    const context = this.#context;
    if (!context || context.state !== "running") return;
    for (let index = 0; index < pattern.onSeconds.length; index += 2) {
      const start = context.currentTime + pattern.onSeconds[index];
      const end = context.currentTime + pattern.onSeconds[index + 1];
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setTargetAtTime(pattern.volume, start, 0.02);
      gain.gain.setTargetAtTime(0, end - 0.08, 0.02);
      gain.connect(context.destination);
      for (const frequency of pattern.frequencies) {
        const oscillator = new OscillatorNode(context, { frequency });
        oscillator.connect(gain);
        oscillator.start(start);
        oscillator.stop(end);
      }
    }
  }
}
