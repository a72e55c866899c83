import CallModel

/// What the documents say of one call (docs/calls-and-signaling.md), in the plainest form: who is in, and where
/// everybody else of the audience stands.
///
/// Written from the documents and not from the state machine, which is compared with it.
struct ReferenceCall {
    enum Stage: String {
        case ringing, connecting, active, ended
    }

    /// The place of somebody who is in.
    struct Place {
        let device: String
        let takenAt: Int64
        var socket: String?
        /// The number of the event with which its session began; 0 if no socket has joined yet.
        var sessionBegan: Int64 = 0
        /// Until when it is kept for a lost socket.
        var keptUntil: Int64?
    }

    /// Where somebody stands who is not in.
    enum Absence {
        case rung(told: Bool)
        case left(at: Int64)
        case rejected
        case missed
    }

    struct Ending {
        let reason: String
        let by: String?
        let at: Int64
        var isPurged = false
    }

    let audience: [String]
    let isGroup: Bool
    let placedAt: Int64
    let policy: CallPolicy
    var callType: CallType
    var stage = Stage.ringing
    var places: [String: Place] = [:]
    var absences: [String: Absence] = [:]
    var answeredAt: Int64?
    var ending: Ending?
    var muted: Set<String> = []
    var withoutVideo: Set<String> = []
    /// The device by which somebody was in last, and since when; they outlive the place.
    var lastPlaces: [String: Place] = [:]

    /// How many events there have been.
    var sequence: Int64 = 0
    /// The events of the latest act.
    var told: [Told] = []

    var creator: String { audience[0] }

    /// A new call that rings for `invited`; those in `reachable` have a device that is told of it at once.
    init(
        _ initiation: CallInitiation,
        by creator: String,
        device: String,
        rings invited: [String],
        reachable: Set<String>,
        at now: Int64,
        policy: CallPolicy
    ) {
        audience = [creator] + invited
        isGroup = initiation.isGroup
        placedAt = now
        self.policy = policy
        callType = initiation.callType
        if callType == .voice { withoutVideo = Set(audience) }
        for user in invited { absences[user] = .rung(told: reachable.contains(user)) }
        take(creator, device: device, at: now)
        tell("call-incoming", by: creator, device: device, to: Set(invited.map(Listener.everySocket(of:))))
        if let offer = initiation.offer { pass(offer, from: creator, device: device) }
    }
}

extension ReferenceCall {
    /// Those it still rings for, in the order in which they were named.
    var rung: [String] {
        audience.filter { if case .rung = absences[$0] { true } else { false } }
    }

    /// Those who are in without ever having joined by a socket.
    var socketless: [String] { audience.filter { places[$0]?.sessionBegan == 0 } }

    /// The earliest moment at which time alone changes something.
    var deadline: Int64? {
        if let ending { return ending.isPurged ? nil : ending.at + policy.signalRetention }
        return ([ringsUntil, failsAt] + places.values.map(\.keptUntil) + socketless.map(awaitedUntil))
            .compactMap(\.self).min()
    }

    var ringsUntil: Int64? {
        stage == .ringing || (stage != .ended && !rung.isEmpty) ? placedAt + policy.ringTimeout : nil
    }

    var failsAt: Int64? {
        stage == .connecting ? answeredAt.map { $0 + policy.connectTimeout } : nil
    }

    /// Until when the place of somebody who answered an active call is kept for the first socket.
    func awaitedUntil(_ user: String) -> Int64? {
        guard stage == .active, let place = places[user], let answeredAt else { return nil }
        return max(place.takenAt, answeredAt) + policy.connectTimeout
    }

    /// Whom a joining session of `user` finds, and whether it is the polite side towards each: who came later is.
    func peers(of user: String) -> [String: Bool] {
        let own = places[user]?.sessionBegan ?? 0
        return places.filter { $0.key != user && $0.value.sessionBegan > 0 }.mapValues { own > $0.sessionBegan }
    }

    mutating func tell(_ name: String, by user: String?, device: String? = nil, to listeners: Set<Listener> = []) {
        sequence += 1
        told.append(Told(number: sequence, name: name, by: user, device: device, listeners: listeners))
    }

    /// The joined sockets of the others, or that of one of them.
    func others(than user: String?, only recipient: String? = nil) -> Set<Listener> {
        Set(
            places.filter { $0.value.socket != nil && $0.key != user && (recipient == nil || $0.key == recipient) }
                .map { .joinedSocket(of: $0.key) }
        )
    }

    var everybody: Set<Listener> { Set(audience.map(Listener.everySocket(of:))) }

    mutating func take(_ user: String, device: String, at now: Int64) {
        absences[user] = nil
        places[user] = Place(device: device, takenAt: now)
        lastPlaces[user] = places[user]
    }

    mutating func pass(_ signal: Signal, from user: String, device: String) {
        let names = [SignalKind.offer: "webrtc-offer", .answer: "webrtc-answer", .candidate: "ice-candidate"]
        tell(names[signal.kind] ?? "", by: user, device: device, to: others(than: user, only: signal.to))
    }

    /// Of those who said no or missed it clients are told, as of somebody who left, if the call goes on without them.
    mutating func settleRefusals() {
        for index in told.indices where told[index].name == "rejected" || told[index].name == "missed" {
            if stage == .ended { told[index].listeners = [] } else { told[index].name = "user-left" }
        }
    }

    mutating func finish(_ reason: String, by user: String?, device: String? = nil, at now: Int64) {
        stage = .ended
        ending = Ending(reason: reason, by: user, at: now)
        for user in rung { absences[user] = .missed }
        for user in places.keys { absences[user] = .left(at: now) }
        places = [:]
        tell("call-ended", by: user, device: device, to: everybody)
    }
}

extension CallPicture {
    init(_ call: ReferenceCall) {
        state = call.stage.rawValue
        callType = call.callType
        sequence = call.sequence
        answeredAt = call.answeredAt
        endedAt = call.ending?.at
        endReason = call.ending?.reason
        endedBy = call.ending?.by
        deadline = call.deadline
        people = call.audience.map { user in
            let place = call.places[user]
            var state = place?.keptUntil == nil ? "joined" : "reconnecting"
            var leftAt: Int64?
            switch call.absences[user] {
            case .rung(let told): state = told ? "ringing" : "invited"
            case .left(let at): (state, leftAt) = ("left", at)
            case .rejected: state = "rejected"
            case .missed: state = "missed"
            case nil: break
            }
            return Person(
                user: user,
                state: state,
                device: call.lastPlaces[user]?.device,
                socket: place?.socket,
                audio: !call.muted.contains(user),
                video: !call.withoutVideo.contains(user),
                joinedAt: call.lastPlaces[user]?.takenAt,
                leftAt: leftAt
            )
        }
    }
}
