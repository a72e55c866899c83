public import CallModel
import Signaling
import SocketIO
import Synchronization

/// The sockets of this node: who they are, what they have joined, and the way to each.
///
/// A class because sockets, requests and the sweep share it. The events of one call are delivered from that call's lane
/// alone, so that their order is the order in which they were committed.
public final class Hub: Sendable {
    struct State {
        var rooms = SocketRooms()
        var sockets: [SessionID: any CallSocket] = [:]
        /// The newest event of a call that this node delivered, for calls with a joined socket here.
        var cursors: [CallID: Int64] = [:]
        /// Sessions whose `join-call` is not acknowledged yet, and the events that wait for that.
        var gates: [Gate: [OutgoingEvent]] = [:]
        /// When the credentials that each joined session was given end, and how long they were good for.
        var credentials: [CallID: [SessionID: Credential]] = [:]
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

    let state = Mutex(State())

    /// A hub without sockets.
    public init() {}

    /// The users with a connected socket that named the room, in order of their ids.
    public func members(ofRoom roomID: String) -> [UserID] {
        state.withLock { $0.rooms.users(inRoom: roomID) }
    }

    /// Those of `users` who have a connected socket here.
    func reachable(_ users: [UserID]) -> Set<UserID> {
        state.withLock { state in Set(users.filter(state.rooms.isConnected)) }
    }

    /// How many sockets a user has here.
    public func socketCount(of user: UserID) -> Int {
        state.withLock { $0.rooms.sockets(of: user).count }
    }

    func connect(_ socket: any CallSocket, user: UserID, rooms: [String]) {
        let told = state.withLock { state in
            state.sockets[socket.id] = socket
            let changed = state.rooms.connect(socket.id, user: user, rooms: rooms)
            // The newcomer hears of every room that it named, the others of those that changed.
            var told = Self.roomMembers(of: changed, in: state, except: socket.id)
            for room in (state.rooms.member(socket.id)?.rooms ?? []).sorted() {
                told.append((socket, Self.roomMembers(of: room, in: state)))
            }
            return told
        }
        for (socket, payload) in told { socket.emit("room-members", payload) }
    }

    /// Forgets a socket; answers whose it was and which calls it had joined.
    func disconnect(_ socket: SessionID) -> SocketRooms.Member? {
        let (member, told) = state.withLock { state -> (SocketRooms.Member?, [(any CallSocket, JSONText)]) in
            state.sockets[socket] = nil
            guard let (member, changed) = state.rooms.disconnect(socket) else { return (nil, []) }
            for call in member.calls { state.forget(Gate(call: call, socket: socket)) }
            return (member, Self.roomMembers(of: changed, in: state, except: nil))
        }
        for (socket, payload) in told { socket.emit("room-members", payload) }
        return member
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
    mutating func forget(_ gate: Hub.Gate) {
        gates[gate] = nil
        credentials[gate.call]?[gate.socket] = nil
        if credentials[gate.call]?.isEmpty == true { credentials[gate.call] = nil }
    }
}
