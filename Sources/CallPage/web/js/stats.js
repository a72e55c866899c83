/** What a peer connection says of itself, once a second, as the few numbers that people ask for. */

/** @typedef {{type: string, protocol: string, address: string}} CandidateSummary */
/**
 * @typedef {object} Sample
 * @property {RTCPeerConnectionState} state
 * @property {{local: CandidateSummary, remote: CandidateSummary} | null} pair the selected candidate pair
 * @property {number | null} roundTripMs
 * @property {number | null} upBitsPerSecond
 * @property {number | null} downBitsPerSecond
 * @property {number | null} lossPercent of the packets expected since the last sample
 * @property {string} video size and rate of the received picture, or empty
 */
/** @typedef {{at: number, sent: number, received: number, packets: number, lost: number}} Counters */

export class StatsSampler {
  /** @type {Counters | null} */ #before = null;

  /** @param {RTCPeerConnection} connection @returns {Promise<Sample>} */
  async sample(connection) {
    const report = await connection.getStats();
    const pair = selectedPair(report);
    const inbound = [...report.values()].filter((stat) => stat.type === "inbound-rtp");
    const now = countersOf(pair, inbound);
    const rates = this.#before ? ratesBetween(this.#before, now) : null;
    this.#before = now;
    return {
      state: connection.connectionState,
      pair: pair && {
        local: summarise(report.get(pair.localCandidateId)),
        remote: summarise(report.get(pair.remoteCandidateId)),
      },
      roundTripMs: pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1000,
      upBitsPerSecond: rates?.up ?? null,
      downBitsPerSecond: rates?.down ?? null,
      lossPercent: rates?.lossPercent ?? null,
      video: describePicture(inbound.find((stat) => stat.kind === "video")),
    };
  }
}

/** @param {RTCStatsReport} report */
function selectedPair(report) {
  const stats = [...report.values()];
  const transport = stats.find((stat) => stat.type === "transport" && stat.selectedCandidatePairId);
  if (transport) return report.get(transport.selectedCandidatePairId) ?? null;
  // Firefox marks the pair itself.
  return stats.find((stat) => stat.type === "candidate-pair" && stat.selected) ?? null;
}

/** @param {any} pair @param {any[]} inbound @returns {Counters} */
function countersOf(pair, inbound) {
  const sum = (/** @type {string} */ key) => inbound.reduce((total, stat) => total + (stat[key] ?? 0), 0);
  return {
    at: performance.now(),
    sent: pair?.bytesSent ?? 0,
    received: pair?.bytesReceived ?? 0,
    packets: sum("packetsReceived"),
    lost: sum("packetsLost"),
  };
}

/** Counters start anew with another pair, hence never below zero. @param {Counters} before @param {Counters} now */
function ratesBetween(before, now) {
  const seconds = (now.at - before.at) / 1000;
  const lost = Math.max(0, now.lost - before.lost);
  const expected = Math.max(0, now.packets - before.packets) + lost;
  return {
    up: (Math.max(0, now.sent - before.sent) * 8) / seconds,
    down: (Math.max(0, now.received - before.received) * 8) / seconds,
    lossPercent: expected > 0 ? (lost * 100) / expected : 0,
  };
}

/** @param {any} candidate @returns {CandidateSummary} */
function summarise(candidate) {
  return {
    type: candidate?.candidateType ?? "unknown",
    // A relayed candidate is UDP towards the peer; what matters here is how the relay is reached.
    protocol: candidate?.relayProtocol ?? candidate?.protocol ?? "udp",
    address: candidate?.address ? `${candidate.address}:${candidate.port}` : "",
  };
}

/** @param {any} video */
function describePicture(video) {
  if (!video?.frameWidth) return "";
  return `${video.frameWidth}×${video.frameHeight}, ${Math.round(video.framesPerSecond ?? 0)} fps`;
}
