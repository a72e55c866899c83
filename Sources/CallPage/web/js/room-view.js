/** The room: who is in, whom to call and how, what was said last. */

import { avatar, element, find, icon, setText } from "./dom.js";
import { displayName, foldName, rememberedRelayOnly, rememberRelayOnly, shareAddress, userIdOf } from "./identity.js";
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

export class RoomView {
  #view = find("room");
  #relayOnly = /** @type {HTMLInputElement} */ (find("relay-only-switch"));
  /** What the lists were last drawn from: they are drawn again only when that differs, so that focus stays. */
  #drawn = { members: "", joinable: "", history: "" };

  /** @param {Session} session @param {() => void} onLeave */
  constructor(session, onLeave) {
    this.session = session;
    this.#relayOnly.checked = rememberedRelayOnly();
    this.#relayOnly.onchange = () => rememberRelayOnly(this.relayOnly);
    setText(find("room-name"), session.room);
    find("leave-room").onclick = onLeave;
    find("share-button").onclick = () => this.#copyLink();
    find("notice-close").onclick = () => session.dismissNotice();
    find("call-voice-room").onclick = () => this.#callEverybody("voice");
    find("call-video-room").onclick = () => this.#callEverybody("video");
    const invite = /** @type {HTMLFormElement} */ (find("invite-form"));
    invite.onsubmit = (event) => this.#invite(event);
    const secondTab = /** @type {HTMLAnchorElement} */ (find("second-tab"));
    secondTab.href = shareAddress(session.room, `${session.identity.name}-2`);
  }

  get relayOnly() {
    return this.#relayOnly.checked;
  }

  render() {
    const { session } = this;
    const comesBack = this.#view.hidden && session.call === null;
    this.#view.hidden = session.call !== null;
    if (comesBack) find("room-name").focus();
    find("connection-status").dataset.state = session.status.state;
    setText(find("connection-text"), connectionTexts[session.status.state]);
    find("notice").dataset.kind = session.notice?.kind ?? "none";
    setText(find("notice-text"), session.notice?.text ?? "");
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
    if (this.#unchanged("members", this.session.members)) return;
    const me = this.session.identity.userId;
    const others = this.#others;
    find("members").replaceChildren(
      ...this.session.members.filter((userId) => userId === me).map((userId) => this.#memberRow(userId, true)),
      ...others.map((userId) => this.#memberRow(userId, false)),
    );
    find("alone").hidden = others.length > 0;
    find("call-all").hidden = others.length < 2;
    setText(find("call-all-hint"), `Rings all ${others.length} others; each may come in.`);
  }

  /** @param {string} userId @param {boolean} isMe */
  #memberRow(userId, isMe) {
    const name = displayName(userId);
    const row = element("li", { class: "member", "data-testid": "member", "data-user": userId }, avatar(userId, name));
    row.append(element("span", { class: "member-name" }, name, element("small", {}, isMe ? "you" : "in this room")));
    if (!isMe) {
      row.append(
        this.#callButton("call-voice", "phone", `Voice call with ${name}`, () => this.#callOne("voice", userId)),
        this.#callButton("call-video", "video", `Video call with ${name}`, () => this.#callOne("video", userId)),
      );
    }
    return row;
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
    const offers = session.joinable.map((call) => ({ call, isElsewhere: session.isElsewhere(call) }));
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
    const { history, identity } = this.session;
    if (this.#unchanged("history", history.map(({ callId }) => callId))) return;
    find("history-empty").hidden = history.length > 0;
    find("history").replaceChildren(...history.map((call) => historyRow(call, identity.userId)));
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
    const address = shareAddress(this.session.room);
    try {
      await navigator.clipboard.writeText(address);
      setText(find("share-text"), "Copied");
    } catch {
      // No clipboard without permission: then the link is shown to be copied by hand.
      window.prompt("Send this link", address);
    }
    setTimeout(() => setText(find("share-text"), "Copy link"), copiedMs);
  }

  /** @param {"members" | "joinable" | "history"} list @param {unknown} source */
  #unchanged(list, source) {
    const now = JSON.stringify(source);
    const same = this.#drawn[list] === now;
    this.#drawn[list] = now;
    return same;
  }
}

/** @param {CallInfo} call @param {string} me */
function historyRow(call, me) {
  const { other, outgoing, answered, outcome } = describePastCall(call, me);
  const direction = outgoing ? "outgoing" : "incoming";
  const time = new Date(call.createdAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return element(
    "li",
    { "data-testid": "history-item" },
    element("span", { class: "history-direction", "data-answered": String(answered) }, icon(direction)),
    element("span", { class: "history-words" }, other, element("small", {}, `${direction}, ${outcome}`)),
    element("time", { datetime: call.createdAt }, time),
  );
}
