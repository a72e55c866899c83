/** Presence in one room: the socket, who is in, calls that ring, and the one call this tab takes part in. */

import { Api, ApiError } from "./api.js";
import { Call } from "./call.js";
import { displayName } from "./identity.js";
import { LocalMedia } from "./media.js";
import { Socket, SocketError } from "./socket.js";
import { describeEnd, describeError, describeMissedRing, describeOwnEnd } from "./words.js";

/** @typedef {import("./api.js").CallInfo} CallInfo */
/** @typedef {{callType: "voice" | "video", group: boolean, invitees?: string[], relayOnly: boolean}} Plan */

/** Events that belong to the call this tab is in. */
const callEvents = [
  "user-joined",
  "user-left",
  "webrtc-offer",
  "webrtc-answer",
  "ice-candidate",
  "audio-toggled",
  "video-toggled",
];
const historyLength = 6;

export class Session extends EventTarget {
  /** @type {string[]} */ members = [];
  /** @type {Map<string, CallInfo>} calls that ring here, by id */ ringing = new Map();
  /** @type {CallInfo[]} running calls of this room that we may (re)join */ joinable = [];
  /** @type {CallInfo[]} newest first */ history = [];
  /** @type {Call | null} */ call = null;
  /** @type {import("./socket.js").SocketStatus} */ status = { state: "idle" };
  /** @type {{kind: "info" | "error", text: string} | null} */ notice = null;
  /** True while devices are asked for or the call is being made; a second click then does nothing. */
  busy = false;

  /** @param {import("./identity.js").Identity} identity @param {string} room */
  constructor(identity, room) {
    super();
    this.identity = identity;
    this.room = room;
    this.api = new Api(identity.token);
    this.socket = new Socket({
      url: location.origin,
      auth: () => ({ token: identity.token, rooms: [room] }),
      onStatus: (status) => this.#socketChanged(status),
    });
    this.socket.on("room-members", (data) => this.#setMembers(data));
    this.socket.on("call-incoming", (data) => this.#incoming(data.call));
    this.socket.on("call-answered", (data) => this.#answered(data));
    this.socket.on("call-ended", (data) => this.#ended(data));
    this.socket.on("ice-servers", (data) => this.call?.receiveIceServers(data));
    for (const event of callEvents) this.socket.on(event, (data) => this.#forward(event, data));
  }

  start() {
    this.socket.open();
  }

  async stop() {
    if (this.call) await this.hangUp();
    this.socket.close();
  }

  /** @param {Plan} plan */
  place(plan) {
    return this.#enterCall(plan.callType === "video", plan.relayOnly, () =>
      this.api.initiate({ roomId: this.room, deviceId: this.identity.deviceId, ...plan }),
    );
  }

  /** @param {string} callId @param {{withVideo: boolean, relayOnly: boolean}} choice */
  accept(callId, { withVideo, relayOnly }) {
    return this.#enterCall(withVideo, relayOnly, () => this.api.answer(callId, this.identity.deviceId));
  }

  /**
   * Back into a call of ours that still runs, after a reload or after leaving it.
   * @param {CallInfo} info @param {boolean} relayOnly
   */
  rejoin(info, relayOnly) {
    return this.#enterCall(info.callType === "video", relayOnly, () =>
      info.createdBy === this.identity.userId
        ? Promise.resolve(info)
        : this.api.answer(info.callId, this.identity.deviceId),
    );
  }

  /** @param {string} callId */
  async decline(callId) {
    this.ringing.delete(callId);
    this.#changed();
    await this.#attempt(() => this.api.reject(callId));
  }

  /** Out of the call: ends it if it cannot or should not go on without us. */
  async hangUp() {
    const call = this.call;
    if (!call) return;
    this.call = null;
    this.#say("info", describeOwnEnd(call.info));
    await this.#attempt(() => (call.info.group ? call.leave() : call.hangUp()));
    await this.refresh();
  }

  async endForAll() {
    const call = this.call;
    if (!call) return;
    this.call = null;
    this.#say("info", "You ended the call for everybody.");
    await this.#attempt(() => call.hangUp());
    await this.refresh();
  }

  /** @param {boolean} enabled */
  async setVideo(enabled) {
    await this.#attempt(() => this.call?.setVideo(enabled));
  }

  dismissNotice() {
    this.notice = null;
    this.#changed();
  }

  /** What only the REST API knows: running calls to go back into, and the last ones. */
  async refresh() {
    await this.#attempt(async () => {
      const [active, history] = await Promise.all([this.api.active(), this.api.history(historyLength)]);
      this.joinable = active.calls.filter((call) => this.#canRejoin(call));
      this.history = history.items.filter((call) => call.state === "ended");
      this.#changed();
    });
  }

  /**
   * Devices first: a call nobody can be heard in is better not made.
   * @param {boolean} withVideo @param {boolean} relayOnly @param {() => Promise<CallInfo>} enter
   */
  async #enterCall(withVideo, relayOnly, enter) {
    if (this.busy || this.call) return;
    this.busy = true;
    this.notice = null;
    this.#changed();
    await this.#attempt(async () => {
      const { media, cameraError } = await LocalMedia.open(withVideo);
      try {
        const { identity, socket, api } = this;
        this.call = new Call({ info: await enter(), identity, socket, api, media, relayOnly });
        this.call.addEventListener("change", () => this.#changed());
        this.ringing.delete(this.call.callId);
        this.joinable = [];
        await this.#join(this.call);
      } finally {
        if (!this.call) media.close();
      }
      if (cameraError) this.#say("error", describeError(cameraError));
    });
    this.busy = false;
    this.#changed();
  }

  /** @param {Call} call */
  async #join(call) {
    try {
      await call.join();
    } catch (error) {
      // With the socket gone the call is joined when it is back; a refusal is final.
      if (error instanceof SocketError && error.code === "disconnected") return;
      if (this.call === call) this.call = null;
      call.abandon();
      throw error;
    }
  }

  /** @param {import("./socket.js").SocketStatus} status */
  #socketChanged(status) {
    this.status = status;
    if (status.state === "connected") {
      // The server tells again what rings, so a ring that ended while we were away does not stay.
      this.ringing.clear();
      this.refresh();
      const { call } = this;
      if (call) this.#attempt(() => this.#join(call));
    } else {
      this.call?.suspend();
    }
    if (status.message) this.#say("error", status.message);
    this.#changed();
  }

  /** @param {{roomId: string, members: string[]}} data */
  #setMembers({ roomId, members }) {
    if (roomId !== this.room) return;
    this.members = members;
    this.#changed();
  }

  /** @param {CallInfo} info */
  #incoming(info) {
    if (info.createdBy === this.identity.userId || info.callId === this.call?.callId) return;
    if (this.call && !info.group) {
      this.#attempt(() => this.api.reject(info.callId, "busy"));
      this.#say("info", `${displayName(info.createdBy)} tried to call you.`);
      return;
    }
    this.ringing.set(info.callId, info);
    this.#changed();
  }

  /** @param {{callId: string, call: CallInfo, userId: string, deviceId: string}} data */
  #answered(data) {
    this.#forward("call-answered", data);
    const byThisTab = data.userId === this.identity.userId && data.deviceId === this.identity.deviceId;
    if (byThisTab || !this.ringing.has(data.callId)) return;
    if (data.call.group && data.userId !== this.identity.userId) return;
    this.ringing.delete(data.callId);
    const who = data.userId === this.identity.userId ? "You" : displayName(data.userId);
    this.#say("info", `${who} answered on another device.`);
  }

  /** @param {{callId: string, call: CallInfo, reason: string, by?: string}} data */
  #ended(data) {
    const rang = this.ringing.get(data.callId);
    this.ringing.delete(data.callId);
    if (rang) this.#say("info", describeMissedRing(data, this.identity.userId));
    if (this.call?.callId === data.callId) {
      this.#forward("call-ended", data);
      this.call = null;
      this.#say("info", describeEnd(data, this.identity.userId));
    }
    this.refresh();
  }

  /** @param {string} event @param {any} data */
  #forward(event, data) {
    if (data.callId === this.call?.callId) this.call?.receive(event, data);
  }

  /** @param {CallInfo} call */
  #canRejoin(call) {
    const mine = call.participants.find(({ userId }) => userId === this.identity.userId);
    if (call.roomId !== this.room || call.callId === this.call?.callId || !mine) return false;
    if (call.group) return call.state !== "ringing" || call.createdBy === this.identity.userId;
    return mine.deviceId === this.identity.deviceId && ["joined", "reconnecting"].includes(mine.state);
  }

  /** @param {() => unknown} act */
  async #attempt(act) {
    try {
      await act();
    } catch (error) {
      if (error instanceof ApiError && error.problem?.call) this.joinable = [error.problem.call];
      this.#say("error", describeError(error));
    }
  }

  /** @param {"info" | "error"} kind @param {string} text */
  #say(kind, text) {
    this.notice = { kind, text };
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
