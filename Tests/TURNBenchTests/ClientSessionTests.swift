import NetPrimitives
import STUNCore
import TURNBench
import TestSupport
import Testing

@Suite("Client sessions")
struct ClientSessionTests {
    private static let peer = Endpoint(address: IPAddress(ipv4: 0x7F00_0001), port: 4000)
    private static let relayed = Endpoint(address: IPAddress(ipv4: 0x7F00_0001), port: 50_000)
    private static let credential = LoadCredential(username: "user", password: "pass")

    /// A session and the server that answers it, as a script has it.
    private struct Conversation {
        var session: ClientSession
        var generator = SeededGenerator(seed: 1)

        init(_ mode: LoadMode = .channel) {
            session = ClientSession(credential: credential, peer: peer, mode: mode)
            session.start(using: &generator)
        }

        /// What the session asks now, by method, and whether it is sealed rightly.
        func request() -> (method: MessageMethod, isSealed: Bool, nonce: String?)? {
            let span = session.pending.span
            // SAFETY: bytes have no padding.
            guard let message = try? MessageView(parsing: unsafe span.bytes) else { return nil }
            let key = IntegrityKey.longTerm(username: "user", realm: "realm", password: "pass")
            return (message.type.method, message.verifyIntegrity(.sha1, key: key), message.text(.nonce))
        }

        /// Answers the pending request; whether the session wants to send again.
        mutating func answer(_ messageClass: MessageClass, _ body: (inout MessageBuilder) -> Void = { _ in }) -> Bool {
            guard let (type, transactionID) = asked() else { return false }
            return hear(stunMessage(MessageType(type.method, messageClass), transactionID, body))
        }

        private func asked() -> (MessageType, TransactionID)? {
            let span = session.pending.span
            // SAFETY: bytes have no padding.
            guard let message = try? MessageView(parsing: unsafe span.bytes) else { return nil }
            return (message.type, message.transactionID)
        }

        /// Hands the session some bytes; whether it wants to send again.
        mutating func hear(_ bytes: [UInt8]) -> Bool {
            let span = bytes.span
            // SAFETY: bytes have no padding.
            return unsafe session.receive(span.bytes, using: &generator)
        }

        mutating func challenge(_ code: ErrorCode, nonce: String) -> Bool {
            answer(.error) { builder in
                builder.appendErrorCode(code)
                builder.appendRealm("realm")
                builder.appendNonce(nonce)
            }
        }
    }

    @Test("from the first Allocate to the last Refresh", arguments: LoadMode.allCases)
    func life(mode: LoadMode) throws {
        var conversation = Conversation(mode)
        #expect(conversation.request()?.method == .allocate && conversation.request()?.isSealed == false)
        let sends1 = conversation.challenge(.unauthenticated, nonce: "one")
        #expect(sends1)
        let allocate = try #require(conversation.request())
        #expect(allocate.method == .allocate && allocate.isSealed && allocate.nonce == "one")
        let sends2 = conversation.answer(.success) { $0.appendXORAddress(.xorRelayedAddress, Self.relayed) }
        #expect(sends2)
        #expect(conversation.session.relayed == Self.relayed)
        let way = try #require(conversation.request())
        #expect(way.method == (mode == .channel ? .channelBind : .createPermission) && way.isSealed)
        let sends3 = conversation.answer(.success)
        #expect(!sends3)
        #expect(conversation.session.phase == .ready && conversation.session.pending.isEmpty)

        conversation.session.renew(using: &conversation.generator)
        #expect(conversation.request()?.method == .refresh)
        let sends4 = conversation.challenge(.staleNonce, nonce: "two")
        #expect(sends4)
        #expect(conversation.request()?.nonce == "two")
        let sends5 = conversation.answer(.success)
        #expect(sends5)
        #expect(conversation.request()?.method == way.method)
        let sends6 = conversation.answer(.success)
        #expect(!sends6)
        #expect(conversation.session.phase == .ready)

        conversation.session.end(using: &conversation.generator)
        #expect(conversation.request()?.method == .refresh)
        let sends7 = conversation.answer(.success)
        #expect(!sends7)
        #expect(conversation.session.phase == .ended)
    }

    @Test("a refusal is said in the server's words, and a second 401 is its last")
    func refusals() {
        var full = Conversation()
        let sends8 = full.challenge(.unauthenticated, nonce: "one")
        #expect(sends8)
        let asksAgain = full.answer(.error) { $0.appendErrorCode(.allocationQuotaReached) }
        #expect(!asksAgain)
        #expect(full.session.phase == .failed("486 Allocation Quota Reached"))

        var stranger = Conversation()
        let sends9 = stranger.challenge(.unauthenticated, nonce: "one")
        #expect(sends9)
        let sends10 = stranger.challenge(.unauthenticated, nonce: "two")
        #expect(!sends10)
        guard case .failed(let reason) = stranger.session.phase else {
            Issue.record("a second 401 was taken for a challenge")
            return
        }
        #expect(reason.hasPrefix("401"))
    }

    @Test("a server that only ever sends new nonces is given up")
    func endlessNonces() {
        var conversation = Conversation()
        var rounds = 0
        while conversation.challenge(rounds == 0 ? .unauthenticated : .staleNonce, nonce: "\(rounds)") { rounds += 1 }
        #expect(rounds < 10)
        guard case .failed = conversation.session.phase else {
            Issue.record("it goes on")
            return
        }
    }

    @Test("answers to other requests, repeated ones and rubbish change nothing")
    func strangers() {
        var conversation = Conversation()
        let before = conversation.session.pending
        let foreign = stunMessage(MessageType(.allocate, .success)) { builder in
            builder.appendXORAddress(.xorRelayedAddress, Self.relayed)
        }
        for bytes in [foreign, [], [1, 2, 3], before] {
            let wantsToSend = conversation.hear(bytes)
            #expect(!wantsToSend)
        }
        #expect(conversation.session.phase == .allocating && conversation.session.pending == before)
    }

    @Test("a payload is found again behind every wrapping", arguments: [24, 25, 26, 27, 160])
    func wrappings(payloadByteCount: Int) throws {
        for (speech, mode) in [(ServerAddress.Speech.turn, LoadMode.channel), (.turn, .indication), (.floor, .channel)]
        {
            let (prefix, padding) = Wrapping.towardsServer(
                speech,
                mode,
                flow: 77,
                peer: Self.peer,
                payloadByteCount: payloadByteCount
            )
            let payload = [UInt8](repeating: 9, count: payloadByteCount)
            var bytes = prefix + payload + [UInt8](repeating: 0, count: padding)
            if mode == .indication, speech == .turn {
                #expect(Self.peer(ofSend: bytes) == Self.peer)
                // What comes back is a Data indication.
                bytes[1] = 0x17
            }
            let range = try #require(Self.payload(of: bytes, speech))
            #expect(Array(bytes[range]) == payload)
        }
        #expect(Self.payload(of: [0x40, 0x01, 0, 9, 1], .turn) == nil)
        #expect(Self.payload(of: [0x01, 0x03, 0, 0], .turn) == nil)
    }

    private static func payload(of bytes: [UInt8], _ speech: ServerAddress.Speech) -> Range<Int>? {
        let span = bytes.span
        // SAFETY: bytes have no padding.
        return unsafe Wrapping.payload(of: span.bytes, speech)
    }

    private static func peer(ofSend bytes: [UInt8]) -> Endpoint? {
        let span = bytes.span
        // SAFETY: bytes have no padding.
        guard let message = try? MessageView(parsing: unsafe span.bytes) else { return nil }
        return message.type == MessageType(.send, .indication) ? message.xorAddress(.xorPeerAddress) : nil
    }

    private static func registration(_ bytes: [UInt8]) -> FloorMessage? {
        let span = bytes.span
        // SAFETY: bytes have no padding.
        return unsafe FloorMessage(parsing: span.bytes)
    }

    @Test("registrations are read as they were written")
    func registrations() {
        let endpoints = [Self.peer, Endpoint(address: IPAddress(ipv6High: 1, low: 2), port: 9)]
        for endpoint in endpoints {
            let message = FloorMessage(flow: 5, endpoint: endpoint)
            #expect(Self.registration(message.bytes) == message)
            #expect(Self.registration(Array(message.bytes.dropLast())) == nil)
        }
    }
}
