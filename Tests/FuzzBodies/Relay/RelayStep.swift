import NetPrimitives
import STUNCore
import TURNRelay

/// One step of a history.
enum RelayStep {
    static func take(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        switch input.index(17) {
        case 0..<5: try request(RelayRequestText(&input), in: &world)
        case 5: try damagedRequest(&input, in: &world)
        case 6: try again(&input, in: &world)
        case 7, 8: try send(&input, in: &world)
        case 9, 10: try channelData(&input, in: &world)
        case 11, 12: try peerSends(&input, in: &world)
        case 13: try passTime(&input, in: &world)
        case 14 where input.byte() < 128: try errorComes(&input, in: &world)
        case 14: world.opening = input.pick(RelayWorld.Opening.allCases)
        case 15: try order(&input, in: &world)
        default: try raw(&input, in: &world)
        }
    }

    private static func request(_ request: RelayRequestText, in world: inout RelayWorld) throws(FuzzFinding) {
        let bytes = request.bytes(nonce: try world.nonce(of: request.flow), token: world.token)
        world.last = (request, bytes)
        if try world.exchange(request, bytes) { try GrantProbe.check(request, in: &world) }
    }

    /// A good request with a few bytes changed, so that it fails late.
    private static func damagedRequest(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        let request = RelayRequestText(&input)
        var bytes = request.bytes(nonce: try world.nonce(of: request.flow), token: world.token)
        for _ in 0...input.index(3) where !bytes.isEmpty {
            bytes[Int(input.uint16()) % bytes.count] ^= max(1, input.byte())
        }
        guard let answer = try world.deliver(bytes, from: request.flow).first else { return }
        let message = try parse(answer.bytes.span.rawBytes)
        // What stands behind the seal may change, and two changes may cancel each other: then the request is good still.
        guard request.method != .binding, message.type == MessageType(request.method, .success) else { return }
        try world.enter(message, to: request)
    }

    /// The last request once more, from where it came or from elsewhere.
    private static func again(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        guard let last = world.last else { return }
        if input.byte() < 192 {
            try world.exchange(last.request, last.bytes)
        } else {
            let flow = input.pick(RelayCast.flows)
            let isTaken = try world.exchange(last.request.sent(from: flow), last.bytes)
            // Whoever knows the bytes alone gets nothing from elsewhere: a nonce belongs to its address, at any port.
            let isAtHome = flow.client.address == last.request.flow.client.address
            try expect(isAtHome || !isTaken || last.request.method == .binding, "a nonce is good at \(flow.client)")
        }
    }

    private static func send(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        let flow = input.pick(RelayCast.flows)
        let peer = input.pick(RelayCast.peers)
        let bits = input.byte()
        var bytes = GrantProbe.sendIndication(
            to: peer,
            payload: input.take(Int(bits & 31)),
            dontFragment: bits & 64 != 0
        )
        if bits & 128 != 0, !bytes.isEmpty { bytes[Int(input.byte()) % bytes.count] ^= max(1, input.byte()) }
        _ = try world.deliver(bytes, from: flow)
    }

    private static func channelData(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        let flow = input.pick(RelayCast.flows)
        let number = input.pick(RelayCast.channels)
        let length = input.byte()
        let payload = input.take(Int(length & 31))
        // Now and then the length says more than there is.
        let told = length & 128 == 0 ? payload.count : Int(length)
        _ = try world.deliver(GrantProbe.channelData(number, payload, length: UInt16(told)), from: flow)
    }

    private static func peerSends(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        guard !world.everOpened.isEmpty else { return }
        let socket = world.everOpened[input.index(world.everOpened.count)]
        let peer = input.pick(RelayCast.peers)
        try world.hear(Int(input.uint16()), from: peer, on: socket)
    }

    private static func errorComes(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        guard !world.everOpened.isEmpty else { return }
        let socket = world.everOpened[input.index(world.everOpened.count)]
        let peer = input.pick(RelayCast.peers)
        let source = Endpoint(address: peer.address, port: 50_000)
        let error = ICMPError(
            source: source,
            peer: peer,
            type: input.byte(),
            code: input.byte(),
            errorData: UInt32(input.uint16())
        )
        // More than one, for the budget.
        for _ in 0...input.index(12) { try world.hear(error, on: socket) }
    }

    private static func passTime(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        let seconds: [UInt32] = [0, 1, 29, 31, 120, 299, 300, 301, 599, 600, 601, 3_599, 3_600]
        world.advance(bySeconds: input.pick(seconds))
        let limits = [0, 0, 1, 100]
        try world.sweep(limit: input.pick(limits))
    }

    private static func order(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        switch input.byte() {
        case 0..<100: try world.endCall(input.byte() & 1 == 0 ? "call" : "other")
        case 100..<128: try world.closeAll()
        case 128..<192: world.drain(true)
        default: world.drain(false)
        }
    }

    private static func raw(_ input: inout FuzzInput, in world: inout RelayWorld) throws(FuzzFinding) {
        let flow = input.pick(RelayCast.flows)
        _ = try world.deliver(input.take(Int(input.byte())), from: flow)
    }
}
