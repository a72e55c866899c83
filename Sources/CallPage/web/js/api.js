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

/** A problem+json answer, or a request that got none (`code` is then `unreachable`). */
export class ApiError extends Error {
  /** @param {string} code @param {string} message @param {any} [problem] */
  constructor(code, message, problem) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.problem = problem;
  }
}

export class Api {
  /** @param {string} token */
  constructor(token) {
    this.token = token;
  }

  /**
   * @param {{roomId: string, callType: string, group: boolean, deviceId: string, invitees?: string[],
   *   relayOnly: boolean}} body
   * @returns {Promise<CallInfo & IceAnswer>}
   */
  initiate(body) {
    return this.#request("POST", "initiate", body);
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

  /** @param {string} method @param {string} path @param {object} [body] @returns {Promise<any>} */
  async #request(method, path, body) {
    let response;
    try {
      response = await fetch(`/api/calls/${path}`, {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
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
    throw new ApiError(answer.code ?? `http_${response.status}`, message, answer);
  }
}
