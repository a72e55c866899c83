import CallModel
import HTTPTypes
import Hummingbird
import NIOCore
import Signaling
import SocketIO

extension Request {
    /// The body's bytes; refused above `limit` before they are read if the length is announced.
    func bytes(limit: Int) async throws -> [UInt8] {
        if let announced = headers[.contentLength].flatMap(Int.init), announced > limit {
            throw Problem.bodyTooLarge(limit: limit)
        }
        do {
            let buffer = try await body.collect(upTo: limit)
            return Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            throw Problem.bodyTooLarge(limit: limit)
        }
    }
}

/// The members of a request, not Hummingbird's stream of bytes of the same name.
typealias CallRequestBody = Signaling.RequestBody

extension CallRequestBody {
    /// The members of a JSON object; no bytes at all count as `{}`.
    init(bytes: [UInt8], limit: Int) throws {
        let json: JSONText
        if bytes.isEmpty {
            json = .object([])
        } else {
            do throws(JSONFailure) {
                json = try JSONText(validating: bytes, limits: JSONLimits(maximumBytes: limit))
            } catch {
                throw Problem(.badRequest, "malformed_json", "The body is not JSON: \(error).")
            }
        }
        try self.init(json)
    }
}
