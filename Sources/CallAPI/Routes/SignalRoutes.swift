import CallModel
import CallService
import Hummingbird
import Signaling

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
                let (identity, id, enabled) = try await toggle(request)
                return Response(json: try await calls.toggleAudio(id, enabled: enabled, by: identity).json)
            },
            .post("/api/calls/{callId}/toggle-video") { request in
                let (identity, id, enabled) = try await toggle(request)
                return Response(json: try await calls.toggleVideo(id, enabled: enabled, by: identity).json)
            },
        ]
    }

    private func signal(
        _ request: APIRequest,
        _ read: (RequestBody) throws -> [Signal]
    ) async throws -> Response {
        let identity = try request.identity()
        let id = try request.callID()
        let signals = try read(try await request.body().members)
        return Response(json: try await calls.signal(id, signals, by: identity).json, status: .accepted)
    }

    private func toggle(_ request: APIRequest) async throws -> (Identity, CallID, Bool) {
        let identity = try request.identity()
        let id = try request.callID()
        return (identity, id, try await request.body().members.requiredBoolean("enabled"))
    }
}
