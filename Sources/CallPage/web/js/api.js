/** The REST call API, as far as this page needs it. */

/**
 * @typedef {"ringing" | "connecting" | "active" | "ended"} CallState
 * @typedef {{userId: string, deviceId?: string, state: string, audioEnabled: boolean,
 *   videoEnabled: boolean}} Participant
 * @typedef {{callId: string, roomId: string, callType: "voice" | "video", group: boolean, state: CallState,
 *   createdBy: string, createdAt: string, answeredAt?: string, endedAt?: string, endReason?: string,
 *   endedBy?: string, seq: number, participants: Participant[]}} CallInfo
 * @typedef {{iceServers: RTCIceServer[], iceTransportPolicy: RTCIceTransportPolicy, ttl: number,
 *   expiresAt: string}} IceAnswer
 */

/** For how long a request is repeated that the server could not take just now. */
const patienceMs = 20_000;
const passingCodes = ["store_unavailable", "idempotency_in_progress", "homeserver_unavailable", "auth_unavailable"];

/** A problem+json answer, or a request that got none (`code` is then `unreachable`). */
export class ApiError extends Error {
  /**
   * @param {string} code @param {string} message @param {any} [problem]
   * @param {number | null} [retryAfterMs] when the same may be asked again; `null` if that would not change the answer
   */
  constructor(code, message, problem, retryAfterMs = null) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

export class Api {
  /** @param {import("./credentials.js").Credentials} credentials */
  constructor(credentials) {
    this.credentials = credentials;
  }

  /**
   * @param {{roomId: string, callType: string, group: boolean, deviceId: string, invitees?: string[],
   *   relayOnly: boolean}} body
   * @returns {Promise<CallInfo & IceAnswer>}
   */
  initiate(body) {
    // Asked twice, it is placed once.
    return this.#request("POST", "initiate", body, { "idempotency-key": crypto.randomUUID() });
  }

  /** @param {string} callId @param {string} deviceId @returns {Promise<CallInfo & IceAnswer>} */
  answer(callId, deviceId) {
    return this.#request("POST", `${encodeURIComponent(callId)}/answer`, { deviceId });
  }

  /** @param {string} callId @param {string} [reason] @returns {Promise<CallInfo>} */
  reject(callId, reason) {
    return this.#request("POST", `${encodeURIComponent(callId)}/reject`, { reason });
  }

  /** @param {string} callId @returns {Promise<CallInfo>} */
  end(callId) {
    return this.#request("POST", `${encodeURIComponent(callId)}/end`, {});
  }

  /** @returns {Promise<{calls: CallInfo[]}>} */
  active() {
    return this.#request("GET", "active");
  }

  /** @param {number} limit @returns {Promise<{items: CallInfo[]}>} newest first */
  history(limit) {
    return this.#request("GET", `history?limit=${limit}`);
  }

  /**
   * Asks again while the server has no database or no homeserver to ask, and with another token if one was rejected.
   * @param {string} method @param {string} path @param {object} [body] @param {Record<string, string>} [headers]
   * @returns {Promise<any>}
   */
  async #request(method, path, body, headers) {
    const until = performance.now() + patienceMs;
    let mayRenew = true;
    for (;;) {
      const token = await this.#token();
      try {
        return await this.#ask(method, path, token, body, headers);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (error.code === "invalid_token" && mayRenew) {
          mayRenew = false;
          if (await this.#renew(token, error)) continue;
        }
        if (error.retryAfterMs === null) throw error;
        const pauseMs = error.retryAfterMs;
        if (performance.now() + pauseMs > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  async #token() {
    try {
      return await this.credentials.fresh();
    } catch (error) {
      throw new ApiError("auth_unavailable", String(error));
    }
  }

  /** @param {string} token @param {ApiError} rejection */
  async #renew(token, rejection) {
    try {
      return await this.credentials.renew(token, rejection.problem?.soft_logout === true);
    } catch (error) {
      throw new ApiError("auth_unavailable", String(error));
    }
  }

  /**
   * @param {string} method @param {string} path @param {string} token @param {object} [body]
   * @param {Record<string, string>} [headers] @returns {Promise<any>}
   */
  async #ask(method, path, token, body, headers) {
    let response;
    try {
      response = await fetch(`/api/calls/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...headers,
          ...(body ? { "content-type": "application/json" } : {}),
        },
        body: body ? JSON.stringify(body) : undefined,
      });
    } catch (error) {
      throw new ApiError("unreachable", String(error));
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const message = answer.detail ?? answer.title ?? response.statusText;
    const code = answer.code ?? `http_${response.status}`;
    const retryAfterMs = passingCodes.includes(code) ? 1_000 * Number(response.headers.get("retry-after") ?? 1) : null;
    throw new ApiError(code, message, answer, retryAfterMs);
  }
}
