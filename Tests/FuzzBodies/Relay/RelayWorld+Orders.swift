import NetPrimitives
import TURNRelay

/// What comes from above: ends of calls, and of the server.
extension RelayWorld {
    /// Ends a call: its allocations go, and its credentials open no further ones.
    mutating func endCall(_ callID: String) throws(FuzzFinding) {
        let call = EndedCall(callID: callID, credentialSeconds: 1_000_000)
        for user in RelayCast.users where user.name.hasSuffix("~\(callID)") { endedUsers.insert(user.name) }
        var isDone = false
        while !isDone {
            isDone = shard.endCall(call, now: now, into: &effects)
            try expect(try applyEffects(of: nil).isEmpty, "the end of a call is told to clients")
        }
    }

    /// The end of a drain.
    mutating func closeAll() throws(FuzzFinding) {
        var isDone = false
        while !isDone {
            isDone = shard.closeAll(into: &effects)
            try expect(try applyEffects(of: nil).isEmpty, "the end of a drain is told to clients")
        }
        try expect(leases.isEmpty && shard.allocationCount == 0, "\(leases.count) relays outlive a drain")
    }

    /// Sends new IPv4 clients to a sibling, or to nobody any more.
    mutating func drain(_ isDraining: Bool) {
        var alternates = AlternateServers()
        if isDraining { alternates.ipv4 = RelayCast.flows[0].client }
        shard.drain(to: alternates)
    }
}
