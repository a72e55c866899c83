/** The pictures of the others: one tile for each, with who it is and whether they can be seen and heard. */

import { avatar, element, icon } from "./dom.js";
import { displayName } from "./identity.js";

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
    const video = { "data-testid": "remote-video", autoplay: "", playsinline: "", "aria-label": `${name}’s camera` };
    this.video = /** @type {HTMLVideoElement} */ (element("video", video));
    this.muted = badge("remote-muted", "mic-off", "Microphone off");
    this.cameraOff = badge("remote-camera-off", "video-off", "Camera off");
    this.state = element("span", { class: "tile-state", "data-testid": "remote-state" });
    this.root = element(
      "article",
      { class: "tile", "data-testid": "remote-tile", "data-user": userId, "aria-label": name },
      this.video,
      element("div", { class: "tile-face" }, avatar(userId, name), this.state),
      element("p", { class: "tile-name" }, element("span", {}, name), this.muted, this.cameraOff),
    );
  }

  /** @param {import("./call.js").Call} call @param {import("./api.js").Participant} participant */
  render(call, participant) {
    const peer = call.peers.get(participant.userId);
    if (peer && this.video.srcObject !== peer.remoteStream) this.video.srcObject = peer.remoteStream;
    const connected = peer?.state === "connected";
    const hasPicture = connected && peer.remoteStream.getVideoTracks().some((track) => !track.muted);
    this.root.dataset.camera = hasPicture && participant.videoEnabled ? "on" : "off";
    this.muted.hidden = !connected || participant.audioEnabled;
    this.cameraOff.hidden = !connected || participant.videoEnabled || call.info.callType === "voice";
    this.state.textContent = peer ? (stateTexts[peer.state] ?? "") : "Ringing…";
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
