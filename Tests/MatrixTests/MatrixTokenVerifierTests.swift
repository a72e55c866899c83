import CallService
import HTTPTypes
import Locking
import Testing

@testable import Matrix

@Suite("Access tokens of a homeserver")
struct MatrixTokenVerifierTests {
    private static let whoami = "/_matrix/client/v3/account/whoami"
    private static let alice = #"{"user_id":"@alice:example.org","device_id":"PHONE"}"#
    private static let unknown = StubHomeserver.Answer(
        status: .unauthorized,
        body: #"{"errcode":"M_UNKNOWN_TOKEN","error":"…","soft_logout":true}"#
    )

    /// Runs `work` with a verifier of the stub's tokens.
    private func run(
        _ work: @escaping @Sendable (StubHomeserver, MatrixTokenVerifier, HandClock, Reports) async throws -> Void
    ) async throws {
        let stub = StubHomeserver()
        try await stub.serve { url in
            let clock = HandClock()
            let reports = Reports()
            let client = HomeserverClient(url: url + "/") { reports.note($0) }
            let verifier = MatrixTokenVerifier(
                homeserver: client,
                serverName: "example.org",
                now: { clock.now },
                log: { reports.note($0) }
            )
            let result = await Result { try await work(stub, verifier, clock, reports) }
            try await client.close()
            try result.get()
        }
    }

    final class Reports: Sendable {
        private let all = Locked<[String]>([])
        var texts: [String] { all.withLock { $0 } }
        func note(_ report: HomeserverReport) { all.withLock { $0.append("\(report)") } }
    }

    @Test("a token is its user's and its device's, and is asked about once in half a minute")
    func remembered() async throws {
        try await run { stub, verifier, clock, _ in
            stub.answer(Self.whoami, Self.alice)
            let identity = try await verifier.verify("secret")
            #expect(identity.userID == "@alice:example.org" && identity.deviceID == "PHONE")
            #expect(identity.access?.text == "secret")
            clock.advance(by: .seconds(29))
            _ = try await verifier.verify("secret")
            #expect(stub.asked.map(\.token) == ["secret"])
            clock.advance(by: .seconds(1))
            _ = try await verifier.verify("secret")
            #expect(stub.asked.count == 2)
        }
    }

    @Test("those who come with one token at the same time share one question")
    func singleFlight() async throws {
        try await run { stub, verifier, _, _ in
            stub.answer(Self.whoami, Self.alice)
            stub.hold(true)
            try await withThrowingTaskGroup(of: Identity.self) { group in
                for _ in 0..<100 { group.addTask { try await verifier.verify("secret") } }
                while stub.asked.isEmpty { await Task.yield() }
                stub.hold(false)
                for try await identity in group { #expect(identity.userID == "@alice:example.org") }
            }
            #expect(stub.asked.count == 1)
        }
    }

    @Test("a token that the homeserver does not know is refused in its words, and soon asked about again")
    func refused() async throws {
        try await run { stub, verifier, clock, _ in
            stub.answer(Self.whoami, Self.unknown)
            let expected = AuthenticationFailure.invalid(errcode: "M_UNKNOWN_TOKEN", isSoftLogout: true)
            await #expect(throws: expected) { _ = try await verifier.verify("secret") }
            await #expect(throws: expected) { _ = try await verifier.verify("secret") }
            #expect(stub.asked.count == 1)
            clock.advance(by: .seconds(5))
            stub.answer(Self.whoami, Self.alice)
            _ = try await verifier.verify("secret")
        }
    }

    @Test("what could not be sent as a header field is not asked about", arguments: ["", "a b", "a\nb", "ä"])
    func malformed(token: String) async throws {
        try await run { stub, verifier, _, _ in
            await #expect(throws: AuthenticationFailure.self) { _ = try await verifier.verify(token) }
            #expect(stub.asked.isEmpty)
        }
    }

    @Test("a guest is refused")
    func guest() async throws {
        try await run { stub, verifier, _, _ in
            stub.answer(Self.whoami, #"{"user_id":"@1:example.org","is_guest":true}"#)
            await #expect(throws: AuthenticationFailure.guest) { _ = try await verifier.verify("secret") }
        }
    }

    @Test(
        "while the homeserver is in trouble whoever was known goes on for five minutes, and nobody else comes in",
        arguments: [
            StubHomeserver.Answer(status: .badGateway, body: "<html>"),
            StubHomeserver.Answer(status: .tooManyRequests, body: #"{"errcode":"M_LIMIT_EXCEEDED"}"#),
            StubHomeserver.Answer(status: .notFound, body: "<html>"),
            StubHomeserver.Answer(status: .ok, body: "no JSON"),
            StubHomeserver.Answer(status: .ok, body: #"{"user_id":"nobody"}"#),
            StubHomeserver.Answer(status: .ok, body: alice, padding: HomeserverClient.answerLimit),
            StubHomeserver.Answer(status: .found, body: "", location: "/elsewhere"),
        ]
    )
    func trouble(answer: StubHomeserver.Answer) async throws {
        try await run { stub, verifier, clock, reports in
            stub.answer("/elsewhere", Self.alice)
            stub.answer(Self.whoami, Self.alice)
            _ = try await verifier.verify("known")
            stub.answer(Self.whoami, answer)
            clock.advance(by: .seconds(31))
            let identity = try await verifier.verify("known")
            #expect(identity.userID == "@alice:example.org")
            let asked = stub.asked.count
            _ = try await verifier.verify("known")
            #expect(stub.asked.count == asked, "it is given some seconds before it is asked again")
            await #expect(throws: AuthenticationFailure.unavailable) { _ = try await verifier.verify("new") }
            clock.advance(by: .seconds(269))
            await #expect(throws: AuthenticationFailure.unavailable) { _ = try await verifier.verify("known") }
            #expect(!stub.asked.contains { $0.path == "/elsewhere" })
            // Too much of a good thing is no trouble.
            let isTrouble = answer.status != .tooManyRequests
            #expect(reports.texts.contains { $0.hasPrefix("failed") } == isTrouble)
            #expect(!reports.texts.contains { $0.contains("known") || $0.contains("\"new\"") })
            stub.answer(Self.whoami, Self.alice)
            _ = try await verifier.verify("known")
        }
    }

    @Test("a token that was refused does not go on when the homeserver is in trouble")
    func refusedBeforeTrouble() async throws {
        try await run { stub, verifier, clock, _ in
            stub.answer(Self.whoami, Self.alice)
            _ = try await verifier.verify("secret")
            stub.answer(Self.whoami, Self.unknown)
            clock.advance(by: .seconds(30))
            await #expect(throws: AuthenticationFailure.self) { _ = try await verifier.verify("secret") }
            stub.answer(Self.whoami, StubHomeserver.Answer(status: .badGateway, body: ""))
            clock.advance(by: .seconds(5))
            await #expect(throws: AuthenticationFailure.unavailable) { _ = try await verifier.verify("secret") }
        }
    }

    @Test("users with another name behind the colon are let in, and the operator hears of it")
    func foreignName() async throws {
        try await run { stub, verifier, _, reports in
            stub.answer(Self.whoami, #"{"user_id":"@alice:elsewhere.org"}"#)
            let identity = try await verifier.verify("secret")
            #expect(identity.userID == "@alice:elsewhere.org")
            #expect(reports.texts.contains { $0.hasPrefix("foreignName") })
        }
    }

    @Test("nothing that prints a token shows it")
    func printing() {
        let identity = Identity(userID: "@alice:example.org", access: AccessToken("secret"))
        var dumped = ""
        dump(identity, to: &dumped)
        for text in ["\(identity)", String(reflecting: identity), dumped] { #expect(!text.contains("secret")) }
    }
}

extension Result where Failure == any Error {
    init(_ work: () async throws -> Success) async {
        do {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
