/** @typedef {{onHold: boolean, screenShare: boolean}} MediaState */

/** @type {Readonly<MediaState>} */
const ordinaryState = Object.freeze({ onHold: false, screenShare: false });

/** What the others said of their media that cannot be seen in it. */
export class MediaStates {
  /** @type {Map<string, MediaState>} by user id */ #states = new Map();

  /** @param {string} userId */
  of(userId) {
    return this.#states.get(userId) ?? ordinaryState;
  }

  /** What is not said stays as it was. @param {{userId: string, onHold?: boolean, screenShare?: boolean}} said */
  hear({ userId, onHold, screenShare }) {
    const before = this.of(userId);
    this.#states.set(userId, { onHold: onHold ?? before.onHold, screenShare: screenShare ?? before.screenShare });
  }

  /** @param {string} userId who begins anew or is gone */
  forget(userId) {
    this.#states.delete(userId);
  }
}
