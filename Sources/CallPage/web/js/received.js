/** Events that belong to the call this tab is in. */
export const callEvents = [
  "user-joined",
  "user-left",
  "webrtc-offer",
  "webrtc-answer",
  "ice-candidate",
  "audio-toggled",
  "video-toggled",
  "media-state",
];

/**
 * Which of a call's events this session has taken in, by their numbers: each is acted on once, however often it comes.
 *
 * Numbers rise but for a fresh session's beginning, when signals that were kept come with their old ones: hence a set.
 */
export class ReceivedEvents {
  /** @type {Set<number>} */ #numbers = new Set();
  /** The number a resume goes on from; `null` while nothing came that it could follow. @type {number | null} */
  last = null;

  /**
   * @param {number} seq
   * @param {boolean} inSession false for what came outside of the joined session: a resume repeats it
   * @returns {boolean} whether it is new
   */
  take(seq, inSession) {
    const isNew = !this.#numbers.has(seq);
    this.#numbers.add(seq);
    if (inSession) this.last = Math.max(this.last ?? 0, seq);
    return isNew;
  }
}
