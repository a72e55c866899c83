/// How several nodes hear of each other.
public struct RedisSettings: Sendable {
    /// `redis://…`. May carry a password.
    public let url: String
    /// Whether broadcasts by foreign emitters are passed on to clients.
    public let acceptsEmitters: Bool
    /// Where this node stands, in any word; empty if nobody said.
    public let region: String

    init?(_ reader: SettingReader) throws(ConfigurationFailure) {
        acceptsEmitters = try reader.boolean(.redisEmitter)
        region = reader.text(.nodeRegion) ?? ""
        guard let url = reader.text(.redisURL) else {
            if acceptsEmitters { throw reader.failure(.redisEmitter, "needs REDIS_URL") }
            return nil
        }
        if url.hasPrefix("rediss://") {
            throw reader.failure(
                .redisURL,
                "TLS to Redis is not served; reach it by a tunnel, or on a network of its own"
            )
        }
        guard url.hasPrefix("redis://") else {
            throw reader.failure(.redisURL, "the value is not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]")
        }
        self.url = url
    }
}
