/** The homeserver's client-server API, as far as this page needs it. */

const patienceMs = 30_000;

/** An answer that was a refusal (`code` is its errcode), or none (`code` is then `unreachable`). */
export class HomeserverError extends Error {
  /** @param {string} code @param {string} message @param {{status?: number, answer?: any, retryAfterMs?: number}} [rest] */
  constructor(code, message, { status = 0, answer = {}, retryAfterMs } = {}) {
    super(message);
    this.name = "HomeserverError";
    this.code = code;
    this.status = status;
    this.isSoftLogout = answer.soft_logout === true;
    this.retryAfterMs = answer.retry_after_ms ?? retryAfterMs;
  }

  /** Whether the token is not good any more, and nothing else is the matter. */
  get rejectsToken() {
    return this.status === 401;
  }
}

/** @typedef {{id: string, name: string}} Provider */
/** @typedef {{access_token: string, refresh_token?: string, expires_in_ms?: number}} Tokens */

export class Homeserver {
  /** @param {string} url @param {string} serverName */
  constructor(url, serverName) {
    this.url = url.replace(/\/+$/, "");
    this.serverName = serverName;
  }

  /** How one may sign in. @returns {Promise<{hasPassword: boolean, hasSso: boolean, providers: Provider[]}>} */
  async flows() {
    const { flows = [] } = await this.request("GET", "login");
    const sso = flows.find((/** @type {any} */ { type }) => type === "m.login.sso");
    const providers = (sso?.identity_providers ?? []).filter((/** @type {any} */ { id }) => typeof id === "string");
    return {
      hasPassword: flows.some((/** @type {any} */ { type }) => type === "m.login.password"),
      hasSso: sso !== undefined,
      providers: providers.map((/** @type {any} */ { id, name }) => ({ id, name: String(name ?? id) })),
    };
  }

  /** Where somebody signs in elsewhere and is sent back from. @param {string | null} provider @param {string} back */
  ssoAddress(provider, back) {
    const path = provider === null ? "" : `/${encodeURIComponent(provider)}`;
    return `${this.url}/_matrix/client/v3/login/sso/redirect${path}?redirectUrl=${encodeURIComponent(back)}`;
  }

  /** @param {object} body @returns {Promise<Tokens & {user_id: string, device_id: string}>} */
  login(body) {
    return this.request("POST", "login", { body });
  }

  /** @param {string} refreshToken @returns {Promise<Tokens>} */
  refresh(refreshToken) {
    return this.request("POST", "refresh", { body: { refresh_token: refreshToken } });
  }

  /** @param {string} token */
  whoami(token) {
    return this.request("GET", "account/whoami", { token });
  }

  /** @param {string} token */
  logout(token) {
    return this.request("POST", "logout", { token, body: {} });
  }

  /**
   * @param {string} method @param {string} path below /_matrix/client/v3
   * @param {{token?: string, body?: object}} [options] @returns {Promise<any>}
   */
  async request(method, path, { token, body } = {}) {
    let response;
    try {
      response = await fetch(`${this.url}/_matrix/client/v3/${path}`, {
        method,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body ? { "content-type": "application/json" } : {}),
        },
        body: body ? JSON.stringify(body) : undefined,
        credentials: "omit",
        signal: AbortSignal.timeout(patienceMs),
      });
    } catch (error) {
      throw new HomeserverError("unreachable", String(error));
    }
    const answer = await response.json().catch(() => null);
    if (response.ok && answer !== null) return answer;
    const { status } = response;
    // What is no answer of a homeserver comes from something that stands before one.
    const code = answer?.errcode ?? (status >= 500 || response.ok ? "unreachable" : `http_${status}`);
    const retryAfter = response.headers.get("retry-after");
    const retryAfterMs = retryAfter === null ? undefined : 1_000 * Number(retryAfter);
    throw new HomeserverError(code, answer?.error ?? response.statusText, { status, answer: answer ?? {}, retryAfterMs });
  }
}
