/** One call as this tab takes part in it: its state, its signaling and a mesh of peers, one for each of the others. */

import { Peer } from "./peer.js";
import { SocketError } from "./socket.js";

/** @typedef {import("./api.js").CallInfo} CallInfo */
/** @typedef {import("./media.js").LocalMedia} LocalMedia */
/** @typedef {"ringing" | "connecting" | "active" | "reconnecting" | "ended"} Phase */
/**
 * @typedef {object} CallOptions
 * @property {CallInfo} info
 * @property {import("./identity.js").Identity} identity
 * @property {import("./socket.js").Socket} socket
 * @property {import("./api.js").Api} api
 * @property {LocalMedia} media
 * @property {boolean} relayOnly this side's own wish, beside what the call asks for
 */
/** @typedef {{event: string, payload: object, sent: boolean}} Signal */

export class Call extends EventTarget {
  /** @type {Map<string, Peer>} */ peers = new Map();
  /** @type {Signal[]} */ #outbox = [];
  /** @type {Map<string, boolean>} */ #politeness = new Map();
  /** @type {RTCConfiguration} */ #configuration = {};
  #joined = false;
  #everJoined = false;
  #lastSeq = 0;
  /** When the first peer was connected, in milliseconds of the page's own clock. @type {number | null} */
  connectedAt = null;

  /** @param {CallOptions} options */
  constructor({ info, identity, socket, api, media, relayOnly }) {
    super();
    this.info = info;
    this.identity = identity;
    this.socket = socket;
    this.api = api;
    this.media = media;
    this.relayOnly = relayOnly;
  }

  get callId() {
    return this.info.callId;
  }

  /** @returns {Phase} */
  get phase() {
    if (this.info.state === "ended") return "ended";
    if (!this.socket.connected && this.#everJoined) return "reconnecting";
    const states = [...this.peers.values()].map((peer) => peer.state);
    if (states.includes("connected")) return "active";
    if (this.connectedAt !== null && states.some((state) => state !== "new")) return "reconnecting";
    return this.info.state === "ringing" ? "ringing" : "connecting";
  }

  /** @param {string} userId */
  participant(userId) {
    return this.info.participants.find((participant) => participant.userId === userId);
  }

  /** Everybody who is, or may still come, in the call with us. */
  get others() {
    const gone = ["left", "rejected", "missed"];
    return this.info.participants.filter(
      ({ userId, state }) => userId !== this.identity.userId && (!gone.includes(state) || this.peers.has(userId)),
    );
  }

  /**
   * Enters the call's signaling: fresh the first time, afterwards (with a new socket) as a resume that asks for
   * everything missed. Until it succeeds, signals wait in the outbox.
   */
  async join() {
    try {
      await this.#enter(this.#everJoined ? { afterSeq: this.#lastSeq } : {});
    } catch (error) {
      if (!(error instanceof SocketError) || error.code !== "resync_required") throw error;
      // Too much was missed to be told: begin again, as if the page had been reloaded.
      this.#everJoined = false;
      this.#outbox = [];
      this.#closePeers();
      await this.#enter({});
    }
  }

  /** The socket was lost; `join` is to be called when it is back. */
  suspend() {
    this.#joined = false;
    this.#changed();
  }

  /** @param {string} event @param {any} data an event of this call */
  receive(event, data) {
    if (typeof data.seq === "number") this.#lastSeq = Math.max(this.#lastSeq, data.seq);
    switch (event) {
      case "user-joined":
        this.info.participants = data.participants;
        if (data.userId !== this.identity.userId) this.#welcome(data.userId);
        break;
      case "user-left":
        this.info.participants = data.participants;
        this.#closePeer(data.userId);
        break;
      case "call-answered":
        this.info = data.call;
        break;
      case "call-ended":
        this.info = data.call;
        this.#finish();
        break;
      case "webrtc-offer":
        this.#peerForOffer(data.from, data.offer).receiveOffer(data.offer);
        break;
      case "webrtc-answer":
        this.peers.get(data.from)?.receiveAnswer(data.answer);
        break;
      case "ice-candidate":
        this.#peer(data.from).receiveCandidate(data.candidate);
        break;
      case "audio-toggled":
        this.#setParticipant(data.userId, { audioEnabled: data.enabled });
        break;
      case "video-toggled":
        this.#setParticipant(data.userId, { videoEnabled: data.enabled });
        break;
    }
    this.#changed();
  }

  /** @param {import("./api.js").IceAnswer} ice fresh servers and credentials */
  receiveIceServers(ice) {
    this.#useIceServers(ice);
    for (const peer of this.peers.values()) peer.setConfiguration(this.#configuration);
  }

  /** @param {boolean} enabled */
  setAudio(enabled) {
    this.media.audioEnabled = enabled;
    this.#announce("toggle-audio", { enabled });
    this.#changed();
  }

  /** Switches the camera; in a call that began without one this opens it. @param {boolean} enabled */
  async setVideo(enabled) {
    if (enabled && !this.media.hasCamera) {
      const track = await this.media.openCamera();
      for (const peer of this.peers.values()) peer.addTrack(track);
    }
    this.media.videoEnabled = enabled;
    this.#announce("toggle-video", { enabled });
    this.#changed();
  }

  /** The server does not know us in this call any more: nothing is left to be told to it. */
  abandon() {
    this.#finish();
  }

  /** Ends the call for everybody: in a group only its creator can. */
  async hangUp() {
    this.#finish();
    this.info = await this.api.end(this.callId);
    this.#changed();
  }

  /** Goes out of a group call and leaves the others to it. */
  async leave() {
    this.#finish();
    if (this.#joined) await this.socket.emit("leave-call", { callId: this.callId });
  }

  /** @param {{afterSeq?: number}} position where a resume goes on; empty for a fresh session */
  async #enter(position) {
    const payload = { callId: this.callId, deviceId: this.identity.deviceId, ...position };
    const ack = await this.socket.emit("join-call", payload);
    this.#useIceServers(ack);
    this.info = ack.call;
    for (const { userId, polite } of ack.peers) this.#politeness.set(userId, polite);
    if (!this.#everJoined) this.#lastSeq = ack.call.seq;
    this.#everJoined = true;
    this.#joined = true;
    for (const { event, data } of ack.missed) this.receive(event, data);
    this.#announceMediaState();
    this.#flush();
    this.#changed();
  }

  /** The server may still know the state of the page before a reload, or expect a camera where there is none. */
  #announceMediaState() {
    const known = this.participant(this.identity.userId);
    const { audioEnabled, videoEnabled } = this.media;
    if (known?.audioEnabled !== audioEnabled) this.#announce("toggle-audio", { enabled: audioEnabled });
    if (known?.videoEnabled !== videoEnabled) this.#announce("toggle-video", { enabled: videoEnabled });
  }

  #finish() {
    this.info = { ...this.info, state: "ended" };
    this.#outbox = [];
    this.#closePeers();
    this.media.close();
    this.#changed();
  }

  /** @param {import("./api.js").IceAnswer} ice */
  #useIceServers({ iceServers, iceTransportPolicy }) {
    this.#configuration = { iceServers, iceTransportPolicy: this.relayOnly ? "relay" : iceTransportPolicy };
  }

  /**
   * Whoever comes in, or comes back from a reload, gets an offer from those who are there; the later side is polite.
   * @param {string} userId
   */
  #welcome(userId) {
    this.#politeness.set(userId, false);
    this.#replacePeer(userId).offer();
  }

  /** @param {string} userId */
  #peer(userId) {
    return this.peers.get(userId) ?? this.#replacePeer(userId);
  }

  /** @param {string} userId @param {import("./peer.js").Description} offer */
  #peerForOffer(userId, offer) {
    const peer = this.#peer(userId);
    return peer.isFromNewSession(offer) ? this.#replacePeer(userId) : peer;
  }

  /** @param {string} userId */
  #replacePeer(userId) {
    this.#closePeer(userId);
    const peer = new Peer({
      userId,
      polite: this.#politeness.get(userId) ?? false,
      configuration: this.#configuration,
      localStream: this.media.stream,
      send: (event, payload) => this.#announce(event, { ...payload, to: userId }),
      onChange: () => {
        if (peer.state === "connected") this.connectedAt ??= performance.now();
        this.#changed();
      },
    });
    this.peers.set(userId, peer);
    return peer;
  }

  #closePeers() {
    for (const userId of [...this.peers.keys()]) this.#closePeer(userId);
  }

  /** @param {string} userId */
  #closePeer(userId) {
    this.peers.get(userId)?.close();
    this.peers.delete(userId);
  }

  /** @param {string} userId @param {{audioEnabled?: boolean, videoEnabled?: boolean}} change */
  #setParticipant(userId, change) {
    const participant = this.participant(userId);
    if (participant) Object.assign(participant, change);
  }

  /** @param {string} event @param {object} payload */
  #announce(event, payload) {
    this.#outbox.push({ event, payload: { callId: this.callId, ...payload }, sent: false });
    this.#flush();
  }

  /** Sends what waits, in order. */
  #flush() {
    if (!this.#joined) return;
    for (const signal of this.#outbox) {
      if (!signal.sent) this.#deliver(signal);
    }
  }

  /**
   * A signal leaves the outbox when the server acknowledged it, so that one lost with the connection goes out again
   * after the resume. Any other failure is an answer, and sending it again would not change it.
   * @param {Signal} signal
   */
  async #deliver(signal) {
    signal.sent = true;
    try {
      await this.socket.emit(signal.event, signal.payload);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      if (error.code === "disconnected") {
        signal.sent = false;
        return;
      }
      if (this.phase !== "ended") console.warn(`${signal.event} was refused:`, error.code, error.message);
    }
    this.#outbox = this.#outbox.filter((waiting) => waiting !== signal);
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
