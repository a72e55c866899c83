/**
 * A small Socket.IO v5 client over an Engine.IO v4 WebSocket: one namespace, text events, acknowledgements,
 * heartbeat watch and reconnection. Nothing here knows about calls.
 */

/** @typedef {"idle" | "connecting" | "connected" | "reconnecting" | "refused"} SocketState */
/** @typedef {{state: SocketState, code?: string, message?: string, data?: any}} SocketStatus */

/** Engine.IO packet types: the first character of every frame. */
const Engine = { open: "0", close: "1", ping: "2", pong: "3", message: "4", noop: "6" };
/** Socket.IO packet types: the first character of every Engine.IO message. */
const Packet = { connect: "0", disconnect: "1", event: "2", ack: "3", connectError: "4" };

const handshakeTimeoutMs = 10_000;
const acknowledgementTimeoutMs = 10_000;
const firstRetryMs = 400;
const longestRetryMs = 8_000;

/** An emit that was not answered with `ok`: `code` is the server's, or `disconnected`. */
export class SocketError extends Error {
  /**
   * @param {string} code @param {string} message
   * @param {number} [retryAfterMs] when the server will take the same event
   */
  constructor(code, message, retryAfterMs) {
    super(message);
    this.name = "SocketError";
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export class Socket {
  /** @type {WebSocket | null} */ #transport = null;
  /** @type {Map<string, (payload: any) => void>} */ #listeners = new Map();
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void, timer: number}>} */
  #waiting = new Map();
  /** @type {SocketStatus} */ #status = { state: "idle" };
  #nextAckId = 1;
  #attempt = 0;
  #silenceLimitMs = handshakeTimeoutMs;
  #silenceTimer = 0;
  #retryTimer = 0;

  /**
   * @param {{url: string, auth: () => Promise<object>, onStatus: (status: SocketStatus) => void}} options
   *   `url` is the page's origin; `auth` is asked anew for each connection.
   */
  constructor({ url, auth, onStatus }) {
    const address = new URL("/socket.io/?EIO=4&transport=websocket", url);
    address.protocol = address.protocol.replace("http", "ws");
    this.address = address.href;
    this.auth = auth;
    this.onStatus = onStatus;
  }

  get connected() {
    return this.#status.state === "connected";
  }

  /** @param {string} event @param {(payload: any) => void} listener */
  on(event, listener) {
    this.#listeners.set(event, listener);
  }

  open() {
    window.addEventListener("online", this.#renew);
    this.#setStatus({ state: "connecting" });
    this.#openTransport();
  }

  close() {
    window.removeEventListener("online", this.#renew);
    clearTimeout(this.#retryTimer);
    if (this.connected) this.#transport?.send(Engine.message + Packet.disconnect);
    this.#dropTransport();
    this.#setStatus({ state: "idle" });
  }

  /**
   * Sends an event and waits for its acknowledgement.
   * @param {string} event @param {object} payload
   * @returns {Promise<any>} the acknowledgement, whose `ok` is true
   */
  emit(event, payload) {
    if (!this.connected || !this.#transport) {
      return Promise.reject(new SocketError("disconnected", "not connected"));
    }
    const id = this.#nextAckId++;
    const answered = new Promise((resolve, reject) => {
      // No answer for so long means that nothing gets through: another connection may, and the caller sends it again.
      const timer = setTimeout(() => this.#lost(), acknowledgementTimeoutMs);
      this.#waiting.set(id, { resolve, reject, timer });
    });
    this.#transport.send(Engine.message + Packet.event + id + JSON.stringify([event, payload]));
    return answered.then((answer) => {
      if (answer?.ok) return answer;
      const message = answer?.message ?? `${event} was refused`;
      throw new SocketError(answer?.code ?? "refused", message, answer?.retryAfterMs);
    });
  }

  #openTransport() {
    const transport = new WebSocket(this.address);
    this.#transport = transport;
    this.#silenceLimitMs = handshakeTimeoutMs;
    this.#watchSilence();
    transport.onmessage = ({ data }) => this.#receive(String(data));
    transport.onclose = () => this.#lost();
  }

  /** Forgets the transport without a further event from it; pending acknowledgements fail. */
  #dropTransport() {
    clearTimeout(this.#silenceTimer);
    const transport = this.#transport;
    this.#transport = null;
    if (transport) {
      transport.onmessage = null;
      transport.onclose = null;
      transport.close();
    }
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new SocketError("disconnected", "the connection was lost"));
    }
    this.#waiting.clear();
  }

  #lost() {
    this.#dropTransport();
    this.#setStatus({ state: "reconnecting" });
    const ceiling = Math.min(longestRetryMs, firstRetryMs * 2 ** this.#attempt++);
    // Half fixed, half random: clients of a restarted server do not come back in one wave.
    this.#retryTimer = setTimeout(this.#retryNow, ceiling / 2 + (Math.random() * ceiling) / 2);
  }

  #retryNow = () => {
    clearTimeout(this.#retryTimer);
    if (this.#status.state === "reconnecting" && !this.#transport) this.#openTransport();
  };

  /** The network is another one now: a connection by the old one may be dead without saying so. */
  #renew = () => {
    if (this.#status.state === "refused") return;
    this.#attempt = 0;
    this.#lost();
    this.#retryNow();
  };

  /** The server pings; when it has been silent for longer than it promised, the connection is dead. */
  #watchSilence() {
    clearTimeout(this.#silenceTimer);
    this.#silenceTimer = setTimeout(() => this.#lost(), this.#silenceLimitMs);
  }

  /** @param {string} frame */
  #receive(frame) {
    const body = frame.slice(1);
    switch (frame[0]) {
      case Engine.open: {
        const { pingInterval, pingTimeout } = JSON.parse(body);
        this.#silenceLimitMs = pingInterval + pingTimeout;
        this.#watchSilence();
        this.#introduce(this.#transport);
        break;
      }
      case Engine.ping:
        this.#watchSilence();
        this.#transport?.send(Engine.pong);
        break;
      case Engine.close:
        this.#lost();
        break;
      case Engine.message:
        this.#receivePacket(body);
        break;
      case Engine.noop:
        break;
      default:
        console.warn("unknown Engine.IO packet", frame[0]);
    }
  }

  /** Says who we are; without an answer to that, another connection may have one. @param {WebSocket | null} transport */
  async #introduce(transport) {
    try {
      const auth = JSON.stringify(await this.auth());
      if (transport === this.#transport) transport?.send(Engine.message + Packet.connect + auth);
    } catch (error) {
      console.info("not introduced to the server:", error);
      if (transport === this.#transport) this.#lost();
    }
  }

  /** @param {string} packet */
  #receivePacket(packet) {
    const body = packet.slice(1);
    switch (packet[0]) {
      case Packet.connect:
        this.#attempt = 0;
        this.#setStatus({ state: "connected" });
        break;
      case Packet.connectError: {
        const { message, data } = JSON.parse(body);
        this.#refused(data?.code ?? "refused", message, data);
        break;
      }
      case Packet.disconnect:
        this.#refused("disconnected_by_server", "The server ended this session.");
        break;
      case Packet.event: {
        const [event, payload] = JSON.parse(body);
        this.#listeners.get(event)?.(payload);
        break;
      }
      case Packet.ack: {
        const digits = /^\d*/.exec(body)?.[0] ?? "";
        const pending = this.#waiting.get(Number(digits));
        if (!pending) break; // of no event of ours
        this.#waiting.delete(Number(digits));
        clearTimeout(pending.timer);
        pending.resolve(JSON.parse(body.slice(digits.length))[0]);
        break;
      }
      default:
        console.warn("unknown Socket.IO packet", packet[0]);
    }
  }

  /**
   * A refusal is an answer, not an accident: asking again would bring the same.
   * @param {string} code @param {string} message @param {any} [data]
   */
  #refused(code, message, data) {
    this.#dropTransport();
    this.#setStatus({ state: "refused", code, message, data });
  }

  /** @param {SocketStatus} status */
  #setStatus(status) {
    this.#status = status;
    this.onStatus(status);
  }
}
