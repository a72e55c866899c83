import HTTPTypes
import Hummingbird
import Locking
import Logging
import Matrix
import NIOCore

/// A homeserver that says what a test wants it to say, and counts how often it is asked.
final class StubHomeserver: Sendable {
    struct Answer: Sendable {
        var status: HTTPResponse.Status = .ok
        var body: String
        var location: String?
        /// Bytes of nothing behind the body.
        var padding = 0
    }

    private struct State {
        var answers: [String: Answer] = [:]
        var asked: [(path: String, query: String?, token: String?)] = []
        var isHeld = false
    }

    private let state = Locked(State())

    /// What is answered at a path, its query apart, in the form in which it is sent.
    func answer(_ path: String, _ answer: Answer?) { state.withLock { $0.answers[path] = answer } }

    /// The same with a body and status 200.
    func answer(_ path: String, _ body: String) { answer(path, Answer(body: body)) }

    /// The paths that were asked for, each with the token that came along.
    var asked: [(path: String, query: String?, token: String?)] { state.withLock { $0.asked } }

    /// Lets requests wait, or go on.
    func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    /// Runs `work` with the URL of this server.
    func serve(_ work: @escaping @Sendable (_ url: String) async throws -> Void) async throws {
        let router = Router()
        router.get("/**") { request, _ in await self.respond(to: request) }
        router.put("/**") { request, _ in await self.respond(to: request) }
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        var logger = Logger(label: "stub")
        logger.logLevel = .critical
        let application = Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in told.yield(channel.localAddress?.port ?? 0) },
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for await port in ports {
                try await work("http://127.0.0.1:\(port)")
                break
            }
            group.cancelAll()
            // A server that is cancelled ends with an error or without; neither is the test's matter.
            while await group.nextResult() != nil {}
        }
    }

    private func respond(to request: Request) async -> Response {
        let path = request.uri.path
        let token = request.headers[.authorization].map { String($0.dropFirst("Bearer ".count)) }
        let answer = state.withLock { state in
            state.asked.append((path, request.uri.query, token))
            return state.answers[path]
        }
        while state.withLock({ $0.isHeld }) { await Task.yield() }
        guard let answer else {
            return Response(
                status: .notFound,
                body: ResponseBody(byteBuffer: ByteBuffer(string: #"{"errcode":"M_NOT_FOUND"}"#))
            )
        }
        var headers: HTTPFields = [:]
        headers[.location] = answer.location
        let text = answer.body + String(repeating: " ", count: answer.padding)
        return Response(
            status: answer.status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}

/// A clock that stands until it is moved.
final class HandClock: Sendable {
    private let moved = Locked(Duration.zero)
    private let start = ContinuousClock.now

    var now: ContinuousClock.Instant { start + moved.withLock { $0 } }

    func advance(by duration: Duration) { moved.withLock { $0 += duration } }
}
