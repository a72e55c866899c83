import CallModel

/// What holds of every stored call, whatever happened. It needs no reference.
enum LegalState {
    /// What is wrong with `call`, which was `before` until the last commit (`nil` for a new one).
    static func faults(of call: Call, before: Call?) -> [String] {
        var faults: [String] = []
        func require(_ isTrue: Bool, _ fault: @autoclosure () -> String) {
            if !isTrue { faults.append(fault()) }
        }
        let hasEnded = call.state == .ended
        let present = call.present
        require(hasEnded == (call.endReason != nil) && hasEnded == (call.endedAt != nil), "an end without a reason")
        require(
            !hasEnded || call.endedBy != nil || call.endReason == .missed || call.endReason == .failed,
            "ended by nobody"
        )
        require(call.state != .ringing || call.ringDeadline != nil, "rings for ever")
        let isAwaited = call.state == .active && present.contains { $0.state == .joined && $0.session == nil }
        require((call.state == .connecting || isAwaited) == (call.connectDeadline != nil), "connects for ever")
        require(!hasEnded || (present.isEmpty && call.ringDeadline == nil), "somebody is in a call that has ended")
        require(hasEnded || !present.isEmpty, "nobody is in")
        if !call.isGroup {
            let places = call.state == .ringing ? 1 : 2
            require(hasEnded || present.count == places, "\(present.count) are in a 1:1 call that is \(call.state)")
        }
        for participant in call.participants {
            let user = participant.userID
            require(
                (participant.state == .reconnecting) == (participant.graceDeadline != nil),
                "\(user) is \(participant.state), grace \(participant.graceDeadline != nil)"
            )
            require(participant.session == nil || participant.state == .joined, "a session of \(user), who is not in")
            require(!participant.state.isPresent || participant.deviceID != nil, "\(user) is in by no device")
            require(!hasEnded || !participant.state.isRinging, "it still rings for \(user)")
        }
        if let before { faults += faultsOfChange(to: call, before) }
        return faults
    }

    private static func faultsOfChange(to call: Call, _ before: Call) -> [String] {
        var faults: [String] = []
        let order = CallState.allCases
        if let old = order.firstIndex(of: before.state), let new = order.firstIndex(of: call.state), new < old {
            faults.append("\(before.state) became \(call.state)")
        }
        if call.state == .active, before.state != .active {
            let sessions = call.participants.count { $0.session != nil }
            if sessions != 2 { faults.append("active with \(sessions) sessions") }
        }
        if before.state == .ended {
            var changed = before
            changed.sequence = call.sequence
            changed.version = call.version
            changed.purgeDeadline = call.purgeDeadline
            if changed != call { faults.append("changed after its end") }
            if before.purgeDeadline == nil, call.purgeDeadline != nil { faults.append("is to be purged again") }
        }
        return faults
    }
}
