import Foundation
import Locking
import Redis
import Testing

@Suite("The link to a real Redis", .serialized)
struct RedisLinkTests {
    private struct NoServer: Error, CustomStringConvertible {
        let description = "CALLRELAY_TEST_REDIS names no server: run the tests by `make test`, or by with_services.py"
    }

    /// What a link tells, in order, and a way to wait for it.
    private final class Told: Sendable {
        private let events = Locked<[String]>([])

        func add(_ event: RedisLink.Event) {
            let text =
                switch event {
                case .message(let channel, let payload): "\(channel) \(String(decoding: payload, as: UTF8.self))"
                case .subscribed(let channel): "subscribed \(channel)"
                case .listening: "listening"
                case .away: "away"
                }
            events.withLock { $0.append(text) }
        }

        var all: [String] { events.withLock { $0 } }

        func wait(for text: String, count: Int = 1) async throws {
            for _ in 0..<1_000 {
                if events.withLock({ events in events.count { $0 == text } }) >= count { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("\(text) did not come: \(all)")
        }
    }

    private static func url() throws -> RedisURL {
        guard let text = ProcessInfo.processInfo.environment["CALLRELAY_TEST_REDIS"] else { throw NoServer() }
        return try #require(RedisURL(text))
    }

    private static func link() async throws -> (RedisLink, Told) {
        let told = Told()
        let link = try RedisLink(url()) { told.add($0) }
        try await told.wait(for: "listening")
        return (link, told)
    }

    private static func channel() -> String { "test:\(UUID().uuidString)#" }

    @Test("What one publishes the other hears, if it listens, with every byte")
    func messages() async throws {
        let (near, _) = try await Self.link()
        let (far, told) = try await Self.link()
        let channel = Self.channel()
        far.subscribe(channel)
        try await told.wait(for: "subscribed \(channel)")
        for number in 0..<500 { near.publish(Array("\(number)".utf8), to: channel) }
        near.publish([], to: channel)
        near.publish([0x78, 0, 0x79], to: channel)
        try await told.wait(for: "\(channel) x\u{0}y")
        let wanted = (0..<500).map { "\(channel) \($0)" } + ["\(channel) ", "\(channel) x\u{0}y"]
        #expect(told.all.filter { $0.hasPrefix(channel) } == wanted)
        far.unsubscribe(channel)
        let other = Self.channel()
        far.subscribe(other)
        try await told.wait(for: "subscribed \(other)")
        near.publish(Array("late".utf8), to: channel)
        near.publish(Array("in time".utf8), to: other)
        try await told.wait(for: "\(other) in time")
        #expect(!told.all.contains("\(channel) late"))
        await near.close()
        await far.close()
    }

    @Test("Commands have their replies, each its own, and refusals are told as such")
    func commands() async throws {
        let (link, _) = try await Self.link()
        let key = Self.channel()
        #expect(try await link.run(["SET", key, "é"]) == .status("OK"))
        #expect(try await link.run(["GET", key]).text == "é")
        #expect(try await link.run(["HGETALL", "no:\(key)"]) == .array([]))
        #expect(try await link.run(["GET", "no:\(key)"]) == .null)
        #expect(try await link.run(["DEL", key]) == .integer(1))
        await #expect(throws: RedisFailure.self) { try await link.run(["NONSENSE"]) }
        let numbers = try await withThrowingTaskGroup(of: (Int, RedisReply).self) { group in
            for number in 0..<100 { group.addTask { (number, try await link.run(["ECHO", "\(number)"])) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.allSatisfy { $0.1.text == "\($0.0)" })
        await link.close()
    }

    @Test("A link whose connections are ended comes back, listens to the same, and says so")
    func reconnects() async throws {
        let (link, told) = try await Self.link()
        let channel = Self.channel()
        link.subscribe(channel)
        try await told.wait(for: "subscribed \(channel)")
        let (other, _) = try await Self.link()
        let clients = try #require(try await other.run(["CLIENT", "LIST", "TYPE", "pubsub"]).text)
        // Those of other tests at the same time come back just as well.
        for line in clients.split(separator: "\n") where line.contains("sub=1") {
            let id = line.split(separator: " ").first { $0.hasPrefix("id=") }?.dropFirst(3)
            _ = try? await other.run(["CLIENT", "KILL", "ID", String(try #require(id))])
        }
        try await told.wait(for: "away")
        try await told.wait(for: "listening", count: 2)
        other.publish(Array("again".utf8), to: channel)
        try await told.wait(for: "\(channel) again")
        await link.close()
        await other.close()
    }

    @Test("Where there is no Redis, commands fail and messages are dropped, at once")
    func away() async throws {
        let told = Told()
        let link = try RedisLink(try #require(RedisURL("redis://127.0.0.1:1"))) { told.add($0) }
        try await told.wait(for: "away")
        #expect(!link.isConnected && !link.publish([1], to: "x"))
        await #expect(throws: RedisFailure.self) { try await link.run(["PING"]) }
        try await Task.sleep(for: .milliseconds(500))
        #expect(told.all == ["away"], "the same trouble is told once")
        await link.close()
    }
}
