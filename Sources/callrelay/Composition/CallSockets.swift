import CallModel
import CallService
import Locking
import PacketIO
import ServerConfiguration
import Signaling
import SignalingGateway
import SocketIO

/// The calls behind the sockets: lets users in by their token, reads their events and hands them to the call service.
///
/// A class because all sockets share what is known of each: whose it is.
final class CallSockets: SocketApplication {
    struct Member {
        let handle: SocketHandle
        var identity: Identity
        var token: AccessToken
        /// Whether the token turned out to be no good any more; the client may bring another one for a moment.
        var isRejected = false
        /// Whether it was taken back, and did not only come to its end.
        var isSignedOut = false
        let rooms: [String]
        var budget: EventBudget?
        /// Calls joined whose acknowledgement is not on its way yet.
        var unacknowledgedJoins: [CallID] = []
    }

    struct Members {
        var bySocket: [String: Member] = [:]
        var countByUser: [UserID: Int] = [:]
    }

    /// Rooms that one socket may name.
    private static let roomLimit = 64

    let calls: CallService
    /// What sessions of this node begin with.
    private let node: String
    let verifier: any TokenVerifier
    private let socketsPerUser: Int
    private let eventRate: Rate?
    let members = Locked(Members())

    init(calls: CallService, node: String, verifier: any TokenVerifier, socketsPerUser: Int, eventRate: Rate?) {
        self.calls = calls
        self.node = node
        self.verifier = verifier
        self.socketsPerUser = socketsPerUser
        self.eventRate = eventRate
    }

    func connect(_ request: ConnectRequest, socket: SocketHandle) async -> ConnectDecision {
        let identity: Identity
        let rooms: [String]
        let token = request.auth?["token"]?.stringValue ?? ""
        do throws(AuthenticationFailure) {
            guard !token.isEmpty, token.utf8.count <= ClientEvent.tokenLength else {
                throw token.isEmpty ? .missing : .invalid(errcode: nil, isSoftLogout: nil)
            }
            identity = try await verifier.verify(token)
        } catch {
            if case .unavailable = error { return .unavailable }
            return .refuse(message: error.message, data: Self.data(of: error))
        }
        do throws(CallFailure) {
            rooms = try Self.rooms(of: request.auth)
        } catch {
            return .refuse(message: error.message, data: .object([("code", .string(error.code))]))
        }
        let isAdmitted = members.withLock { members in
            let others = members.countByUser[identity.userID] ?? 0
            guard others < socketsPerUser else { return false }
            members.countByUser[identity.userID] = others + 1
            let budget = eventRate.map { rate in
                EventBudget(
                    count: rate.count,
                    periodMilliseconds: rate.period.wholeMilliseconds,
                    now: SystemClock.now()
                )
            }
            members.bySocket[socket.id] = Member(
                handle: socket,
                identity: identity,
                token: AccessToken(token),
                rooms: rooms,
                budget: budget
            )
            return true
        }
        guard isAdmitted else {
            let data = JSONText.object([("code", "too_many_sockets")])
            return .refuse(message: "One user may have \(socketsPerUser) sockets.", data: data)
        }
        return .accept
    }

    func accepted(_ socket: SocketHandle) async {
        guard let member = members.withLock({ $0.bySocket[socket.id] }) else { return }
        await calls.connected(HandleSocket(node: node, handle: socket), rooms: member.rooms, as: member.identity)
    }

    /// Offers, answers and candidates, which are most of what comes, and whatever is refused at a glance.
    func begin(
        _ event: SocketEvent,
        from socket: SocketHandle,
        reply: @escaping @Sendable (SocketReply?) -> Void
    ) -> Bool {
        let (known, isRejected, verdict) = members.withLock { members in
            let verdict = members.bySocket[socket.id]?.budget?.spend(at: SystemClock.now())
            let member = members.bySocket[socket.id]
            return (member?.identity, member?.isRejected == true, verdict ?? .admitted)
        }
        switch verdict {
        case .admitted: break
        case .refused(let milliseconds):
            reply(Self.tooManyEvents(retryAfterMilliseconds: milliseconds))
            return true
        case .exhausted:
            socket.disconnect(closeTransport: true)
            reply(nil)
            return true
        }
        if isRejected, event.name != "authenticate" {
            let failure = AuthenticationFailure.invalid(errcode: nil, isSoftLogout: nil)
            reply(Self.refusal(failure.code, failure.message))
            return true
        }
        guard let identity = known, SignalKind(eventName: event.name) != nil else { return false }
        do throws(CallFailure) {
            guard case .signal(let id, let signal) = try ClientEvent(name: event.name, arguments: event.arguments)
            else {
                return false
            }
            calls.signal(id, [signal], session: session(of: socket), by: identity) { result in
                switch result {
                case .success(let receipt): reply(SocketReply([Self.acknowledgement(receipt)]))
                case .failure(let failure): reply(Self.refusal(failure.code, failure.message))
                }
            }
        } catch {
            reply(Self.refusal(error.code, error.message))
        }
        return true
    }

    func receive(_ event: SocketEvent, from socket: SocketHandle) async -> SocketReply? {
        guard let identity = members.withLock({ $0.bySocket[socket.id]?.identity }) else { return nil }
        do throws(CallFailure) {
            guard let read = try ClientEvent(name: event.name, arguments: event.arguments) else {
                return Self.refusal("unknown_event", "There is no event of this name.")
            }
            if case .authenticate(let token) = read { return await authenticate(token, as: identity, on: socket) }
            return SocketReply([try await answer(read, from: socket, by: identity)])
        } catch {
            return Self.refusal(error.code, error.message)
        }
    }

    func answered(_ event: SocketEvent, on socket: SocketHandle) {
        guard event.name == "join-call" else { return }
        let joined = members.withLock { members in
            let joined = members.bySocket[socket.id]?.unacknowledgedJoins ?? []
            members.bySocket[socket.id]?.unacknowledgedJoins = []
            return joined
        }
        for id in joined { calls.acknowledgedJoin(id, socket: HandleSocket(node: node, handle: socket)) }
    }

    func disconnected(_ socket: SocketHandle, reason: DisconnectReason) async {
        members.withLock { members in
            guard let user = members.bySocket.removeValue(forKey: socket.id)?.identity.userID else { return }
            let others = (members.countByUser[user] ?? 1) - 1
            members.countByUser[user] = others == 0 ? nil : others
        }
        await calls.disconnected(session(of: socket))
    }

    func session(of socket: SocketHandle) -> SessionID { HandleSocket(node: node, handle: socket).id }

    private func answer(
        _ event: ClientEvent,
        from socket: SocketHandle,
        by identity: Identity
    ) async throws(CallFailure) -> JSONText {
        var members: [(String, JSONText?)] = [("ok", true)]
        switch event {
        case .authenticate:
            break
        case .joinCall(let id, let device, let after):
            let outcome = try await calls.joinCall(
                id,
                device: device,
                after: after,
                socket: HandleSocket(node: node, handle: socket),
                by: identity
            )
            self.members.withLock { $0.bySocket[socket.id]?.unacknowledgedJoins.append(id) }
            return outcome.json
        case .signal(let id, let signal):
            return Self.acknowledgement(
                try await calls.signal(id, [signal], session: session(of: socket), by: identity)
            )
        case .toggleAudio(let id, let enabled):
            _ = try await calls.toggleAudio(id, enabled: enabled, session: session(of: socket), by: identity)
        case .toggleVideo(let id, let enabled):
            _ = try await calls.toggleVideo(id, enabled: enabled, session: session(of: socket), by: identity)
        case .mediaState(let id, let state):
            _ = try await calls.changeMedia(id, state, session: session(of: socket), by: identity)
        case .leaveCall(let id):
            members.append(("call", try await calls.leaveCall(id, session: session(of: socket), by: identity).json))
        }
        return .object(members)
    }

    /// A renewed token must belong to the same user.
    private func authenticate(_ token: String, as identity: Identity, on socket: SocketHandle) async -> SocketReply {
        do throws(AuthenticationFailure) {
            let renewed = try await verifier.verify(token)
            guard renewed.userID == identity.userID else { throw .otherUser }
            members.withLock { members in
                members.bySocket[socket.id]?.identity = renewed
                members.bySocket[socket.id]?.token = AccessToken(token)
                members.bySocket[socket.id]?.isRejected = false
                members.bySocket[socket.id]?.isSignedOut = false
            }
            return SocketReply([.object([("ok", true)])])
        } catch {
            return Self.refusal(error.code, error.message)
        }
    }

    private static func rooms(of auth: JSONText?) throws(CallFailure) -> [String] {
        guard let named = auth?["rooms"], !named.isNull else { return [] }
        guard let elements = named.elements(limit: roomLimit) else {
            throw .invalid(detail: "rooms must be an array of at most \(roomLimit) room ids.")
        }
        var rooms: [String] = []
        for element in elements {
            guard let room = element.stringValue, !room.isEmpty, room.utf8.count <= CallLimits.identifierLength else {
                throw .invalid(detail: "rooms must hold room ids of 1 to \(CallLimits.identifierLength) bytes.")
            }
            rooms.append(room)
        }
        return rooms
    }

    static func data(of failure: AuthenticationFailure) -> JSONText {
        var members: [(String, JSONText?)] = [("code", .string(failure.code))]
        if case .invalid(let errcode, let isSoftLogout) = failure {
            members += [("errcode", errcode.map { .string($0) }), ("soft_logout", isSoftLogout.map { .boolean($0) })]
        }
        return .object(members)
    }

    private static func acknowledgement(_ receipt: SignalReceipt) -> JSONText {
        .object([
            ("ok", true), ("delivered", .boolean(receipt.isDelivered)), ("seq", .integer(receipt.sequence)),
        ])
    }

    private static func tooManyEvents(retryAfterMilliseconds milliseconds: Int) -> SocketReply {
        SocketReply([
            .object([
                ("ok", false), ("code", "rate_limited"), ("message", "This socket sends too many events."),
                ("retryAfterMs", .integer(milliseconds)),
            ])
        ])
    }

    private static func refusal(_ code: String, _ message: String) -> SocketReply {
        SocketReply([.object([("ok", false), ("code", .string(code)), ("message", .string(message))])])
    }
}

/// A gateway's socket as the call service uses it.
private struct HandleSocket: CallSocket {
    let node: String
    let handle: SocketHandle

    /// Others tell by it whose socket it is.
    var id: SessionID { "\(node).\(handle.id)" }

    func emit(_ event: String, _ payload: JSONText) { handle.emit(event, [payload]) }

    func emit(_ event: String, arguments: [JSONText]) { handle.emit(event, arguments) }

    func close() { handle.disconnect(closeTransport: true) }
}
