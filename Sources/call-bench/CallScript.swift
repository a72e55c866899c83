import BenchCore
import CallBench
import Locking
import NetPrimitives

/// One whole call between two connected sockets: initiate, ring, answer, join, offer, answer, candidates, toggles, end.
struct CallScript: Sendable {
    /// Candidates that each side sends.
    static let candidatesEachWay = 20

    let api: CallAPIClient
    /// The same by the node of the one who is called.
    let calleeAPI: CallAPIClient
    let room: String
    let callerUser: BenchUser
    let calleeUser: BenchUser
    let caller: BenchSocket
    let callee: BenchSocket
    let totals: TotalsBox

    /// Plays the call that was due at `due`; throws at the first thing that is not as it should be.
    func play(due: Instant) async throws {
        caller.perform { $0.forgetUnclaimed() }
        callee.perform { $0.forgetUnclaimed() }
        let callID = try await api.initiate(roomID: room, invitees: [calleeUser.name], by: callerUser)
        let rang = try await callee.next("call-incoming")
        totals.record(\.ring, from: due, to: rang.at)
        let join = "{\"callId\":\"\(callID)\"}"
        try await emit("join-call", join, from: caller)
        try await calleeAPI.answer(callID, by: calleeUser)
        _ = try await caller.next("call-answered")
        try await emit("join-call", join, from: callee)
        try await pass("webrtc-offer", "\"offer\":\(Self.description("offer"))", callID, from: caller, to: callee)
        try await pass("webrtc-answer", "\"answer\":\(Self.description("answer"))", callID, from: callee, to: caller)
        async let there: Void = candidates(callID, from: caller, to: callee)
        async let back: Void = candidates(callID, from: callee, to: caller)
        _ = try await (there, back)
        try await toggle("audio", callID, from: caller, to: callee)
        try await toggle("video", callID, from: callee, to: caller)
        try await api.end(callID, by: callerUser)
        _ = try await callee.next("call-ended")
        let ended = try await caller.next("call-ended")
        totals.record(\.whole, from: due, to: ended.at)
    }

    private func emit(_ event: String, _ payload: String, from socket: BenchSocket) async throws {
        let sent = EventLoad.now()
        try await socket.emit(event, payload)
        totals.record(\.acknowledgement, from: sent, to: EventLoad.now())
    }

    private func pass(
        _ event: String,
        _ member: String,
        _ callID: String,
        from sender: BenchSocket,
        to receiver: BenchSocket,
        heardAs name: String? = nil
    ) async throws {
        let sent = EventLoad.now()
        async let acknowledged: Void = emit(event, "{\"callId\":\"\(callID)\",\(member)}", from: sender)
        let heard = try await receiver.next(name ?? event)
        totals.record(\.event, from: sent, to: heard.at)
        try await acknowledged
    }

    private func toggle(_ what: String, _ callID: String, from: BenchSocket, to: BenchSocket) async throws {
        try await pass("toggle-\(what)", "\"enabled\":false", callID, from: from, to: to, heardAs: "\(what)-toggled")
    }

    private func candidates(_ callID: String, from sender: BenchSocket, to receiver: BenchSocket) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.candidatesEachWay {
                let stamp = SignalStamp(number: UInt64(number), due: EventLoad.now())
                let payload = "{\"callId\":\"\(callID)\",\"candidate\":\(stamp.candidate)}"
                // Written here, one after the other; only the wait for the answers is shared.
                let answer = sender.begin("ice-candidate", payload)
                group.addTask { [totals] in
                    try await answer.accepted()
                    totals.record(\.acknowledgement, from: stamp.due, to: EventLoad.now())
                }
            }
            var ledger = SignalLedger()
            for _ in 0..<Self.candidatesEachWay {
                let heard = try await receiver.next("ice-candidate")
                guard let stamp = SignalStamp(in: heard.payload), ledger.take(stamp.number) else {
                    throw CallBenchFailure("a candidate came twice or out of order")
                }
                totals.record(\.event, from: stamp.due, to: heard.at)
            }
            try await group.waitForAll()
        }
    }

    /// A session description about as long as a browser's for audio and video.
    private static func description(_ type: String) -> String {
        "{\"type\":\"\(type)\",\"sdp\":\"\(sdp)\"}"
    }

    private static let sdp: String =
        "v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\n"
        + String(repeating: "a=rtpmap:111 opus/48000/2\\r\\na=fmtp:111 minptime=10;useinbandfec=1\\r\\n", count: 40)
}

/// What the scripts of a load count together.
final class TotalsBox: Sendable {
    private let totals = Locked(CallTotals())

    var current: CallTotals { totals.withLock { $0 } }

    /// Changes the totals.
    func update(_ change: (inout CallTotals) -> Void) { totals.withLock { change(&$0) } }

    /// Records how long something took.
    func record(_ recorder: any WritableKeyPath<CallTotals, LatencyRecorder> & Sendable, from: Instant, to: Instant) {
        let nanoseconds = to > from ? to.nanoseconds - from.nanoseconds : 0
        totals.withLock { $0[keyPath: recorder].record(nanoseconds: nanoseconds) }
    }
}
