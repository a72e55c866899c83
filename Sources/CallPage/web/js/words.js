/** Codes of the API, of sockets and of devices, said so that anybody understands them. */

import { ApiError } from "./api.js";
import { HomeserverError } from "./homeserver.js";
import { MediaError } from "./media.js";
import { displayName } from "./names.js";
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
  not_in_room: "You are not in this room any more.",
  invitee_not_in_room: "Somebody you wanted to call is not in this room any more.",
  start_forbidden: "You may not start calls in this room.",
  guest_access_forbidden: "Guests cannot make calls. Sign in with an account of your own.",
  server_not_listed: "People of your homeserver are not let in here.",
  room_encrypted: "This room is encrypted, and this server makes no calls in encrypted rooms.",
  invalid_token: "The server does not take your sign-in. Sign out, then sign in again.",
  auth_unavailable: "Your homeserver cannot be reached, so nobody can say who you are. Try again in a moment.",
  homeserver_unavailable: "Your homeserver cannot be reached, so nobody can say who is in the room. Try again in a moment.",
  too_many_sockets: "You have too many tabs or devices open. Close one, then reload this page.",
};

/** @type {Record<string, string>} */
const homeserverCodes = {
  unreachable: "The homeserver cannot be reached. Check your connection and try again.",
  M_USER_DEACTIVATED: "This account is deactivated.",
  M_USER_LOCKED: "This account is locked. Ask whoever runs the homeserver.",
  M_USER_SUSPENDED: "This account is suspended. Ask whoever runs the homeserver.",
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

/** Why the socket was not let in. @param {import("./socket.js").SocketStatus} status */
export function describeRefusal({ code = "", message = "" }) {
  return codes[code] ?? message;
}

/** @param {unknown} error */
export function describeHomeserverError(error) {
  if (!(error instanceof HomeserverError)) return describeError(error);
  if (error.code === "M_LIMIT_EXCEEDED") return `That was too often in a short time. ${waitWords(error.retryAfterMs)}`;
  return homeserverCodes[error.code] ?? `The homeserver said: ${error.message}`;
}

/** @param {unknown} error @param {string} serverName @param {string} [proof] the type of what did not convince */
export function describeSignInError(error, serverName, proof) {
  if (!(error instanceof HomeserverError)) return describeError(error);
  if (error.code === "unreachable") return `${serverName} cannot be reached. Check your connection and try again.`;
  if (error.code === "M_FORBIDDEN" && proof === "m.login.token") return "The sign-in took too long. Try again.";
  if (error.code === "M_FORBIDDEN") return "The user name or the password is wrong.";
  if (error.code === "M_LIMIT_EXCEEDED") return `Too many attempts to sign in. ${waitWords(error.retryAfterMs)}`;
  return describeHomeserverError(error);
}

/** @param {number | undefined} milliseconds */
function waitWords(milliseconds) {
  if (!milliseconds) return "Wait a moment, then try again.";
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds > 90) return `Wait ${Math.ceil(seconds / 60)} minutes, then try again.`;
  return `Wait ${seconds === 1 ? "a second" : `${seconds} seconds`}, then try again.`;
}

/** Why somebody is at the door again. @param {import("./account.js").GoneReason} why */
export function describeGone(why) {
  switch (why) {
    case "signed-out":
      return "You are signed out.";
    case "signed-out-untold":
      return "You are signed out here, but the homeserver could not be told. End this session from another device.";
    case "expired":
      return "Your sign-in has expired. Sign in again.";
    case "ended":
      return "Your session was ended: from another device, or by the homeserver. Sign in again.";
    default:
      return "You were signed out in this browser.";
  }
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
