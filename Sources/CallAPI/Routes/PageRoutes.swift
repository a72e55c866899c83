import CallPage
import HTTPTypes
import Hummingbird
import NIOCore

/// The call page and the files that it loads.
enum PageRoutes {
    static func answer(_ request: Request) throws -> Response {
        guard let asset = CallPage.asset(request.uri.path) else { throw Problem.notFound }
        var headers: HTTPFields = [
            .contentType: asset.contentType,
            .eTag: asset.entityTag,
            // The files have no version in their names: a browser asks each time and mostly hears 304.
            .cacheControl: "no-cache",
            .contentSecurityPolicy: CallPage.contentSecurityPolicy,
            .xContentTypeOptions: "nosniff",
        ]
        headers[.referrerPolicy] = "no-referrer"
        headers[.permissionsPolicy] = "camera=(self), microphone=(self), display-capture=(self)"
        if request.headers[.ifNoneMatch] == asset.entityTag { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .referer
    static let permissionsPolicy = HTTPField.Name("Permissions-Policy") ?? .referer
}
