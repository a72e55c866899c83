public import CallModel
import Locking
import Signaling
public import SocketIO

/// The sockets of this node: who they are, what they have joined, and the way to each.
///
/// A class because sockets, requests and the sweep share it. The events of one call are delivered from that call's lane
/// alone, so that their order is the order in which they were committed.
public final class Hub: Sendable {
    struct State {
        var rooms = SocketRooms()
        var sockets: [SessionID: any CallSocket] = [:]
        /// The newest event of a call that this node delivered, for calls with a socket here that has joined or rings.
        var cursors: [CallID: Int64] = [:]
        /// Sessions whose `join-call` is not acknowledged yet, and the events that wait for that.
        var gates: [Gate: [OutgoingEvent]] = [:]
        /// When the credentials that each joined session was given end, and how long they were good for.
        var credentials: [CallID: [SessionID: Credential]] = [:]
        /// Calls that are relayed here, with the newest event that this node knows of and the allocations there are.
        var watched: [CallID: (sequence: Int64, count: Int)] = [:]
        /// Sessions whose end the store could not be told, and whose they were.
        var unwrittenLosses: [Gate: UserID] = [:]
    }

    struct Gate: Hashable {
        let call: CallID
        let socket: SessionID
    }

    struct Credential {
        let endsAt: Timestamp
        let secondsToLive: Int
    }

    /// Events that may wait for an acknowledgement; a session with more is closed and resumes.
    static let gateLimit = CallLimits.keptEvents + 512

    let state = Locked(State())
    /// Who tells other nodes, if there are any.
    let announcer: (any CallAnnouncer)?

    /// A hub without sockets.
    public init(announcer: (any CallAnnouncer)? = nil) { self.announcer = announcer }

    /// The users with a connected socket that named the room, in order of their ids.
    public func members(ofRoom roomID: String) -> [UserID] {
        state.withLock { $0.rooms.users(inRoom: roomID) }
    }

    /// How many sockets there are here, of how many users, and how many calls they have joined.
    public var present: (sockets: Int, users: Int, calls: Int) {
        state.withLock { ($0.sockets.count, $0.rooms.users.count, $0.credentials.count) }
    }

    /// Those of `users` who have a connected socket here.
    func reachable(_ users: [UserID]) -> Set<UserID> {
        state.withLock { state in Set(users.filter(state.rooms.isConnected)) }
    }

    /// Closes every connection, so that clients come back, here or elsewhere.
    public func closeAll() {
        for socket in state.withLock({ Array($0.sockets.values) }) { socket.close() }
    }

    /// Sends the sockets of some rooms, or all if none is named, what somebody else composed.
    ///
    /// Names that clients' libraries keep for themselves are passed over.
    public func emit(_ event: String, arguments: [JSONText], rooms: [String], except: [String]) {
        guard !Self.reservedEvents.contains(event) else { return }
        let sockets = state.withLock { state in
            let left = Set(except.flatMap { state.sockets(inRoom: $0) })
            let meant = rooms.isEmpty ? Array(state.sockets.keys) : rooms.flatMap { state.sockets(inRoom: $0) }
            return Set(meant).subtracting(left).sorted().compactMap { state.sockets[$0] }
        }
        for socket in sockets { socket.emit(event, arguments: arguments) }
    }

    private static let reservedEvents: Set = [
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    ]

    func connect(_ socket: any CallSocket, user: UserID, rooms: [String]) {
        state.withLock { state in
            state.sockets[socket.id] = socket
            let isFirst = !state.rooms.isConnected(user)
            let changed = state.rooms.connect(socket.id, user: user, rooms: rooms)
            // Inside the lock, so that what is said last is true.
            if isFirst { announcer?.changed(.user(user), isPresent: true) }
            // The newcomer hears of every room that it named, the others of those that changed.
            var told = Self.roomMembers(of: changed, in: state, except: socket.id)
            for room in (state.rooms.member(socket.id)?.rooms ?? []).sorted() {
                told.append((socket, Self.roomMembers(of: room, in: state)))
            }
            Self.emit(told)
        }
    }

    /// Forgets a socket; answers whose it was and which calls it had joined.
    func disconnect(_ socket: SessionID) -> SocketRooms.Member? {
        state.withLock { state in
            state.sockets[socket] = nil
            guard let (member, changed) = state.rooms.disconnect(socket) else { return nil }
            for call in member.calls {
                state.forget(Gate(call: call, socket: socket))
                if !state.rooms.hasSessions(call), state.watched[call] == nil {
                    announcer?.changed(.call(call), isPresent: false)
                }
            }
            for call in member.toldCalls.union(member.calls) where !state.rooms.hasListeners(call) {
                state.cursors[call] = nil
            }
            if !state.rooms.isConnected(member.userID) { announcer?.changed(.user(member.userID), isPresent: false) }
            Self.emit(Self.roomMembers(of: changed, in: state, except: nil))
            return member
        }
    }

    /// To be called inside the lock: whoever hears two lists of a room must hear the newer one last.
    private static func emit(_ told: [(any CallSocket, JSONText)]) {
        for (socket, payload) in told { socket.emit("room-members", payload) }
    }

    /// Remembers a session that ended while the store could not be written to.
    func noteUnwrittenLoss(of socket: SessionID, _ user: UserID, in call: CallID) {
        state.withLock { $0.unwrittenLosses[Gate(call: call, socket: socket)] = user }
    }

    /// The sessions that ended while the store could not be written to.
    var unwrittenLosses: [(call: CallID, user: UserID, socket: SessionID)] {
        state.withLock { state in state.unwrittenLosses.map { ($0.key.call, $0.value, $0.key.socket) } }
    }

    /// The store knows of a session's end by now.
    func forgetLoss(of socket: SessionID, in call: CallID) {
        state.withLock { $0.unwrittenLosses[Gate(call: call, socket: socket)] = nil }
    }

    private static func roomMembers(
        of rooms: [String],
        in state: State,
        except newcomer: SessionID?
    ) -> [(any CallSocket, JSONText)] {
        rooms.flatMap { room in
            let payload = roomMembers(of: room, in: state)
            return state.rooms.sockets(inRoom: room).filter { $0 != newcomer }
                .compactMap { id in state.sockets[id].map { ($0, payload) } }
        }
    }

    private static func roomMembers(of room: String, in state: State) -> JSONText {
        .object([
            ("roomId", .string(room)), ("members", .array(state.rooms.users(inRoom: room).map(JSONText.string))),
        ])
    }
}

extension Hub.State {
    /// The sockets of `user:<id>`, of `call:<id>`, or of a room that they named when they connected.
    fileprivate func sockets(inRoom name: String) -> [SessionID] {
        if name.hasPrefix("user:") { return rooms.sockets(of: String(name.dropFirst(5))) }
        if name.hasPrefix("call:") { return CallID(String(name.dropFirst(5))).map(rooms.sessions) ?? [] }
        return rooms.sockets(inRoom: name)
    }

    mutating func forget(_ gate: Hub.Gate) {
        gates[gate] = nil
        credentials[gate.call]?[gate.socket] = nil
        if credentials[gate.call]?.isEmpty == true { credentials[gate.call] = nil }
    }
}
