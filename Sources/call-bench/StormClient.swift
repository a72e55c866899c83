import CallBench
import NIOCore
import NetPrimitives

/// One of the clients of a storm: knows which event it heard last, and whether it heard all.
final class StormClient: Sendable {
    private struct State {
        var ledger = SignalLedger()
        var lastSequence: UInt64 = 0
        var socket: BenchSocket?
    }

    let user: BenchUser
    let callID: String
    private let state: NIOLoopBoundBox<State>
    private let loop: any EventLoop

    init(user: BenchUser, callID: String, loop: any EventLoop) {
        self.user = user
        self.callID = callID
        self.loop = loop
        state = .makeBoxSendingValue(State(), eventLoop: loop)
    }

    /// Listens on a socket that has joined the call, whose acknowledgement was `answer`.
    func listen(_ socket: BenchSocket, answer: String) async throws {
        try await loop.submit { [self] in
            attach(to: socket)
            take(answer)
        }.get()
    }

    /// Joins the call where the last socket was lost. What follows the acknowledgement is heard after it.
    private func resume(on socket: BenchSocket) async throws {
        let answered = loop.makePromise(of: String.self)
        loop.execute { [self] in
            attach(to: socket)
            let after = state.value.lastSequence
            let payload = "{\"callId\":\"\(callID)\",\"afterSeq\":\(after)}"
            socket.handler.value.emit("join-call", payload) { [self] answer in
                take(answer)
                answered.succeed(answer)
            }
            socket.handler.value.onClose = { answered.fail(CallBenchFailure("the connection was lost")) }
        }
        let answer = try await answered.futureResult.get()
        guard answer.hasPrefix(#"{"ok":true"#) else { throw CallBenchFailure("join-call was refused: \(answer)") }
    }

    private func attach(to socket: BenchSocket) {
        state.value.socket = socket
        socket.handler.value.onEvent = { [weak self] _, payload in
            self?.hear(payload)
            return true
        }
    }

    private func take(_ answer: String) {
        // The call as it is when we join has all events up to its number behind it.
        state.value.lastSequence = max(state.value.lastSequence, PayloadText.sequence(in: answer) ?? 0)
        for stamp in SignalStamp.all(in: answer) { state.value.ledger.take(stamp.number) }
    }

    private func hear(_ payload: String) {
        if let sequence = PayloadText.sequence(in: payload) {
            state.value.lastSequence = max(state.value.lastSequence, sequence)
        }
        if let stamp = SignalStamp(in: payload) { state.value.ledger.take(stamp.number) }
    }

    /// Sends candidates and waits for their acknowledgements.
    func send(_ numbers: Range<UInt64>) async throws {
        guard let socket = try await loop.submit({ [self] in state.value.socket }).get() else { return }
        for number in numbers {
            let stamp = SignalStamp(number: number, due: EventLoad.now())
            try await socket.emit("ice-candidate", "{\"callId\":\"\(callID)\",\"candidate\":\(stamp.candidate)}")
        }
    }

    /// What was heard so far.
    func ledger() async throws -> SignalLedger { try await loop.submit { [self] in state.value.ledger }.get() }

    /// Loses the connection.
    func cut() {
        loop.execute { [self] in
            let socket = state.value.socket
            state.value.socket = nil
            socket?.cut()
        }
    }

    /// Connects and resumes the call; answers how often the connection was refused or broken off before that.
    func comeBack(_ context: BenchContext, until deadline: Instant) async throws -> Int {
        var retries = 0
        while true {
            do {
                let socket = try await context.connect(user)
                try await resume(on: socket)
                return retries
            } catch {
                guard EventLoad.now() < deadline else { throw error }
                retries += 1
                try await Task.sleep(for: .milliseconds(Int.random(in: 200...600)))
            }
        }
    }
}
