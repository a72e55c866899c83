/** What an account does here while it is signed in: its rooms, the one that is looked at, and its calls. */

import { deviceOfTab } from "./identity.js";
import { HomeserverError } from "./homeserver.js";
import { displayName, forgetNames, learnName } from "./names.js";
import { avatar, find, setText } from "./dom.js";
import { Rooms } from "./rooms.js";
import { RoomsView } from "./rooms-view.js";
import { Session } from "./session.js";
import { Stage } from "./stage.js";
import { describeHomeserverError } from "./words.js";

/** What is older is asked for again when somebody comes back to the window. */
const staleMs = 60_000;
const retryMs = 5_000;

export class Visit {
  /** @type {Set<string>} rooms whose members were asked for, because of a call there */ #askedRooms = new Set();
  #membersAskedAt = 0;
  #isClosed = false;

  /** @param {import("./account.js").Account} account @param {import("./tones.js").Tones} tones */
  constructor(account, tones) {
    this.account = account;
    this.rooms = new Rooms(account);
    this.session = new Session({ userId: account.userId, deviceId: deviceOfTab() }, account);
    this.stage = new Stage(this.session, tones, {
      isMatrix: true,
      isEncrypted: () => this.rooms.get(this.session.room)?.isEncrypted ?? false,
      onLeave: () => this.#signOut(),
      more: [
        new RoomsView(this.rooms, this.session, (roomId) => this.#choose(roomId)),
        { render: () => this.#render() },
      ],
    });
    this.rooms.addEventListener("change", this.stage.render);
    this.session.addEventListener("change", this.#namePeopleOfCalls);
    this.session.addEventListener("room-changed", () => this.#loadMembers());
    find("back-to-rooms").onclick = () => this.#choose(null);
  }

  async start() {
    window.addEventListener("popstate", this.#showAddressed);
    for (const event of ["focus", "online"]) window.addEventListener(event, this.#comeBack);
    this.stage.render();
    this.session.start();
    this.#learnOwnName();
    while (!this.#isClosed && !this.rooms.isKnown) {
      await this.rooms.refresh();
      if (!this.rooms.isKnown) await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
    if (!this.#isClosed) this.#showAddressed();
  }

  /** Nothing of the account stays on the page. */
  close() {
    this.#isClosed = true;
    window.removeEventListener("popstate", this.#showAddressed);
    for (const event of ["focus", "online"]) window.removeEventListener(event, this.#comeBack);
    this.session.abandon();
    // Drawn once more, with nothing to be drawn.
    this.session.ledger.clear();
    this.rooms.list = [];
    this.session.enterRoom(null);
    this.stage.close();
    find("account").title = "";
    find("account-avatar").replaceChildren();
    for (const testId of ["account-name", "incoming-from", "incoming-where"]) setText(find(testId), "");
    forgetNames();
  }

  #render() {
    const { userId } = this.account;
    const name = displayName(userId);
    const account = find("account");
    if (account.title !== userId || find("account-name").textContent !== name) {
      find("account-avatar").replaceChildren(avatar(userId, name));
      account.title = userId;
    }
    setText(find("account-name"), name);
  }

  async #learnOwnName() {
    try {
      const path = `profile/${encodeURIComponent(this.account.userId)}/displayname`;
      learnName(this.account.userId, (await this.account.request("GET", path)).displayname);
      this.stage.render();
    } catch (error) {
      // Then the id has to do.
      if (!(error instanceof HomeserverError)) throw error;
    }
  }

  async #signOut() {
    /** @type {HTMLButtonElement} */ (find("sign-out")).disabled = true;
    await this.session.hangUp();
    await this.account.signOut();
    /** @type {HTMLButtonElement} */ (find("sign-out")).disabled = false;
  }

  /** @param {string | null} roomId */
  #choose(roomId) {
    history.pushState(null, "", addressOf(roomId));
    this.#show(roomId);
  }

  #showAddressed = () => {
    if (!this.rooms.isKnown) return;
    const roomId = new URLSearchParams(location.search).get("room");
    if (!roomId || this.rooms.get(roomId)) return this.#show(roomId || null);
    history.replaceState(null, "", addressOf(null));
    this.#show(null);
    this.session.say("error", "You are not in that room. Somebody in it has to invite you.");
  };

  /** @param {string | null} roomId */
  #show(roomId) {
    if (roomId === this.session.room) return;
    this.session.enterRoom(roomId);
    this.#loadMembers();
  }

  async #loadMembers() {
    const { room } = this.session;
    if (room === null) return;
    this.#membersAskedAt = performance.now();
    try {
      const members = await this.rooms.members(room);
      if (this.session.room === room) this.session.setMembers(members);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      if (this.#isClosed || this.session.room !== room) return;
      if (error.status === 403) return this.#lostRoom();
      this.session.say("error", describeHomeserverError(error));
    }
  }

  /** The account is not in the room any more. */
  async #lostRoom() {
    this.#choose(null);
    this.session.say("error", "You are not in that room any more.");
    await this.rooms.refresh();
  }

  /** Calls come from rooms that were not looked at, too. */
  #namePeopleOfCalls = async () => {
    const { call, ringing, ledger } = this.session;
    const calls = [...(call ? [call.info] : []), ...ringing.values(), ...ledger.history];
    const unknown = calls.filter(({ participants }) =>
      participants.some(({ userId }) => displayName(userId) === userId),
    );
    const rooms = new Set(unknown.map(({ roomId }) => roomId));
    for (const roomId of rooms) {
      if (this.#askedRooms.has(roomId)) continue;
      this.#askedRooms.add(roomId);
      try {
        await this.rooms.members(roomId);
        if (!this.rooms.get(roomId)) await this.rooms.refresh();
        if (!this.#isClosed) this.stage.render();
      } catch (error) {
        // Then the ids have to do: a call of the past may be of a room that the account has left.
        if (!(error instanceof HomeserverError)) throw error;
      }
    }
  };

  #comeBack = () => {
    const now = performance.now();
    if (now - this.rooms.askedAt > staleMs) this.rooms.refresh();
    if (now - this.#membersAskedAt > staleMs) this.#loadMembers();
  };
}

/** @param {string | null} roomId */
function addressOf(roomId) {
  return roomId === null ? "/" : `/?room=${encodeURIComponent(roomId)}`;
}
