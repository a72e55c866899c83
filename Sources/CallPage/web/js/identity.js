/** Who this tab is: name, room and device, and where they are remembered. */

const nameKey = "callrelay.name";
const roomKey = "callrelay.room";
const deviceKey = "callrelay.device";
const relayOnlyKey = "callrelay.relayOnly";

/** @typedef {{userId: string, deviceId: string}} Identity */

/** The characters a user id may have; everything else a person types is folded or dropped. @param {string} typed */
export function foldName(typed) {
  return typed
    .normalize("NFKD")
    .toLowerCase()
    .trim()
    .replace(/\s+/g, "-")
    .replace(/[^a-z0-9._=-]/g, "")
    .slice(0, 64);
}

/** @param {string} name a folded name */
export function userIdOf(name) {
  return `@${name}:localhost`;
}

/** @param {string} name a folded name @returns {Identity} */
export function identify(name) {
  return { userId: userIdOf(name), deviceId: deviceOfTab() };
}

/** What a server in dev mode takes for a token. @param {string} userId */
export function devToken(userId) {
  return `dev:${userId}`;
}

/** Each tab is a device of its own and stays the same one over a reload. */
export function deviceOfTab() {
  const kept = sessionStorage.getItem(deviceKey);
  if (kept) return kept;
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  const made = `tab-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  sessionStorage.setItem(deviceKey, made);
  return made;
}

/** What the form starts with: the address first, then this tab's last choice, then this browser's. */
export function rememberedChoice() {
  const query = new URLSearchParams(location.search);
  const recall = (/** @type {string} */ key) => sessionStorage.getItem(key) ?? localStorage.getItem(key) ?? "";
  return {
    name: query.get("name") ?? recall(nameKey),
    room: query.get("room") ?? (recall(roomKey) || "lobby"),
  };
}

/** @param {string} name @param {string} room */
export function rememberChoice(name, room) {
  for (const storage of [sessionStorage, localStorage]) {
    storage.setItem(nameKey, name);
    storage.setItem(roomKey, room);
  }
}

export function rememberedRelayOnly() {
  return localStorage.getItem(relayOnlyKey) === "true";
}

/** @param {boolean} relayOnly */
export function rememberRelayOnly(relayOnly) {
  localStorage.setItem(relayOnlyKey, String(relayOnly));
}

/** The address that brings somebody else into this room. @param {string} room @param {string} [name] */
export function shareAddress(room, name) {
  const address = new URL("/", location.href);
  address.searchParams.set("room", room);
  if (name) address.searchParams.set("name", name);
  return address.href;
}
