/** The panel over everything while somebody calls. */

import { avatar, find, setText } from "./dom.js";
import { displayName, namesAreChosen, roomName } from "./names.js";

export class IncomingView {
  #panel = /** @type {HTMLDialogElement} */ (find("incoming-panel"));
  /** @type {import("./api.js").CallInfo | null} */ #shown = null;

  /** @param {import("./session.js").Session} session @param {() => boolean} relayOnly */
  constructor(session, relayOnly) {
    this.session = session;
    const accept = (/** @type {boolean} */ withVideo) => {
      if (this.#shown) session.accept(this.#shown.callId, { withVideo, relayOnly: relayOnly() });
    };
    find("answer-voice").onclick = () => accept(false);
    find("answer-video").onclick = () => accept(true);
    find("reject-button").onclick = () => {
      if (this.#shown) session.decline(this.#shown.callId);
    };
    // Escape must not leave a ringing call without its buttons.
    this.#panel.oncancel = (event) => event.preventDefault();
  }

  render() {
    const { session } = this;
    const [call = null] = session.call ? [] : session.ringing.values();
    if (call) this.#describe(call);
    this.#shown = call;
    const error = session.notice?.kind === "error" ? session.notice.text : "";
    setText(find("incoming-error"), call ? error : "");
    for (const button of this.#panel.querySelectorAll("button")) button.disabled = session.busy;
    if (call && !this.#panel.open) this.#panel.showModal();
    if (!call && this.#panel.open) this.#panel.close();
  }

  /** @param {import("./api.js").CallInfo} call */
  #describe(call) {
    const name = displayName(call.createdBy);
    const video = call.callType === "video";
    const from = find("incoming-from");
    if (call.callId !== this.#shown?.callId || from.textContent !== name) {
      find("incoming-avatar").replaceChildren(avatar(call.createdBy, name));
    }
    setText(from, name);
    setText(find("incoming-where"), whereFrom(call, name));
    const kind = call.group ? `group ${call.callType}` : call.callType;
    setText(find("incoming-kind"), `Incoming ${kind} call`);
    find("answer-video").hidden = !video;
    setText(/** @type {HTMLElement} */ (find("answer-voice").querySelector("span")), video ? "Voice" : "Answer");
  }
}

/** Anybody can take any name: the id says who it is. @param {import("./api.js").CallInfo} call @param {string} name */
function whereFrom({ createdBy, roomId }, name) {
  if (!namesAreChosen()) return "";
  const room = roomName(roomId);
  const ids = name === createdBy ? [] : [createdBy];
  return [...ids, ...(room === null || room === name ? [] : [`in ${room}`])].join(" ");
}
