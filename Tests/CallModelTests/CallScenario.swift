import CallModel
import Testing

/// A call in the hands of a test: applies acts one after the other and keeps every event.
struct CallScenario {
    var call: Call
    var events: [CallEvent]
    var policy: CallPolicy
    var now: Timestamp

    static let start = Timestamp(milliseconds: 1_764_000_000_000)

    init(
        invitees: [String] = ["@bob:hs"],
        group: Bool = false,
        reachable: Set<String> = [],
        policy: CallPolicy = CallPolicy(),
        offer: Signal? = nil
    ) throws {
        var initiation = CallInitiation(roomID: "!room", callType: .video, isGroup: group, invitees: invitees)
        initiation.offer = offer
        var generator = SeededGenerator(seed: 1)
        let transition = try initiation.begin(
            id: CallID.random(using: &generator),
            by: Actor(userID: "@alice:hs", deviceID: "A"),
            audience: initiation.audience(of: "@alice:hs", roomMembers: [], policy: policy),
            reachable: reachable,
            now: Self.start,
            policy: policy
        )
        call = transition.call
        events = transition.events
        self.policy = policy
        now = Self.start
    }

    @discardableResult
    mutating func act(_ action: CallAction, _ user: String, device: String? = nil, session: String? = nil)
        throws(CallFailure) -> [CallEventKind]
    {
        let actor = Actor(userID: "@\(user):hs", deviceID: device, session: session)
        return take(try call.applying(action, by: actor, now: now, policy: policy))
    }

    @discardableResult
    mutating func wait(_ milliseconds: Int64) -> [CallEventKind] {
        now = now.advanced(byMilliseconds: milliseconds)
        return take(call.advanced(to: now, policy: policy))
    }

    private mutating func take(_ transition: CallTransition) -> [CallEventKind] {
        #expect(transition.previousVersion == call.version)
        call = transition.call
        events += transition.events
        return transition.events.map(\.kind)
    }

    func state(_ user: String) -> ParticipantState? { call.participant("@\(user):hs")?.state }

    /// Alice and Bob, both joined by a socket.
    static func connected(group: Bool = false, invitees: [String] = ["@bob:hs"]) throws -> CallScenario {
        var scenario = try CallScenario(invitees: invitees, group: group)
        try scenario.act(.join(after: nil), "alice", session: "a1")
        try scenario.act(.answer(description: nil), "bob", device: "B")
        try scenario.act(.join(after: nil), "bob", session: "b1")
        return scenario
    }
}

/// SplitMix64: the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
