/** What only the REST API knows of our calls: those that run, to go back into, and the last ones. */

/** @typedef {import("./api.js").CallInfo} CallInfo */

/** A participant who is in the call by some device. */
const presentStates = ["joined", "reconnecting"];
const historyLength = 6;

export class Ledger {
  /** @type {CallInfo[]} running calls that we may (re)join */ running = [];
  /** @type {CallInfo[]} newest first */ history = [];

  /** @param {import("./identity.js").Identity} identity @param {import("./api.js").Api} api */
  constructor(identity, api) {
    this.identity = identity;
    this.api = api;
  }

  /** @param {() => string | undefined} current the call that is ours already, when the answer is there */
  async load(current) {
    const [active, history] = await Promise.all([this.api.active(), this.api.history(historyLength)]);
    this.running = active.calls.filter((call) => call.callId !== current() && this.#canRejoin(call));
    this.history = history.items.filter((call) => call.state === "ended");
  }

  clear() {
    this.running = [];
    this.history = [];
  }

  /** @param {CallInfo} call */
  ownPart(call) {
    return call.participants.find(({ userId }) => userId === this.identity.userId);
  }

  /** Whether we are in the call by some device. @param {CallInfo} call */
  isPresent(call) {
    return presentStates.includes(this.ownPart(call)?.state ?? "");
  }

  /** Whether this tab would take the call over from another one, or from another device. @param {CallInfo} call */
  isElsewhere(call) {
    const mine = this.ownPart(call);
    if (!mine || !this.isPresent(call)) return false;
    return mine.state === "joined" || mine.deviceId !== this.identity.deviceId;
  }

  /** @param {CallInfo} call */
  #canRejoin(call) {
    if (!this.ownPart(call)) return false;
    return (call.group && call.state !== "ringing") || this.isPresent(call);
  }
}
