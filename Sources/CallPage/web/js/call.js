/** One call as this tab takes part in it: its state, its signaling, and the mesh of its connections. */

import { MediaStates } from "./media-states.js";
import { Mesh } from "./mesh.js";
import { Outbox, pauseAfter } from "./outbox.js";
import { ReceivedEvents } from "./received.js";
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
 * @property {string} [deviceId] the device to be in the call, if it is not this tab's own
 */

/** Refusals of a signal that tell that another session of the same person is the one in the call. */
const replacedCodes = ["not_joined", "answered_elsewhere"];

export class Call extends EventTarget {
  mediaStates = new MediaStates();
  /** Whether the server hears us in this call, and we it. */ isJoined = false;
  /** Whether it ever did. */ wasJoined = false;
  /** Rises with each attempt to join, so that an earlier one gives up. */ #attempt = 0;
  #received = new ReceivedEvents();
  /** @type {Outbox} */ #outbox;
  /** @type {Mesh} */ #mesh;

  /** @param {CallOptions} options */
  constructor({ info, identity, socket, api, media, relayOnly, deviceId }) {
    super();
    this.info = info;
    this.identity = identity;
    this.socket = socket;
    this.api = api;
    this.media = media;
    this.relayOnly = relayOnly;
    this.deviceId = deviceId ?? identity.deviceId;
    this.#outbox = new Outbox(
      (event, payload) => socket.emit(event, payload),
      (event, error) => this.#refused(event, error),
    );
    const onChange = () => this.#changed();
    this.#mesh = new Mesh({ media, outbox: this.#outbox, callId: info.callId, onChange });
    media.onDeviceEnded = (device, error) => this.#deviceEnded(device, error);
  }

  get peers() {
    return this.#mesh.peers;
  }

  /** When the first peer was connected, in milliseconds of the page's own clock. */
  get connectedAt() {
    return this.#mesh.connectedAt;
  }

  get callId() {
    return this.info.callId;
  }

  /** @returns {Phase} */
  get phase() {
    if (this.info.state === "ended") return "ended";
    if (!this.socket.connected && this.wasJoined) return "reconnecting";
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

  /** Whether a connection to somebody was there before and is not now. @param {string} userId */
  isLost(userId) {
    return this.#mesh.isLost(userId);
  }

  /**
   * Enters the call's signaling: fresh the first time, afterwards (with a new socket) as a resume that asks for
   * everything missed. Until it succeeds, signals wait in the outbox.
   */
  async join() {
    try {
      await this.#enter();
    } catch (error) {
      if (!(error instanceof SocketError) || error.code !== "resync_required") throw error;
      // Too much was missed to be told: begin again, as if the page had been reloaded.
      this.#received = new ReceivedEvents();
      this.#outbox.clear();
      this.#mesh.close();
      await this.#enter();
    }
  }

  /** The socket was lost; `join` is to be called when it is back. */
  suspend() {
    this.isJoined = false;
    this.#outbox.close();
    this.#changed();
  }

  /** The network is another one: what was lost with the old one need not be waited for. */
  networkChanged() {
    this.#mesh.restartLost();
  }

  /** @param {string} event @param {any} data an event of this call; one that was heard before changes nothing */
  receive(event, data) {
    if (!this.#received.take(data.seq, this.isJoined)) return;
    switch (event) {
      case "user-joined":
        this.#adopt(data.seq, { participants: data.participants });
        this.mediaStates.forget(data.userId);
        if (data.userId !== this.identity.userId) {
          this.#mesh.welcome(data.userId);
          this.#announceUnusualState();
        }
        break;
      case "user-left":
        this.#adopt(data.seq, { participants: data.participants });
        this.mediaStates.forget(data.userId);
        this.#mesh.dismiss(data.userId);
        break;
      case "call-answered":
        this.#adopt(data.seq, data.call);
        break;
      case "call-ended":
        this.info = data.call;
        this.#finish();
        break;
      case "webrtc-offer":
        this.#mesh.receiveOffer(data.from, data.offer);
        break;
      case "webrtc-answer":
        this.#mesh.receiveAnswer(data.from, data.answer);
        break;
      case "ice-candidate":
        this.#mesh.receiveCandidate(data.from, data.candidate);
        break;
      case "audio-toggled":
        this.#setParticipant(data.userId, { audioEnabled: data.enabled });
        break;
      case "video-toggled":
        this.#setParticipant(data.userId, { videoEnabled: data.enabled });
        break;
      case "media-state":
        this.mediaStates.hear(data);
        if (data.callType) this.info.callType = data.callType;
        break;
    }
    this.#changed();
  }

  /** Fresh servers and credentials. @param {import("./api.js").IceAnswer} ice */
  receiveIceServers({ iceServers, iceTransportPolicy }) {
    this.#mesh.configure({ iceServers, iceTransportPolicy: this.relayOnly ? "relay" : iceTransportPolicy });
  }

  /** @param {boolean} enabled */
  async setAudio(enabled) {
    if (enabled && !this.media.hasMicrophone) await this.media.openMicrophone();
    if (this.phase === "ended") return this.media.close();
    this.media.audioEnabled = enabled;
    await this.#mesh.refreshTracks();
    this.#announce("toggle-audio", { enabled });
    this.#changed();
  }

  /** Switches the camera; a voice call becomes a video call by it. @param {boolean} enabled */
  async setVideo(enabled) {
    if (enabled && !this.media.hasCamera) await this.media.openCamera();
    if (this.phase === "ended") return this.media.close();
    this.media.videoEnabled = enabled;
    await this.#mesh.refreshTracks();
    this.#announce("toggle-video", { enabled });
    if (enabled && this.info.callType === "voice") {
      this.info.callType = "video";
      this.#announce("media-state", { callType: "video" });
    }
    this.#changed();
  }

  /** On hold nobody hears or sees anything of the other. @param {boolean} onHold */
  setHold(onHold) {
    this.media.onHold = onHold;
    this.#announce("media-state", { onHold });
    this.#changed();
  }

  /** Shows the screen in place of the camera. @param {boolean} shared */
  async setScreenShare(shared) {
    if (shared) await this.media.openScreen(() => this.setScreenShare(false));
    else this.media.closeScreen();
    if (this.phase === "ended") return this.media.close();
    await this.#mesh.refreshTracks();
    this.#announce("media-state", { screenShare: shared });
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
    const wasJoined = this.isJoined;
    this.#finish();
    if (wasJoined) await this.#ask("leave-call", { callId: this.callId });
  }

  /** As a resume if there is something that it could go on from: whoever heard nothing yet has missed nothing. */
  async #enter() {
    const attempt = ++this.#attempt;
    const afterSeq = this.#received.last;
    const position = afterSeq === null ? {} : { afterSeq };
    const ack = await this.#ask("join-call", { callId: this.callId, deviceId: this.deviceId, ...position });
    if (attempt !== this.#attempt || this.phase === "ended") throw new SocketError("disconnected", "joined anew since");
    this.info = ack.call;
    this.receiveIceServers(ack);
    for (const { userId, polite } of ack.peers) this.#mesh.setPolite(userId, polite);
    this.wasJoined = true;
    this.isJoined = true;
    for (const { event, data } of ack.missed) this.receive(event, data);
    this.#announceMediaState(afterSeq === null);
    this.#outbox.open();
    // What was lost while away is mended now, except towards those who have begun it.
    const offering = ack.missed.filter((/** @type {any} */ { event }) => event === "webrtc-offer");
    this.#mesh.restartLost(offering.map((/** @type {any} */ { data }) => data.from));
    this.#changed();
  }

  /**
   * Sends something that does not wait in the outbox, and again if the server could not take it just now.
   * @param {string} event @param {object} payload @returns {Promise<any>}
   */
  async #ask(event, payload) {
    const attempt = this.#attempt;
    for (;;) {
      try {
        return await this.socket.emit(event, payload);
      } catch (error) {
        const pauseMs = pauseAfter(error);
        if (pauseMs === null) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        if (attempt !== this.#attempt) throw new SocketError("disconnected", `${event} is done anew`);
      }
    }
  }

  /** @param {string} event @param {SocketError} error */
  #refused(event, error) {
    if (this.phase === "ended") return;
    if (replacedCodes.includes(error.code)) this.dispatchEvent(new Event("replaced"));
    else console.warn(`${event} was refused:`, error.code, error.message);
  }

  /**
   * The server may still know the state of the page before a reload, or expect a camera where there is none; what it
   * does not keep is said by each fresh session.
   * @param {boolean} isFresh
   */
  #announceMediaState(isFresh) {
    const known = this.participant(this.identity.userId);
    const { audioEnabled, videoEnabled } = this.media;
    if (known?.audioEnabled !== audioEnabled) this.#announce("toggle-audio", { enabled: audioEnabled });
    if (known?.videoEnabled !== videoEnabled) this.#announce("toggle-video", { enabled: videoEnabled });
    if (isFresh) this.#announceUnusualState();
  }

  #announceUnusualState() {
    if (this.media.onHold) this.#announce("media-state", { onHold: true });
    if (this.media.screen) this.#announce("media-state", { screenShare: true });
  }

  /**
   * A microphone or camera ended by itself; if it was in use, another one took its place, or none could.
   * @param {"microphone" | "camera"} device @param {import("./media.js").MediaError | null} error
   */
  async #deviceEnded(device, error) {
    if (this.phase === "ended") return;
    await this.#mesh.refreshTracks();
    if (error) {
      this.#announce(device === "microphone" ? "toggle-audio" : "toggle-video", { enabled: false });
      this.dispatchEvent(new CustomEvent("device-lost", { detail: error }));
    }
    this.#changed();
  }

  #finish() {
    this.info = { ...this.info, state: "ended" };
    this.isJoined = false;
    this.#outbox.close();
    this.#outbox.clear();
    this.#mesh.close();
    this.media.close();
    this.#changed();
  }

  /**
   * Takes over what an event shows of the call, unless a later event has shown more.
   * @param {number} seq @param {Partial<CallInfo>} shown
   */
  #adopt(seq, shown) {
    if (seq > this.info.seq) Object.assign(this.info, shown, { seq });
  }

  /** @param {string} userId @param {{audioEnabled?: boolean, videoEnabled?: boolean}} change */
  #setParticipant(userId, change) {
    const participant = this.participant(userId);
    if (participant) Object.assign(participant, change);
  }

  /** @param {string} event @param {object} payload */
  #announce(event, payload) {
    this.#outbox.push(event, { callId: this.callId, ...payload });
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
