/** The rooms of the account, to choose one. */

import { avatar, element, find, icon, setText } from "./dom.js";
import { describeHomeserverError } from "./words.js";

/** @typedef {import("./rooms.js").Room} Room */

/** From so many on there is a field to search in them. */
const manyRooms = 9;
const mostShown = 200;

export class RoomsView {
  #view = find("rooms");
  #search = /** @type {HTMLInputElement} */ (find("rooms-search"));
  #drawn = "";

  /**
   * @param {import("./rooms.js").Rooms} rooms @param {import("./session.js").Session} session
   * @param {(roomId: string) => void} onChoose
   */
  constructor(rooms, session, onChoose) {
    this.rooms = rooms;
    this.session = session;
    this.onChoose = onChoose;
    this.#search.value = "";
    this.#search.oninput = () => this.render();
    find("rooms-refresh").onclick = () => rooms.refresh();
  }

  render() {
    const { rooms } = this;
    const comesBack = this.#view.hidden && this.session.room === null;
    this.#view.hidden = this.session.room !== null;
    if (comesBack) find("rooms-title").focus();
    const refresh = /** @type {HTMLButtonElement} */ (find("rooms-refresh"));
    refresh.disabled = rooms.isLoading;
    this.#view.setAttribute("aria-busy", String(rooms.isLoading));
    find("rooms-search-field").hidden = rooms.list.length < manyRooms;
    const wanted = this.#search.value.trim().toLowerCase();
    const found = rooms.list.filter(({ name }) => name.toLowerCase().includes(wanted));
    this.#draw(found.slice(0, mostShown));
    setText(find("rooms-hint"), this.#hint(found.length));
  }

  /** @param {number} foundCount */
  #hint(foundCount) {
    const { error, isKnown, list } = this.rooms;
    if (error) return `${describeHomeserverError(error)}${isKnown ? " The list may be out of date." : ""}`;
    if (!isKnown) return "Loading your rooms…";
    if (list.length === 0) return "You are in no room yet. Join or make one with your Matrix client, then refresh.";
    if (foundCount === 0) return "No room has this in its name.";
    return foundCount > mostShown ? `And ${foundCount - mostShown} more: search for them.` : "";
  }

  /** @param {Room[]} shown */
  #draw(shown) {
    const running = new Set(this.session.ledger.running.map(({ roomId }) => roomId));
    const rows = shown.map((room) => ({ ...room, isRunning: running.has(room.id) }));
    const now = JSON.stringify(rows);
    if (now === this.#drawn) return;
    this.#drawn = now;
    find("room-list").replaceChildren(...rows.map((row) => this.#row(row, row.isRunning)));
  }

  /** @param {Room} room @param {boolean} isRunning */
  #row({ id, name, isDirect, isEncrypted, memberCount }, isRunning) {
    const kind = isDirect ? "Direct chat" : memberCount === 1 ? "Only you" : `${memberCount} people`;
    const words = element("span", { class: "member-name" }, element("span", {}, name), element("small", {}, kind));
    const attributes = { class: "room-row", "data-testid": "room-row", "data-room": id };
    const button = element("button", attributes, avatar(id, name), words);
    if (isRunning) button.append(element("span", { class: "tag", "data-testid": "room-running" }, "Call going on"));
    if (isEncrypted) button.append(lock());
    button.onclick = () => this.onChoose(id);
    return element("li", {}, button);
  }
}

export function lock() {
  const label = "Encrypted";
  const attributes = { class: "lock", role: "img", "data-testid": "encrypted", "aria-label": label, title: label };
  return element("span", attributes, icon("lock"));
}
