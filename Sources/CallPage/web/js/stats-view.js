/** The live statistics panel, one section for each peer, and the badge that says which way the media goes. */

import { element, find, setText } from "./dom.js";
import { displayName } from "./names.js";
import { StatsSampler } from "./stats.js";

/** @typedef {import("./stats.js").Sample} Sample */

const rows = {
  connection: "Connection",
  pair: "Selected pair",
  protocol: "Transport",
  rtt: "Round trip",
  up: "Sending",
  down: "Receiving",
  loss: "Loss",
  video: "Picture",
};
/** @type {Record<string, string>} */
const pathTexts = { relay: "Relayed", direct: "Direct" };

export class StatsView {
  /** @type {WeakMap<import("./peer.js").Peer, StatsSampler>} */ #samplers = new WeakMap();
  /** @type {Map<string, {root: HTMLElement, values: Map<string, HTMLElement>}>} */ #sections = new Map();
  #panel = find("stats-panel");
  #badge = find("path-badge");

  /** Reads every peer once. @param {import("./call.js").Call} call */
  async update(call) {
    const peers = [...call.peers.values()];
    const samples = await Promise.all(peers.map((peer) => this.#sampler(peer).sample(peer.connection)));
    samples.forEach((sample, index) => this.#show(peers[index].userId, sample));
    for (const [userId, { root }] of this.#sections) {
      if (call.peers.has(userId)) continue;
      root.remove();
      this.#sections.delete(userId);
    }
    this.#showPath(samples);
  }

  clear() {
    this.#panel.replaceChildren();
    this.#sections.clear();
    this.#showPath([]);
  }

  /** @param {import("./peer.js").Peer} peer */
  #sampler(peer) {
    const sampler = this.#samplers.get(peer) ?? new StatsSampler();
    this.#samplers.set(peer, sampler);
    return sampler;
  }

  /** @param {string} userId @param {Sample} sample */
  #show(userId, sample) {
    const { values } = this.#section(userId);
    const { pair } = sample;
    const shown = {
      connection: sample.state,
      pair: pair ? `${pair.local.type} → ${pair.remote.type}` : "–",
      protocol: pair ? pair.local.protocol.toUpperCase() : "–",
      rtt: sample.roundTripMs === null ? "–" : `${formatMilliseconds(sample.roundTripMs)} ms`,
      up: formatRate(sample.upBitsPerSecond),
      down: formatRate(sample.downBitsPerSecond),
      loss: sample.lossPercent === null ? "–" : `${sample.lossPercent.toFixed(1)} %`,
      video: sample.video || "–",
    };
    for (const [key, text] of Object.entries(shown)) setText(/** @type {HTMLElement} */ (values.get(key)), text);
  }

  /** @param {string} userId */
  #section(userId) {
    const known = this.#sections.get(userId);
    if (known) return known;
    const list = element("dl");
    /** @type {Map<string, HTMLElement>} */ const values = new Map();
    for (const [key, label] of Object.entries(rows)) {
      const value = element("dd", { "data-testid": `stat-${key}` }, "–");
      values.set(key, value);
      list.append(element("dt", {}, label), value);
    }
    const root = element("section", { "data-user": userId }, element("h2", {}, displayName(userId)), list);
    const made = { root, values };
    this.#sections.set(userId, made);
    this.#panel.append(root);
    return made;
  }

  /** @param {Sample[]} samples */
  #showPath(samples) {
    const [pair] = samples.flatMap((sample) => sample.pair ?? []);
    const relayed = pair && (pair.local.type === "relay" || pair.remote.type === "relay");
    const path = pair ? (relayed ? "relay" : "direct") : "none";
    this.#badge.dataset.path = path;
    setText(this.#badge, pathTexts[path] ?? "");
  }
}

/** @param {number} milliseconds */
function formatMilliseconds(milliseconds) {
  return milliseconds < 10 ? milliseconds.toFixed(1) : String(Math.round(milliseconds));
}

/** @param {number | null} bitsPerSecond */
function formatRate(bitsPerSecond) {
  if (bitsPerSecond === null) return "–";
  if (bitsPerSecond < 1_000_000) return `${Math.round(bitsPerSecond / 1000)} kbit/s`;
  return `${(bitsPerSecond / 1_000_000).toFixed(1)} Mbit/s`;
}
