import Redis
import Testing

@Suite("Where Redis is")
struct RedisURLTests {
    @Test("Host, port, user, password and database are read, and left out")
    func read() throws {
        let plain = try #require(RedisURL("redis://localhost"))
        #expect(plain.host == "localhost" && plain.port == 6379 && plain.database == 0)
        #expect(plain.user == nil && plain.password == nil)
        let full = try #require(RedisURL("redis://calls:p%40ss%3A%2F@redis.example:6380/3"))
        #expect(full.host == "redis.example" && full.port == 6380 && full.database == 3)
        #expect(full.user == "calls" && full.password == "p@ss:/")
        let old = try #require(RedisURL("redis://:secret@127.0.0.1/"))
        #expect(old.user == nil && old.password == "secret" && old.database == 0)
        let six = try #require(RedisURL("redis://[::1]:7000"))
        #expect(six.host == "::1" && six.port == 7000)
    }

    @Test(
        "Anything else is none",
        arguments: [
            "", "redis:", "redis://", "rediss://a", "redis://a:0", "redis://a:x", "redis://a:65536", "redis://a/x",
            "redis://[::1", "redis://u@a", "redis://:%zz@a", "redis://a b", "http://a",
        ]
    )
    func none(_ text: String) {
        #expect(RedisURL(text) == nil)
    }
}
