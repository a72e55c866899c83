import CallModel
import CallService
import Hummingbird
import Signaling
import SocketIO

/// Offers, answers, candidates and switches by REST, for clients without a socket.
struct SignalRoutes {
    let calls: CallService

    var all: [APIRoute] {
        [
            .post("/api/calls/{callId}/offer") { request in
                try await signal(request) { [try $0.requiredDescription(.offer)] }
            },
            .post("/api/calls/{callId}/answer-sdp") { request in
                try await signal(request) { [try $0.requiredDescription(.answer)] }
            },
            .post("/api/calls/{callId}/ice-candidate") { request in
                try await signal(request) { try $0.candidates() }
            },
            .post("/api/calls/{callId}/toggle-audio") { request in
                try await toggle(request) { id, enabled, identity throws(CallFailure) in
                    try await calls.toggleAudio(id, enabled: enabled, by: identity)
                }
            },
            .post("/api/calls/{callId}/toggle-video") { request in
                try await toggle(request) { id, enabled, identity throws(CallFailure) in
                    try await calls.toggleVideo(id, enabled: enabled, by: identity)
                }
            },
        ]
    }

    private func signal(
        _ request: APIRequest,
        _ read: (CallRequestBody) throws -> [Signal]
    ) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let (members, bytes) = try await request.body()
        let signals = try read(members)
        let repeatable = try request.repeatable(body: bytes)
        let answer = try await calls.once(repeatable, form: .same, by: identity) { _ throws(CallFailure) in
            let receipt = try await calls.signal(id, signals, by: identity)
            return Answer(status: 202, callID: id, json: receipt.json, form: .same)
        }
        return Response(answer)
    }

    private func toggle(
        _ request: APIRequest,
        _ act: (CallID, Bool, Identity) async throws(CallFailure) -> Participant
    ) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let (members, bytes) = try await request.body()
        let enabled = try members.requiredBoolean("enabled")
        let repeatable = try request.repeatable(body: bytes)
        let answer = try await calls.once(repeatable, form: .same, by: identity) { _ throws(CallFailure) in
            Answer(status: 200, callID: id, json: try await act(id, enabled, identity).json, form: .same)
        }
        return Response(answer)
    }
}
