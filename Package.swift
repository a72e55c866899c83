// swift-tools-version: 6.3
import PackageDescription

/// Set by `make fuzz`: the cores are then instrumented, and the program that fuzzes them is built. An ordinary build knows
/// nothing of it.
let isFuzzing = Context.environment["CALLRELAY_FUZZ"] != nil

/// Edge and comparison coverage, which leads libFuzzer on, and assertions in spite of the optimiser.
let instrumentation: [SwiftSetting] =
    isFuzzing
    ? [
        .unsafeFlags([
            "-sanitize-coverage=edge,indirect-calls,trace-cmp,inline-8bit-counters,pc-table",
            "-assert-config", "Debug",
        ])
    ]
    : []

/// Every own target is held to the same profile; warnings are errors here and only here, not in dependencies.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// For targets that store a `RawSpan` inside a view type: only the `Lifetimes` feature lets such a type say that it
/// lives no longer than the bytes it reads.
let borrowing: [SwiftSetting] = strict + instrumentation + [.enableExperimentalFeature("Lifetimes")]

/// libFuzzer's own loop without its `main` is part of the compiler's runtime.
let fuzzing: [Target] =
    isFuzzing
    ? [
        .target(name: "CFuzzDriver", path: "Fuzz/CFuzzDriver"),
        .executableTarget(
            name: "fuzz",
            dependencies: ["CFuzzDriver", "FuzzBodies", "NetPrimitives"],
            path: "Fuzz/Fuzz",
            swiftSettings: borrowing,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]
        ),
    ]
    : []

let package = Package(
    name: "callrelay",
    products: [
        .executable(name: "callrelay", targets: ["callrelay"]),
        .executable(name: "socketio-echo", targets: ["socketio-echo"]),
        .executable(name: "turn-bench", targets: ["turn-bench"]),
        .executable(name: "call-bench", targets: ["call-bench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "NetPrimitives", swiftSettings: borrowing),
        .target(
            name: "STUNCore",
            dependencies: ["NetPrimitives", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: borrowing
        ),
        .target(
            name: "STUNServer",
            dependencies: ["NetPrimitives", "STUNCore", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: borrowing
        ),
        .target(
            name: "TURNRelay",
            dependencies: ["NetPrimitives", "STUNCore", "STUNServer"],
            swiftSettings: borrowing
        ),
        .target(name: "Locking", swiftSettings: strict),
        .target(name: "CPacketIO"),
        .target(name: "PacketIO", dependencies: ["CPacketIO", "NetPrimitives"], swiftSettings: borrowing),
        .target(
            name: "RelayRuntime",
            dependencies: ["Locking", "NetPrimitives", "PacketIO", "STUNCore", "STUNServer", "TURNRelay"],
            swiftSettings: borrowing
        ),
        .target(name: "SocketIO", dependencies: ["NetPrimitives"], swiftSettings: borrowing),
        .target(name: "CallModel", swiftSettings: strict),
        .target(name: "Signaling", dependencies: ["CallModel", "NetPrimitives", "SocketIO"], swiftSettings: strict),
        .target(name: "RoomEvents", dependencies: ["CallModel", "SocketIO"], swiftSettings: strict),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Postgres",
            dependencies: ["CPostgres", "Locking", .product(name: "NIOPosix", package: "swift-nio")],
            swiftSettings: strict
        ),
        .target(
            name: "CallStore",
            dependencies: [
                "CallModel", "Locking", "Postgres",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CallService",
            dependencies: ["CallModel", "CallStore", "Locking", "RoomEvents", "Signaling", "SocketIO"],
            swiftSettings: strict
        ),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(
            name: "Redis",
            dependencies: ["CHiredis", "Locking", .product(name: "NIOPosix", package: "swift-nio")],
            swiftSettings: strict
        ),
        .target(
            name: "Cluster",
            dependencies: ["CallModel", "CallService", "Locking", "Redis", "Signaling", "SocketIO"],
            swiftSettings: strict
        ),
        .target(
            name: "Webhook",
            dependencies: [
                "CallModel", "CallService",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Matrix",
            dependencies: [
                "CallModel", "CallService", "CallStore", "Locking", "RoomEvents",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SignalingGateway",
            dependencies: [
                "Locking", "NetPrimitives", "SocketIO",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "Observability",
            dependencies: [
                "Locking",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .target(name: "CallPage", resources: [.embedInCode("web")], swiftSettings: strict),
        .target(
            name: "CallAPI",
            dependencies: [
                "CallModel", "CallPage", "CallService", "Locking", "NetPrimitives", "Signaling", "SocketIO",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            resources: [.embedInCode("openapi.json")],
            swiftSettings: strict
        ),
        .target(name: "ServerConfiguration", dependencies: ["NetPrimitives"], swiftSettings: strict),
        .executableTarget(
            name: "callrelay",
            dependencies: [
                "CallAPI", "CallModel", "CallService", "CallStore", "Cluster", "Locking", "Matrix", "NetPrimitives",
                "Observability", "PacketIO", "Postgres", "Redis", "RelayRuntime", "STUNServer", "ServerConfiguration",
                "Signaling",
                "SignalingGateway", "SocketIO",
                "TURNRelay", "Webhook",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "socketio-echo",
            dependencies: [
                "Locking", "SocketIO", "SignalingGateway",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "BenchCore",
            dependencies: ["NetPrimitives", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: borrowing
        ),
        .target(name: "BenchSupport", swiftSettings: strict),
        .target(name: "TURNBench", dependencies: ["BenchCore", "NetPrimitives", "STUNCore"], swiftSettings: borrowing),
        .executableTarget(
            name: "turn-bench",
            dependencies: [
                "BenchCore", "BenchSupport", "CPacketIO", "NetPrimitives", "PacketIO", "STUNServer", "TURNBench",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: borrowing
        ),
        .target(name: "CallBench", dependencies: ["BenchCore", "NetPrimitives"], swiftSettings: borrowing),
        .executableTarget(
            name: "call-bench",
            dependencies: [
                "BenchCore", "BenchSupport", "CallBench", "Locking", "NetPrimitives", "PacketIO", "SocketIO",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "turn-simulation",
            dependencies: [
                "BenchSupport", "NetPrimitives", "STUNCore", "STUNServer", "TURNRelay", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/TURNSimulation",
            swiftSettings: borrowing
        ),
        .executableTarget(
            name: "scale-simulation",
            dependencies: [
                "BenchSupport", "Cluster", "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/ScaleSimulation",
            swiftSettings: strict
        ),
        .target(
            name: "TestSupport",
            dependencies: ["NetPrimitives", "STUNCore"],
            path: "Tests/TestSupport",
            swiftSettings: borrowing
        ),
        .target(
            name: "CallStoreTestSupport",
            dependencies: [
                "CallModel", "CallStore", "Locking", "Postgres", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/CallStoreTestSupport",
            swiftSettings: strict
        ),
        .target(
            name: "FuzzBodies",
            dependencies: ["NetPrimitives", "STUNCore", "STUNServer", "TURNRelay"],
            path: "Tests/FuzzBodies",
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "FuzzBodiesTests",
            dependencies: ["FuzzBodies", "NetPrimitives", "STUNCore", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(
            name: "NetPrimitivesTests",
            dependencies: ["NetPrimitives", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "STUNCoreTests",
            dependencies: ["NetPrimitives", "STUNCore", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "STUNServerTests",
            dependencies: ["NetPrimitives", "STUNCore", "STUNServer", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "TURNRelayTests",
            dependencies: ["NetPrimitives", "STUNCore", "STUNServer", "TURNRelay", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(name: "BenchCoreTests", dependencies: ["BenchCore", "NetPrimitives"], swiftSettings: borrowing),
        .testTarget(
            name: "CallBenchTests",
            dependencies: ["BenchCore", "CallBench", "NetPrimitives"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "TURNBenchTests",
            dependencies: ["NetPrimitives", "STUNCore", "STUNServer", "TURNBench", "TestSupport"],
            swiftSettings: borrowing
        ),
        .testTarget(name: "LockingTests", dependencies: ["Locking"], swiftSettings: strict),
        .testTarget(name: "ObservabilityTests", dependencies: ["Observability"], swiftSettings: strict),
        .testTarget(
            name: "PacketIOTests",
            dependencies: ["CPacketIO", "PacketIO", "NetPrimitives"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "RelayRuntimeTests",
            dependencies: [
                "Locking", "NetPrimitives", "PacketIO", "RelayRuntime", "STUNCore", "STUNServer", "TURNRelay",
            ],
            swiftSettings: borrowing
        ),
        .testTarget(name: "SocketIOTests", dependencies: ["SocketIO", "NetPrimitives"], swiftSettings: strict),
        .testTarget(
            name: "SignalingGatewayTests",
            dependencies: [
                "Locking", "SignalingGateway", "SocketIO",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "CallModelTests", dependencies: ["CallModel"], swiftSettings: strict),
        .testTarget(
            name: "SignalingTests",
            dependencies: ["CallModel", "NetPrimitives", "Signaling", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RoomEventsTests",
            dependencies: ["CallModel", "RoomEvents", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "PostgresTests",
            dependencies: ["CallStoreTestSupport", "Locking", "Postgres"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CallStoreTests",
            dependencies: [
                "CallModel", "CallStore", "CallStoreTestSupport", "Locking", "Postgres",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CallServiceTests",
            dependencies: [
                "CallModel", "CallService", "CallStore", "CallStoreTestSupport", "Locking", "Signaling", "SocketIO",
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "RedisTests", dependencies: ["Locking", "Redis"], swiftSettings: strict),
        .testTarget(
            name: "ClusterTests",
            dependencies: ["CallModel", "CallService", "Cluster", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WebhookTests",
            dependencies: ["CallModel", "Webhook", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "MatrixTests",
            dependencies: [
                "CallModel", "CallService", "CallStore", "Locking", "Matrix",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "CallPageTests", dependencies: ["CallPage"], swiftSettings: strict),
        .testTarget(
            name: "CallAPITests",
            dependencies: [
                "CallAPI", "CallModel", "CallService", "CallStore", "Locking", "NetPrimitives", "Signaling", "SocketIO",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ServerConfigurationTests",
            dependencies: ["ServerConfiguration", "NetPrimitives"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "callrelayTests",
            dependencies: [
                "callrelay", "CallModel", "CallService", "CallStore", "CallStoreTestSupport", "Locking",
                "NetPrimitives", "RelayRuntime", "STUNServer", "ServerConfiguration", "Signaling", "SocketIO",
                "TURNRelay",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
    ] + fuzzing,
    swiftLanguageModes: [.v6]
)
