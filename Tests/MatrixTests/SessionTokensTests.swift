import CallModel
import CallService
import Testing

@testable import Matrix

@Suite("Tokens of this server")
struct SessionTokensTests {
    private let now = Timestamp(milliseconds: 1_800_000_000_000)
    private let user = "@bob:elsewhere.org"

    @Test("a token is its user's until its time is over, which is an hour at most")
    func lifetime() {
        let tokens = SessionTokens(secrets: ["a secret"])
        for (asked, lasts) in [(60, 60), (7_200, 3_600), (nil, 3_600), (Int.max, 3_600)] as [(Int?, Int64)] {
            let grant = tokens.grant(user, secondsToLive: asked, now: now)
            let end = now.advanced(byMilliseconds: lasts * 1_000)
            #expect(grant.expiresAt == end && grant.userID == user)
            #expect(tokens.user(of: grant.token, now: end.advanced(byMilliseconds: -1)) == user)
            #expect(tokens.user(of: grant.token, now: end) == nil)
        }
        for asked in [0, -1, .min] {
            let grant = tokens.grant(user, secondsToLive: asked, now: now)
            #expect(tokens.user(of: grant.token, now: now) == nil)
        }
    }

    @Test("every node with the secret takes it, a rotated one too, and no other")
    func secrets() {
        let token = SessionTokens(secrets: ["first"]).grant(user, secondsToLive: nil, now: now).token
        #expect(SessionTokens(secrets: ["new", "first"]).user(of: token, now: now) == user)
        #expect(SessionTokens(secrets: ["new"]).user(of: token, now: now) == nil)
        let alone = SessionTokens(secrets: [])
        #expect(alone.user(of: token, now: now) == nil)
        #expect(
            SessionTokens(secrets: []).user(of: alone.grant(user, secondsToLive: 9, now: now).token, now: now) == nil
        )
    }

    @Test("a token of which a character is another one is none")
    func forgery() {
        let tokens = SessionTokens(secrets: ["a secret"])
        let token = Array(tokens.grant(user, secondsToLive: nil, now: now).token)
        // The last character of a Base64 text may hold bits that mean nothing.
        for index in token.indices.dropLast() {
            var changed = token
            changed[index] = changed[index] == "A" ? "B" : "A"
            #expect(tokens.user(of: String(changed), now: now) == nil, "character \(index)")
        }
        for text in ["", "crs1.", "crs1..", "crs1.a.b", "crs1.a.b.c", "crs1.😀.😀"] {
            #expect(tokens.user(of: text, now: now) == nil)
        }
    }

    @Test("ids are encoded for a path byte by byte")
    func paths() {
        #expect(PathSegment.encode("!a/b?c#d%e ä:x") == "%21a%2Fb%3Fc%23d%25e%20%C3%A4%3Ax")
        #expect(PathSegment.encode("aZ09-._~") == "aZ09-._~")
        #expect(PathSegment.encode("\u{1}") == "%01")
    }
}
