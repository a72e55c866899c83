/** Keeps a socket let in: gives it the token, brings a newer one, and another one when it was rejected. */

import { SocketError } from "./socket.js";

/** @typedef {{message?: string, soft_logout?: boolean}} Rejection */

const firstPauseMs = 500;
const longestPauseMs = 8_000;
/** Renewed tokens in a row that the server may reject before it is given up. */
const patience = 3;

export class SocketLogin {
  /** The token that the server was given last. */ #given = "";
  #rejections = 0;
  #isClosed = false;

  /** @param {import("./socket.js").Socket} socket @param {import("./credentials.js").Credentials} credentials */
  constructor(socket, credentials) {
    this.socket = socket;
    this.credentials = credentials;
    credentials.onRenewed(() => this.#bring());
    socket.on("token-rejected", (rejection) => this.#replace(rejection));
  }

  /** The token for a new connection. */
  async token() {
    this.#given = await this.credentials.fresh();
    return this.#given;
  }

  accepted() {
    this.#rejections = 0;
    // It may have been renewed while the connection was made.
    this.#bring();
  }

  close() {
    this.#isClosed = true;
  }

  /** The socket was refused for its token: in again with another one. @param {import("./socket.js").SocketStatus} refusal */
  async reenter({ code = "", message = "", data = {} }) {
    if (!(await this.#replace(data))) throw new SocketError(code, message);
    if (!this.#isClosed) this.socket.open();
  }

  /**
   * The server does not take the token any more; whether it has, or is about to get, another one.
   * @param {Rejection} rejection
   */
  async #replace({ soft_logout: isSoft = false }) {
    if (++this.#rejections > patience) return false;
    for (let pauseMs = firstPauseMs; !this.#isClosed; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        const isRenewed = await this.credentials.renew(this.#given, isSoft);
        if (isRenewed) await this.#bring();
        return isRenewed;
      } catch (error) {
        // Nobody can say now whether there is another one.
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
    return true;
  }

  async #bring() {
    const token = this.credentials.token();
    if (this.#isClosed || !this.socket.connected || token === this.#given) return;
    this.#given = token;
    try {
      await this.socket.emit("authenticate", { token });
      this.#rejections = 0;
    } catch (error) {
      // Whatever comes of it, the server says so: by `token-rejected`, or by ending the connection.
      if (!(error instanceof SocketError)) throw error;
      this.#given = "";
    }
  }
}
