import CallModel

/// An offer that nobody made, for rooms whose clients ring only if there is one. It parses, names a stream with its tracks, and
/// leads nowhere: what the media are found by goes by other ways.
enum SyntheticOffer {
    /// A description for a call with or without video.
    static func make(
        _ callType: CallType,
        using generator: inout some RandomNumberGenerator
    ) -> SessionDescription? {
        let stream = token(16, &generator)
        var lines = [
            "v=0", "o=- \(generator.next() >> 2) 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE \(callType == .video ? "0 1" : "0")", "a=msid-semantic: WMS \(stream)",
        ]
        let transport = [
            "c=IN IP4 0.0.0.0", "a=rtcp-mux", "a=sendrecv", "a=ice-ufrag:\(token(4, &generator))",
            "a=ice-pwd:\(token(24, &generator))", "a=ice-options:trickle",
            "a=fingerprint:sha-256 \(fingerprint(&generator))", "a=setup:actpass",
        ]
        lines += ["m=audio 9 UDP/TLS/RTP/SAVPF 111 0"] + transport
        lines += ["a=mid:0", "a=msid:\(stream) \(token(16, &generator))", "a=rtpmap:111 opus/48000/2"]
        if callType == .video {
            lines += ["m=video 9 UDP/TLS/RTP/SAVPF 96"] + transport
            lines += ["a=mid:1", "a=msid:\(stream) \(token(16, &generator))", "a=rtpmap:96 VP8/90000"]
        }
        return SessionDescription(lines.joined(separator: "\r\n"))
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")

    private static func token(_ length: Int, _ generator: inout some RandomNumberGenerator) -> String {
        String((0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
    }

    private static func fingerprint(_ generator: inout some RandomNumberGenerator) -> String {
        (0..<32).map { _ in
            let digits = String(UInt8.random(in: 0...255, using: &generator), radix: 16, uppercase: true)
            return digits.count == 1 ? "0" + digits : digits
        }
        .joined(separator: ":")
    }
}
