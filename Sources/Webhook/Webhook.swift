import AsyncHTTPClient
public import CallModel
public import CallService
import Crypto
import Foundation
import NIOCore
import NIOHTTP1

/// Posts notices of calls to one URL, signed as Standard Webhooks describes, so that any of its libraries verifies them.
public struct Webhook: NoticeReceiver {
    /// Seconds that the receiver may take to answer.
    public static let timeout: Int64 = 10

    private let url: String
    private let key: SymmetricKey
    private let client: HTTPClient

    /// Notices go to `url`, whose owner verifies them with `key`.
    public init(url: String, key: [UInt8]) {
        self.url = url
        self.key = SymmetricKey(data: key)
        var configuration = HTTPClient.Configuration()
        // Where it is sent is the operator's to say, not the receiver's.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(connect: .seconds(Self.timeout), read: .seconds(Self.timeout))
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes the connections.
    public func close() async throws { try await client.shutdown() }

    /// `v1,` and the Base64 of HMAC-SHA256 over id, seconds and body.
    static func signature(of notice: CallNotice, seconds: Int64, key: SymmetricKey) -> String {
        let text = "\(notice.id).\(seconds).\(notice.payload)"
        let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
        return "v1," + Data(code).base64EncodedString()
    }

    /// Posts one; anything between 200 and 299 means that it was taken.
    public func take(_ notice: CallNotice, at now: Timestamp) async -> NoticeAnswer {
        let seconds = now.milliseconds / 1_000
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers = [
            "content-type": "application/json", "user-agent": "callrelay", "webhook-id": notice.id,
            "webhook-timestamp": "\(seconds)",
            "webhook-signature": Self.signature(of: notice, seconds: seconds, key: key),
        ]
        request.body = .bytes(ByteBuffer(string: notice.payload))
        do {
            let response = try await client.execute(request, timeout: .seconds(Self.timeout))
            guard (200...299).contains(response.status.code) else {
                return .refused(reason: "it answered \(response.status.code)")
            }
            return .taken
        } catch let error as HTTPClientError {
            return .refused(reason: error.shortDescription)
        } catch {
            return .refused(reason: "\(type(of: error)): \(error)")
        }
    }
}
