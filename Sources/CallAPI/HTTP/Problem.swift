import HTTPTypes
import Hummingbird
import SocketIO

/// A refused request, as RFC 9457 writes it: `application/problem+json` with a stable `code`.
struct Problem: Error {
    let status: HTTPResponse.Status
    /// What clients may depend on; the OpenAPI document lists all.
    let code: String
    /// One sentence for a person.
    let detail: String
    /// Further members, such as the call that is in the way.
    var members: [(String, JSONText?)] = []
    /// Header fields that the status asks for.
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String) {
        self.status = status
        self.code = code
        self.detail = detail
    }

    var response: Response {
        let known: [(String, JSONText?)] = [
            ("type", "about:blank"),
            ("title", .string(status.reasonPhrase)),
            ("status", .integer(status.code)),
            ("code", .string(code)),
            ("detail", .string(detail)),
        ]
        return Response(
            json: .object(known + members),
            status: status,
            type: "application/problem+json",
            headers: headers
        )
    }
}

extension Problem {
    static let notFound = Problem(.notFound, "not_found", "There is nothing here.")

    static func bodyTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, "body_too_large", "The body is larger than \(limit) bytes.")
    }

    static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        var problem = Problem(.methodNotAllowed, "method_not_allowed", "The resource does not know this method.")
        problem.headers[.allow] = allowed.map(\.rawValue).joined(separator: ", ")
        return problem
    }

    static func rateLimited(secondsUntilFree: Int, _ detail: String) -> Problem {
        var problem = Problem(.tooManyRequests, "rate_limited", detail)
        problem.headers[.retryAfter] = String(secondsUntilFree)
        return problem
    }
}

extension HTTPField.Name {
    static let retryAfter = HTTPField.Name("Retry-After") ?? .server
}
