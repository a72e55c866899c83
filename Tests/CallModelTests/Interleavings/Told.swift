import CallModel

/// Who hears of an event.
enum Listener: Hashable {
    /// The socket by which the user has joined the call.
    case joinedSocket(of: String)
    /// Every connected socket of the user, joined or not.
    case everySocket(of: String)
}

/// One event of a call, as clients hear it; with a name of the history and without listeners if it stands there alone.
struct Told: Equatable {
    let number: Int64
    var name: String
    let by: String?
    let device: String?
    var listeners: Set<Listener>
}

extension Told {
    /// What the state machine emitted, its scope spelled out: `before` is the call whose sockets are there to hear it.
    ///
    /// Whoever rejected or missed a call is not spoken of when the same act ended it: the end says all there is to say.
    init(_ event: CallEvent, of transition: CallTransition, before: Call) {
        number = event.sequence
        by = event.userID
        device = event.deviceID
        let isRefusal = event.kind == .rejected || event.kind == .missed
        guard let scope = event.kind.scope, !(isRefusal && transition.call.state == .ended) else {
            name = event.kind.name
            listeners = []
            return
        }
        name = event.kind.clientName
        var recipient: String?
        if case .signal(let signal) = event.kind { recipient = signal.to }
        let joined = before.participants.filter {
            $0.session != nil && $0.userID != event.userID && (recipient == nil || recipient == $0.userID)
        }.map { Listener.joinedSocket(of: $0.userID) }
        switch scope {
        case .invited:
            listeners = Set(
                transition.call.participants.map(\.userID).filter { $0 != transition.call.createdBy }
                    .map(Listener.everySocket(of:))
            )
        case .audience: listeners = Set(transition.call.participants.map { .everySocket(of: $0.userID) })
        case .joined: listeners = Set(joined)
        case .joinedAndOwn: listeners = Set(joined + [event.userID].compactMap(\.self).map(Listener.everySocket(of:)))
        }
    }
}

extension CallEventKind {
    /// The Socket.IO event by which clients hear of it.
    fileprivate var clientName: String {
        switch self {
        case .initiated: "call-incoming"
        case .answered: "call-answered"
        case .ended: "call-ended"
        case .joined: "user-joined"
        case .left, .rejected, .missed: "user-left"
        case .signal(let signal):
            switch signal.kind {
            case .offer: "webrtc-offer"
            case .answer: "webrtc-answer"
            case .candidate: "ice-candidate"
            }
        default: name
        }
    }
}
