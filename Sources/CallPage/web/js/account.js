/** The account that is signed in: its tokens, kept in this browser, renewed in time, and given up when they are dead. */

import { HomeserverError } from "./homeserver.js";
import { alone } from "./locks.js";

/**
 * @typedef {{homeserver: string, userId: string, deviceId: string, accessToken: string, refreshToken?: string,
 *   renewAt?: number, expiresAt?: number}} Kept times in milliseconds since 1970
 * @typedef {"signed-out" | "signed-out-untold" | "signed-out-here" | "expired" | "ended" | "changed"} GoneReason
 */

const keyPrefix = "callrelay.";
const accountKey = `${keyPrefix}account`;
const lastDeviceKey = `${keyPrefix}lastDevice`;
const refreshLock = `${keyPrefix}refresh`;
/** A token is renewed so long before its end, or when three quarters of its time are over if it has less. */
const longestMarginMs = 60_000;
const retryMs = 3_000;
/** What another tab wrote to the storage is seen here a little later: so long before anything is given up. */
const settlingMs = 1_000;
/** What timers of browsers can wait for. */
const longestTimerMs = 2 ** 31 - 1;

/** Tells "token" when there is another token, and "gone" (why: `GoneReason` in `detail`) once there is none. */
export class Account extends EventTarget {
  /** @type {Kept | null} */ #kept;
  /** @type {Promise<void> | null} */ #refreshing = null;
  #timer = 0;

  /** @param {import("./homeserver.js").Homeserver} homeserver @param {Kept} kept */
  constructor(homeserver, kept) {
    super();
    this.homeserver = homeserver;
    this.userId = kept.userId;
    this.deviceId = kept.deviceId;
    this.#kept = kept;
    window.addEventListener("storage", this.#storageChanged);
    this.#schedule();
  }

  /** The account that is signed in in this browser. @param {import("./homeserver.js").Homeserver} homeserver */
  static kept(homeserver) {
    const kept = readKept();
    // Tokens are for the homeserver that issued them, and for no other one.
    return kept?.homeserver === homeserver.url ? new Account(homeserver, kept) : null;
  }

  /**
   * @param {import("./homeserver.js").Homeserver} homeserver
   * @param {{type: string, token?: string, password?: string, identifier?: {type: string, user: string}}} proof
   */
  static async signIn(homeserver, proof) {
    const last = readJSON(lastDeviceKey);
    // By single sign-on it is not known yet who comes.
    const isKnown = last?.homeserver === homeserver.url && (!proof.identifier || last.userId === proof.identifier.user);
    const got = await homeserver.login({
      ...proof,
      refresh_token: true,
      initial_device_display_name: `Call page at ${location.host}`,
      ...(isKnown ? { device_id: last.deviceId } : {}),
    });
    const { user_id: userId, device_id: deviceId } = got;
    const kept = { homeserver: homeserver.url, userId, deviceId, ...keptTokens(got) };
    writeJSON(accountKey, kept);
    writeJSON(lastDeviceKey, { homeserver: homeserver.url, userId, deviceId });
    return new Account(homeserver, kept);
  }

  /** Calls when another tab of this browser signs in. @param {() => void} onSignIn */
  static onSignInElsewhere(onSignIn) {
    window.addEventListener("storage", ({ key, newValue }) => {
      if (key === accountKey && newValue) onSignIn();
    });
  }

  // Credentials

  token() {
    return this.#kept?.accessToken ?? "";
  }

  async fresh() {
    this.#read();
    const { accessToken = "", refreshToken, renewAt = Infinity, expiresAt = Infinity } = this.#kept ?? {};
    if (refreshToken && Date.now() >= renewAt) {
      try {
        await this.#refresh(accessToken);
      } catch (error) {
        // Until its end it is good.
        if (Date.now() >= expiresAt) throw error;
      }
    }
    if (!this.#kept) throw new HomeserverError("signed_out", "nobody is signed in");
    return this.token();
  }

  /** @param {string} rejected @param {boolean} isSoft */
  async renew(rejected, isSoft) {
    this.#read();
    if (!this.#kept) return false;
    if (this.token() !== rejected) return true;
    if (!isSoft) {
      // The homeserver itself has the last word on whether the account is signed out.
      try {
        await this.homeserver.whoami(rejected);
        return false;
      } catch (error) {
        if (!(error instanceof HomeserverError) || !error.rejectsToken) throw error;
        if (await this.#isReplaced(rejected)) return this.#kept !== null;
        if (!error.isSoftLogout) return this.#lose("ended");
      }
    }
    if (!this.#kept.refreshToken) return this.#lose("expired");
    await this.#refresh(rejected);
    return this.#kept !== null;
  }

  /** @param {() => void} onToken */
  onRenewed(onToken) {
    this.addEventListener("token", onToken);
  }

  /**
   * A request to the homeserver in the account's name.
   * @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>}
   */
  async request(method, path, body) {
    const token = await this.fresh();
    try {
      return await this.homeserver.request(method, path, { token, body });
    } catch (error) {
      const isRejected = error instanceof HomeserverError && error.rejectsToken;
      if (!isRejected || !(await this.renew(token, error.isSoftLogout))) throw error;
      return this.homeserver.request(method, path, { token: this.token(), body });
    }
  }

  /** Ends the tokens and the device at the homeserver, and forgets everything here whether that worked or not. */
  async signOut() {
    let isTold = true;
    try {
      await this.homeserver.logout(await this.fresh());
    } catch (error) {
      isTold = error instanceof HomeserverError && (error.rejectsToken || error.code === "signed_out");
    }
    for (const storage of [localStorage, sessionStorage]) {
      for (const key of Object.keys(storage)) if (key.startsWith(keyPrefix)) storage.removeItem(key);
    }
    this.#gone(isTold ? "signed-out" : "signed-out-untold");
  }

  /** Takes over what another tab of this browser has changed. */
  #read() {
    if (!this.#kept) return;
    const kept = readKept();
    if (!kept) return this.#gone("signed-out-here");
    if (kept.userId !== this.userId || kept.deviceId !== this.deviceId) return this.#gone("changed");
    if (kept.accessToken !== this.#kept.accessToken) this.#take(kept);
  }

  /** @param {Kept} kept */
  #take(kept) {
    this.#kept = kept;
    this.#schedule();
    this.dispatchEvent(new Event("token"));
  }

  /** @type {(event: StorageEvent) => void} */
  #storageChanged = ({ key }) => {
    if (key === accountKey || key === null) this.#read();
  };

  /** @param {string} rejected the token in whose place another one is wanted */
  #refresh(rejected) {
    this.#refreshing ??= alone(refreshLock, () => this.#refreshAlone(rejected)).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** @param {string} rejected */
  async #refreshAlone(rejected) {
    this.#read();
    // Another tab may have been first: a refresh token is good once.
    if (!this.#kept?.refreshToken || this.token() !== rejected) return;
    const { refreshToken } = this.#kept;
    try {
      const got = await this.homeserver.refresh(refreshToken);
      if (!this.#kept) return; // signed out meanwhile
      const kept = { ...this.#kept, ...keptTokens({ refresh_token: refreshToken, ...got }) };
      writeJSON(accountKey, kept);
      this.#take(kept);
    } catch (error) {
      const isRefused = error instanceof HomeserverError && (error.status === 401 || error.status === 403);
      if (!isRefused) throw error;
      // Used before, perhaps by another tab a moment ago, whose tokens are not seen here yet.
      if (await this.#isReplaced(rejected)) return;
      this.#lose(error.isSoftLogout || error.status === 403 ? "expired" : "ended");
    }
  }

  /** Whether another tab has taken a token's place, or has given it up. @param {string} rejected */
  async #isReplaced(rejected) {
    await new Promise((resolve) => setTimeout(resolve, settlingMs));
    this.#read();
    return !this.#kept || this.token() !== rejected;
  }

  #schedule() {
    clearTimeout(this.#timer);
    const { refreshToken, renewAt, expiresAt } = this.#kept ?? {};
    if (!refreshToken || renewAt === undefined || expiresAt === undefined) return;
    // Tabs do it at different times, so that mostly the first one does it for all.
    const waitMs = renewAt + (Math.random() * (expiresAt - renewAt)) / 2 - Date.now();
    this.#timer = setTimeout(this.#renewInTime, Math.min(Math.max(0, waitMs), longestTimerMs));
  }

  #renewInTime = async () => {
    if (!this.#kept || Date.now() < (this.#kept.renewAt ?? Infinity)) return this.#schedule();
    try {
      await this.#refresh(this.token());
    } catch (error) {
      const pauseMs = (error instanceof HomeserverError && error.retryAfterMs) || retryMs;
      this.#timer = setTimeout(this.#renewInTime, pauseMs);
    }
  };

  /** The tokens are dead; what is known of the device stays, for signing in again. @param {GoneReason} why */
  #lose(why) {
    localStorage.removeItem(accountKey);
    this.#gone(why);
    return false;
  }

  /** @param {GoneReason} why */
  #gone(why) {
    if (!this.#kept) return;
    this.#kept = null;
    clearTimeout(this.#timer);
    window.removeEventListener("storage", this.#storageChanged);
    this.dispatchEvent(new CustomEvent("gone", { detail: why }));
  }
}

/** @param {import("./homeserver.js").Tokens} tokens */
function keptTokens({ access_token: accessToken, refresh_token: refreshToken, expires_in_ms: lifetimeMs }) {
  const now = Date.now();
  const margin = Math.min(longestMarginMs, (lifetimeMs ?? 0) / 4);
  return {
    accessToken,
    refreshToken,
    renewAt: lifetimeMs === undefined ? undefined : now + lifetimeMs - margin,
    expiresAt: lifetimeMs === undefined ? undefined : now + lifetimeMs,
  };
}

/** @returns {Kept | null} */
function readKept() {
  const kept = readJSON(accountKey);
  return typeof kept?.accessToken === "string" && typeof kept.userId === "string" ? kept : null;
}

/** @param {string} key @returns {any} */
function readJSON(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} key @param {object} value */
function writeJSON(key, value) {
  localStorage.setItem(key, JSON.stringify(value));
}
