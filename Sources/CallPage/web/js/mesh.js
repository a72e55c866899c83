/** The connections of one call: a peer for each of the others, made and given up as they come and go. */

import { Peer } from "./peer.js";

const negotiation = ["webrtc-offer", "webrtc-answer", "ice-candidate"];

/**
 * @typedef {object} MeshOptions
 * @property {import("./media.js").LocalMedia} media
 * @property {import("./outbox.js").Outbox} outbox
 * @property {string} callId
 * @property {() => void} onChange after a connection's state or tracks changed
 */

export class Mesh {
  /** @type {Map<string, Peer>} by user id */ peers = new Map();
  /** @type {Map<string, boolean>} */ #politeness = new Map();
  /** @type {Set<string>} those a connection to whom was there once */ #met = new Set();
  /** @type {RTCConfiguration} */ #configuration = {};
  /** When the first peer was connected, in milliseconds of the page's own clock. @type {number | null} */
  connectedAt = null;

  /** @param {MeshOptions} options */
  constructor({ media, outbox, callId, onChange }) {
    this.media = media;
    this.outbox = outbox;
    this.callId = callId;
    this.onChange = onChange;
  }

  /** Servers and credentials for connections from now on. @param {RTCConfiguration} configuration */
  configure(configuration) {
    this.#configuration = configuration;
    for (const peer of this.peers.values()) peer.setConfiguration(configuration);
  }

  /** @param {string} userId @param {boolean} polite whether this side gives way to that user */
  setPolite(userId, polite) {
    this.#politeness.set(userId, polite);
  }

  /** Whether a connection to somebody was there before and is not now. @param {string} userId */
  isLost(userId) {
    const state = this.peers.get(userId)?.state;
    return this.#met.has(userId) && state !== undefined && state !== "connected";
  }

  /**
   * Whoever comes in, or comes back from a reload, gets an offer from those who are there; the later side is polite.
   * @param {string} userId
   */
  welcome(userId) {
    this.setPolite(userId, false);
    this.#replace(userId).offer();
  }

  /** @param {string} userId the connection to whom is over for good */
  dismiss(userId) {
    this.#met.delete(userId);
    this.#close(userId);
  }

  /** @param {string} userId @param {import("./peer.js").Description} offer */
  receiveOffer(userId, offer) {
    const known = this.#peer(userId);
    const peer = known.isFromNewSession(offer) ? this.#replace(userId) : known;
    peer.receiveOffer(offer);
  }

  /** @param {string} userId @param {import("./peer.js").Description} answer */
  receiveAnswer(userId, answer) {
    this.peers.get(userId)?.receiveAnswer(answer);
  }

  /** @param {string} userId @param {RTCIceCandidateInit | string | null} candidate */
  receiveCandidate(userId, candidate) {
    this.#peer(userId).receiveCandidate(candidate);
  }

  /** After what is to be heard or seen of us has changed. */
  async refreshTracks() {
    await Promise.all([...this.peers.values()].map((peer) => peer.refreshTracks()));
  }

  /** Looks for other paths in place of those that were lost. @param {string[]} besides those who have begun to do so */
  restartLost(besides = []) {
    for (const [userId, peer] of this.peers) {
      if (!besides.includes(userId)) peer.restartIfLost();
    }
  }

  close() {
    for (const userId of [...this.peers.keys()]) this.#close(userId);
  }

  /** @param {string} userId */
  #peer(userId) {
    return this.peers.get(userId) ?? this.#replace(userId);
  }

  /** @param {string} userId */
  #replace(userId) {
    this.#close(userId);
    const peer = new Peer({
      userId,
      polite: this.#politeness.get(userId) ?? false,
      configuration: this.#configuration,
      media: this.media,
      send: (event, payload) => {
        // Whoever answers has taken back an offer of its own, which therefore must not arrive any more.
        if (event === "webrtc-answer") this.#withdraw(userId, ["webrtc-offer"]);
        this.outbox.push(event, { callId: this.callId, ...payload, to: userId });
      },
      onChange: () => {
        if (peer.state === "connected") {
          this.connectedAt ??= performance.now();
          this.#met.add(userId);
        }
        this.onChange();
      },
    });
    this.peers.set(userId, peer);
    return peer;
  }

  /** @param {string} userId */
  #close(userId) {
    this.peers.get(userId)?.close();
    this.peers.delete(userId);
    this.#withdraw(userId, negotiation);
  }

  /** @param {string} userId @param {string[]} events */
  #withdraw(userId, events) {
    this.outbox.withdraw((event, payload) => payload.to === userId && events.includes(event));
  }
}
