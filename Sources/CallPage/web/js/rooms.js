/** The rooms that the account is in, as they were when last asked for: this is no chat, and does not go on listening. */

import { cleanName, learnName, learnRoomName } from "./names.js";
import { nameOfRoom } from "./room-names.js";

/** @typedef {{id: string, name: string, isDirect: boolean, isEncrypted: boolean, memberCount: number, at: number}} Room */

const nobody = { types: [] };
/** Little of each room: what names it, whether it is encrypted, and its last event for the time. */
const filter = {
  presence: nobody,
  account_data: { types: ["m.direct"] },
  room: {
    account_data: nobody,
    ephemeral: nobody,
    timeline: { limit: 1, lazy_load_members: true },
    state: {
      types: [
        ...["m.room.name", "m.room.canonical_alias", "m.room.encryption", "m.room.create", "m.room.tombstone"],
        "m.room.member",
      ],
      lazy_load_members: true,
    },
  },
};

/** What is known of a room, from all that was said of it so far. */
class KnownRoom {
  name = "";
  alias = "";
  isEncrypted = false;
  isSpace = false;
  replacement = "";
  /** @type {string[]} */ heroes = [];
  memberCount = 0;
  at = 0;
  /** @type {Map<string, string>} */ members = new Map();

  /** @param {any} told a room of /sync */
  hear({ summary = {}, state, timeline }) {
    this.heroes = summary["m.heroes"] ?? this.heroes;
    this.#joined = summary["m.joined_member_count"] ?? this.#joined;
    this.#invited = summary["m.invited_member_count"] ?? this.#invited;
    this.memberCount = this.#joined + this.#invited;
    // A state event that is the last event of all stands in the timeline alone.
    for (const event of [...(state?.events ?? []), ...(timeline?.events ?? [])]) {
      this.at = Math.max(this.at, timeline?.events?.includes(event) ? event.origin_server_ts : 0);
      if (typeof event.state_key === "string") this.#hearState(event.type, event.state_key, event.content ?? {});
    }
  }

  #joined = 0;
  #invited = 0;

  /** @param {string} type @param {string} key @param {any} content */
  #hearState(type, key, content) {
    if (type === "m.room.member") this.#hearMember(key, content);
    if (key !== "") return;
    if (type === "m.room.name") this.name = cleanName(content.name);
    if (type === "m.room.canonical_alias") this.alias = cleanName(content.alias);
    if (type === "m.room.encryption") this.isEncrypted = true;
    if (type === "m.room.create") this.isSpace = content.type === "m.space";
    if (type === "m.room.tombstone") this.replacement = String(content.replacement_room ?? "");
  }

  /** @param {string} userId @param {any} content */
  #hearMember(userId, content) {
    const name = cleanName(content.displayname);
    if (name) this.members.set(userId, name);
    else this.members.delete(userId);
    if (content.membership === "join" || content.membership === "invite") learnName(userId, name);
  }
}

/** Tells "change". */
export class Rooms extends EventTarget {
  /** @type {Room[]} the one with the latest event first */ list = [];
  /** @type {unknown} why they could not be asked for, the last time */ error = null;
  isLoading = false;
  isKnown = false;
  /** When they were last asked for, in milliseconds of the page's own clock. */ askedAt = 0;
  /** @type {Map<string, KnownRoom>} */ #known = new Map();
  /** @type {Map<string, string>} whom a room is a direct chat with, by room id */ #direct = new Map();
  #since = "";

  /** @param {import("./account.js").Account} account */
  constructor(account) {
    super();
    this.account = account;
  }

  /** @param {string | null} roomId */
  get(roomId) {
    return this.list.find(({ id }) => id === roomId) ?? null;
  }

  /** Asks for what is new since the last time. */
  async refresh() {
    if (this.isLoading) return;
    this.isLoading = true;
    this.askedAt = performance.now();
    this.#changed();
    const query = new URLSearchParams({ filter: JSON.stringify(filter), timeout: "0", set_presence: "offline" });
    if (this.#since) query.set("since", this.#since);
    try {
      this.#hear(await this.account.request("GET", `sync?${query}`));
      this.error = null;
      this.isKnown = true;
    } catch (error) {
      this.error = error;
    }
    this.isLoading = false;
    this.#changed();
  }

  /**
   * Who is in a room, and what they are called there.
   * @param {string} roomId @returns {Promise<string[]>}
   */
  async members(roomId) {
    const { joined } = await this.account.request("GET", `rooms/${encodeURIComponent(roomId)}/joined_members`);
    for (const [userId, profile] of Object.entries(joined)) learnName(userId, profile.display_name);
    return Object.keys(joined);
  }

  /** @param {any} answer of /sync */
  #hear({ next_batch: since, rooms = {}, account_data: accountData }) {
    this.#since = since;
    for (const { type, content } of accountData?.events ?? []) {
      if (type === "m.direct") this.#hearDirect(content);
    }
    for (const id of Object.keys(rooms.leave ?? {})) this.#known.delete(id);
    for (const [id, told] of Object.entries(rooms.join ?? {})) {
      const room = this.#known.get(id) ?? new KnownRoom();
      room.hear(told);
      this.#known.set(id, room);
    }
    const shown = [...this.#known].filter(([, room]) => !room.isSpace && !this.#known.has(room.replacement));
    this.list = shown.map(([id, room]) => this.#describe(id, room)).sort((a, b) => b.at - a.at);
    for (const { id, name } of this.list) learnRoomName(id, name);
  }

  /** @param {Record<string, string[]>} content */
  #hearDirect(content) {
    this.#direct.clear();
    for (const [userId, ids] of Object.entries(content)) {
      if (userId === this.account.userId || !Array.isArray(ids)) continue;
      for (const id of ids) this.#direct.set(id, userId);
    }
  }

  /** @param {string} id @param {KnownRoom} room @returns {Room} */
  #describe(id, room) {
    const directWith = this.#direct.get(id) ?? null;
    const name = nameOfRoom({ ...room, directWith, members: room.members }, this.account.userId);
    const { isEncrypted, memberCount, at } = room;
    return { id, name, isDirect: directWith !== null, isEncrypted, memberCount, at };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
