/** Microphone, camera and shared screen of this tab, for the length of one call. */

const audioConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const videoConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Why there is no media. `reason` is `insecure`, `denied`, `missing`, `busy` or `unknown`. */
export class MediaError extends Error {
  /** @param {string} reason @param {"microphone" | "camera" | "screen"} device @param {unknown} cause */
  constructor(reason, device, cause) {
    super(`${device}: ${reason}`, { cause });
    this.name = "MediaError";
    this.reason = reason;
    this.device = device;
  }
}

export class LocalMedia {
  /** @type {MediaStreamTrack | null} what is shared of the screen */ screen = null;
  #audioEnabled = true;
  #videoEnabled = true;
  #onHold = false;

  /** @param {MediaStream} stream */
  constructor(stream) {
    this.stream = stream;
  }

  /** Whether the browser can share its screen; those of phones cannot. */
  static get canShareScreen() {
    return typeof navigator.mediaDevices?.getDisplayMedia === "function";
  }

  /**
   * The microphone, and the camera if wished, asked for together so that the browser asks once. A call without a
   * camera is still a call: when only the camera fails, the media comes without it and `cameraError` says why.
   * @param {boolean} withCamera
   * @returns {Promise<{media: LocalMedia, cameraError: MediaError | null}>}
   */
  static async open(withCamera) {
    /** @type {MediaError | null} */ let cameraError = null;
    if (withCamera) {
      try {
        return { media: new LocalMedia(await capture({ audio: true, video: true })), cameraError };
      } catch (error) {
        cameraError = new MediaError(reasonOf(error), "camera", error);
      }
    }
    try {
      return { media: new LocalMedia(await capture({ audio: true })), cameraError };
    } catch (error) {
      throw new MediaError(reasonOf(error), "microphone", error);
    }
  }

  async openCamera() {
    try {
      const [track] = (await capture({ video: true })).getVideoTracks();
      this.stream.addTrack(track);
      this.#apply();
    } catch (error) {
      throw new MediaError(reasonOf(error), "camera", error);
    }
  }

  /** @param {() => void} onEnd after the browser's own button, or the shared window, ended it */
  async openScreen(onEnd) {
    try {
      const [track] = (await navigator.mediaDevices.getDisplayMedia({ video: true })).getVideoTracks();
      track.contentHint = "detail";
      track.onended = onEnd;
      this.screen = track;
      this.#apply();
    } catch (error) {
      throw new MediaError(reasonOf(error), "screen", error);
    }
  }

  closeScreen() {
    this.screen?.stop();
    this.screen = null;
  }

  /** What the others get to see, if anything. */
  get outgoingVideo() {
    return this.screen ?? this.stream.getVideoTracks()[0] ?? null;
  }

  get audioEnabled() {
    return this.#audioEnabled;
  }

  set audioEnabled(enabled) {
    this.#audioEnabled = enabled;
    this.#apply();
  }

  get hasCamera() {
    return this.stream.getVideoTracks().length > 0;
  }

  get videoEnabled() {
    return this.hasCamera && this.#videoEnabled;
  }

  set videoEnabled(enabled) {
    this.#videoEnabled = enabled;
    this.#apply();
  }

  get onHold() {
    return this.#onHold;
  }

  set onHold(onHold) {
    this.#onHold = onHold;
    this.#apply();
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
    this.closeScreen();
  }

  /** On hold nothing leaves; what is switched on and what is not stays as it was. */
  #apply() {
    for (const track of this.stream.getAudioTracks()) track.enabled = this.#audioEnabled && !this.#onHold;
    for (const track of this.stream.getVideoTracks()) track.enabled = this.#videoEnabled && !this.#onHold;
    if (this.screen) this.screen.enabled = !this.#onHold;
  }
}

/** @param {{audio?: boolean, video?: boolean}} wanted @returns {Promise<MediaStream>} */
async function capture({ audio = false, video = false }) {
  // Outside of https and localhost the browser hides the devices altogether.
  if (!navigator.mediaDevices) throw new DOMException("no secure context", "InsecureContext");
  return navigator.mediaDevices.getUserMedia({
    audio: audio && audioConstraints,
    video: video && videoConstraints,
  });
}

/** @param {unknown} error */
function reasonOf(error) {
  switch (error instanceof DOMException ? error.name : "") {
    case "InsecureContext":
      return "insecure";
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "unknown";
  }
}
