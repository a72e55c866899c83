import CallModel
import CallService
import Hummingbird
import Signaling
import SocketIO

/// Placing, taking, refusing and ending calls, and looking at them.
struct CallRoutes {
    let calls: CallService
    let initiations: InitiateRateLimiter

    var all: [APIRoute] {
        [
            .post("/api/calls/initiate", initiate),
            .post("/api/calls/{callId}/answer", answer),
            .post("/api/calls/{callId}/reject", reject),
            .post("/api/calls/{callId}/end", end),
            .get("/api/calls/{callId}/status", status),
            .get("/api/calls/{callId}/events", events),
            .get("/api/calls/active", active),
            .get("/api/calls/history", history),
            .get("/api/calls/ice-servers", iceServers),
        ]
    }

    @Sendable private func initiate(_ request: APIRequest) async throws -> Response {
        let identity = try request.identity()
        let wait = initiations.admit(user: identity.userID, address: request.clientAddress, now: .now)
        if let wait { throw Problem.rateLimited(secondsUntilFree: Int(wait.components.seconds) + 1) }
        let (members, bytes) = try await request.body()
        let initiation = try members.initiation()
        let device = try members.device()
        return try await calls.answering(request, body: bytes, by: identity) {
            let admission = try await calls.initiate(initiation, device: device, by: identity)
            return Reply(status: admission.isNew ? 201 : 200, call: admission.call.id, body: .admission(admission))
        }
    }

    @Sendable private func answer(_ request: APIRequest) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let (members, bytes) = try await request.body()
        let description = try members.description(.answer, to: nil)
        let device = try members.device()
        return try await calls.answering(request, body: bytes, by: identity) {
            let admission = try await calls.answer(id, description: description, device: device, by: identity)
            return Reply(status: 200, call: id, body: .admission(admission))
        }
    }

    @Sendable private func reject(_ request: APIRequest) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let reason = try await request.body().members.reason()
        return Response(json: try await calls.reject(id, reason: reason, by: identity).json)
    }

    @Sendable private func end(_ request: APIRequest) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let reason = try await request.body().members.reason()
        return Response(json: try await calls.end(id, reason: reason, by: identity).json)
    }

    @Sendable private func status(_ request: APIRequest) async throws -> Response {
        Response(json: try await calls.status(request.callID(), by: request.identity()).json)
    }

    @Sendable private func events(_ request: APIRequest) async throws -> Response {
        let page = try await calls.events(
            request.callID(),
            cursor: request.query("cursor"),
            limit: request.pageLimit(),
            by: request.identity()
        )
        return Response(json: page.json)
    }

    @Sendable private func active(_ request: APIRequest) async throws -> Response {
        let active = try await calls.activeCalls(by: request.identity())
        return Response(json: .object([("calls", .array(active.map(\.json)))]))
    }

    @Sendable private func history(_ request: APIRequest) async throws -> Response {
        let page = try await calls.history(
            cursor: request.query("cursor"),
            limit: request.pageLimit(),
            by: request.identity()
        )
        return Response(json: page.json)
    }

    @Sendable private func iceServers(_ request: APIRequest) async throws -> Response {
        Response(json: calls.iceServers(by: try request.identity()).json)
    }
}
