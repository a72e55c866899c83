/** The views of one session, drawn anew whenever something of it changes. */

import { CallView } from "./call-view.js";
import { IncomingView } from "./incoming-view.js";
import { roomName } from "./names.js";
import { RoomView } from "./room-view.js";

/** @typedef {import("./session.js").Session} Session */

export class Stage {
  /**
   * @param {Session} session @param {import("./tones.js").Tones} tones
   * @param {{onLeave: () => void, isMatrix?: boolean, isEncrypted?: () => boolean, more?: {render: () => void}[]}} options
   */
  constructor(session, tones, { onLeave, isMatrix = false, isEncrypted = () => false, more = [] }) {
    this.session = session;
    this.tones = tones;
    this.callView = new CallView(session);
    this.roomView = new RoomView(session, { onLeave, isMatrix, isEncrypted });
    const incomingView = new IncomingView(session, () => this.roomView.relayOnly);
    this.views = [this.callView, this.roomView, incomingView, ...more];
    session.addEventListener("change", this.render);
  }

  render = () => {
    for (const view of this.views) view.render();
    ring(this.session, this.tones);
    document.title = titleOf(this.session);
  };

  /** From now on nothing is drawn any more. */
  freeze() {
    this.session.removeEventListener("change", this.render);
  }

  close() {
    this.freeze();
    this.tones.stop();
    this.roomView.hide();
    this.callView.hide();
    document.title = "callrelay";
  }
}

/** @param {Session} session @param {import("./tones.js").Tones} tones */
function ring({ call, ringing }, tones) {
  if (call?.phase === "ringing") tones.play("ringback");
  else if (!call && ringing.size > 0) tones.play("ring");
  else tones.stop();
}

/** @param {Session} session */
function titleOf({ call, ringing, room }) {
  if (call) return "In a call · callrelay";
  if (ringing.size > 0) return "Incoming call · callrelay";
  const name = room === null ? null : roomName(room);
  return name === null ? "callrelay" : `${name} · callrelay`;
}
