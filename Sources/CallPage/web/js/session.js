/** Presence in one room: the socket, who is in, calls that ring, and the one call this tab takes part in. */

import { Api, ApiError } from "./api.js";
import { Call } from "./call.js";
import { displayName } from "./identity.js";
import { LocalMedia } from "./media.js";
import { Socket, SocketError } from "./socket.js";
import { Tabs } from "./tabs.js";
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
  "media-state",
];
/** Why a call cannot be answered here any more. */
const tooLateCodes = ["answered_elsewhere", "call_ended", "call_not_found", "call_full"];
/** A participant who is in the call by some device. */
const presentStates = ["joined", "reconnecting"];
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
  /** The call that is being answered here. @type {string | null} */ #answering = null;
  #tabs = new Tabs((userId, callId) => this.#takenByTab(userId, callId));
  #networkChanged = () => this.call?.networkChanged();

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
    window.addEventListener("online", this.#networkChanged);
    this.socket.open();
  }

  async stop() {
    if (this.call) await this.hangUp();
    window.removeEventListener("online", this.#networkChanged);
    this.#tabs.close();
    this.socket.close();
  }

  /** @param {Plan} plan */
  place(plan) {
    return this.#enterCall(plan.callType === "video", plan.relayOnly, () =>
      this.api.initiate({ roomId: this.room, deviceId: this.identity.deviceId, ...plan }),
    );
  }

  /** @param {string} callId @param {{withVideo: boolean, relayOnly: boolean}} choice */
  async accept(callId, { withVideo, relayOnly }) {
    await this.#enterCall(withVideo, relayOnly, async () => {
      this.#answering = callId;
      try {
        return await this.api.answer(callId, this.identity.deviceId);
      } catch (error) {
        if (error instanceof ApiError && tooLateCodes.includes(error.code)) this.ringing.delete(callId);
        throw error;
      }
    });
    this.#answering = null;
  }

  /**
   * Back into a call of ours that still runs: after a reload, after leaving it, or in place of another tab or device.
   * @param {CallInfo} info @param {boolean} relayOnly
   */
  rejoin(info, relayOnly) {
    const mine = this.#ownPart(info);
    const isPresent = presentStates.includes(mine?.state ?? "") || info.createdBy === this.identity.userId;
    const enter = () => (isPresent ? Promise.resolve(info) : this.api.answer(info.callId, this.identity.deviceId));
    // The call is some device's; whoever goes on with it elsewhere goes on as that device.
    return this.#enterCall(info.callType === "video", relayOnly, enter, isPresent ? mine?.deviceId : undefined);
  }

  /** Whether this tab would take the call over from another one, or from another device. @param {CallInfo} call */
  isElsewhere(call) {
    const mine = this.#ownPart(call);
    if (!mine || !presentStates.includes(mine.state)) return false;
    return mine.state === "joined" || mine.deviceId !== this.identity.deviceId;
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
  async setAudio(enabled) {
    await this.#attempt(() => this.call?.setAudio(enabled));
  }

  /** @param {boolean} enabled */
  async setVideo(enabled) {
    await this.#attempt(() => this.call?.setVideo(enabled));
  }

  /** @param {boolean} shared */
  async setScreenShare(shared) {
    await this.#attempt(() => this.call?.setScreenShare(shared));
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
   * @param {string} [deviceId] the device to be in the call, if it is not this tab's own
   */
  async #enterCall(withVideo, relayOnly, enter, deviceId) {
    if (this.busy || this.call) return;
    this.busy = true;
    this.notice = null;
    this.#changed();
    await this.#attempt(async () => {
      const { media, cameraError } = await LocalMedia.open(withVideo);
      try {
        const { identity, socket, api } = this;
        const call = new Call({ info: await enter(), identity, socket, api, media, relayOnly, deviceId });
        call.addEventListener("change", () => this.#changed());
        call.addEventListener("replaced", () => this.#replaced(call));
        call.addEventListener("device-lost", (event) =>
          this.#say("error", describeError(/** @type {CustomEvent} */ (event).detail)),
        );
        this.call = call;
        this.ringing.delete(call.callId);
        this.joinable = [];
        await this.#join(call);
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
      this.#tabs.take(this.identity.userId, call.callId);
    } catch (error) {
      // With the socket gone the call is joined when it is back; a refusal is final.
      if (error instanceof SocketError && error.code === "disconnected") return;
      if (this.call === call) this.call = null;
      call.abandon();
      this.refresh();
      throw error;
    }
  }

  /** @param {string} userId @param {string} callId */
  #takenByTab(userId, callId) {
    if (userId === this.identity.userId && this.call?.callId === callId) this.#replaced(this.call);
  }

  /**
   * Another session of ours is the one in the call: this one is not, and must not come back by itself.
   * @param {Call} call
   */
  async #replaced(call) {
    if (this.call !== call) return;
    this.call = null;
    call.abandon();
    this.#say("info", "The call goes on in another tab or on another device.");
    await this.refresh();
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
    const byUs = data.userId === this.identity.userId;
    const isHere = this.#answering === data.callId && byUs && data.deviceId === this.identity.deviceId;
    if (isHere || this.call?.callId === data.callId || (data.call.group && !byUs)) return;
    if (this.ringing.delete(data.callId)) {
      const who = byUs ? "You" : displayName(data.userId);
      this.#say("info", `${who} answered ${byUs ? "in another tab or " : ""}on another device.`);
    }
    this.refresh();
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
    const mine = this.#ownPart(call);
    if (call.roomId !== this.room || call.callId === this.call?.callId || !mine) return false;
    if (call.group && call.state !== "ringing") return true;
    return presentStates.includes(mine.state);
  }

  /** @param {CallInfo} call */
  #ownPart(call) {
    return call.participants.find(({ userId }) => userId === this.identity.userId);
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
