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
            .post("/api/calls/{callId}/reject") { request in
                try await close(request) { id, reason, identity throws(CallFailure) in
                    try await calls.reject(id, reason: reason, by: identity)
                }
            },
            .post("/api/calls/{callId}/end") { request in
                try await close(request) { id, reason, identity throws(CallFailure) in
                    try await calls.end(id, reason: reason, by: identity)
                }
            },
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
        if let wait {
            let seconds = Int(wait.components.seconds) + 1
            throw Problem.rateLimited(secondsUntilFree: seconds, "Too many calls were started; wait.")
        }
        let (members, bytes) = try await request.body()
        let initiation = try members.initiation()
        let device = try members.device()
        let repeatable = try request.repeatable(body: bytes)
        var generator = SystemRandomNumberGenerator()
        let id = CallID.random(using: &generator)
        let answer = try await calls.once(repeatable, form: .callWithICE, by: identity, placing: id) {
            (id) throws(CallFailure) in
            let admission = try await calls.initiate(initiation, as: id, device: device, by: identity)
            let status = admission.isNew ? 201 : 200
            return Answer(status: status, callID: admission.call.id, json: admission.json, form: .callWithICE)
        }
        return Response(answer)
    }

    @Sendable private func answer(_ request: APIRequest) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let (members, bytes) = try await request.body()
        let description = try members.description(.answer, to: nil)
        let device = try members.device()
        let repeatable = try request.repeatable(body: bytes)
        let answer = try await calls.once(repeatable, form: .callWithICE, by: identity) { _ throws(CallFailure) in
            let admission = try await calls.answer(id, description: description, device: device, by: identity)
            return Answer(status: 200, callID: id, json: admission.json, form: .callWithICE)
        }
        return Response(answer)
    }

    /// `reject` and `end`.
    private func close(
        _ request: APIRequest,
        _ act: (CallID, EndReason?, Identity) async throws(CallFailure) -> Call
    ) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let (members, bytes) = try await request.body()
        let reason = try members.reason()
        let repeatable = try request.repeatable(body: bytes)
        let answer = try await calls.once(repeatable, form: .call, by: identity) { _ throws(CallFailure) in
            Answer(status: 200, callID: id, json: try await act(id, reason, identity).json, form: .call)
        }
        return Response(answer)
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
