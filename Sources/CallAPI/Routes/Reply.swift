import CallModel
import CallService
import HTTPTypes
import Hummingbird
import SocketIO
struct Reply: Sendable { 
    enum Body: Sendable { case admission(CallAdmission) }
    let status: Int; let call: CallID; let body: Body }
extension CallService {
    func answering(_ request: APIRequest, body: [UInt8], by identity: Identity, _ work: () async throws -> Reply) async throws -> Response {
        let reply = try await work()
        switch reply.body { case .admission(let a): return Response(json: a.json, status: .init(code: reply.status)) }
    }
}
