/**
 * One peer connection: perfect negotiation, candidates that may come early, ICE restart.
 *
 * An offer or answer carries, beside `type` and `sdp`, the `session` of the connection it comes from and the `number`
 * of the offer in it, and an answer also the session it is `for`. A page that was reloaded negotiates from a new
 * connection, and an offer whose acknowledgement was lost is sent twice: what is still under way from the old
 * connection, and what was heard before, can be told by that. Clients that do not send it are taken at their word.
 */

/** @typedef {RTCSessionDescriptionInit & {session?: string, number?: number, for?: string}} Description */
/**
 * @typedef {object} PeerOptions
 * @property {string} userId whom it leads to
 * @property {boolean} polite whether this side gives way when both offer at once
 * @property {RTCConfiguration} configuration
 * @property {import("./media.js").LocalMedia} media
 * @property {(event: string, payload: object) => void} send brings a signal to this peer, in order
 * @property {() => void} onChange after the connection state or the tracks changed
 */

const disconnectedPatienceMs = 4_000;
const failedRetryMs = 8_000;
/** More candidates that belong to no description so far are of connections that never came about. */
const earlyCandidatesLimit = 256;

export class Peer {
  /** @type {Promise<void>} */ #work = Promise.resolve();
  /** @type {(RTCIceCandidateInit | null)[]} */ #earlyCandidates = [];
  /** @type {string | undefined} */ #remoteSession;
  /** The newest offer that came from that session. */ #remoteNumber = 0;
  #session = crypto.randomUUID();
  #offerNumber = 0;
  /** @type {RTCRtpSender | null} */ #audioSender = null;
  /** @type {RTCRtpSender | null} */ #videoSender = null;
  #makingOffer = false;
  #ignoresOffer = false;
  #attached = false;
  #restartTimer = 0;
  /** Since the path was lost: whether another one is being looked for. */
  isRestarting = false;

  /** @param {PeerOptions} options */
  constructor({ userId, polite, configuration, media, send, onChange }) {
    this.userId = userId;
    this.polite = polite;
    this.media = media;
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

  /** Sends from now on what is to be heard and seen of us: the microphone; the screen, the camera or nothing. */
  async refreshTracks() {
    if (!this.#attached) return;
    const { outgoingAudio, outgoingVideo } = this.media;
    this.#audioSender = await this.#sendBy(this.#audioSender, outgoingAudio);
    this.#videoSender = await this.#sendBy(this.#videoSender, outgoingVideo);
  }

  /** Looks for another path at once, if the one in use was lost. */
  restartIfLost() {
    if (this.state === "disconnected" || this.state === "failed") this.#restart();
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
    if (this.#isRepeated(offer)) return;
    this.#enqueue(async () => {
      const collides = this.#makingOffer || this.connection.signalingState !== "stable";
      this.#ignoresOffer = collides && !this.polite;
      if (this.#ignoresOffer) return;
      await this.connection.setRemoteDescription(offer);
      this.#attachLocalTracks();
      await this.#addEarlyCandidates();
      await this.connection.setLocalDescription();
      this.#sendDescription("webrtc-answer", { for: offer.session, number: offer.number });
    });
  }

  /** @param {Description} answer */
  receiveAnswer(answer) {
    if (answer.for && answer.for !== this.#session) return;
    if (answer.session !== this.#remoteSession) {
      this.#remoteSession = answer.session;
      this.#remoteNumber = 0;
    }
    this.#enqueue(async () => {
      // An offer that was sent twice, because its acknowledgement got lost, may have been answered twice.
      if (answer.number && answer.number !== this.#offerNumber) return;
      if (this.connection.signalingState !== "have-local-offer") return;
      await this.connection.setRemoteDescription(answer);
      await this.#addEarlyCandidates();
    });
  }

  /** @param {RTCIceCandidateInit | string | null} candidate `null` or `""` is the end of candidates */
  receiveCandidate(candidate) {
    this.#enqueue(async () => {
      const described = (typeof candidate === "string" ? { candidate, sdpMLineIndex: 0 } : candidate) || null;
      if (this.#isExpected(described)) await this.#addCandidate(described);
      else this.#earlyCandidates = [...this.#earlyCandidates, described].slice(-earlyCandidatesLimit);
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
        this.#offerNumber += 1;
        this.#sendDescription("webrtc-offer", { number: this.#offerNumber });
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
    if (this.state === "connected") this.isRestarting = false;
    if (this.state === "failed") this.#restart();
    if (this.state === "disconnected") this.#restartTimer = setTimeout(this.#restart, disconnectedPatienceMs);
  }

  #restart = () => {
    clearTimeout(this.#restartTimer);
    this.isRestarting = true;
    this.connection.restartIce();
    this.#restartTimer = setTimeout(this.#restart, failedRetryMs);
    this.onChange();
  };

  #attachLocalTracks() {
    if (this.#attached) return;
    this.#attached = true;
    const { outgoingAudio, outgoingVideo, stream } = this.media;
    if (outgoingAudio) this.#audioSender = this.connection.addTrack(outgoingAudio, stream);
    if (outgoingVideo) this.#videoSender = this.connection.addTrack(outgoingVideo, stream);
  }

  /** @param {RTCRtpSender | null} sender @param {MediaStreamTrack | null} track @returns what sends the track now */
  async #sendBy(sender, track) {
    if (!sender) return track && this.connection.addTrack(track, this.media.stream);
    if (sender.track !== track) await sender.replaceTrack(track);
    return sender;
  }

  /** @param {"webrtc-offer" | "webrtc-answer"} event @param {{number?: number, for?: string}} reference */
  #sendDescription(event, reference) {
    const description = this.connection.localDescription;
    if (!description) return;
    const sent = { type: description.type, sdp: description.sdp, session: this.#session, ...reference };
    this.send(event, { [description.type]: sent });
  }

  /** Notes the offer; answers whether it was heard before. @param {Description} offer */
  #isRepeated({ session, number }) {
    if (!session || !number) {
      this.#remoteSession = session;
      return false;
    }
    if (session === this.#remoteSession && number <= this.#remoteNumber) return true;
    this.#remoteSession = session;
    this.#remoteNumber = number;
    return false;
  }

  /**
   * Whether the description that a candidate belongs to is there. One that overtook it waits for it.
   * @param {RTCIceCandidateInit | null} candidate
   */
  #isExpected(candidate) {
    const { remoteDescription } = this.connection;
    if (!remoteDescription) return false;
    const fragment = candidate?.usernameFragment;
    return !fragment || remoteDescription.sdp.includes(`a=ice-ufrag:${fragment}\r\n`);
  }

  async #addEarlyCandidates() {
    const waiting = this.#earlyCandidates;
    this.#earlyCandidates = waiting.filter((candidate) => !this.#isExpected(candidate));
    for (const candidate of waiting) {
      if (this.#isExpected(candidate)) await this.#addCandidate(candidate);
    }
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
