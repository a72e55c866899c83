import CallModel
import CallService
import HTTPTypes
import Testing

@testable import Matrix

@Suite("Who is in a room, by the homeserver's word")
struct MatrixRoomsTests {
    private static let room = "!room:example.org"
    private static let alice = Identity(userID: "@alice:example.org", access: AccessToken("of alice"))
    private static let bob = Identity(userID: "@bob:elsewhere.org")
    private static let inRoom = #"{"membership":"join"}"#
    private static let forbidden = StubHomeserver.Answer(status: .forbidden, body: #"{"errcode":"M_FORBIDDEN"}"#)

    /// Ids are in the path, and encoded.
    private static func path(_ user: String, of room: String = "%21room%3Aexample.org") -> String {
        "/_matrix/client/v3/rooms/\(room)/state/m.room.member/"
            + user.replacing("@", with: "%40").replacing(":", with: "%3A")
    }

    private func run(
        startRule: MatrixRooms.StartRule = MatrixRooms.StartRule(),
        _ work: @escaping @Sendable (StubHomeserver, MatrixRooms, HandClock) async throws -> Void
    ) async throws {
        let stub = StubHomeserver()
        try await stub.serve { url in
            let clock = HandClock()
            let client = HomeserverClient(url: url) { _ in }
            let verifier = MatrixTokenVerifier(homeserver: client, serverName: "example.org") { _ in }
            let rooms = MatrixRooms(
                homeserver: client,
                verifier: verifier,
                startRule: startRule,
                memberLimit: 6,
                now: { clock.now }
            )
            let result = await Result { try await work(stub, rooms, clock) }
            try await client.close()
            try result.get()
        }
    }

    @Test("a member may act, and is asked about once in half a minute")
    func member() async throws {
        try await run { stub, rooms, clock in
            stub.answer(Self.path(Self.alice.userID), Self.inRoom)
            #expect(!rooms.isMemberForSure(of: Self.room, Self.alice))
            try await rooms.requireMember(of: Self.room, Self.alice)
            #expect(rooms.isMemberForSure(of: Self.room, Self.alice))
            try await rooms.requireMember(of: Self.room, Self.alice)
            #expect(stub.asked.map(\.token) == ["of alice"])
            clock.advance(by: .seconds(30))
            #expect(!rooms.isMemberForSure(of: Self.room, Self.alice))
            stub.answer(Self.path(Self.alice.userID), #"{"membership":"leave"}"#)
            await #expect(throws: CallFailure.notInRoom) { try await rooms.requireMember(of: Self.room, Self.alice) }
        }
    }

    @Test(
        "whoever the homeserver does not call joined is none",
        arguments: [
            StubHomeserver.Answer(body: #"{"membership":"invite"}"#),
            StubHomeserver.Answer(body: #"{"membership":"ban"}"#), forbidden,
            StubHomeserver.Answer(status: .notFound, body: #"{"errcode":"M_NOT_FOUND"}"#),
        ]
    )
    func noMember(answer: StubHomeserver.Answer) async throws {
        try await run { stub, rooms, clock in
            stub.answer(Self.path(Self.alice.userID), answer)
            await #expect(throws: CallFailure.notInRoom) { try await rooms.requireMember(of: Self.room, Self.alice) }
            // Who has just come in does not wait for long.
            clock.advance(by: .seconds(1))
            stub.answer(Self.path(Self.alice.userID), Self.inRoom)
            try await rooms.requireMember(of: Self.room, Self.alice)
        }
    }

    @Test("what is no room's id reaches no path", arguments: ["..", "../../account", "#alias:example.org", ""])
    func strangeRooms(room: String) async throws {
        try await run { stub, rooms, _ in
            await #expect(throws: CallFailure.notInRoom) { try await rooms.requireMember(of: room, Self.alice) }
            #expect(stub.asked.isEmpty)
        }
    }

    @Test("while the homeserver is in trouble members go on for five minutes")
    func trouble() async throws {
        try await run { stub, rooms, clock in
            stub.answer(Self.path(Self.alice.userID), Self.inRoom)
            try await rooms.requireMember(of: Self.room, Self.alice)
            stub.answer(Self.path(Self.alice.userID), StubHomeserver.Answer(status: .badGateway, body: ""))
            let other = Self.path(Self.alice.userID, of: "%21other%3Aexample.org")
            stub.answer(other, StubHomeserver.Answer(status: .badGateway, body: ""))
            clock.advance(by: .seconds(40))
            try await rooms.requireMember(of: Self.room, Self.alice)
            await #expect(throws: CallFailure.homeserverUnavailable) {
                try await rooms.requireMember(of: "!other:example.org", Self.alice)
            }
            clock.advance(by: .seconds(260))
            await #expect(throws: CallFailure.homeserverUnavailable) {
                try await rooms.requireMember(of: Self.room, Self.alice)
            }
        }
    }

    @Test("users without an access token are looked for with that of another member")
    func lender() async throws {
        try await run { stub, rooms, clock in
            stub.answer(Self.path(Self.alice.userID), Self.inRoom)
            stub.answer(Self.path(Self.bob.userID), Self.inRoom)
            await #expect(throws: CallFailure.membershipUnknown) {
                try await rooms.requireMember(of: Self.room, Self.bob)
            }
            try await rooms.requireMember(of: Self.room, Self.alice)
            try await rooms.requireMember(of: Self.room, Self.bob)
            #expect(stub.asked.map(\.token) == ["of alice", "of alice"])
            // The lender is out of the room: her token finds nobody any more, and is not used again.
            clock.advance(by: .seconds(30))
            stub.answer(Self.path(Self.bob.userID), Self.forbidden)
            await #expect(throws: CallFailure.notInRoom) { try await rooms.requireMember(of: Self.room, Self.bob) }
            clock.advance(by: .seconds(1))
            await #expect(throws: CallFailure.membershipUnknown) {
                try await rooms.requireMember(of: Self.room, Self.bob)
            }
        }
    }

    @Test("a token that is refused on the way is the user's failure if it is the user's")
    func rejectedToken() async throws {
        try await run { stub, rooms, clock in
            let rejected = StubHomeserver.Answer(
                status: .unauthorized,
                body: #"{"errcode":"M_UNKNOWN_TOKEN","soft_logout":false}"#
            )
            stub.answer(Self.path(Self.alice.userID), Self.inRoom)
            try await rooms.requireMember(of: Self.room, Self.alice)
            clock.advance(by: .seconds(30))
            stub.answer(Self.path(Self.alice.userID), rejected)
            stub.answer(Self.path(Self.bob.userID), rejected)
            await #expect(throws: CallFailure.homeserverUnavailable) {
                try await rooms.requireMember(of: Self.room, Self.bob)
            }
            await #expect(throws: CallFailure.tokenRejected(errcode: "M_UNKNOWN_TOKEN", isSoftLogout: false)) {
                try await rooms.requireMember(of: Self.room, Self.alice)
            }
        }
    }

    @Test("all whom a call names have to be in the room")
    func invitees() async throws {
        try await run { stub, rooms, _ in
            let users = (0..<20).map { "@u\($0):example.org" }
            for user in users { stub.answer(Self.path(user), Self.inRoom) }
            try await rooms.requireInvitable(users, to: Self.room, asking: Self.alice)
            await #expect(throws: CallFailure.inviteeNotInRoom) {
                try await rooms.requireInvitable(users + ["@x:example.org"], to: Self.room, asking: Self.alice)
            }
        }
    }

    @Test("the members of a room that is too large to list have to be named")
    func largeRoom() async throws {
        try await run { stub, rooms, _ in
            let path = "/_matrix/client/v3/rooms/%21room%3Aexample.org/joined_members"
            stub.answer(path, #"{"joined":{"@b:e":{},"@a:e":{"display_name":null}}}"#)
            let members = try await rooms.members(of: Self.room, asking: Self.alice)
            #expect(members == ["@a:e", "@b:e"])
            stub.answer(path, StubHomeserver.Answer(body: "{}", padding: HomeserverClient.memberListLimit))
            await #expect(throws: CallFailure.nameInvitees(limit: 6)) {
                _ = try await rooms.members(of: Self.room, asking: Self.alice)
            }
        }
    }

    @Test("who may start calls is a matter of lists and of power")
    func starting() async throws {
        let levels = "/_matrix/client/v3/rooms/%21room%3Aexample.org/state/m.room.power_levels/"
        let creation = "/_matrix/client/v3/rooms/%21room%3Aexample.org/state/m.room.create/"
        try await run(startRule: MatrixRooms.StartRule(power: 50)) { stub, rooms, _ in
            stub.answer(creation, #"{"sender":"@x:e","content":{"room_version":"11"}}"#)
            stub.answer(levels, #"{"users":{"@alice:example.org":49},"users_default":60}"#)
            await #expect(throws: CallFailure.startForbidden) {
                try await rooms.requireMayStart(in: Self.room, Self.alice)
            }
            stub.answer(levels, #"{"users_default":50}"#)
            try await rooms.requireMayStart(in: Self.room, Self.alice)
            stub.answer(levels, StubHomeserver.Answer?.none)
            await #expect(throws: CallFailure.startForbidden) {
                try await rooms.requireMayStart(in: Self.room, Self.alice)
            }
        }
        for listed in [[], [":example.org"], ["@x:e", "@alice:example.org"]] {
            try await run(startRule: MatrixRooms.StartRule(users: listed)) { _, rooms, _ in
                try await rooms.requireMayStart(in: Self.room, Self.alice)
            }
        }
        for listed in [[":ample.org"], ["@x:e"], [":example.org.uk"]] {
            try await run(startRule: MatrixRooms.StartRule(users: listed)) { _, rooms, _ in
                await #expect(throws: CallFailure.startForbidden) {
                    try await rooms.requireMayStart(in: Self.room, Self.alice)
                }
            }
        }
    }

    @Test("from room version 12 on creators have more power than any number")
    func creators() throws {
        let content = PowerLevels.Content(users: ["@a:e": 10], usersDefault: nil)
        func power(_ user: String, version: String?) -> Int {
            let creation = PowerLevels.Creation(
                sender: "@a:e",
                content: .init(roomVersion: version, additionalCreators: ["@b:e"])
            )
            return PowerLevels(content: content, creation: creation).power(of: user)
        }
        #expect(power("@a:e", version: "12") == .max && power("@b:e", version: "12") == .max)
        #expect(power("@a:e", version: "11") == 10 && power("@b:e", version: "11") == 0)
        #expect(power("@a:e", version: nil) == 10 && power("@a:e", version: "org.example") == 10)
    }
}
