/** Codes of the API, of sockets and of devices, said so that anybody understands them. */

import { ApiError } from "./api.js";
import { displayName } from "./identity.js";
import { MediaError } from "./media.js";
import { SocketError } from "./socket.js";

/** @type {Record<string, string>} */
const codes = {
  unreachable: "The server cannot be reached. Check your connection and try again.",
  disconnected: "The connection to the server was lost. Try again in a moment.",
  call_exists: "There is already a call in this room.",
  answered_elsewhere: "The call was answered on another device.",
  call_full: "The call is full.",
  call_ended: "The call has already ended.",
  rate_limited: "That was too often in a short time. Wait a moment, then try again.",
  not_answered: "The call went on without you. You can join it again.",
  name_invitees: "This room has too many people for one call. Call them one by one.",
};

const microphoneReasons = {
  insecure: "The browser gives microphone and camera only to pages on https or on localhost.",
  denied: "The microphone is blocked. Allow it for this page in the browser's address bar, then try again.",
  missing: "No microphone was found. Connect one and try again.",
  busy: "The microphone is in use by another program. Close that program and try again.",
  unknown: "The microphone could not be started.",
};

const cameraReasons = {
  insecure: microphoneReasons.insecure,
  denied: "The camera is blocked, so you are in with your voice only.",
  missing: "No camera was found, so you are in with your voice only.",
  busy: "The camera is in use by another program, so you are in with your voice only.",
  unknown: "The camera could not be started, so you are in with your voice only.",
};

const screenReasons = {
  insecure: "The browser shares a screen only from pages on https or on localhost.",
  denied: "No screen is shared: you cancelled it, or the browser may not record the screen.",
  missing: "There is no screen or window to share.",
  busy: "The screen could not be recorded. Try another window.",
  unknown: "The screen could not be shared.",
};

const reasonsOf = { microphone: microphoneReasons, camera: cameraReasons, screen: screenReasons };

/** @param {unknown} error */
export function describeError(error) {
  if (error instanceof MediaError) {
    const reasons = reasonsOf[error.device];
    return reasons[/** @type {keyof typeof reasons} */ (error.reason)];
  }
  if (error instanceof ApiError || error instanceof SocketError) {
    return codes[error.code] ?? `The server said: ${error.message}`;
  }
  console.error(error);
  return "Something went wrong. Reload the page and try again.";
}

/**
 * Why the call we were in is over.
 * @param {{reason: string, by?: string, call: import("./api.js").CallInfo}} end @param {string} me
 */
export function describeEnd({ reason, by, call }, me) {
  const who = by && by !== me ? displayName(by) : null;
  switch (reason) {
    case "rejected":
      return who ? `${who} declined the call.` : "The call was declined.";
    case "busy":
      return who ? `${who} is in another call.` : "The line is busy.";
    case "missed":
      return `${calleeName(call)} did not answer.`;
    case "cancelled":
      return "The call was cancelled.";
    case "failed":
      return "The call could not be connected.";
    case "left":
      return who ? `${who} is gone.` : "The call has ended.";
    default:
      return who ? `${who} hung up.` : "The call has ended.";
  }
}

/** What our own hanging up comes to. @param {import("./api.js").CallInfo} call as it was before */
export function describeOwnEnd({ group, state }) {
  if (group) return "You left the call.";
  return state === "ringing" ? "You cancelled the call." : "You hung up.";
}

/**
 * Why a call stopped ringing here.
 * @param {{reason: string, by?: string, call: import("./api.js").CallInfo}} end @param {string} me
 */
export function describeMissedRing({ reason, by, call }, me) {
  if (by === me) return "You declined the call on another device.";
  const caller = displayName(call.createdBy);
  const missed = reason === "cancelled" || reason === "missed";
  return missed ? `You missed a call from ${caller}.` : `${caller}’s call is over.`;
}

/** One line of the list of calls. @param {import("./api.js").CallInfo} call @param {string} me */
export function describePastCall(call, me) {
  const outgoing = call.createdBy === me;
  const other = outgoing ? calleeName(call) : displayName(call.createdBy);
  const answered = Boolean(call.answeredAt);
  const outcome = answered ? spokenDuration(call) : unansweredOutcome(call.endReason ?? "", outgoing);
  return { other, outgoing, answered, outcome };
}

/** @param {string} reason @param {boolean} outgoing */
function unansweredOutcome(reason, outgoing) {
  if (reason === "rejected") return "declined";
  if (reason === "busy") return "busy";
  if (!outgoing) return "missed";
  return reason === "missed" ? "no answer" : "cancelled";
}

/** @param {import("./api.js").CallInfo} call */
function spokenDuration({ answeredAt, endedAt }) {
  const seconds = (Date.parse(endedAt ?? "") - Date.parse(answeredAt ?? "")) / 1000;
  return Number.isFinite(seconds) ? formatDuration(seconds) : "answered";
}

/** @param {import("./api.js").CallInfo} call */
function calleeName(call) {
  const callees = call.participants.filter(({ userId }) => userId !== call.createdBy);
  return callees.length === 1 ? displayName(callees[0].userId) : "Everybody";
}

/** `1:05`, `1:02:03` @param {number} seconds */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
