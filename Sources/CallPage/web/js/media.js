/** Microphone, camera and shared screen of this tab, for the length of one call. */

const audioConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const videoConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
/** A device that ends so soon after it was opened is not opened again by itself. */
const shortestLifeMs = 2_000;
/** One that has just ended may be busy for a moment: so often it is tried again, and after such pauses. */
const reopenAttempts = 4;
const reopenPauseMs = 500;

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
  #isClosed = false;
  /**
   * After a device ended by itself. If it was in use another was opened in its place, or none could be, for this reason.
   * @type {(device: "microphone" | "camera", error: MediaError | null) => void}
   */
  onDeviceEnded = () => {};

  /** @param {MediaStream} stream */
  constructor(stream) {
    this.stream = stream;
    for (const track of stream.getTracks()) this.#watch(track);
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

  async openMicrophone() {
    await this.#open("microphone");
  }

  async openCamera() {
    await this.#open("camera");
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

  /** What the others get to hear, if anything. */
  get outgoingAudio() {
    return this.stream.getAudioTracks()[0] ?? null;
  }

  get hasMicrophone() {
    return this.outgoingAudio !== null;
  }

  get audioEnabled() {
    return this.hasMicrophone && this.#audioEnabled;
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
    this.#isClosed = true;
    for (const track of this.stream.getTracks()) track.stop();
    this.closeScreen();
  }

  /** @param {"microphone" | "camera"} device */
  async #open(device) {
    /** @type {MediaStream} */ let opened;
    try {
      opened = await capture(device === "microphone" ? { audio: true } : { video: true });
    } catch (error) {
      throw new MediaError(reasonOf(error), device, error);
    }
    const [track] = opened.getTracks();
    // Meanwhile the call may be over, or a second press of the button have been faster.
    if (this.#isClosed || this.stream.getTracks().some(({ kind }) => kind === track.kind)) return track.stop();
    this.stream.addTrack(track);
    this.#watch(track);
    this.#apply();
  }

  /**
   * A device ends by itself when it is unplugged, and often when the computer sleeps. If it is in use, another one, or
   * the same again, takes its place; if not, that waits until it is switched on.
   * @param {MediaStreamTrack} track
   */
  #watch(track) {
    const openedAt = performance.now();
    track.onended = async () => {
      const device = track.kind === "audio" ? "microphone" : "camera";
      const wasInUse = device === "microphone" ? this.audioEnabled : this.videoEnabled;
      this.stream.removeTrack(track);
      /** @type {MediaError | null} */ let error = null;
      if (wasInUse && performance.now() - openedAt < shortestLifeMs) {
        error = new MediaError("unknown", device, "it ended as soon as it was opened");
      } else if (wasInUse) {
        error = await this.#reopen(device);
      }
      this.onDeviceEnded(device, error);
    };
  }

  /** @param {"microphone" | "camera"} device @returns {Promise<MediaError | null>} why it could not be */
  async #reopen(device) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#open(device);
        return null;
      } catch (error) {
        const failure = /** @type {MediaError} */ (error);
        if (failure.reason !== "busy" || attempt === reopenAttempts || this.#isClosed) return failure;
      }
      await new Promise((resolve) => setTimeout(resolve, reopenPauseMs));
    }
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
