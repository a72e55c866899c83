/// A packet with everything that belongs to it.
struct CompletePacket: Hashable, Sendable {
    let packet: SocketPacket
    let arguments: [JSONText]
    let attachments: [[UInt8]]
}

/// Turns messages into packets: a binary packet's header comes as text and its attachments follow as binary messages,
/// with nothing in between.
struct AttachmentCollector: Sendable {
    private struct Pending: Sendable {
        let packet: SocketPacket
        let arguments: [JSONText]
        var attachments: [[UInt8]] = []
    }

    private var pending: Pending?

    /// Takes the next message; nil while attachments are missing.
    mutating func receive(
        _ message: EngineMessage,
        limits: SocketConfiguration
    ) throws(SocketPacketFailure) -> CompletePacket? {
        switch message {
        case .text(let text):
            guard pending == nil else { throw .unexpectedText }
            let packet = try SocketPacketParser.parse(text, limits: limits)
            let arguments = try packet.checkedArguments(limits: limits)
            guard packet.attachmentCount > 0 else {
                return CompletePacket(packet: packet, arguments: arguments, attachments: [])
            }
            try packet.checkPlaceholders(in: arguments)
            pending = Pending(packet: packet, arguments: arguments)
            return nil
        case .binary(let bytes):
            guard var current = pending else { throw .unexpectedBinary }
            current.attachments.append(bytes)
            guard current.attachments.count == current.packet.attachmentCount else {
                pending = current
                return nil
            }
            pending = nil
            return CompletePacket(
                packet: current.packet,
                arguments: current.arguments,
                attachments: current.attachments
            )
        }
    }
}
