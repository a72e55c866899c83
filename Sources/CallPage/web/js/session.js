/** Presence on the server: the socket, the room looked at and who is in, calls that ring, and the one call of this tab. */

import { Api, ApiError } from "./api.js";
import { Call } from "./call.js";
import { Ledger } from "./ledger.js";
import { LocalMedia } from "./media.js";
import { displayName } from "./names.js";
import { callEvents } from "./received.js";
import { SocketLogin } from "./socket-login.js";
import { Socket, SocketError } from "./socket.js";
import { Tabs } from "./tabs.js";
import { describeEnd, describeError, describeMissedRing, describeOwnEnd, describeRefusal } from "./words.js";

/** @typedef {import("./api.js").CallInfo} CallInfo */
/** @typedef {{callType: "voice" | "video", group: boolean, invitees?: string[], relayOnly: boolean}} Plan */

/** Why a call cannot be answered here any more. */
const tooLateCodes = ["answered_elsewhere", "call_ended", "call_not_found", "call_full"];
/** Refusals that tell that others are in the room, or not in it, than was known here. */
const staleRoomCodes = ["not_in_room", "invitee_not_in_room"];

export class Session extends EventTarget {
  /** @type {string[]} */ members = [];
  /** @type {Map<string, CallInfo>} calls that ring here, by id */ ringing = new Map();
  /** @type {Set<string>} rooms with too many people to ring for all of them */ largeRooms = new Set();
  /** @type {Call | null} */ call = null;
  /** @type {import("./socket.js").SocketStatus} */ status = { state: "idle" };
  /** @type {{kind: "info" | "error", text: string} | null} */ notice = null;
  /** True while devices are asked for or the call is being made; a second click then does nothing. */
  busy = false;
  /** The call that is being answered here. @type {string | null} */ #answering = null;
  #tabs = new Tabs((userId, callId) => this.#takenByTab(userId, callId));
  #networkChanged = () => this.call?.networkChanged();
  /** @type {SocketLogin} */ #login;

  /**
   * @param {import("./identity.js").Identity} identity @param {import("./credentials.js").Credentials} credentials
   * @param {{room?: string}} [presence] in dev mode the room is entered by the socket, and the server tells who is in
   */
  constructor(identity, credentials, presence = {}) {
    super();
    this.identity = identity;
    /** The one looked at. @type {string | null} */
    this.room = presence.room ?? null;
    this.api = new Api(credentials);
    this.ledger = new Ledger(identity, this.api);
    const rooms = presence.room ? { rooms: [presence.room] } : {};
    this.socket = new Socket({
      url: location.origin,
      auth: async () => ({ token: await this.#login.token(), ...rooms }),
      onStatus: (status) => this.#socketChanged(status),
    });
    this.#login = new SocketLogin(this.socket, credentials);
    this.socket.on("room-members", ({ roomId, members }) => roomId === this.room && this.setMembers(members));
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
    this.abandon();
  }

  /** Out of everything without a word to the server, which takes none from us any more. */
  abandon() {
    const { call } = this;
    this.call = null;
    call?.abandon();
    this.ringing.clear();
    window.removeEventListener("online", this.#networkChanged);
    this.#tabs.close();
    this.#login.close();
    this.socket.close();
  }

  /** Running calls of the room looked at. */
  get joinable() {
    return this.ledger.running.filter(({ roomId }) => roomId === this.room);
  }

  /** Looks at another room, or at none. @param {string | null} room */
  enterRoom(room) {
    this.room = room;
    this.members = [];
    this.notice = null;
    this.#changed();
  }

  /** @param {string[]} members */
  setMembers(members) {
    this.members = members;
    this.#changed();
  }

  /** @param {Plan} plan */
  place(plan) {
    return this.#enterCall(plan.callType === "video", plan.relayOnly, () =>
      this.api.initiate({ roomId: this.room ?? "", deviceId: this.identity.deviceId, ...plan }),
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
    const mine = this.ledger.ownPart(info);
    const isPresent = this.ledger.isPresent(info) || info.createdBy === this.identity.userId;
    const enter = () => (isPresent ? Promise.resolve(info) : this.api.answer(info.callId, this.identity.deviceId));
    // The call is some device's; whoever goes on with it elsewhere goes on as that device.
    return this.#enterCall(info.callType === "video", relayOnly, enter, isPresent ? mine?.deviceId : undefined);
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
    this.say("info", describeOwnEnd(call.info));
    await this.#attempt(() => (call.info.group ? call.leave() : call.hangUp()));
    await this.refresh();
  }

  async endForAll() {
    const call = this.call;
    if (!call) return;
    this.call = null;
    this.say("info", "You ended the call for everybody.");
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
      await this.ledger.load(() => this.call?.callId);
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
          this.say("error", describeError(/** @type {CustomEvent} */ (event).detail)),
        );
        this.call = call;
        this.ringing.delete(call.callId);
        this.ledger.running = [];
        await this.#join(call);
      } finally {
        if (!this.call) media.close();
      }
      if (cameraError) this.say("error", describeError(cameraError));
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
    this.say("info", "The call goes on in another tab or on another device.");
    await this.refresh();
  }

  /** @param {import("./socket.js").SocketStatus} status */
  #socketChanged(status) {
    this.status = status;
    if (status.state === "connected") {
      this.#login.accepted();
      // The server tells again what rings, so a ring that ended while we were away does not stay.
      this.ringing.clear();
      this.refresh();
      const { call } = this;
      if (call) this.#attempt(() => this.#join(call));
    } else {
      this.call?.suspend();
    }
    if (status.code === "invalid_token") this.#attempt(() => this.#login.reenter(status));
    else if (status.message) this.say("error", describeRefusal(status));
    this.#changed();
  }

  /** @param {CallInfo} info */
  #incoming(info) {
    if (info.createdBy === this.identity.userId || info.callId === this.call?.callId) return;
    if (this.call && !info.group) {
      this.#attempt(() => this.api.reject(info.callId, "busy"));
      this.say("info", `${displayName(info.createdBy)} tried to call you.`);
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
      this.say("info", `${who} answered ${byUs ? "in another tab or " : ""}on another device.`);
    }
    this.refresh();
  }

  /** @param {{callId: string, call: CallInfo, reason: string, by?: string}} data */
  #ended(data) {
    const rang = this.ringing.get(data.callId);
    this.ringing.delete(data.callId);
    if (rang) this.say("info", describeMissedRing(data, this.identity.userId));
    if (this.call?.callId === data.callId) {
      this.#forward("call-ended", data);
      this.call = null;
      this.say("info", describeEnd(data, this.identity.userId));
    }
    this.refresh();
  }

  /** @param {string} event @param {any} data */
  #forward(event, data) {
    if (data.callId === this.call?.callId) this.call?.receive(event, data);
  }

  /** @param {() => unknown} act */
  async #attempt(act) {
    try {
      await act();
    } catch (error) {
      if (error instanceof ApiError) this.#learn(error);
      this.say("error", describeError(error));
    }
  }

  /** What a refusal tells beside that it is one. @param {ApiError} error */
  #learn({ code, problem }) {
    if (problem?.call) this.ledger.running = [problem.call];
    if (code === "name_invitees" && this.room !== null) this.largeRooms.add(this.room);
    if (staleRoomCodes.includes(code)) this.dispatchEvent(new Event("room-changed"));
  }

  /** @param {"info" | "error"} kind @param {string} text */
  say(kind, text) {
    this.notice = { kind, text };
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
