/** The tabs of this browser tell one another which of them is in a call: the server tells it to none of them. */

const channelName = "callrelay.calls";

export class Tabs {
  #channel = new BroadcastChannel(channelName);

  /** @param {(userId: string, callId: string) => void} onTaken another tab of this browser is in that call now */
  constructor(onTaken) {
    this.#channel.onmessage = ({ data }) => onTaken(data.userId, data.callId);
  }

  /** @param {string} userId @param {string} callId */
  take(userId, callId) {
    this.#channel.postMessage({ userId, callId });
  }

  close() {
    this.#channel.close();
  }
}
