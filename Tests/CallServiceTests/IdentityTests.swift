import CallService
import Testing

@Suite("Development tokens")
struct IdentityTests {
    @Test("A token names its user")
    func good() async throws {
        let identity = try await DevTokenVerifier().verify("dev:@alice:localhost")
        #expect(identity == Identity(userID: "@alice:localhost"))
    }

    @Test(
        "Anything else is no token",
        arguments: [
            "dev:", "dev:alice", "@alice:localhost", "dev:@", "DEV:@a:b", "dev:@a b", "dev:@a\u{0}", " dev:@a:b",
        ]
    )
    func bad(_ token: String) async {
        await #expect(throws: AuthenticationFailure.invalid(errcode: nil, isSoftLogout: nil)) {
            try await DevTokenVerifier().verify(token)
        }
    }

    @Test("No token and one that is too long are refused")
    func lengths() async {
        await #expect(throws: AuthenticationFailure.missing) { try await DevTokenVerifier().verify("") }
        await #expect(throws: AuthenticationFailure.self) {
            try await DevTokenVerifier().verify("dev:@" + String(repeating: "a", count: 255))
        }
    }
}
