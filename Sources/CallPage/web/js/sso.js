/** Single sign-on: away to the homeserver, and back with a token that is good for one sign-in. */

const begunKey = "callrelay.sso";
/** So long somebody may take to sign in elsewhere. */
const longestMs = 3_600_000;

/** @param {import("./homeserver.js").Homeserver} homeserver @param {string | null} provider */
export function leaveForSso(homeserver, provider) {
  sessionStorage.setItem(begunKey, String(Date.now()));
  const back = new URL("/", location.href);
  const room = new URLSearchParams(location.search).get("room");
  if (room) back.searchParams.set("room", room);
  location.assign(homeserver.ssoAddress(provider, back.href));
}

/**
 * What the homeserver sent back, taken out of the address before anything else happens.
 * @returns {string | null} empty if no sign-in began in this tab: somebody else's link must not sign anybody in
 */
export function takeLoginToken() {
  const address = new URL(location.href);
  const token = address.searchParams.get("loginToken");
  if (token === null) return null;
  address.searchParams.delete("loginToken");
  history.replaceState(null, "", address);
  const isOurs = Date.now() - Number(sessionStorage.getItem(begunKey)) < longestMs;
  sessionStorage.removeItem(begunKey);
  return isOurs ? token : "";
}
