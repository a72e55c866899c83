/// An event for the sockets of some rooms on all servers, as `@socket.io/redis-adapter` (versions 5 to 8) and the emitters of many
/// languages put it on Redis: `[sender, {type: 2, data: [event, …], nsp}, {rooms, except, flags}]` in MessagePack.
public struct AdapterBroadcast: Hashable, Sendable {
    /// Who sent it: a server's six characters, or `emitter`.
    public let sender: String
    /// The namespace, `/` if none is named.
    public let namespace: String
    /// The event's name.
    public let event: String
    /// The event's arguments.
    public let arguments: [JSONText]
    /// The rooms whose sockets are to hear it; none means all of the namespace.
    public let rooms: [String]
    /// Rooms whose sockets are not to; a socket's own id is a room of it alone.
    public let except: [String]

    /// More bytes are not looked at.
    public static let maximumBytes = 1 << 20

    /// An event of ours.
    public init(
        sender: String,
        namespace: String = "/",
        event: String,
        arguments: [JSONText],
        rooms: [String],
        except: [String] = []
    ) {
        self.sender = sender
        self.namespace = namespace
        self.event = event
        self.arguments = arguments
        self.rooms = rooms
        self.except = except
    }

    /// The bytes, with the members of each map in the order in which the adapter of Node.js writes them.
    public var encoded: [UInt8] {
        var writer = MessagePackWriter()
        writer.appendArray(count: 3)
        writer.append(sender)
        writer.appendMap(count: 3)
        writer.append("type")
        writer.append(Self.eventType)
        writer.append("data")
        writer.appendArray(count: arguments.count + 1)
        writer.append(event)
        for argument in arguments { writer.append(argument) }
        writer.append("nsp")
        writer.append(namespace)
        writer.appendMap(count: 3)
        writer.append("rooms")
        writer.append(rooms)
        writer.append("except")
        writer.append(except)
        writer.append("flags")
        writer.appendMap(count: 0)
        return writer.bytes
    }

    private static let eventType: Int64 = 2

    /// Reads what somebody published on a channel of broadcasts.
    public init(_ bytes: [UInt8]) throws(AdapterFailure) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge }
        // SAFETY: bytes have no padding that would be read.
        var reader = unsafe MessagePackReader(bytes.span.bytes)
        guard try reader.arrayCount() == 3 else { throw .malformed }
        sender = try reader.name()
        var packet = Packet()
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.name() {
            case "type": packet.type = try reader.json().integerValue
            case "data": packet.data = try Self.data(&reader)
            case "nsp": packet.namespace = try reader.name()
            default: try reader.skip()
            }
        }
        guard packet.type == Int(Self.eventType), let event = packet.data?.first?.stringValue, let data = packet.data
        else {
            throw .unsupported
        }
        var rooms: [String] = []
        var except: [String] = []
        for _ in 0..<(try reader.mapCount()) {
            switch try reader.name() {
            case "rooms": rooms = try reader.names()
            case "except": except = try reader.names()
            default: try reader.skip()
            }
        }
        guard reader.isAtEnd else { throw .malformed }
        namespace = packet.namespace
        self.event = event
        arguments = Array(data.dropFirst())
        self.rooms = rooms
        self.except = except
    }

    private struct Packet {
        var type: Int?
        var data: [JSONText]?
        var namespace = "/"
    }

    private static func data(_ reader: inout MessagePackReader) throws(AdapterFailure) -> [JSONText] {
        var data: [JSONText] = []
        for _ in 0..<(try reader.arrayCount()) { data.append(try reader.json()) }
        return data
    }
}

/// Why bytes are no broadcast, or none that we take.
public enum AdapterFailure: Error, Hashable, Sendable {
    /// They are not what the format says.
    case malformed
    /// More bytes or elements than are looked at.
    case tooLarge
    /// More containers inside one another than are looked at.
    case tooDeep
    /// Another packet than an event, or values that JSON cannot say.
    case unsupported
}
