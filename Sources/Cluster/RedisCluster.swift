public import CallModel
public import CallService
import Locking
public import Redis
import Signaling
public import SocketIO

/// The other nodes, by Redis: events that were committed are published in the format of Socket.IO's Redis adapter, one message a
/// room, and what comes from others is taken as a hint to look into the store.
///
/// Of a call only what the store says reaches clients. Broadcasts of foreign emitters are passed on if the operator says so, and
/// only such as are no events of calls.
public final class RedisCluster: CallAnnouncer {
    /// What the cluster tells the node of, each at once and from any thread.
    public struct Handlers: Sendable {
        /// There may be something new of a call.
        let hint: @Sendable (CallID, _ event: String?, _ sequence: Int64) -> Void
        /// There may be a call that rings for a user with sockets here.
        let ringing: @Sendable (UserID) -> Void
        /// Anything may have been missed.
        let missed: @Sendable () -> Void
        /// A foreign emitter wants sockets here to hear something; nil if nobody may.
        let emitted: (@Sendable (AdapterBroadcast) -> Void)?

        /// Who is told.
        public init(
            hint: @escaping @Sendable (CallID, _ event: String?, _ sequence: Int64) -> Void,
            ringing: @escaping @Sendable (UserID) -> Void,
            missed: @escaping @Sendable () -> Void,
            emitted: (@Sendable (AdapterBroadcast) -> Void)?
        ) {
            self.hint = hint
            self.ringing = ringing
            self.missed = missed
            self.emitted = emitted
        }
    }

    /// How the link to Redis fares, for the log.
    public enum Report: Hashable, Sendable {
        /// It is there.
        case connected
        /// It is not.
        case away(reason: String)
        /// A message could not be read.
        case unreadable(AdapterFailure)
    }

    /// Rooms of one event that are told one by one; for more there is one message that all nodes hear.
    static let roomLimit = 16

    private let sender: String
    private let log: @Sendable (Report) -> Void
    private let handlers = Locked<Handlers?>(nil)
    let link = Locked<RedisLink?>(nil)
    let nodes = Locked<[ClusterNode]>([])

    /// A node of the cluster; `sender` are six characters that no other has.
    public init(sender: String, log: @escaping @Sendable (Report) -> Void) {
        self.sender = sender
        self.log = log
    }

    /// Connects, and tells `handlers` from now on.
    public func start(_ url: RedisURL, _ handlers: Handlers) throws(RedisFailure) {
        self.handlers.withLock { $0 = handlers }
        let link = try RedisLink(url) { [self] event in hear(event) }
        link.subscribe(AdapterChannel().name)
        self.link.withLock { $0 = link }
    }

    /// Ends the connection.
    public func close() async {
        let link = link.withLock { link in
            defer { link = nil }
            return link
        }
        await link?.close()
    }

    /// Whether messages are heard now.
    public var isConnected: Bool { link.withLock { $0?.isConnected == true } }

    /// Listens to a room's messages, or no more.
    public func changed(_ room: PresentRoom, isPresent: Bool) {
        let channel = AdapterChannel(room: room.name).name
        let link = link.withLock { $0 }
        if isPresent { link?.subscribe(channel) } else { link?.unsubscribe(channel) }
    }

    /// Publishes what was committed.
    public func announce(_ events: [OutgoingEvent], of call: Call) {
        guard let link = link.withLock({ $0 }) else { return }
        for event in events {
            let rooms = Self.rooms(of: event, in: call)
            let isSplit = rooms.count <= Self.roomLimit
            for (index, part) in (isSplit ? rooms.map { [$0] } : [rooms]).enumerated() {
                let broadcast = AdapterBroadcast(
                    sender: sender,
                    event: event.name,
                    arguments: [event.json],
                    rooms: part,
                    // Whoever is in several of them hears it once.
                    except: isSplit ? Array(rooms[..<index]) : []
                )
                link.publish(broadcast.encoded, to: AdapterChannel(rooms: part).name)
            }
        }
    }

    /// Whose sockets are to hear an event.
    static func rooms(of event: OutgoingEvent, in call: Call) -> [String] {
        func users(_ users: [UserID]) -> [String] { users.map { PresentRoom.user($0).name } }
        let room = PresentRoom.call(call.id).name
        switch event.scope {
        case .invited: return users(call.participants.map(\.userID).filter { $0 != call.createdBy })
        // The call's own too: whoever only relays for it has no socket of anybody's.
        case .audience: return [room] + users(call.participants.map(\.userID))
        case .joined: return event.recipient.map { users([$0]) } ?? [room]
        case .joinedAndOwn: return [room] + users(event.sender.map { [$0] } ?? [])
        }
    }

    private func hear(_ event: RedisLink.Event) {
        guard let handlers = handlers.withLock({ $0 }) else { return }
        switch event {
        case .message(_, let payload): hear(payload, handlers)
        case .subscribed(let channel):
            // What was published before that was not heard.
            switch Self.room(of: channel) {
            case .call(let id): handlers.hint(id, nil, .max)
            case .user(let id): handlers.ringing(id)
            case nil: break
            }
        case .listening:
            log(.connected)
            handlers.missed()
        case .away(let reason): log(.away(reason: reason))
        }
    }

    private func hear(_ payload: [UInt8], _ handlers: Handlers) {
        let broadcast: AdapterBroadcast
        do throws(AdapterFailure) {
            broadcast = try AdapterBroadcast(payload)
        } catch {
            return log(.unreadable(error))
        }
        guard broadcast.sender != sender, broadcast.namespace == "/" else { return }
        if let (id, sequence) = Self.call(of: broadcast) { return handlers.hint(id, broadcast.event, sequence) }
        handlers.emitted?(broadcast)
    }

    /// The call that an event with a number of its own is about, and that number, whoever says so: it is looked for in the
    /// store.
    static func call(of broadcast: AdapterBroadcast) -> (CallID, sequence: Int64)? {
        guard let data = broadcast.arguments.first, data.kind == .object, let number = data["seq"],
            let id = data["callId"]?.stringValue.flatMap(CallID.init)
        else { return nil }
        // Whatever else stands there has the whole call looked at.
        return (id, number.integerValue.map(Int64.init) ?? .max)
    }

    private static func room(of channel: String) -> PresentRoom? {
        let prefix = AdapterChannel().name
        guard channel.hasPrefix(prefix), channel.hasSuffix("#"), channel.utf8.count > prefix.utf8.count else {
            return nil
        }
        let name = channel.dropFirst(prefix.count).dropLast()
        if name.hasPrefix("user:") { return .user(String(name.dropFirst(5))) }
        guard name.hasPrefix("call:") else { return nil }
        return CallID(String(name.dropFirst(5))).map { .call($0) }
    }
}
