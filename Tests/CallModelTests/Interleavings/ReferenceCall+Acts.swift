import CallModel

/// Why the documents say that an act is refused, by the code that clients see.
struct Refusal: Error, Equatable {
    let code: String

    init(_ code: String) { self.code = code }
}

extension ReferenceCall {
    /// Does what the documents say an act does; answers whether it changed anything.
    mutating func act(_ action: CallAction, by actor: Actor, at now: Int64) throws(Refusal) -> Bool {
        told = []
        defer { settleRefusals() }
        let user = actor.userID
        guard audience.contains(user) else { throw Refusal("forbidden") }
        switch action {
        case .ring: return ring(user, actor.deviceID)
        case .answer(let description): return try answer(user, actor.deviceID, description, at: now)
        case .reject(let reason): return reject(user, actor.deviceID, reason, at: now)
        case .end(let reason): return end(user, actor.deviceID, reason, at: now)
        case .join(let after): return try join(user, actor, after: after)
        case .leave: return try leave(user, actor, at: now)
        case .disconnect: return lose(user, actor.session, at: now)
        case .toggleAudio(let enabled):
            try speak(user, actor.session, "audio-toggled")
            if enabled { muted.remove(user) } else { muted.insert(user) }
        case .toggleVideo(let enabled):
            try speak(user, actor.session, "video-toggled")
            if enabled { withoutVideo.remove(user) } else { withoutVideo.insert(user) }
        case .changeMedia(let state):
            try requirePlace(user, actor.session)
            if state == MediaState() { throw Refusal("invalid_request") }
            try speak(user, actor.session, "media-state")
            callType = state.callType ?? callType
        case .signal(let signals): return try signal(user, actor.session, signals)
        // The call's end is what ends its allocations, so the history has them after it too; the device is not known.
        case .relayAllocated: tell("relay-allocated", by: user)
        case .relayReleased: tell("relay-released", by: user)
        case .roomEventUndelivered: tell("room-event-undelivered", by: user)
        }
        return true
    }

    private mutating func ring(_ user: String, _ device: String?) -> Bool {
        guard stage != .ended, case .rung(told: false) = absences[user] else { return false }
        absences[user] = .rung(told: true)
        tell("ringing", by: user, device: device)
        return true
    }

    private mutating func answer(
        _ user: String,
        _ named: String?,
        _ description: Signal?,
        at now: Int64
    ) throws(Refusal) -> Bool {
        if stage == .ended { throw Refusal("call_ended") }
        let device = named ?? "default"
        if let place = places[user] {
            if place.device == device { return false }
            throw Refusal("answered_elsewhere")
        }
        if isGroup, places.count >= policy.maximumParticipants { throw Refusal("call_full") }
        if !isGroup, stage != .ringing { throw Refusal("answered_elsewhere") }
        if let description { try requireRecipient(of: description, from: user) }
        take(user, device: device, at: now)
        if stage == .ringing {
            stage = .connecting
            answeredAt = now
        }
        if !isGroup { for loser in rung { absences[loser] = .missed } }
        tell("call-answered", by: user, device: device, to: everybody)
        if let description { pass(description, from: user, device: device) }
        return true
    }

    private mutating func reject(_ user: String, _ device: String?, _ reason: EndReason?, at now: Int64) -> Bool {
        if stage == .ringing, user == creator { return end(user, device, reason, at: now) }
        guard stage != .ended, rung.contains(user) else { return false }
        absences[user] = .rejected
        tell("rejected", by: user, device: device, to: others(than: user).union([.everySocket(of: user)]))
        if stage == .ringing, rung.isEmpty {
            finish(reason == .busy ? "busy" : "rejected", by: user, device: device, at: now)
        }
        return true
    }

    /// The table "Ending", column `end`.
    private mutating func end(_ user: String, _ named: String?, _ reason: EndReason?, at now: Int64) -> Bool {
        if stage == .ended { return false }
        let device = named ?? lastPlaces[user]?.device
        let ending = reason == .failed ? "failed" : "hangup"
        switch (stage, user == creator) {
        case (.ringing, true):
            finish("cancelled", by: user, device: device, at: now)
        case (_, true) where isGroup:
            finish(ending, by: user, device: device, at: now)
        case _ where rung.contains(user):
            return reject(user, named, reason, at: now)
        case _ where places[user] != nil:
            if isGroup {
                depart(user, device: device, at: now)
            } else {
                finish(ending, by: user, device: device, at: now)
            }
        default:
            return false
        }
        return true
    }

    /// Somebody is no longer in. The last one to leave ends a call; of two who answered either does.
    mutating func depart(_ user: String, device: String?, at now: Int64) {
        places[user] = nil
        absences[user] = .left(at: now)
        tell("user-left", by: user, device: device, to: others(than: user))
        if stage == .ringing {
            finish("cancelled", by: user, device: device, at: now)
        } else if places.count < (isGroup ? 1 : 2) {
            finish("left", by: user, device: device, at: now)
        }
    }
}
