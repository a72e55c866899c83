import CallModel
import CallService
import CallStore
import HTTPTypes
import Testing

@testable import Matrix

@Suite("Events sent to rooms")
struct MatrixEventSenderTests {
    private static let user = "@alice:example.org"
    private static let path =
        "/_matrix/client/v3/rooms/%21r%3Ae/send/m.call.hangup/c.m.call.hangup.%40alice%3Aexample.org"
    private static let identity = Identity(userID: user, deviceID: "PHONE", access: AccessToken("of alice"))

    private static func event(isRepetition: Bool = false) throws -> StoredRoomEvent {
        let id = try #require(CallID("abcdefghijklmnopqrstuvwx"))
        let event = RoomEvent(
            sequence: 2,
            part: 0,
            type: "m.call.hangup",
            sender: user,
            content: "{}",
            transactionID: "c.m.call.hangup.\(user)",
            expiresAt: Timestamp(milliseconds: 0)
        )
        return StoredRoomEvent(callID: id, roomID: "!r:e", event: event, attempts: 1, isRepetition: isRepetition)
    }

    private static func waiting(_ device: DeviceID?, of sender: UserID = user) throws -> WaitingRoomEvent {
        WaitingRoomEvent(place: try event().place, sender: sender, device: device)
    }

    private func run(
        appService: AppService? = nil,
        sparesEncryptedRooms: Bool = false,
        _ work: @escaping @Sendable (StubHomeserver, MatrixEventSender, TokenVault) async throws -> Void
    ) async throws {
        let stub = StubHomeserver()
        try await stub.serve { url in
            let client = HomeserverClient(url: url) { _ in }
            let vault = TokenVault()
            let sender = MatrixEventSender(
                homeserver: client,
                appService: appService,
                vault: vault,
                verifier: MatrixTokenVerifier(homeserver: client, serverName: "example.org") { _ in },
                sparing: sparesEncryptedRooms ? RoomEncryption(client) : nil
            )
            let result = await Result { try await work(stub, sender, vault) }
            try await client.close()
            try result.get()
        }
    }

    @Test("an event is sent with the sender's token and its own transaction id")
    func sent() async throws {
        try await run { stub, sender, vault in
            #expect(try sender.device(for: Self.waiting(nil)) == nil)
            #expect(vault.keep(Self.identity))
            #expect(try sender.device(for: Self.waiting(nil)) == "PHONE")
            #expect(try sender.device(for: Self.waiting("DESK")) == nil, "it was tried with another device")
            stub.answer(Self.path, #"{"event_id":"$1"}"#)
            let answer = try await sender.send(Self.event(), device: "PHONE")
            #expect(answer == .sent(eventID: "$1"))
            #expect(stub.asked.map(\.token) == ["of alice"])
        }
    }

    @Test("what the homeserver says decides what becomes of the event")
    func answers() async throws {
        let cases: [(StubHomeserver.Answer, RoomEventAnswer)] = [
            (.init(status: .forbidden, body: #"{"errcode":"M_FORBIDDEN"}"#), .refused(reason: "forbidden")),
            (.init(status: .contentTooLarge, body: #"{"errcode":"M_TOO_LARGE"}"#), .refused(reason: "too-large")),
            (.init(status: .badRequest, body: #"{"errcode":"M_BAD_JSON"}"#), .refused(reason: "refused")),
            (
                .init(status: .tooManyRequests, body: #"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":4500}"#),
                .later(milliseconds: 4_500, reason: "rate-limited")
            ),
            (.init(status: .tooManyRequests, body: "slow down"), .later(milliseconds: nil, reason: "rate-limited")),
            (.init(status: .badGateway, body: ""), .unknown(reason: "it answered 502")),
            (.init(body: "{}"), .unknown(reason: "its answer is none of a homeserver")),
        ]
        try await run { stub, sender, vault in
            _ = vault.keep(Self.identity)
            for (said, expected) in cases {
                stub.answer(Self.path, said)
                let answer = try await sender.send(Self.event(), device: "PHONE")
                #expect(answer == expected)
            }
            for (isSoft, members) in [(false, ""), (false, #","soft_logout":false"#), (true, #","soft_logout":true"#)] {
                _ = vault.keep(Self.identity)
                let body = #"{"errcode":"M_UNKNOWN_TOKEN"\#(members)}"#
                stub.answer(Self.path, .init(status: .unauthorized, body: body))
                let answer = try await sender.send(Self.event(), device: "PHONE")
                #expect(answer == .tokenRejected(isSignedOut: !isSoft))
                #expect(vault.device(of: Self.user) == nil, "the token is not tried again")
            }
        }
    }

    @Test("an application service sends for the homeserver's own users, and for nobody else")
    func appService() async throws {
        let service = AppService(token: "of the service", serverName: "example.org")
        try await run(appService: service) { stub, sender, vault in
            stub.answer(Self.path, #"{"event_id":"$1"}"#)
            #expect(try sender.device(for: Self.waiting(nil)) == "")
            #expect(try sender.device(for: Self.waiting(nil, of: "@bob:elsewhere.org")) == nil)
            #expect(try await sender.send(Self.event(), device: "") == .sent(eventID: "$1"))
            _ = vault.keep(Self.identity)
            #expect(try sender.device(for: Self.waiting(nil)) == "PHONE")
            #expect(try sender.device(for: Self.waiting("DESK")) == "DESK")
            _ = try await sender.send(Self.event(), device: "PHONE")
            #expect(stub.asked.map(\.token) == ["of the service", "of the service"])
            #expect(
                stub.asked.map(\.query) == [
                    "user_id=%40alice%3Aexample.org", "user_id=%40alice%3Aexample.org&device_id=PHONE",
                ]
            )
            stub.answer(Self.path, .init(status: .unauthorized, body: #"{"errcode":"M_UNKNOWN_TOKEN"}"#))
            let answer = try await sender.send(Self.event(), device: "")
            #expect(answer == .later(milliseconds: nil, reason: "the homeserver does not know MATRIX_AS_TOKEN"))
        }
    }

    @Test("a device that was signed out since is left out")
    func unknownDevice() async throws {
        let service = AppService(token: "of the service", serverName: "example.org")
        try await run(appService: service) { stub, sender, _ in
            stub.answer(Self.path, .init(status: .badRequest, body: #"{"errcode":"M_UNKNOWN_DEVICE"}"#))
            _ = try await sender.send(Self.event(), device: "PHONE")
            #expect(
                stub.asked.map(\.query) == [
                    "user_id=%40alice%3Aexample.org&device_id=PHONE", "user_id=%40alice%3Aexample.org",
                ]
            )
            // The homeserver would not know it for what it may have been told by the device.
            let again = try await sender.send(Self.event(isRepetition: true), device: "PHONE")
            #expect(again == .tokenRejected(isSignedOut: true) && stub.asked.count == 3)
        }
    }

    @Test("what clients are to encrypt is not sent in clear")
    func encrypted() async throws {
        try await run(sparesEncryptedRooms: true) { stub, sender, vault in
            _ = vault.keep(Self.identity)
            let state = "/_matrix/client/v3/rooms/%21r%3Ae/state/m.room.encryption/"
            stub.answer(Self.path, #"{"event_id":"$1"}"#)
            stub.answer(state, .init(status: .badGateway, body: ""))
            let unknown = try await sender.send(Self.event(), device: "PHONE")
            #expect(unknown == .unknown(reason: "it answered 502"))
            stub.answer(state, .init(status: .notFound, body: #"{"errcode":"M_NOT_FOUND"}"#))
            #expect(try await sender.send(Self.event(), device: "PHONE") == .sent(eventID: "$1"))
            stub.answer(state, #"{"algorithm":"m.megolm.v1.aes-sha2"}"#)
            #expect(try await sender.send(Self.event(), device: "PHONE") == .leftToClient)
            #expect(stub.asked.count { $0.path == Self.path } == 1)
        }
    }
}

@Suite("Access tokens that are kept")
struct TokenVaultTests {
    private static func identity(_ device: DeviceID?, _ token: String, of user: UserID = "@a:e") -> Identity {
        Identity(userID: user, deviceID: device, access: AccessToken(token))
    }

    @Test("a token is kept by its device until a quarter of an hour after its user was last there")
    func lifetime() {
        let clock = HandClock()
        let vault = TokenVault(now: { clock.now })
        #expect(vault.keep(Self.identity("A", "1")) && !vault.keep(Self.identity("A", "2")))
        #expect(vault.token(of: "@a:e", device: "A")?.text == "2", "a renewed token takes the old one's place")
        clock.advance(by: .seconds(600))
        #expect(vault.keep(Self.identity("B", "3")) && vault.device(of: "@a:e") == "B")
        clock.advance(by: .seconds(300))
        #expect(vault.token(of: "@a:e", device: "A") == nil && vault.device(of: "@a:e") == "B")
        #expect(vault.keep(Self.identity(nil, "4", of: "@b:e")) && vault.device(of: "@b:e") == "")
        clock.advance(by: .seconds(900))
        _ = vault.keep(Self.identity("C", "5", of: "@c:e"))
        #expect(vault.device(of: "@a:e") == nil && vault.device(of: "@b:e") == nil)
    }

    @Test("a token that was taken back is dropped, its successor is not")
    func dropped() {
        let vault = TokenVault()
        _ = vault.keep(Self.identity("A", "1"))
        _ = vault.keep(Self.identity("A", "2"))
        vault.drop(AccessToken("1"), of: "@a:e", device: "A")
        #expect(vault.token(of: "@a:e", device: "A")?.text == "2")
        vault.drop(AccessToken("2"), of: "@a:e", device: "A")
        #expect(vault.device(of: "@a:e") == nil && vault.keep(Self.identity("A", "2")))
    }

    @Test("a user's devices are bounded, and one without a token is none")
    func bounds() {
        let clock = HandClock()
        let vault = TokenVault(now: { clock.now })
        for number in 0...TokenVault.devicesPerUser {
            _ = vault.keep(Self.identity("D\(number)", "t\(number)"))
            clock.advance(by: .seconds(1))
        }
        #expect(vault.token(of: "@a:e", device: "D0") == nil && vault.token(of: "@a:e", device: "D1") != nil)
        #expect(!vault.keep(Identity(userID: "@b:e", deviceID: "X")))
    }
}
