/** What people read instead of the ids of users and rooms. */

/** @type {Map<string, string>} */ const people = new Map();
/** @type {Map<string, string>} */ const rooms = new Map();
let haveProfiles = false;

/** Characters that are not seen, or turn the direction of what follows: a name could pass for another by them. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;
const longestName = 100;

/** From now on people have names of their own choice, which are learned. */
export function useProfiles() {
  haveProfiles = true;
}

/**
 * @param {string | null | undefined} name as somebody chose it
 * @returns {string} as it may be shown; empty if nothing is left
 */
export function cleanName(name) {
  if (typeof name !== "string") return "";
  return [...name.replace(unseen, "").trim()].slice(0, longestName).join("");
}

/** @param {string} userId @param {string | null | undefined} name */
export function learnName(userId, name) {
  const clean = cleanName(name);
  if (clean) people.set(userId, clean);
  else people.delete(userId);
}

/** @param {string} roomId @param {string} name */
export function learnRoomName(roomId, name) {
  rooms.set(roomId, name);
}

export function forgetNames() {
  people.clear();
  rooms.clear();
}

/** @param {string} userId */
export function displayName(userId) {
  if (haveProfiles) return people.get(userId) ?? userId;
  const localpart = /^@([^:]+):/.exec(userId)?.[1] ?? userId;
  return localpart.charAt(0).toUpperCase() + localpart.slice(1);
}

/** @param {string} roomId @returns {string | null} `null` for a room that we know nothing of */
export function roomName(roomId) {
  return haveProfiles ? (rooms.get(roomId) ?? null) : roomId;
}

/** Whether people choose their names themselves, so that the id has to be shown beside it. */
export function namesAreChosen() {
  return haveProfiles;
}
