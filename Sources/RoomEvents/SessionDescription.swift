/// A session description (SDP, RFC 8866) as far as a room has to do with it.
public struct SessionDescription: Hashable, Sendable {
    /// A stream of its media.
    public struct Stream: Hashable, Sendable {
        /// As `a=msid` names it (RFC 8830).
        public let id: String
        /// Whether it has a picture.
        public var hasVideo: Bool
    }

    /// Bytes of a description that goes into a room: an event may have 64 KiB in all, and less when a server signs it.
    public static let sizeLimit = 32_768

    /// One media section: its `m=` line and what follows.
    private struct Section {
        var kind: Substring
        var isSent: Bool
        var hasCredentials: Bool
        var streams: [Substring] = []
    }

    /// Without addresses: no candidates, and none of the places where a default address or port stands.
    public let text: String
    /// The streams that it sends, in the order of their first sections.
    public let streams: [Stream]

    /// Reads the text of an offer or answer; `nil` for what clients of a room could not take: they ring before they find out, and
    /// do not recover.
    public init?(_ sdp: String) {
        guard let lines = Self.lines(of: sdp), let text = Self.text(of: lines) else { return nil }
        var sections: [Section] = []
        var session = Credentials()
        var media = session
        for line in lines {
            if line.hasPrefix("m=") {
                Self.close(&sections, media)
                media = session
                let fields = line.dropFirst(2).split(separator: " ")
                // A port of 0 means that the section is refused.
                let isSent = fields.count > 3 && UInt16(fields[1]) ?? 0 > 0
                sections.append(Section(kind: fields.first ?? "", isSent: isSent, hasCredentials: false))
            }
            media.note(line)
            if sections.isEmpty { session = media }
            guard !sections.isEmpty else { continue }
            let last = sections.count - 1
            if line == "a=recvonly" || line == "a=inactive" { sections[last].isSent = false }
            if line.hasPrefix("a=msid:") {
                let stream = line.dropFirst(7).prefix { $0 != " " }
                if stream != "-", !stream.isEmpty { sections[last].streams.append(stream) }
            }
        }
        Self.close(&sections, media)
        guard sections.contains(where: { $0.kind == "audio" && $0.isSent && $0.hasCredentials }) else { return nil }
        var streams: [Stream] = []
        for section in sections where section.isSent {
            for id in section.streams {
                let hasVideo = section.kind == "video"
                if let index = streams.firstIndex(where: { $0.id == id }) {
                    if hasVideo { streams[index].hasVideo = true }
                } else {
                    streams.append(Stream(id: String(id), hasVideo: hasVideo))
                }
            }
        }
        self.text = text
        self.streams = streams
    }

    /// Any description without its addresses, whatever it describes; `nil` if it is none, or too large for a room.
    static func withoutAddresses(_ sdp: String) -> String? {
        lines(of: sdp).flatMap(text)
    }

    /// The lines of a description, without addresses.
    private static func lines(of sdp: String) -> [String]? {
        guard sdp.utf8.count <= 2 * sizeLimit else { return nil }
        let lines = sdp.split { $0 == "\n" || $0 == "\r" || $0 == "\r\n" }
        return lines.first == "v=0" ? lines.compactMap(withoutAddress) : nil
    }

    private static func text(of lines: [String]) -> String? {
        let text = lines.map { $0 + "\r\n" }.joined()
        return text.utf8.count <= sizeLimit ? text : nil
    }

    private static func close(_ sections: inout [Section], _ credentials: Credentials) {
        guard !sections.isEmpty else { return }
        sections[sections.count - 1].hasCredentials = credentials.areComplete
    }

    /// What a transport needs to begin; it may stand before all media or in each.
    private struct Credentials {
        var hasUfrag = false
        var hasPassword = false
        var hasFingerprint = false

        var areComplete: Bool { hasUfrag && hasPassword && hasFingerprint }

        mutating func note(_ line: String) {
            if line.hasPrefix("a=ice-ufrag:") { hasUfrag = true }
            if line.hasPrefix("a=ice-pwd:") { hasPassword = true }
            if line.hasPrefix("a=fingerprint:") { hasFingerprint = true }
        }
    }

    private static let addressesAlone = [
        "a=candidate:", "a=end-of-candidates", "a=remote-candidates:", "e=", "p=", "u=", "i=",
    ]

    /// The line with what stands in it where no address is known yet (RFC 8840 §4.1.3); `nil` if nothing is left.
    private static func withoutAddress(_ line: Substring) -> String? {
        if addressesAlone.contains(where: line.hasPrefix) { return nil }
        if line.hasPrefix("c=") { return "c=IN IP4 0.0.0.0" }
        if line.hasPrefix("a=rtcp:") { return "a=rtcp:9 IN IP4 0.0.0.0" }
        if line.hasPrefix("o=") {
            let fields = line.split(separator: " ")
            guard fields.count == 6 else { return "o=- 0 0 IN IP4 127.0.0.1" }
            return "o=- \(fields[1]) \(fields[2]) IN IP4 127.0.0.1"
        }
        if line.hasPrefix("m=") {
            var fields = line.split(separator: " ")
            if fields.count > 1, UInt16(fields[1]) ?? 0 > 0 { fields[1] = "9" }
            return fields.joined(separator: " ")
        }
        return String(line)
    }
}
