/// The body of a polling request or answer: packets with a record separator (U+001E) between them.
enum PollingPayload {
    static let separator: UInt8 = 0x1E

    /// Takes the next packet off `body`, starting at a UTF-8 offset; nil at the end. An empty body is one empty packet.
    static func nextPacket(of body: String, from offset: inout Int?) -> String? {
        guard let start = offset else { return nil }
        let bytes = body.utf8.span
        var end = start
        while end < bytes.count, bytes[end] != separator {
            end += 1
        }
        offset = end < bytes.count ? end + 1 : nil
        return start == 0 && end == bytes.count ? body : body.slice(start..<end)
    }

    /// One body of all the frames, in order.
    static func encode(_ frames: some Collection<EngineFrame>) -> String {
        if frames.count == 1, case .text(let text)? = frames.first { return text }
        var body = ""
        body.reserveCapacity(frames.reduce(0) { $0 + $1.byteCount + 1 })
        for (index, frame) in frames.enumerated() {
            if index > 0 { body += "\u{1E}" }
            body += frame.asText
        }
        return body
    }
}
