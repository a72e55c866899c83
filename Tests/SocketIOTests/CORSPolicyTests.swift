import SocketIO
import Testing

@Suite("CORS policy")
struct CORSPolicyTests {
    private func names(_ fields: [(name: String, value: String)]?) -> [String]? {
        fields?.map { "\($0.name): \($0.value)" }
    }

    @Test("reads its list")
    func list() {
        #expect(CORSPolicy(list: "").origins == .none)
        #expect(CORSPolicy(list: " , ").origins == .none)
        #expect(CORSPolicy(list: "https://a.example, *").origins == .any)
        #expect(
            CORSPolicy(list: "https://A.example/, http://b.example:8080").origins
                == .listed(["https://a.example", "http://b.example:8080"])
        )
    }

    @Test("answers pages that may read, and no others")
    func fields() {
        let listed = CORSPolicy(list: "https://a.example")
        #expect(CORSPolicy(origins: .none).fields(for: "https://a.example").isEmpty)
        #expect(names(CORSPolicy(origins: .any).fields(for: nil)) == ["Access-Control-Allow-Origin: *"])
        #expect(
            names(listed.fields(for: "https://a.example")) == [
                "Access-Control-Allow-Origin: https://a.example", "Access-Control-Allow-Credentials: true",
                "Vary: Origin",
            ]
        )
        #expect(names(listed.fields(for: "https://b.example")) == ["Vary: Origin"])
        #expect(names(listed.fields(for: nil)) == ["Vary: Origin"])
    }

    @Test("has preflights only where there is a policy")
    func preflight() {
        #expect(
            names(CORSPolicy(origins: .none).preflightFields(for: "https://a.example", requestedHeaders: nil)) == nil
        )
        #expect(
            names(CORSPolicy(origins: .any).preflightFields(for: "https://a.example", requestedHeaders: "x-a")) == [
                "Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE",
                "Vary: Access-Control-Request-Headers", "Access-Control-Allow-Headers: x-a",
            ]
        )
    }

    @Test(
        "lets WebSockets of own and listed pages in",
        arguments: [
            (nil, "x:3000", true), ("http://x:3000", "x:3000", true), ("HTTP://X:3000", "x:3000", true),
            ("https://x", "x", true), ("https://x", "x:443", true), ("http://x:80", "x", true),
            ("https://x:80", "x", false),
            ("http://y:3000", "x:3000", false), ("http://x:3001", "x:3000", false), ("null", "x:3000", false),
            ("http://x:3000.evil", "x:3000", false), ("https://a.example", "x:3000", true), ("http://x", nil, false),
        ] as [(String?, String?, Bool)]
    )
    func webSockets(origin: String?, host: String?, isAdmitted: Bool) {
        #expect(CORSPolicy(list: "https://a.example").admitsWebSocket(origin: origin, host: host) == isAdmitted)
        #expect(CORSPolicy(origins: .any).admitsWebSocket(origin: origin, host: host))
    }
}
