/** The line over the pictures that says what the connections of a call are doing, and when they are well again. */

import { find, setText } from "./dom.js";
import { displayName } from "./names.js";

/** @typedef {import("./call.js").Call} Call */

const recoveredMs = 4_000;

export class ConnectionNote {
  #note = find("connection-note");
  #wasInTrouble = false;
  /** @type {Call | null} */ #call = null;
  #timer = 0;

  /** @param {Call | null} call */
  render(call) {
    if (call !== this.#call) this.#reset(call);
    const trouble = call ? describeTrouble(call) : "";
    if (trouble) {
      clearTimeout(this.#timer);
      this.#wasInTrouble = true;
      this.#show("trouble", trouble);
    } else if (this.#wasInTrouble) {
      this.#wasInTrouble = false;
      this.#show("recovered", "The connection is back.");
      this.#timer = setTimeout(() => this.#show("none", ""), recoveredMs);
    }
  }

  /** @param {Call | null} call */
  #reset(call) {
    this.#call = call;
    this.#wasInTrouble = false;
    clearTimeout(this.#timer);
    this.#show("none", "");
  }

  /** @param {"none" | "trouble" | "recovered"} kind @param {string} text */
  #show(kind, text) {
    this.#note.dataset.kind = kind;
    setText(this.#note, text);
  }
}

/** What is lost and what is done about it, or nothing. @param {Call} call */
function describeTrouble(call) {
  if (call.phase === "ended") return "";
  const peers = [...call.peers.values()];
  const lost = peers.filter(({ userId }) => call.isLost(userId));
  const names = lost.map(({ userId }) => displayName(userId)).join(" and ");
  if (call.wasJoined && !call.isJoined) {
    return peers.some(({ state }) => state === "connected")
      ? "The server cannot be reached. You can go on talking; reconnecting…"
      : "No connection. Reconnecting…";
  }
  if (lost.length === 0) return "";
  const isRestarting = lost.some((peer) => peer.isRestarting || peer.state !== "disconnected");
  return isRestarting ? `Restarting the connection to ${names}…` : `Nothing comes from ${names}. Waiting a moment…`;
}
