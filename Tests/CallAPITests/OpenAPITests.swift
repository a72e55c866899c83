import Foundation
import HTTPTypes
import SocketIO
import Testing

@testable import CallAPI

@Suite("The OpenAPI document")
struct OpenAPITests {
    private struct Document {
        let operations: Set<String>
        let codes: Set<String>
        let usedCodes: Set<String>

        init() throws {
            let json = try JSONText(validating: OpenAPIDocument.bytes)
            let paths = try #require(json["paths"]?.members())
            operations = Set(paths.flatMap { path in (path.value.members() ?? []).map { "\($0.name) \(path.name)" } })
            let schema = json["components"]?["schemas"]?["ProblemCode"]
            codes = Set((schema?["enum"]?.elements() ?? []).compactMap(\.stringValue))
            let text = String(decoding: OpenAPIDocument.bytes, as: UTF8.self)
            usedCodes = Set(
                text.matches(of: /Refused: ([^"]*)\./).flatMap { match in
                    match.output.1.matches(of: /`([a-z_]+)`/).map { String($0.output.1) }
                }
            )
        }
    }

    @Test("has exactly the routes that the router has, and the call page")
    func routes() async throws {
        let document = try Document()
        try await APIHarness.routes { routes in
            let served = Set(routes.map { "\($0.method.rawValue.lowercased()) \($0.path)" })
            #expect(document.operations == served.union(["get /"]))
        }
    }

    @Test("names every code that the server can answer")
    func codes() throws {
        let document = try Document()
        #expect(document.usedCodes.isSubset(of: document.codes))
        let own = [
            "not_found", "method_not_allowed", "body_too_large", "malformed_json", "rate_limited", "misdirected_host",
            "internal_error", "draining", "missing_token", "invalid_token", "auth_unavailable", "user_mismatch",
        ]
        #expect(document.codes.isSuperset(of: own))
        let failures = try Self.callFailureCodes()
        #expect(document.codes.isSuperset(of: failures))
    }

    /// The codes as `CallFailure` writes them: a new one there must find its way into the document.
    private static func callFailureCodes() throws -> Set<String> {
        let source = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/CallModel/CallFailure.swift")
        let text = try String(contentsOf: source, encoding: .utf8)
        let codes = Set(text.matches(of: /case \.[A-Za-z]+: "([a-z_]+)"/).map { String($0.output.1) })
        #expect(codes.count > 10)
        return codes
    }

    @Test("is served to everybody")
    func served() async throws {
        try await APIHarness.run { api in
            let reply = try await api.send(.get, "/openapi.json")
            #expect(reply.status == 200)
            #expect(reply["openapi"] == "3.1.0")
        }
    }
}
