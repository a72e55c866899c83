/** What one call has to say to the server: in order, and each signal until the server has answered it. */

import { SocketError } from "./socket.js";

/** @typedef {{event: string, payload: any, sent: boolean}} Signal */

/** How long a server that could not take a signal just now is left alone, if it does not say so itself. */
const ordinaryPauseMs = 1_000;
/** Refusals that pass: too much at once, nobody to be asked just now, a token that is about to be replaced. */
const passingCodes = ["rate_limited", "store_unavailable", "homeserver_unavailable", "auth_unavailable", "invalid_token"];

/**
 * How long to wait before the same is sent again; `null` if sending it again would not change the answer.
 * @param {unknown} error
 */
export function pauseAfter(error) {
  if (!(error instanceof SocketError)) return null;
  return passingCodes.includes(error.code) ? (error.retryAfterMs ?? ordinaryPauseMs) : null;
}

export class Outbox {
  /** @type {Signal[]} */ #waiting = [];
  #isOpen = false;
  #pausedUntil = 0;
  #resumeTimer = 0;

  /**
   * @param {(event: string, payload: object) => Promise<unknown>} emit
   * @param {(event: string, error: SocketError) => void} onRefused for a signal that will not be sent again
   */
  constructor(emit, onRefused) {
    this.emit = emit;
    this.onRefused = onRefused;
  }

  /** @param {string} event @param {object} payload */
  push(event, payload) {
    this.#waiting.push({ event, payload, sent: false });
    this.#flush();
  }

  /** The call is joined: what waits may go. */
  open() {
    this.#isOpen = true;
    this.#flush();
  }

  /** Until `open`, what is pushed waits. */
  close() {
    this.#isOpen = false;
  }

  /** Takes back what has become pointless. @param {(event: string, payload: any) => boolean} isPointless */
  withdraw(isPointless) {
    this.#waiting = this.#waiting.filter(({ event, payload }) => !isPointless(event, payload));
  }

  clear() {
    this.#waiting = [];
    this.#pausedUntil = 0;
    clearTimeout(this.#resumeTimer);
  }

  #flush() {
    if (!this.#isOpen || performance.now() < this.#pausedUntil) return;
    for (const signal of this.#waiting) {
      if (!signal.sent) this.#deliver(signal);
    }
  }

  /**
   * A signal is out of the box when the server acknowledged it: one that was lost with the connection goes out again
   * after the resume, one that came too soon after others when the server says so. Any other failure is an answer.
   * @param {Signal} signal
   */
  async #deliver(signal) {
    signal.sent = true;
    try {
      await this.emit(signal.event, signal.payload);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      const pauseMs = pauseAfter(error);
      if (pauseMs !== null) return this.#postpone(signal, pauseMs);
      if (error.code === "disconnected") {
        signal.sent = false;
        return;
      }
      if (this.#waiting.includes(signal)) this.onRefused(signal.event, error);
    }
    this.#waiting = this.#waiting.filter((other) => other !== signal);
  }

  /**
   * Nothing goes out meanwhile, so that what was said later does not come first.
   * @param {Signal} signal @param {number} pauseMs
   */
  #postpone(signal, pauseMs) {
    signal.sent = false;
    const until = performance.now() + pauseMs;
    if (until <= this.#pausedUntil) return;
    this.#pausedUntil = until;
    clearTimeout(this.#resumeTimer);
    this.#resumeTimer = setTimeout(() => {
      this.#pausedUntil = 0;
      this.#flush();
    }, pauseMs);
  }
}
