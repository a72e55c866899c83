/** Microphone and camera of this tab, for the length of one call. */

const audioConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const videoConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

/** Why there is no media. `reason` is `insecure`, `denied`, `missing`, `busy` or `unknown`. */
export class MediaError extends Error {
  /** @param {string} reason @param {"microphone" | "camera"} device @param {unknown} cause */
  constructor(reason, device, cause) {
    super(`${device}: ${reason}`, { cause });
    this.name = "MediaError";
    this.reason = reason;
    this.device = device;
  }
}

export class LocalMedia {
  /** @param {MediaStream} stream */
  constructor(stream) {
    this.stream = stream;
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

  /** @returns {Promise<MediaStreamTrack>} */
  async openCamera() {
    try {
      const [track] = (await capture({ video: true })).getVideoTracks();
      this.stream.addTrack(track);
      return track;
    } catch (error) {
      throw new MediaError(reasonOf(error), "camera", error);
    }
  }

  get audioEnabled() {
    return this.stream.getAudioTracks().some((track) => track.enabled);
  }

  set audioEnabled(enabled) {
    for (const track of this.stream.getAudioTracks()) track.enabled = enabled;
  }

  get hasCamera() {
    return this.stream.getVideoTracks().length > 0;
  }

  get videoEnabled() {
    return this.stream.getVideoTracks().some((track) => track.enabled);
  }

  set videoEnabled(enabled) {
    for (const track of this.stream.getVideoTracks()) track.enabled = enabled;
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
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
