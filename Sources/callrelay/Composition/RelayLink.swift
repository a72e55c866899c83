import CallModel
import CallService
import CallStore
import Logging
import RelayRuntime
import TURNRelay

/// Tells the relay of calls that are over.
struct RelayLink: MediaRelay {
    let relay: RelayService
    /// For how long the last credential of a call may be good, in seconds.
    let credentialSeconds: UInt32
    let logger: Logger

    func callEnded(_ id: CallID) {
        if !relay.endAllocations(ofCall: EndedCall(callID: id.rawValue, credentialSeconds: credentialSeconds)) {
            logger.error("the relay did not take the end of a call", metadata: ["call": "\(id.rawValue)"])
        }
    }
}

extension [EndedCall] {
    /// The calls whose credentials may still be good after a restart, the oldest first.
    init(_ endings: [CallEnding], now: Timestamp, credentialSeconds: UInt32) {
        self = endings.compactMap { ending in
            let secondsAgo = (now.milliseconds - ending.endedAt.milliseconds) / 1_000
            let left = Int64(credentialSeconds) - Swift.max(secondsAgo, 0)
            return left > 0 ? EndedCall(callID: ending.callID.rawValue, credentialSeconds: UInt32(left)) : nil
        }
    }
}
