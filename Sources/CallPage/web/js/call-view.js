/** The call itself: the others, ourselves, how it goes, and the buttons. */

import { avatar, find, setIconButton, setText } from "./dom.js";
import { displayName } from "./identity.js";
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
  #local = /** @type {HTMLVideoElement} */ (find("local-video"));
  /** @type {import("./call.js").Call | null} */ #shown = null;
  #ticking = 0;

  /** @param {import("./session.js").Session} session */
  constructor(session) {
    this.session = session;
    find("mute-button").onclick = () => session.call?.setAudio(!session.call.media.audioEnabled);
    find("camera-button").onclick = () => session.setVideo(!session.call?.media.videoEnabled);
    find("hang-up-button").onclick = () => session.hangUp();
    find("end-for-all").onclick = () => session.endForAll();
    find("stats-button").onclick = () => this.#toggleStats();
    find("self-avatar").replaceChildren(avatar(session.identity.userId, displayName(session.identity.userId)));
  }

  render() {
    const { call } = this.session;
    if (call !== this.#shown) this.#switchTo(call);
    this.#tiles.render(call);
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
  }

  /** @param {import("./call.js").Call | null} call */
  #switchTo(call) {
    this.#shown = call;
    this.#view.hidden = call === null;
    clearInterval(this.#ticking);
    this.#local.srcObject = call?.media.stream ?? null;
    if (call) {
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
    const { audioEnabled, videoEnabled } = call.media;
    find("self").hidden = !call.media.hasCamera;
    find("self").dataset.camera = videoEnabled ? "on" : "off";
    find("self-muted").hidden = audioEnabled;
    const mute = find("mute-button");
    mute.setAttribute("aria-pressed", String(!audioEnabled));
    setIconButton(mute, audioEnabled ? "mic" : "mic-off", audioEnabled ? "Mute" : "Unmute");
    const camera = find("camera-button");
    camera.setAttribute("aria-pressed", String(!videoEnabled));
    setIconButton(camera, videoEnabled ? "video" : "video-off", videoEnabled ? "Turn camera off" : "Turn camera on");
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
