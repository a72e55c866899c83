import NetPrimitives

/// What the application wants of a client's sockets. A socket is named by its Socket.IO session id; what names one that
/// is gone does nothing.
public enum SocketCommand: Hashable, Sendable {
    /// The client may enter.
    case accept(String)
    /// The client may not enter, and is told why.
    case refuse(String, message: String, data: JSONText?)
    /// Nothing can be said about entering: the connection closes.
    case unavailable(String)
    /// Send an event.
    case emit(String, event: String, arguments: [JSONText], attachments: [[UInt8]])
    /// Answer the event that asked for acknowledgement with this id.
    case acknowledge(String, id: UInt64, SocketReply)
    /// Put the socket out, or close the connection.
    case disconnect(String, closeTransport: Bool)
}

/// What happens at the Socket.IO level of a connection.
enum SocketEffect: Hashable, Sendable {
    case send(EngineMessage)
    case close(DisconnectReason)
    case connect(socket: String, namespace: String, auth: JSONText?)
    case accepted(socket: String)
    case event(socket: String, SocketEvent, acknowledgementID: UInt64?)
    case disconnected(socket: String, DisconnectReason)
}

/// The Socket.IO side (protocol 5) of one connection: the namespaces that the client has entered.
struct SocketSession: Sendable {
    private struct Membership: Sendable {
        let namespace: String
        let socket: String
        var isAccepted = false
    }

    private let configuration: SocketConfiguration
    private var memberships: [Membership] = []
    private var collector = AttachmentCollector()
    /// When a client that has entered nothing is turned away; nil once it has entered somewhere.
    private(set) var connectDeadline: Instant?
    private var isEnded = false

    init(configuration: SocketConfiguration, now: Instant) {
        self.configuration = configuration
        connectDeadline = now.adding(configuration.connectTimeout)
    }

    mutating func advance(to now: Instant, into effects: inout [SocketEffect]) {
        guard let deadline = connectDeadline, deadline <= now else { return }
        connectDeadline = nil
        effects.append(.close(.connectTimeout))
    }

    /// Takes a message from the client.
    mutating func receive(
        _ message: EngineMessage,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SocketEffect]
    ) {
        guard !isEnded else { return }
        do {
            guard let complete = try collector.receive(message, limits: configuration) else { return }
            handle(complete, using: &random, into: &effects)
        } catch {
            effects.append(.close(.parseError))
        }
    }

    private mutating func handle(
        _ complete: CompletePacket,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SocketEffect]
    ) {
        let packet = complete.packet
        let membership = memberships.first { $0.namespace == packet.namespace }
        switch packet.kind {
        case .connect:
            guard membership == nil else {
                effects.append(.close(.forcedServerClose))
                return
            }
            connect(to: packet.namespace, auth: packet.payload, using: &random, into: &effects)
        case .event, .binaryEvent:
            guard let membership, membership.isAccepted, let name = complete.arguments.first else {
                effects.append(.close(.forcedServerClose))
                return
            }
            let event = SocketEvent(
                name: name.stringValue ?? name.text,
                arguments: Array(complete.arguments.dropFirst()),
                attachments: complete.attachments,
                wantsAcknowledgement: packet.acknowledgementID != nil
            )
            effects.append(.event(socket: membership.socket, event, acknowledgementID: packet.acknowledgementID))
        case .disconnect:
            guard let membership, membership.isAccepted else {
                effects.append(.close(.forcedServerClose))
                return
            }
            remove(membership.socket, reason: .clientNamespaceDisconnect, into: &effects)
        case .acknowledgement, .binaryAcknowledgement, .connectError:
            // We ask for no acknowledgements; an answer to what was not asked is ignored within a namespace entered.
            guard let membership, membership.isAccepted, packet.kind != .connectError else {
                effects.append(.close(.forcedServerClose))
                return
            }
        }
    }

    private mutating func connect(
        to namespace: String,
        auth: JSONText?,
        using random: inout some RandomNumberGenerator,
        into effects: inout [SocketEffect]
    ) {
        guard configuration.namespaces.contains(namespace) else {
            sendConnectError(namespace: namespace, message: "Invalid namespace", data: nil, into: &effects)
            return
        }
        let socket = SessionIdentifier.random(using: &random)
        memberships.append(Membership(namespace: namespace, socket: socket))
        effects.append(.connect(socket: socket, namespace: namespace, auth: auth))
    }

    private func sendConnectError(
        namespace: String,
        message: String,
        data: JSONText?,
        into effects: inout [SocketEffect]
    ) {
        let payload = JSONText.object([("message", .string(message)), ("data", data)])
        send(SocketPacket(kind: .connectError, namespace: namespace, payload: payload), into: &effects)
    }

    /// Does what the application asks.
    mutating func apply(_ command: SocketCommand, into effects: inout [SocketEffect]) {
        switch command {
        case .accept(let socket):
            guard let index = memberships.firstIndex(where: { $0.socket == socket && !$0.isAccepted }) else { return }
            memberships[index].isAccepted = true
            connectDeadline = nil
            let payload = JSONText.object([("sid", .string(socket))])
            let namespace = memberships[index].namespace
            send(SocketPacket(kind: .connect, namespace: namespace, payload: payload), into: &effects)
            effects.append(.accepted(socket: socket))
        case .refuse(let socket, let message, let data):
            guard let index = memberships.firstIndex(where: { $0.socket == socket && !$0.isAccepted }) else { return }
            let membership = memberships.remove(at: index)
            sendConnectError(namespace: membership.namespace, message: message, data: data, into: &effects)
        case .unavailable(let socket):
            guard memberships.contains(where: { $0.socket == socket && !$0.isAccepted }) else { return }
            effects.append(.close(.forcedServerClose))
        case .emit(let socket, let event, let arguments, let attachments):
            guard let namespace = namespaceEntered(by: socket) else { return }
            let all = [JSONText.string(event)] + arguments
            let packet = SocketPacket.data(all, namespace: namespace, attachmentCount: attachments.count)
            send(packet, attachments: attachments, into: &effects)
        case .acknowledge(let socket, let id, let reply):
            guard let namespace = namespaceEntered(by: socket) else { return }
            let packet = SocketPacket.data(
                reply.arguments,
                namespace: namespace,
                acknowledging: id,
                attachmentCount: reply.attachments.count
            )
            send(packet, attachments: reply.attachments, into: &effects)
        case .disconnect(let socket, let closeTransport):
            disconnect(socket, closeTransport: closeTransport, into: &effects)
        }
    }

    private mutating func disconnect(_ socket: String, closeTransport: Bool, into effects: inout [SocketEffect]) {
        guard let namespace = namespaceEntered(by: socket) else { return }
        if closeTransport {
            for membership in memberships where membership.isAccepted {
                send(SocketPacket(kind: .disconnect, namespace: membership.namespace), into: &effects)
            }
            effects.append(.close(.forcedServerClose))
        } else {
            send(SocketPacket(kind: .disconnect, namespace: namespace), into: &effects)
            remove(socket, reason: .serverNamespaceDisconnect, into: &effects)
        }
    }

    /// The connection is gone and every socket on it.
    mutating func end(_ reason: DisconnectReason, into effects: inout [SocketEffect]) {
        connectDeadline = nil
        isEnded = true
        let gone = memberships
        memberships = []
        for membership in gone where membership.isAccepted {
            effects.append(.disconnected(socket: membership.socket, reason))
        }
    }

    private func namespaceEntered(by socket: String) -> String? {
        memberships.first { $0.socket == socket && $0.isAccepted }?.namespace
    }

    private mutating func remove(_ socket: String, reason: DisconnectReason, into effects: inout [SocketEffect]) {
        memberships.removeAll { $0.socket == socket }
        effects.append(.disconnected(socket: socket, reason))
    }

    private func send(_ packet: SocketPacket, attachments: [[UInt8]] = [], into effects: inout [SocketEffect]) {
        effects.append(.send(.text(packet.text)))
        for attachment in attachments {
            effects.append(.send(.binary(attachment)))
        }
    }
}
