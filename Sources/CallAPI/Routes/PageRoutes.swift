import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// A file of the call page.
public struct PageAsset: Sendable {
    /// The file.
    public let bytes: [UInt8]
    /// Its media type, with the charset where it has one.
    public let contentType: String

    /// A file with its media type.
    public init(bytes: [UInt8], contentType: String) {
        self.bytes = bytes
        self.contentType = contentType
    }
}

/// The call page and the files that it loads.
struct PageRoutes {
    /// The file at a path such as `/js/main.js`; `/` is the page itself.
    let asset: @Sendable (_ path: String) -> PageAsset?

    /// Everything comes from here, nothing is embedded elsewhere, and nothing of what users type runs as script.
    private static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'",
        "connect-src 'self'", "media-src 'self' blob: mediastream:", "manifest-src 'self'", "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    func answer(_ request: Request) throws -> Response {
        guard let asset = asset(request.uri.path) else { throw Problem.notFound }
        let digest = SHA256.hash(data: asset.bytes).prefix(16)
        let tag = "\"" + digest.map { String($0, radix: 16) }.joined(separator: "-") + "\""
        var headers: HTTPFields = [
            .contentType: asset.contentType,
            .eTag: tag,
            // The files have no version in their names: a browser asks each time and mostly hears 304.
            .cacheControl: "no-cache",
            .contentSecurityPolicy: Self.contentSecurityPolicy,
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
