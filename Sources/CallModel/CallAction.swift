/// Who acts on a call, and from where.
public struct Actor: Hashable, Sendable {
    /// The user that the token names.
    public let userID: UserID
    /// The device that acts, if it said so.
    public let deviceID: DeviceID?
    /// The socket that acts; `nil` for REST, which acts for the user as a whole.
    public let session: SessionID?

    /// Names the acting user, device and socket.
    public init(userID: UserID, deviceID: DeviceID? = nil, session: SessionID? = nil) {
        self.userID = userID
        self.deviceID = deviceID
        self.session = session
    }
}

/// Everything that can be done to a call that exists.
public enum CallAction: Hashable, Sendable {
    /// A device of the acting user was told that the call rings.
    case ring
    /// Take the call, with the answer to an early offer if there is one.
    case answer(description: Signal?)
    /// Say no.
    case reject(EndReason?)
    /// Hang up, cancel or say no, whichever fits.
    case end(EndReason?)
    /// Join by a socket; `after` is the last event that it received, `nil` for a fresh start.
    case join(after: Int64?)
    /// Leave, the call may go on without.
    case leave
    /// The socket was lost.
    case disconnect
    /// Switch the microphone.
    case toggleAudio(Bool)
    /// Switch the camera.
    case toggleVideo(Bool)
    /// Hold, screen share, another call type.
    case changeMedia(MediaState)
    /// Pass on offers, answers and candidates.
    case signal([Signal])
    /// A relay allocation of the user began.
    case relayAllocated
    /// A relay allocation of the user ended, having carried this much.
    case relayReleased(RelayEnd, bytes: Int64)
    /// What the room was to be told in the user's name never got there.
    case roomEventUndelivered(type: String, reason: String)
}

/// What an action made of a call: the new state and what is to be told.
public struct CallTransition: Hashable, Sendable {
    /// The call as it is now.
    public let call: Call
    /// The version that the action was applied to; 0 for a new call.
    public let previousVersion: Int64
    /// What happened, in order; the numbers follow those of the call before.
    public let events: [CallEvent]
    /// Whether anything about a participant changed; a signal alone changes nothing about them.
    public let changesParticipants: Bool
    /// Whether the call's signals are to be deleted.
    public let purgesSignals: Bool

    /// This and then another action, as one change.
    public func then(
        _ action: CallAction,
        by actor: Actor,
        now: Timestamp,
        policy: CallPolicy
    ) throws(CallFailure) -> CallTransition {
        followed(by: try call.applying(action, by: actor, now: now, policy: policy))
    }

    /// This and then `next`, which was applied to what this made of the call, as one change.
    public func followed(by next: CallTransition) -> CallTransition {
        var call = next.call
        call.version = min(call.version, previousVersion + 1)
        return CallTransition(
            call: call,
            previousVersion: previousVersion,
            events: events + next.events,
            changesParticipants: changesParticipants || next.changesParticipants,
            purgesSignals: purgesSignals || next.purgesSignals
        )
    }

    /// Whether there is something to commit.
    public var isChange: Bool { !events.isEmpty || call.version != previousVersion }

    /// Whether nothing of the call changed but the number of its newest event. Such a transition leaves the version as it
    /// was: it holds of the call whatever else was appended meanwhile, under other numbers.
    public var onlyAppends: Bool { call.version == previousVersion && !events.isEmpty }

    /// Whether these events leave the call's state as it was.
    static func appends(_ events: [CallEvent], changesParticipants: Bool, purgesSignals: Bool) -> Bool {
        !changesParticipants && !purgesSignals && !events.isEmpty && events.allSatisfy(\.kind.isOnlyToldOf)
    }

    /// What only appends, after `count` more events of others.
    public func renumbered(by count: Int64) -> CallTransition {
        var call = call
        call.sequence &+= count
        let events = events.map { event in
            CallEvent(
                sequence: event.sequence &+ count,
                kind: event.kind,
                at: event.at,
                userID: event.userID,
                deviceID: event.deviceID
            )
        }
        return CallTransition(
            call: call,
            previousVersion: previousVersion,
            events: events,
            changesParticipants: changesParticipants,
            purgesSignals: purgesSignals
        )
    }
}

extension CallEventKind {
    /// Whether it leaves the call's state as it was.
    fileprivate var isOnlyToldOf: Bool {
        switch self {
        case .signal, .relayAllocated, .relayReleased, .roomEventUndelivered: true
        case .initiated, .ringing, .answered, .rejected, .missed, .joined, .resumed, .disconnected, .left,
            .audioToggled, .videoToggled, .mediaState, .ended:
            false
        }
    }
}
