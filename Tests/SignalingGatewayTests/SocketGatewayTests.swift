import Locking
import NIOCore
import SignalingGateway
import SocketIO
import Testing

@Suite("Socket gateway")
struct SocketGatewayTests {
    @Test("requests outside the sockets' path reach the router, on one connection with those inside")
    func router() async throws {
        try await withServer(ScriptedApplication()) { client, _ in
            #expect(try await client.request("GET", "/hello").body == "from the router")
            #expect(try await client.request("GET", "/socket.io").status == 404)
            let both = try await client.exchange(
                "GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(both.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "400", "200"])
        }
    }

    @Test("a poll may wait longer than an idle connection may, also where the router was asked before")
    func idleTimeout() async throws {
        try await withServer(ScriptedApplication(), configure: { $0.idleTimeout = .milliseconds(50) }) { client, _ in
            let sid = try await client.open()
            async let both = client.exchange(
                "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /socket.io/?EIO=4&transport=polling&sid=\(sid) HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            try await Task.sleep(for: .milliseconds(300))
            try await client.post(sid, "40")
            // The exchange ends because the connection is closed once it is idle.
            #expect(try await both.contains("40{\"sid\":"))
        }
    }

    @Test("a body has its time as a whole, however steadily it trickles", arguments: ["/hello", "/socket.io/"])
    func trickle(_ target: String) async throws {
        try await withServer(ScriptedApplication(), configure: { $0.bodyTimeout = .milliseconds(300) }) { client, _ in
            let head = "POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\nConnection: close\r\n\r\n"
            let pieces = [head] + Array(repeating: "x", count: 60)
            let taken = try await client.trickle(pieces, every: .milliseconds(50))
            #expect(taken < pieces.count)
        }
    }

    @Test("a connection that is to close does so after a large answer has gone out whole")
    func largeAnswer() async throws {
        let text = String(repeating: "x", count: 900_000)
        let application = ScriptedApplication(onAccepted: { socket in
            for _ in 0..<4 { socket.emit("large", [.string(text)]) }
        })
        try await withServer(application, configure: { $0.engine.maximumOutboundBytes = 4 << 20 }) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            #expect(try await client.packets(sid, count: 5).map(\.utf8.count).reduce(0, +) > 3_600_000)
        }
    }

    @Test("the application learns where a client comes from, and of its header only what is kept")
    func handshake() async throws {
        let application = ScriptedApplication()
        try await withServer(application) { client, _ in
            let fields = "X-Forwarded-For: 192.0.2.1\r\nX-Secret: no\r\nX-FORWARDED-FOR: 192.0.2.2\r\n"
            let opening = try await client.request("GET", "/socket.io/?EIO=4&transport=polling", fields: fields)
            let sid = String(opening.body.dropFirst(9).prefix(20))
            try await client.post(sid, "40{\"token\":\"x\"}")
            _ = try await client.packets(sid, count: 1)
            let request = try #require(application.connects.first)
            #expect(request.auth?.text == "{\"token\":\"x\"}" && request.namespace == "/")
            #expect(request.handshake.remoteAddress == "127.0.0.1")
            #expect(request.handshake.values(of: "x-forwarded-for") == ["192.0.2.1", "192.0.2.2"])
            #expect(request.handshake.headerFields.count == 3)
        }
    }

    @Test("a refusal carries message and data")
    func refusal() async throws {
        let application = ScriptedApplication(decision: .refuse(message: "no", data: ["code": "bad_token"]))
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            let packets = try await client.packets(sid, count: 1)
            #expect(packets == ["44{\"message\":\"no\",\"data\":{\"code\":\"bad_token\"}}"])
            #expect(application.log == ["connect / nothing"])
        }
    }

    @Test("where nothing can be said the connection closes")
    func unavailable() async throws {
        let application = ScriptedApplication(decision: .unavailable)
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            #expect(try await client.packets(sid, count: 2) == ["1"])
            #expect(application.log == ["connect / nothing"])
        }
    }

    @Test("what was emitted before a disconnection still goes out, in order")
    func disconnect() async throws {
        let application = ScriptedApplication(onAccepted: { socket in
            for number in 0..<5 { socket.emit("count", [.integer(number)]) }
            socket.disconnect(closeTransport: true)
            socket.emit("lost", [])
        })
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            let packets = try await client.packets(sid, count: 8)
            #expect(Array(packets.dropFirst()) == (0..<5).map { "42[\"count\",\($0)]" } + ["41", "1"])
        }
        #expect(application.log == ["connect / nothing", "accepted", "disconnected forced server close"])
    }

    @Test("who leaves before the decision is reported gone, if the decision was to let them in")
    func impatience() async throws {
        let gate = Gate()
        let application = ScriptedApplication(onConnect: { await gate.pass() })
        try await withServer(application) { client, gateway in
            let sid = try await client.open()
            try await client.post(sid, "40")
            await gate.untilSomebodyWaits()
            try await client.post(sid, "1")
            await gate.open()
            await gateway.shutDown()
        }
        #expect(application.log == ["connect / nothing", "disconnected transport close"])
    }

    @Test("what is emitted once an event is answered comes after the answer")
    func afterTheAnswer() async throws {
        let application = ScriptedApplication(onReceive: { event, _ in SocketReply([.string(event.name)]) })
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            try await client.post(sid, "421[\"a\"]")
            #expect(try await client.packets(sid, count: 2) == ["431[\"a\"]", "42[\"after\",\"a\"]"])
        }
    }

    @Test("the application hears one thing at a time, in order, and the end last")
    func order() async throws {
        let application = ScriptedApplication(onReceive: { event, _ in
            for _ in 0..<(event.name.utf8.reduce(0) { $0 &* 31 &+ Int($1) } % 21) { await Task.yield() }
            return SocketReply([.string(event.name)])
        })
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            let names = (0..<50).map { "e\($0)" }
            try await client.post(
                sid,
                names.enumerated().map { "42\($0.offset)[\"\($0.element)\"]" }.joined(separator: "\u{1E}")
            )
            let packets = try await client.packets(sid, count: 100).filter { $0.hasPrefix("43") }
            #expect(packets == names.enumerated().map { "43\($0.offset)[\"\($0.element)\"]" })
            try await client.post(sid, "42[\"last\"]\u{1E}1")
        }
        let names = (0..<50).map { "e\($0)" } + ["last"]
        let expected = ["connect / nothing", "accepted"] + names.flatMap { ["begin \($0)", "end \($0)"] }
        #expect(application.log == expected + ["disconnected transport close"])
    }

    @Test("events that the application takes without waiting are under way together; others wait for those before them")
    func begun() async throws {
        let replies = Locked<[@Sendable (SocketReply?) -> Void]>([])
        let application = ScriptedApplication(
            onBegin: { event, reply in
                guard event.name.hasPrefix("quick") else { return false }
                replies.withLock { $0.append(reply) }
                return true
            },
            onReceive: { event, _ in SocketReply([.string(event.name)]) }
        )
        try await withServer(application) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            let names = ["quick 1", "quick 2", "slow", "quick 3"]
            try await client.post(
                sid,
                names.enumerated().map { "42\($0.offset)[\"\($0.element)\"]" }.joined(separator: "\u{1E}")
            )
            let opening = ["connect / nothing", "accepted"]
            #expect(application.log == opening + ["take quick 1", "take quick 2"])
            replies.withLock { replies in
                replies[1](SocketReply(["second"]))
                replies[0](SocketReply(["first"]))
            }
            let packets = try await client.packets(sid, count: 4)
            #expect(packets == ["431[\"second\"]", "430[\"first\"]", "432[\"slow\"]", "42[\"after\",\"slow\"]"])
            while replies.withLock({ $0.count }) < 3 { await Task.yield() }
            replies.withLock { $0[2](nil) }
            try await client.post(sid, "1")
        }
        let quick = ["take quick 1", "take quick 2", "begin slow", "end slow", "take quick 3"]
        #expect(application.log == ["connect / nothing", "accepted"] + quick + ["disconnected transport close"])
    }

    @Test("a body is acknowledged only when the application has caught up")
    func backlog() async throws {
        let gate = Gate()
        let application = ScriptedApplication(onReceive: { _, _ in
            await gate.pass()
            return nil
        })
        let configure: (inout GatewayConfiguration) -> Void = { $0.backlogEvents = 4 }
        try await withServer(application, configure: configure) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            let flag = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let body = (0..<20).map { "42[\"e\($0)\"]" }.joined(separator: "\u{1E}")
                    let answer = try await client.post(sid, body)
                    if answer.body == "ok" { flag.raise() }
                }
                await gate.untilSomebodyWaits()
                #expect(!flag.isRaised)
                await gate.open()
                try await group.waitForAll()
            }
            #expect(flag.isRaised)
            #expect(application.log.filter { $0.hasPrefix("end") }.count >= 18)
        }
    }

    @Test("a client that sends more than can wait is cut")
    func flood() async throws {
        let gate = Gate()
        let application = ScriptedApplication(onReceive: { _, _ in
            await gate.pass()
            return nil
        })
        let configure: (inout GatewayConfiguration) -> Void = { $0.maximumBacklogEvents = 10 }
        try await withServer(application, configure: configure) { client, _ in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            try await client.post(sid, (0..<12).map { "42[\"e\($0)\"]" }.joined(separator: "\u{1E}"))
            #expect(try await client.packets(sid, count: 2) == ["1"])
            await gate.open()
        }
        #expect(application.log.last == "disconnected backlog exceeded")
    }

    @Test("who is not admitted hears 403")
    func admission() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { configuration in
            configuration.admits = { $0.values(of: "host").first?.hasPrefix("127.0.0.1") == true }
        }
        try await withServer(ScriptedApplication(), configure: configure) { client, gateway in
            let answer = try await client.request("GET", "/socket.io/?EIO=4&transport=polling")
            #expect(answer.status == 403 && answer.body == "{\"code\":4,\"message\":\"Forbidden\"}")
            #expect(try await client.webSocketStatus() == 403)
            #expect(gateway.sessionCount == 0)
        }
    }

    @Test("foreign pages get no WebSocket and may not read, unless they are listed")
    func origins() async throws {
        let configure: (inout GatewayConfiguration) -> Void = { $0.cors = CORSPolicy(list: "https://a.example") }
        try await withServer(ScriptedApplication(), configure: configure) { client, _ in
            var client = client
            for (origin, status, header) in [
                (nil, 101, nil), ("http://localhost:\(client.port)", 101, nil), ("https://b.example", 403, nil),
                ("null", 403, nil), ("https://a.example", 101, "Access-Control-Allow-Origin: https://a.example"),
            ] as [(String?, Int, String?)] {
                client.origin = origin
                #expect(try await client.webSocketStatus() == status, "\(origin ?? "none")")
                let head = try await client.request("GET", "/socket.io/?EIO=4&transport=polling").head
                #expect(head.contains("Access-Control-Allow-Origin") == (header != nil))
                #expect(header.map(head.contains) ?? true)
            }
        }
    }

    @Test("no more sessions than allowed")
    func sessionLimit() async throws {
        try await withServer(ScriptedApplication(), configure: { $0.maximumSessions = 2 }) { client, gateway in
            let first = try await client.open()
            _ = try await client.open()
            #expect(try await client.request("GET", "/socket.io/?EIO=4&transport=polling").status == 503)
            #expect(try await client.webSocketStatus() == 503)
            #expect(gateway.sessionCount == 2)
            try await client.post(first, "1")
            _ = try await client.poll(first)
            #expect(try await client.request("GET", "/socket.io/?EIO=4&transport=polling").status == 200)
        }
    }

    @Test("shutting down tells clients and application, and lets nobody in any more")
    func shutDown() async throws {
        let application = ScriptedApplication()
        try await withServer(application) { client, gateway in
            let sid = try await client.open()
            try await client.post(sid, "40")
            _ = try await client.packets(sid, count: 1)
            await gateway.shutDown()
            #expect(application.log.last == "disconnected server shutting down")
            #expect(try await client.packets(sid, count: 2) == ["1"])
            #expect(try await client.request("GET", "/socket.io/?EIO=4&transport=polling").status == 503)
        }
    }
}

/// Something to wait at until a test opens it.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var watchers: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        guard !isOpen else { return }
        for watcher in watchers { watcher.resume() }
        watchers = []
        await withCheckedContinuation { waiting.append($0) }
    }

    func untilSomebodyWaits() async {
        guard waiting.isEmpty else { return }
        await withCheckedContinuation { watchers.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}

/// Something that has happened, or not yet.
final class Flag: Sendable {
    private let state = Locked(false)

    var isRaised: Bool { state.withLock { $0 } }

    func raise() { state.withLock { $0 = true } }
}
