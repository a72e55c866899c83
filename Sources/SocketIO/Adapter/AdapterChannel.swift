/// The channels on which broadcasts travel.
///
/// A message for one room has a channel of its own, so that a server which has nobody in it need not hear of it; all others go
/// on the namespace's.
public struct AdapterChannel: Hashable, Sendable {
    /// What all servers of one cluster agree on; the adapter's own default.
    public static let defaultPrefix = "socket.io"

    /// The channel's name on Redis.
    public let name: String

    /// The channel for messages to all of a namespace, or to several rooms of it.
    public init(namespace: String = "/", prefix: String = defaultPrefix) {
        name = "\(prefix)#\(namespace)#"
    }

    /// The channel for messages to one room.
    public init(room: String, namespace: String = "/", prefix: String = defaultPrefix) {
        name = "\(prefix)#\(namespace)#\(room)#"
    }

    /// The channel that a message for these rooms goes to.
    public init(rooms: [String], namespace: String = "/", prefix: String = defaultPrefix) {
        if rooms.count == 1 {
            self.init(room: rooms[0], namespace: namespace, prefix: prefix)
        } else {
            self.init(namespace: namespace, prefix: prefix)
        }
    }
}
