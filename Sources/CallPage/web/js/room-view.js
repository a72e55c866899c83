/** The room: who is in, whom to call and how, what was said last. */

import { avatar, element, find, icon, setText } from "./dom.js";
import { foldName, rememberedRelayOnly, rememberRelayOnly, shareAddress, userIdOf } from "./identity.js";
import { displayName, roomName } from "./names.js";
import { lock } from "./rooms-view.js";
import { describePastCall } from "./words.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./api.js").CallInfo} CallInfo */
/** @typedef {"voice" | "video"} CallType */

const connectionTexts = {
  idle: "Offline",
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  refused: "Refused",
};
const copiedMs = 2_000;
/** From so many people on there is a field to search among them. */
const manyMembers = 12;
const mostShown = 100;

export class RoomView {
  #view = find("room");
  #relayOnly = /** @type {HTMLInputElement} */ (find("relay-only-switch"));
  /** What the lists were last drawn from: they are drawn again only when that differs, so that focus stays. */
  #drawn = { members: "", joinable: "", history: "", lock: "" };
  #search = /** @type {HTMLInputElement} */ (find("members-search"));
  /** @type {string | null} */ #shownRoom = null;

  /**
   * @param {Session} session
   * @param {{onLeave: () => void, isMatrix: boolean, isEncrypted: () => boolean}} options with Matrix people have accounts,
   *   and the room is one of several
   */
  constructor(session, { onLeave, isMatrix, isEncrypted }) {
    this.session = session;
    this.isMatrix = isMatrix;
    this.isEncrypted = isEncrypted;
    this.#search.oninput = () => this.render();
    this.#relayOnly.checked = rememberedRelayOnly();
    this.#relayOnly.onchange = () => rememberRelayOnly(this.relayOnly);
    find(isMatrix ? "sign-out" : "leave-room").onclick = onLeave;
    find("share-button").onclick = () => this.#copyLink();
    find("notice-close").onclick = () => session.dismissNotice();
    find("call-voice-room").onclick = () => this.#callEverybody("voice");
    find("call-video-room").onclick = () => this.#callEverybody("video");
    const invite = /** @type {HTMLFormElement} */ (find("invite-form"));
    invite.onsubmit = (event) => this.#invite(event);
    const secondTab = /** @type {HTMLAnchorElement} */ (find("second-tab"));
    const name = foldName(displayName(session.identity.userId));
    if (!isMatrix) secondTab.href = shareAddress(session.room ?? "", `${name}-2`);
  }

  get relayOnly() {
    return this.#relayOnly.checked;
  }

  render() {
    const { session } = this;
    const comesBack = this.#view.hidden && session.call === null;
    this.#view.hidden = session.call !== null;
    const isOtherRoom = session.room !== this.#shownRoom;
    if (isOtherRoom) this.#search.value = "";
    this.#shownRoom = session.room;
    find("people").hidden = session.room === null;
    setText(find("room-name"), session.room === null ? "" : (roomName(session.room) ?? session.room));
    if (comesBack || isOtherRoom) find("room-name").focus();
    find("connection-status").dataset.state = session.status.state;
    setText(find("connection-text"), connectionTexts[session.status.state]);
    find("notice").dataset.kind = session.notice?.kind ?? "none";
    setText(find("notice-text"), session.notice?.text ?? "");
    this.#drawLock();
    this.#drawMembers();
    this.#drawJoinable();
    this.#drawHistory();
    const offline = session.status.state !== "connected" || session.busy;
    const callButtons = ".members button, .call-all button, .invite button, .joinable button";
    for (const button of this.#view.querySelectorAll(callButtons)) {
      /** @type {HTMLButtonElement} */ (button).disabled = offline;
    }
  }

  hide() {
    this.#view.hidden = true;
  }

  get #others() {
    return this.session.members.filter((userId) => userId !== this.session.identity.userId);
  }

  #drawMembers() {
    const { session } = this;
    const me = session.identity.userId;
    const others = this.#others;
    const isLarge = session.room !== null && session.largeRooms.has(session.room);
    const wanted = this.#search.value.trim().toLowerCase();
    const found = wanted ? session.members.filter((userId) => isCalled(userId, wanted)) : session.members;
    const shown = found.slice(0, mostShown);
    const named = shown.map((userId) => [userId, displayName(userId)]);
    if (this.#unchanged("members", [session.room, isLarge, session.members.length, found.length, named])) return;
    find("members").replaceChildren(
      ...shown.filter((userId) => userId === me).map((userId) => this.#memberRow(userId, true)),
      ...shown.filter((userId) => userId !== me).map((userId) => this.#memberRow(userId, false)),
    );
    find("members-search-field").hidden = session.members.length < manyMembers;
    const isNobody = wanted !== "" && found.length === 0;
    const rest = found.length > mostShown ? `And ${found.length - mostShown} more: search for them.` : "";
    setText(find("members-hint"), isNobody ? "Nobody here is called so." : rest);
    // The homeserver is still being asked who is in.
    const isUnknown = this.isMatrix && session.members.length === 0;
    find("alone").hidden = others.length > 0 || isUnknown;
    find("call-all").hidden = others.length < 2;
    find("call-all").dataset.large = String(isLarge);
    const all = `Rings all ${others.length} others; each may come in.`;
    setText(find("call-all-hint"), isLarge ? "Too many people for one call. Call them one by one." : all);
  }

  #drawLock() {
    const isEncrypted = this.isEncrypted();
    if (!this.#unchanged("lock", isEncrypted)) find("room-lock").replaceChildren(...(isEncrypted ? [lock()] : []));
  }

  /** @param {string} userId @param {boolean} isMe */
  #memberRow(userId, isMe) {
    const name = displayName(userId);
    const row = element("li", { class: "member", "data-testid": "member", "data-user": userId }, avatar(userId, name));
    row.append(element("span", { class: "member-name" }, name, element("small", {}, this.#describeMember(userId, isMe))));
    if (!isMe) {
      row.append(
        this.#callButton("call-voice", "phone", `Voice call with ${name}`, () => this.#callOne("voice", userId)),
        this.#callButton("call-video", "video", `Video call with ${name}`, () => this.#callOne("video", userId)),
      );
    }
    return row;
  }

  /** Anybody may take any name: the id says who it is. @param {string} userId @param {boolean} isMe */
  #describeMember(userId, isMe) {
    if (!this.isMatrix) return isMe ? "you" : "in this room";
    return isMe ? `you, ${userId}` : userId;
  }

  /** @param {string} testId @param {string} image @param {string} label @param {() => void} onPress */
  #callButton(testId, image, label, onPress) {
    const attributes = { class: "icon-button", "data-testid": testId, "aria-label": label, title: label };
    const button = element("button", attributes, icon(image));
    button.onclick = onPress;
    return button;
  }

  #drawJoinable() {
    const { session } = this;
    const offers = session.joinable.map((call) => ({ call, isElsewhere: session.ledger.isElsewhere(call) }));
    if (this.#unchanged("joinable", offers.map(({ call, isElsewhere }) => [call.callId, isElsewhere]))) return;
    find("joinable").replaceChildren(...offers.map(({ call, isElsewhere }) => this.#joinableRow(call, isElsewhere)));
  }

  /** @param {CallInfo} call @param {boolean} isElsewhere */
  #joinableRow(call, isElsewhere) {
    const where = isElsewhere
      ? "You are in a call in another tab or on another device."
      : "A call is going on in this room.";
    const action = isElsewhere ? "Continue here" : "Join";
    const button = element("button", { class: "button primary", "data-testid": "rejoin-button" }, action);
    button.onclick = () => this.session.rejoin(call, this.relayOnly);
    return element("div", { class: "joinable" }, element("p", { "data-testid": "joinable-text" }, where), button);
  }

  #drawHistory() {
    const { ledger, identity } = this.session;
    const rows = ledger.history.map((call) => ({
      call,
      where: this.isMatrix ? roomName(call.roomId) : null,
      ...describePastCall(call, identity.userId),
    }));
    if (this.#unchanged("history", rows.map(({ call, other, where }) => [call.callId, other, where]))) return;
    find("history-empty").hidden = rows.length > 0;
    find("history").replaceChildren(...rows.map((row) => historyRow(row)));
  }

  /** @param {CallType} callType @param {string} userId */
  #callOne(callType, userId) {
    this.session.place({ callType, group: false, invitees: [userId], relayOnly: this.relayOnly });
  }

  /** @param {CallType} callType */
  #callEverybody(callType) {
    this.session.place({ callType, group: true, relayOnly: this.relayOnly });
  }

  /** @param {SubmitEvent} event */
  #invite(event) {
    event.preventDefault();
    const input = /** @type {HTMLInputElement} */ (find("invite-name"));
    const name = foldName(input.value);
    input.setAttribute("aria-invalid", String(!name));
    if (!name) {
      input.focus();
      return;
    }
    const pressed = /** @type {HTMLButtonElement | null} */ (event.submitter);
    this.#callOne(pressed?.value === "video" ? "video" : "voice", userIdOf(name));
  }

  async #copyLink() {
    const address = shareAddress(this.session.room ?? "");
    try {
      await navigator.clipboard.writeText(address);
      setText(find("share-text"), "Copied");
    } catch {
      // No clipboard without permission: then the link is shown to be copied by hand.
      window.prompt("Send this link", address);
    }
    setTimeout(() => setText(find("share-text"), "Copy link"), copiedMs);
  }

  /** @param {"members" | "joinable" | "history" | "lock"} list @param {unknown} source */
  #unchanged(list, source) {
    const now = JSON.stringify(source);
    const same = this.#drawn[list] === now;
    this.#drawn[list] = now;
    return same;
  }
}

/** @param {string} userId @param {string} wanted in lower case */
function isCalled(userId, wanted) {
  return displayName(userId).toLowerCase().includes(wanted) || userId.toLowerCase().includes(wanted);
}

/** @param {{call: CallInfo, where: string | null} & ReturnType<typeof describePastCall>} row */
function historyRow({ call, where, other, outgoing, answered, outcome }) {
  const direction = outgoing ? "outgoing" : "incoming";
  const words = `${direction}, ${outcome}${where !== null && where !== other ? ` · ${where}` : ""}`;
  const time = new Date(call.createdAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return element(
    "li",
    { "data-testid": "history-item" },
    element("span", { class: "history-direction", "data-answered": String(answered) }, icon(direction)),
    element("span", { class: "history-words" }, other, element("small", {}, words)),
    element("time", { datetime: call.createdAt }, time),
  );
}
