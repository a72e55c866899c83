import CallPage
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import SocketIO

/// The call page and the files that it loads.
struct PageRoutes {
    let homeserver: PageHomeserver?

    /// What the page asks for to know how its users sign in.
    private static let settingsPath = "/call-page.json"

    /// Everything comes from here, nothing is embedded elsewhere, and nothing of what users type runs as script. Accounts are
    /// signed in at their homeserver.
    private var contentSecurityPolicy: String {
        let elsewhere = homeserver.map { " " + $0.origin } ?? ""
        return """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'\(elsewhere); \
            media-src 'self' blob: mediastream:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
    }

    /// `{auth: "dev"}`, or `{auth: "matrix", homeserver, serverName}`.
    private var settings: JSONText {
        .object([
            ("auth", homeserver == nil ? "dev" : "matrix"), ("homeserver", homeserver.map { .string($0.url) }),
            ("serverName", homeserver.map { .string($0.serverName) }),
        ])
    }

    func answer(_ request: Request) throws -> Response {
        if request.uri.path == Self.settingsPath { return Response(json: settings) }
        guard let asset = CallPage.asset(request.uri.path) else { throw Problem.notFound }
        let digest = SHA256.hash(data: asset.bytes).prefix(16)
        let tag = "\"" + digest.map { String($0, radix: 36) }.joined(separator: "-") + "\""
        var headers: HTTPFields = [
            .contentType: asset.contentType,
            .eTag: tag,
            // The files have no version in their names: a browser asks each time and mostly hears 304.
            .cacheControl: "no-cache",
            .contentSecurityPolicy: contentSecurityPolicy,
            .xContentTypeOptions: "nosniff",
        ]
        headers[.referrerPolicy] = "no-referrer"
        headers[.permissionsPolicy] = "camera=(self), microphone=(self), display-capture=(self)"
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .referer
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy") ?? .referer
}
