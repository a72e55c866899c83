/**
 * One peer connection: perfect negotiation, candidates that may come early, ICE restart.
 *
 * An offer or answer carries, beside `type` and `sdp`, the `session` of the connection it comes from, and an answer
 * also the one it is `for`. A page that was reloaded negotiates from a new connection, and what was still under way
 * from the old one can then be told apart. Clients that do not send it are taken at their word.
 */

/** @typedef {RTCSessionDescriptionInit & {session?: string, for?: string}} Description */
/**
 * @typedef {object} PeerOptions
 * @property {string} userId whom it leads to
 * @property {boolean} polite whether this side gives way when both offer at once
 * @property {RTCConfiguration} configuration
 * @property {MediaStream} localStream
 * @property {(event: string, payload: object) => void} send brings a signal to this peer, in order
 * @property {() => void} onChange after the connection state or the tracks changed
 */

const disconnectedPatienceMs = 4_000;
const failedRetryMs = 8_000;

export class Peer {
  /** @type {Promise<void>} */ #work = Promise.resolve();
  /** @type {(RTCIceCandidateInit | null)[]} */ #earlyCandidates = [];
  /** @type {string | undefined} */ #remoteSession;
  #session = crypto.randomUUID();
  #makingOffer = false;
  #ignoresOffer = false;
  #attached = false;
  #restartTimer = 0;

  /** @param {PeerOptions} options */
  constructor({ userId, polite, configuration, localStream, send, onChange }) {
    this.userId = userId;
    this.polite = polite;
    this.localStream = localStream;
    this.send = send;
    this.onChange = onChange;
    this.remoteStream = new MediaStream();
    this.connection = new RTCPeerConnection(configuration);
    this.#listen();
  }

  get state() {
    return this.connection.connectionState;
  }

  /** Adds the local tracks; the browser then asks for a negotiation, which sends an offer. */
  offer() {
    this.#attachLocalTracks();
  }

  /** @param {MediaStreamTrack} track a track that came into being during the call */
  addTrack(track) {
    if (this.#attached) this.connection.addTrack(track, this.localStream);
  }

  /**
   * True if the description comes from another connection than the one negotiated with so far.
   * @param {Description} offer
   */
  isFromNewSession(offer) {
    return Boolean(this.#remoteSession && offer.session && offer.session !== this.#remoteSession);
  }

  /** @param {Description} offer */
  receiveOffer(offer) {
    this.#enqueue(async () => {
      const collides = this.#makingOffer || this.connection.signalingState !== "stable";
      this.#ignoresOffer = collides && !this.polite;
      if (this.#ignoresOffer) return;
      await this.connection.setRemoteDescription(offer);
      this.#remoteSession = offer.session;
      this.#attachLocalTracks();
      await this.#addEarlyCandidates();
      await this.connection.setLocalDescription();
      this.#sendDescription("webrtc-answer", "answer");
    });
  }

  /** @param {Description} answer */
  receiveAnswer(answer) {
    this.#enqueue(async () => {
      if (answer.for && answer.for !== this.#session) return;
      // A signal that was sent twice because its acknowledgement got lost has been answered twice.
      if (this.connection.signalingState !== "have-local-offer") return;
      await this.connection.setRemoteDescription(answer);
      this.#remoteSession = answer.session;
      await this.#addEarlyCandidates();
    });
  }

  /** @param {RTCIceCandidateInit | string | null} candidate `null` or `""` is the end of candidates */
  receiveCandidate(candidate) {
    this.#enqueue(async () => {
      const described = typeof candidate === "string" ? { candidate, sdpMLineIndex: 0 } : candidate;
      if (this.connection.remoteDescription) await this.#addCandidate(described || null);
      else this.#earlyCandidates.push(described || null);
    });
  }

  /** Fresh credentials; they are used from the next ICE restart on. @param {RTCConfiguration} configuration */
  setConfiguration(configuration) {
    this.connection.setConfiguration(configuration);
  }

  close() {
    clearTimeout(this.#restartTimer);
    this.connection.onnegotiationneeded = null;
    this.connection.onconnectionstatechange = null;
    this.connection.close();
  }

  #listen() {
    const connection = this.connection;
    connection.onnegotiationneeded = async () => {
      try {
        this.#makingOffer = true;
        await connection.setLocalDescription();
        this.#sendDescription("webrtc-offer", "offer");
      } catch (error) {
        this.#report(error);
      } finally {
        this.#makingOffer = false;
      }
    };
    connection.onicecandidate = ({ candidate }) =>
      this.send("ice-candidate", { candidate: candidate ? candidate.toJSON() : null });
    connection.ontrack = ({ track }) => {
      this.remoteStream.addTrack(track);
      track.onmute = this.onChange;
      track.onunmute = this.onChange;
      this.onChange();
    };
    connection.onconnectionstatechange = () => {
      this.#watchConnection();
      this.onChange();
    };
  }

  /** A connection that lost its path gets a moment to find it again by itself, then a restart, and then another. */
  #watchConnection() {
    clearTimeout(this.#restartTimer);
    const restart = () => {
      this.connection.restartIce();
      this.#restartTimer = setTimeout(restart, failedRetryMs);
    };
    if (this.state === "failed") restart();
    if (this.state === "disconnected") this.#restartTimer = setTimeout(restart, disconnectedPatienceMs);
  }

  #attachLocalTracks() {
    if (this.#attached) return;
    this.#attached = true;
    for (const track of this.localStream.getTracks()) this.connection.addTrack(track, this.localStream);
  }

  /** @param {string} event @param {"offer" | "answer"} key */
  #sendDescription(event, key) {
    const description = this.connection.localDescription;
    if (!description) return;
    /** @type {Description} */
    const sent = { type: description.type, sdp: description.sdp, session: this.#session };
    if (key === "answer") sent.for = this.#remoteSession;
    this.send(event, { [key]: sent });
  }

  async #addEarlyCandidates() {
    for (const candidate of this.#earlyCandidates.splice(0)) await this.#addCandidate(candidate);
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #addCandidate(candidate) {
    try {
      await this.connection.addIceCandidate(candidate);
    } catch (error) {
      // Expected for candidates that belong to an offer this side turned down.
      if (!this.#ignoresOffer) this.#report(error);
    }
  }

  /** Signals are taken one after the other: each may wait for the browser. @param {() => Promise<void>} task */
  #enqueue(task) {
    this.#work = this.#work.then(task).catch((error) => this.#report(error));
  }

  /** @param {unknown} error */
  #report(error) {
    if (this.connection.signalingState !== "closed") console.warn(`negotiation with ${this.userId}:`, error);
  }
}
