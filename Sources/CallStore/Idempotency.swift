public import CallModel

/// A client's name for one request, good for its user and route.
public struct IdempotencyKey: Hashable, Sendable {
    /// Whose key it is.
    public let userID: UserID
    /// The route it was used on, path parameters included.
    public let route: String
    /// The client's own text.
    public let key: String
    /// A hash of the body; the same key with another body is refused.
    public let bodyHash: String

    /// The longest key that is taken, in bytes.
    public static let maximumLength = 255

    /// Milliseconds for which a key is remembered.
    public static let lifetime: Int64 = 86_400_000

    /// Milliseconds after which a claim whose request never finished, because the process died, may be taken over.
    public static let claimLifetime: Int64 = 60_000

    /// Names one request.
    public init(userID: UserID, route: String, key: String, bodyHash: String) {
        self.userID = userID
        self.route = route
        self.key = key
        self.bodyHash = bodyHash
    }
}

/// What came of a request: enough to answer again, without credentials, which are minted anew.
public struct IdempotencyResult: Hashable, Sendable {
    /// The HTTP status that was answered.
    public let status: Int
    /// The call that it was about.
    public let callID: CallID
    /// The body that was answered, for answers that carry no call; empty otherwise.
    public let body: String

    /// What came of a request.
    public init(status: Int, callID: CallID, body: String = "") {
        self.status = status
        self.callID = callID
        self.body = body
    }
}

/// What an idempotency key is found to be.
public enum IdempotencyClaim: Hashable, Sendable {
    /// New: do the work, then settle or release. A call that the work places is to have this id, which is an earlier try's
    /// if nobody knows what became of that.
    case claimed(placing: CallID?)
    /// Used with another body.
    case mismatch
    /// Its first request is still being worked on, or nobody knows; a call that it places has this id.
    case inProgress(placing: CallID?)
    /// Done before, with this result.
    case done(IdempotencyResult)
}
