public import CallModel

/// Which sockets there are on this node, whose they are, and which calls they have joined: a value without sockets.
public struct SocketRooms: Sendable {
    /// A socket's part: its user, the rooms that it named and the calls that it joined.
    public struct Member: Sendable {
        /// Whose socket it is.
        public let userID: UserID
        /// The rooms that it named when it connected.
        public let rooms: Set<String>
        /// The calls that it has joined.
        public fileprivate(set) var calls: Set<CallID> = []
        /// The ringing calls that it was told of.
        public fileprivate(set) var toldCalls: Set<CallID> = []
    }

    /// More rooms than one socket may name; further ones are not heard.
    public static let roomsPerSocket = 64

    /// Calls that one socket is remembered to have been told of.
    public static let toldCallsPerSocket = 1024

    private var members: [SessionID: Member] = [:]
    private var socketsByUser: [UserID: [SessionID]] = [:]
    private var socketsByRoom: [String: [SessionID]] = [:]
    private var sessions: [CallID: [UserID: SessionID]] = [:]
    /// How many sockets were told of a ringing call.
    private var told: [CallID: Int] = [:]

    /// No sockets.
    public init() {}

    /// Takes a socket in; answers the rooms whose list of members changed by it.
    public mutating func connect(_ socket: SessionID, user: UserID, rooms: some Sequence<String>) -> [String] {
        let rooms = Set(rooms.prefix(Self.roomsPerSocket))
        let changed = rooms.filter { !membership(ofRoom: $0).contains(user) }
        members[socket] = Member(userID: user, rooms: rooms)
        socketsByUser[user, default: []].append(socket)
        for room in rooms { socketsByRoom[room, default: []].append(socket) }
        return changed.sorted()
    }

    /// Puts a socket out; answers what it was part of, and the rooms whose list of members changed by it.
    public mutating func disconnect(_ socket: SessionID) -> (member: Member, changedRooms: [String])? {
        guard let member = members.removeValue(forKey: socket) else { return nil }
        Self.remove(socket, of: member.userID, from: &socketsByUser)
        for room in member.rooms { Self.remove(socket, of: room, from: &socketsByRoom) }
        for call in member.calls { removeSession(socket, of: member.userID, from: call) }
        for call in member.toldCalls { forgetTold(call) }
        let changed = member.rooms.filter { !membership(ofRoom: $0).contains(member.userID) }
        return (member, changed.sorted())
    }

    /// What is known of a socket.
    public func member(_ socket: SessionID) -> Member? { members[socket] }

    /// Makes a socket the one by which its user is in the call; an earlier one hears no more of it.
    public mutating func join(_ socket: SessionID, _ call: CallID) {
        guard let user = members[socket]?.userID else { return }
        if let earlier = sessions[call]?[user], earlier != socket { members[earlier]?.calls.remove(call) }
        sessions[call, default: [:]][user] = socket
        members[socket]?.calls.insert(call)
    }

    /// Whether a socket on this node has joined the call.
    public func hasSessions(_ call: CallID) -> Bool { sessions[call] != nil }

    /// The sockets on this node that have joined the call.
    public func sessions(_ call: CallID) -> [SessionID] { Array((sessions[call] ?? [:]).values) }

    /// Whether a socket on this node has joined the call, or was told that it rings.
    public func hasListeners(_ call: CallID) -> Bool { sessions[call] != nil || told[call] != nil }

    /// Users with a connected socket, in no order.
    public var users: [UserID] { Array(socketsByUser.keys) }

    /// Forgets sessions that the call's state no longer knows.
    public mutating func reconcile(with call: Call) {
        for (user, socket) in sessions[call.id] ?? [:] where call.participant(user)?.session != socket {
            members[socket]?.calls.remove(call.id)
            removeSession(socket, of: user, from: call.id)
        }
        if call.state == .ended {
            for participant in call.participants {
                for socket in sockets(of: participant.userID)
                where members[socket]?.toldCalls.remove(call.id) != nil {
                    forgetTold(call.id)
                }
            }
        }
    }

    private mutating func forgetTold(_ call: CallID) {
        let left = (told[call] ?? 0) - 1
        told[call] = left > 0 ? left : nil
    }

    /// Notes that a socket is told of a ringing call; answers whether it had not been.
    public mutating func tell(_ socket: SessionID, of call: CallID) -> Bool {
        guard let known = members[socket]?.toldCalls, !known.contains(call) else { return false }
        // Calls whose end this node never heard of are not taken out one by one. To be told twice does no harm.
        if known.count >= Self.toldCallsPerSocket {
            for old in known { forgetTold(old) }
            members[socket]?.toldCalls = []
        }
        members[socket]?.toldCalls.insert(call)
        told[call, default: 0] += 1
        return true
    }

    /// The sockets on this node that are to hear an event of `call`, in a fixed order.
    public func recipients(of event: OutgoingEvent, in call: Call) -> [SessionID] {
        switch event.scope {
        case .invited:
            return call.participants.filter { $0.userID != call.createdBy }.flatMap { sockets(of: $0.userID) }
        case .audience:
            return call.participants.flatMap { sockets(of: $0.userID) }
        case .joined:
            return joined(event, in: call)
        case .joinedAndOwn:
            return joined(event, in: call) + (event.sender.map(sockets(of:)) ?? [])
        }
    }

    private func joined(_ event: OutgoingEvent, in call: Call) -> [SessionID] {
        let sessions = sessions[call.id] ?? [:]
        return call.participants.filter { event.recipient == nil || event.recipient == $0.userID }
            .filter { $0.userID != event.sender }
            .compactMap { sessions[$0.userID] }
    }

    /// The connected sockets of a user, the oldest first.
    public func sockets(of user: UserID) -> [SessionID] { socketsByUser[user] ?? [] }

    /// Whether a user has a connected socket here.
    public func isConnected(_ user: UserID) -> Bool { socketsByUser[user] != nil }

    /// The sockets that named a room.
    public func sockets(inRoom room: String) -> [SessionID] { socketsByRoom[room] ?? [] }

    /// The users with a connected socket that named the room, in order of their ids.
    public func users(inRoom room: String) -> [UserID] { membership(ofRoom: room).sorted() }

    /// Every joined session on this node.
    public var joinedSessions: [(call: CallID, user: UserID, socket: SessionID)] {
        sessions.flatMap { call, users in users.map { (call, $0.key, $0.value) } }
    }

    /// Every call of every socket: joined, or told that it rings.
    public var attendances: [(call: CallID, socket: SessionID)] {
        members.flatMap { socket, member in member.calls.union(member.toldCalls).map { ($0, socket) } }
    }

    private func membership(ofRoom room: String) -> Set<UserID> {
        Set((socketsByRoom[room] ?? []).compactMap { members[$0]?.userID })
    }

    private mutating func removeSession(_ socket: SessionID, of user: UserID, from call: CallID) {
        guard sessions[call]?[user] == socket else { return }
        sessions[call]?[user] = nil
        if sessions[call]?.isEmpty == true { sessions[call] = nil }
    }

    private static func remove(_ socket: SessionID, of key: String, from index: inout [String: [SessionID]]) {
        index[key]?.removeAll { $0 == socket }
        if index[key]?.isEmpty == true { index[key] = nil }
    }
}
