import NetPrimitives
import STUNCore

extension Authenticator {
    /// How many times larger than its cause an answer may be that nobody has proved to have asked for.
    public static let maximumAmplification = 3
    /// An IPv4 header without options and a UDP header: counted on both sides, and the smallest envelope there is.
    public static let smallestEnvelope = 28

    /// How many bytes the answer to an unauthenticated request of `requestBytes` may have, in an envelope of
    /// `envelopeBytes`.
    public static func longestAnswer(requestBytes: Int, envelopeBytes: Int = smallestEnvelope) -> Int {
        maximumAmplification * (requestBytes + envelopeBytes) - envelopeBytes
    }

    /// How many bytes of UTF-8 the realm may have so that the challenge to the barest request keeps to that bound.
    /// Measured on a real challenge.
    public var longestRealm: Int {
        var builder = MessageBuilder(capacity: 4096)
        let request = MessageType(.allocate, .request)
        builder.begin(request, TransactionID(high: 0, low: 0))
        let bare = builder.finish()?.count ?? 0
        let client = Endpoint(address: .unspecified(.ipv4), port: 0)
        builder.begin(MessageType(.allocate, .error), TransactionID(high: 0, low: 0))
        ReplyWriter.append(.unauthenticated, for: client, by: self, unixSeconds: 0, in: &builder)
        let challenge = builder.finish()?.count ?? 4096
        let realm = (credentials.realm.utf8.count + 3) & ~3
        return Self.longestAnswer(requestBytes: bare) - challenge + realm
    }
}
