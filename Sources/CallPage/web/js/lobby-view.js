/** The form at the door: a name and a room. */

import { find, setText } from "./dom.js";
import { foldName, rememberedChoice, rememberChoice } from "./identity.js";

export class LobbyView {
  #view = find("lobby");
  #name = /** @type {HTMLInputElement} */ (find("name-input"));
  #room = /** @type {HTMLInputElement} */ (find("room-input"));
  #error = find("lobby-error");

  /** @param {(name: string, room: string) => void} onJoin */
  constructor(onJoin) {
    const choice = rememberedChoice();
    this.#name.value = choice.name;
    this.#room.value = choice.room;
    find("lobby-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = foldName(this.#name.value);
      const room = this.#room.value.trim();
      if (!this.#check(name, room)) return;
      rememberChoice(name, room);
      onJoin(name, room);
    });
  }

  show() {
    this.#view.hidden = false;
    (this.#name.value ? find("join-button") : this.#name).focus();
  }

  hide() {
    this.#view.hidden = true;
  }

  /** @param {string} name @param {string} room */
  #check(name, room) {
    this.#name.setAttribute("aria-invalid", String(!name));
    this.#room.setAttribute("aria-invalid", String(!room));
    const typed = this.#name.value.trim();
    const nameProblem = typed ? "Use the letters a to z or digits in your name." : "Choose a name first.";
    setText(this.#error, name ? (room ? "" : "Choose a room first.") : nameProblem);
    if (!name || !room) (name ? this.#room : this.#name).focus();
    return Boolean(name && room);
  }
}
