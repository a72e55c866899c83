/** The pictures of the others: one tile for each, with who it is and whether they can be seen and heard. */

import { avatar, element, icon, setText } from "./dom.js";
import { displayName } from "./names.js";

/** @type {Record<string, string>} */
const stateTexts = {
  new: "Connecting…",
  connecting: "Connecting…",
  disconnected: "Reconnecting…",
  failed: "Reconnecting…",
};

class Tile {
  /** @param {string} userId */
  constructor(userId) {
    const name = displayName(userId);
    this.video = /** @type {HTMLVideoElement} */ (
      element("video", { "data-testid": "remote-video", autoplay: "", playsinline: "" })
    );
    this.muted = badge("remote-muted", "mic-off", "Microphone off");
    this.cameraOff = badge("remote-camera-off", "video-off", "Camera off");
    this.screen = badge("remote-screen", "screen", "Shares the screen");
    this.hold = badge("remote-hold", "hold", "On hold");
    const badges = [this.muted, this.cameraOff, this.screen, this.hold];
    this.state = element("span", { class: "tile-state", "data-testid": "remote-state" });
    this.name = element("span");
    this.face = element("span");
    this.root = element(
      "article",
      { class: "tile", "data-testid": "remote-tile", "data-user": userId },
      this.video,
      element("div", { class: "tile-face" }, this.face, this.state),
      element("p", { class: "tile-name" }, this.name, ...badges),
    );
    this.#rename(userId, name);
  }

  /** @param {string} userId @param {string} name which may become known while the call is going on */
  #rename(userId, name) {
    if (this.name.textContent === name) return;
    setText(this.name, name);
    this.face.replaceChildren(avatar(userId, name));
    this.root.setAttribute("aria-label", name);
    this.video.setAttribute("aria-label", `${name}’s camera`);
  }

  /** @param {import("./call.js").Call} call @param {import("./api.js").Participant} participant */
  render(call, participant) {
    this.#rename(participant.userId, displayName(participant.userId));
    const peer = call.peers.get(participant.userId);
    if (peer && this.video.srcObject !== peer.remoteStream) this.video.srcObject = peer.remoteStream;
    const connected = peer?.state === "connected";
    const { onHold, screenShare } = call.mediaStates.of(participant.userId);
    const isPaused = onHold || call.media.onHold;
    const hasPicture = connected && peer.remoteStream.getVideoTracks().some((track) => !track.muted);
    const isSeen = hasPicture && !isPaused && (participant.videoEnabled || screenShare);
    this.root.dataset.camera = isSeen ? "on" : "off";
    this.root.dataset.screen = String(isSeen && screenShare);
    this.video.muted = isPaused;
    this.muted.hidden = !connected || participant.audioEnabled;
    this.cameraOff.hidden = !connected || participant.videoEnabled || screenShare || call.info.callType === "voice";
    this.screen.hidden = !connected || !screenShare;
    this.hold.hidden = !connected || !onHold;
    setText(this.state, this.#describe(call, participant, isPaused));
  }

  /**
   * @param {import("./call.js").Call} call @param {import("./api.js").Participant} participant
   * @param {boolean} isPaused
   */
  #describe(call, { userId }, isPaused) {
    const peer = call.peers.get(userId);
    if (!peer) return call.phase === "ringing" || call.info.group ? "Ringing…" : "Connecting…";
    if (call.isLost(userId)) return "Reconnecting…";
    if (peer.state !== "connected" || !isPaused) return stateTexts[peer.state] ?? "";
    return call.mediaStates.of(userId).onHold ? "On hold" : "You put the call on hold";
  }
}

/** @param {string} testId @param {string} image @param {string} label */
function badge(testId, image, label) {
  const attributes = { class: "tile-badge", role: "img", "data-testid": testId, "aria-label": label, title: label };
  return element("span", attributes, icon(image));
}

export class Tiles {
  /** @type {Map<string, Tile>} */ #tiles = new Map();

  /** @param {HTMLElement} container */
  constructor(container) {
    this.container = container;
  }

  /** @param {import("./call.js").Call | null} call */
  render(call) {
    const others = call?.others ?? [];
    for (const [userId, tile] of this.#tiles) {
      if (others.some((participant) => participant.userId === userId)) continue;
      tile.video.srcObject = null;
      tile.root.remove();
      this.#tiles.delete(userId);
    }
    for (const participant of others) {
      if (call) this.#tile(participant.userId).render(call, participant);
    }
    this.container.dataset.count = String(Math.min(others.length, 6));
  }

  /** @param {string} userId */
  #tile(userId) {
    const known = this.#tiles.get(userId);
    if (known) return known;
    const tile = new Tile(userId);
    this.#tiles.set(userId, tile);
    this.container.append(tile.root);
    return tile;
  }
}
