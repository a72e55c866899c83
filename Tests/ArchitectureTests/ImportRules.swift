/// What a target's sources may import.
struct ImportRule {
    /// Targets of this package, one or more steps down the arrows.
    let own: Set<String>
    /// Modules from elsewhere: the toolchain's, the system's, other packages'.
    let foreign: Set<String>
}

/// The arrows of the architecture, written out. A target that is missing here fails the test, so that a new one
/// cannot slip past it.
enum ImportRules {
    private static let relayCore: Set = ["NetPrimitives", "STUNCore", "STUNServer", "TURNRelay"]
    private static let callCore: Set = ["CallModel", "Signaling", "SocketIO"]

    static let byTarget: [String: ImportRule] = [
        "NetPrimitives": ImportRule(own: [], foreign: []),
        "STUNCore": ImportRule(own: ["NetPrimitives"], foreign: ["Crypto"]),
        "STUNServer": ImportRule(own: ["NetPrimitives", "STUNCore"], foreign: ["Crypto"]),
        // Atomics for `LiveRelayPorts` alone.
        "TURNRelay": ImportRule(own: ["NetPrimitives", "STUNCore", "STUNServer"], foreign: ["Synchronization"]),
        "Locking": ImportRule(own: [], foreign: ["Synchronization"]),
        "CPacketIO": ImportRule(own: [], foreign: []),
        "PacketIO": ImportRule(own: ["NetPrimitives", "CPacketIO"], foreign: ["Glibc"]),
        "RelayRuntime": ImportRule(
            own: relayCore.union(["Locking", "PacketIO"]),
            foreign: ["Glibc", "Synchronization", "Logging"]
        ),
        "BenchCore": ImportRule(own: ["NetPrimitives"], foreign: ["Histogram"]),
        "BenchSupport": ImportRule(own: [], foreign: ["FoundationEssentials", "Glibc"]),
        "TURNBench": ImportRule(own: ["BenchCore", "NetPrimitives", "STUNCore"], foreign: []),
        "CallBench": ImportRule(own: ["BenchCore", "NetPrimitives"], foreign: []),
        "SocketIO": ImportRule(own: ["NetPrimitives"], foreign: []),
        "CallModel": ImportRule(own: [], foreign: []),
        "Signaling": ImportRule(own: ["CallModel", "NetPrimitives", "SocketIO"], foreign: []),
        "RoomEvents": ImportRule(own: ["CallModel", "SocketIO"], foreign: []),
        "CPostgres": ImportRule(own: [], foreign: []),
        "Postgres": ImportRule(own: ["CPostgres", "Locking"], foreign: ["Glibc", "NIOPosix"]),
        "CallStore": ImportRule(own: ["CallModel", "Locking", "Postgres"], foreign: ["Crypto", "GRDB", "Glibc"]),
        "CallService": ImportRule(
            own: callCore.union(["CallStore", "Locking", "RoomEvents"]),
            foreign: ["Synchronization"]
        ),
        "CHiredis": ImportRule(own: [], foreign: []),
        "Redis": ImportRule(own: ["CHiredis", "Locking"], foreign: ["Glibc", "NIOPosix"]),
        "Cluster": ImportRule(own: callCore.union(["CallService", "Locking", "Redis"]), foreign: []),
        "Webhook": ImportRule(
            own: ["CallModel", "CallService"],
            foreign: ["AsyncHTTPClient", "Crypto", "Foundation", "NIOCore", "NIOHTTP1"]
        ),
        "Matrix": ImportRule(
            own: ["CallModel", "CallService", "CallStore", "Locking", "RoomEvents"],
            foreign: ["AsyncHTTPClient", "Crypto", "Foundation", "NIOCore", "NIOHTTP1", "Synchronization"]
        ),
        "SignalingGateway": ImportRule(
            own: callCore.union(["CallService", "Locking", "NetPrimitives"]),
            foreign: [
                "Crypto", "Foundation", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging",
                "NIOConcurrencyHelpers",
                "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "NIOWebSocket",
                "Synchronization",
            ]
        ),
        "CallPage": ImportRule(own: [], foreign: ["Crypto"]),
        "CallAPI": ImportRule(
            own: callCore.union(["CallPage", "CallService", "Locking", "NetPrimitives"]),
            foreign: [
                "Crypto", "Foundation", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore",
            ]
        ),
        "Observability": ImportRule(
            own: ["Locking"],
            foreign: ["Foundation", "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "ServiceLifecycle"]
        ),
        "ServerConfiguration": ImportRule(own: ["NetPrimitives"], foreign: ["Foundation"]),
    ]

    /// The cores: no socket, no clock, no lock, no randomness of their own, no `async`.
    static let cores: Set = [
        "NetPrimitives", "STUNCore", "STUNServer", "TURNRelay", "BenchCore", "TURNBench", "CallBench", "SocketIO",
        "CallModel", "Signaling", "RoomEvents",
    ]

    /// Executables compose; they may import anything that they declare.
    static let executables: Set = ["callrelay", "socketio-echo", "turn-bench", "call-bench"]

    /// The imports of one source file that its target's rule does not allow.
    static func violations(target: String, source: String) -> [String] {
        guard let rule = byTarget[target] else { return ["target \(target) has no rule"] }
        return SourceText.imports(in: source)
            .filter { !rule.own.contains($0) && !rule.foreign.contains($0) }
            .map { "\(target) must not import \($0)" }
    }
}
