/** The call itself: the others, ourselves, how it goes, and the buttons. */

import { ConnectionNote } from "./connection-note.js";
import { avatar, find, setIconButton, setText } from "./dom.js";
import { displayName } from "./names.js";
import { LocalMedia } from "./media.js";
import { StatsView } from "./stats-view.js";
import { Tiles } from "./tiles.js";
import { formatDuration } from "./words.js";

const phaseTexts = {
  ringing: "Ringing…",
  connecting: "Connecting…",
  active: "Connected",
  reconnecting: "Reconnecting…",
  ended: "Call ended",
};
const tickMs = 1_000;

export class CallView {
  #view = find("call-view");
  #tiles = new Tiles(find("tiles"));
  #stats = new StatsView();
  #note = new ConnectionNote();
  #local = /** @type {HTMLVideoElement} */ (find("local-video"));
  /** @type {import("./call.js").Call | null} */ #shown = null;
  #ticking = 0;

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    find("mute-button").onclick = () => session.setAudio(!session.call?.media.audioEnabled);
    find("camera-button").onclick = () => session.setVideo(!session.call?.media.videoEnabled);
    find("screen-button").onclick = () => session.setScreenShare(!session.call?.media.screen);
    find("screen-button").hidden = !LocalMedia.canShareScreen;
    find("hold-button").onclick = () => session.call?.setHold(!session.call.media.onHold);
    find("hang-up-button").onclick = () => session.hangUp();
    find("end-for-all").onclick = () => session.endForAll();
    find("stats-button").onclick = () => this.#toggleStats();
  }

  render() {
    const { call } = this.session;
    if (call !== this.#shown) this.#switchTo(call);
    this.#tiles.render(call);
    this.#note.render(call);
    if (!call) return;
    const names = call.others.map(({ userId }) => displayName(userId));
    setText(find("call-title"), names.join(", ") || "Waiting for others");
    setText(find("call-state"), phaseTexts[call.phase]);
    find("call-state").dataset.phase = call.phase;
    setText(find("call-notice"), this.session.notice?.kind === "error" ? this.session.notice.text : "");
    this.#renderSelf(call);
    this.#renderTimer(call);
  }

  hide() {
    this.#switchTo(null);
    this.#tiles.render(null);
    this.#note.render(null);
  }

  /** @param {import("./call.js").Call | null} call */
  #switchTo(call) {
    this.#shown = call;
    this.#view.hidden = call === null;
    clearInterval(this.#ticking);
    this.#local.srcObject = null;
    if (call) {
      const { userId } = this.session.identity;
      find("self-avatar").replaceChildren(avatar(userId, displayName(userId)));
      this.#ticking = setInterval(() => this.#tick(call), tickMs);
      find("end-for-all").hidden = !(call.info.group && call.info.createdBy === this.session.identity.userId);
      setIconButton(find("hang-up-button"), "hang-up", call.info.group ? "Leave the call" : "Hang up");
      find("hang-up-button").focus();
    } else {
      this.#stats.clear();
    }
  }

  /** @param {import("./call.js").Call} call */
  #renderSelf(call) {
    const { audioEnabled, videoEnabled, onHold, screen, stream } = call.media;
    this.#showOwnPicture(screen, stream);
    find("self").hidden = !call.media.hasCamera && !screen;
    find("self").dataset.camera = !onHold && (screen || videoEnabled) ? "on" : "off";
    find("self").dataset.screen = String(screen !== null);
    find("self-muted").hidden = audioEnabled;
    showSwitch("mute-button", !audioEnabled, audioEnabled ? "mic" : "mic-off", audioEnabled ? "Mute" : "Unmute");
    const camera = videoEnabled ? "Turn camera off" : "Turn camera on";
    showSwitch("camera-button", !videoEnabled, videoEnabled ? "video" : "video-off", camera);
    showSwitch("screen-button", screen !== null, "screen", screen ? "Stop sharing your screen" : "Share your screen");
    const hold = onHold ? "Go on with the call" : "Put the call on hold";
    showSwitch("hold-button", onHold, onHold ? "resume" : "hold", hold);
  }

  /** @param {MediaStreamTrack | null} screen @param {MediaStream} camera */
  #showOwnPicture(screen, camera) {
    const shown = /** @type {MediaStream | null} */ (this.#local.srcObject);
    if (!screen && shown !== camera) this.#local.srcObject = camera;
    if (screen && shown?.getVideoTracks()[0] !== screen) this.#local.srcObject = new MediaStream([screen]);
  }

  /** @param {import("./call.js").Call} call */
  #renderTimer({ connectedAt }) {
    const seconds = connectedAt === null ? null : (performance.now() - connectedAt) / 1000;
    setText(find("call-timer"), seconds === null ? "" : formatDuration(seconds));
  }

  /** @param {import("./call.js").Call} call */
  #tick(call) {
    this.#renderTimer(call);
    this.#stats.update(call).catch((error) => console.warn("no statistics:", error));
  }

  #toggleStats() {
    const panel = find("stats-panel");
    panel.hidden = !panel.hidden;
    find("stats-button").setAttribute("aria-expanded", String(!panel.hidden));
    this.#view.dataset.stats = panel.hidden ? "closed" : "open";
  }
}

/** @param {string} testId @param {boolean} isPressed @param {string} image @param {string} label what a press does */
function showSwitch(testId, isPressed, image, label) {
  const button = find(testId);
  button.setAttribute("aria-pressed", String(isPressed));
  setIconButton(button, image, label);
}
