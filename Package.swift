// swift-tools-version: 6.3
import PackageDescription

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
let borrowing: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

let package = Package(
    name: "callrelay",
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    ],
    targets: [
        .target(name: "NetPrimitives", swiftSettings: borrowing),
        .target(name: "SocketIO", dependencies: ["NetPrimitives"], swiftSettings: borrowing),
        .target(name: "CallModel", swiftSettings: strict),
        .target(name: "Signaling", dependencies: ["CallModel", "SocketIO"], swiftSettings: strict),
        .target(
            name: "CallStore",
            dependencies: [
                "CallModel",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "CallService",
            dependencies: ["CallModel", "CallStore", "Signaling", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(name: "CallModelTests", dependencies: ["CallModel"], swiftSettings: strict),
        .testTarget(
            name: "SignalingTests",
            dependencies: ["Signaling", "CallModel", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CallServiceTests",
            dependencies: ["CallService", "CallStore", "Signaling", "CallModel", "SocketIO"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CallStoreTests",
            dependencies: ["CallModel", "CallStore", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict
        ),
    ],
    swiftLanguageModes: [.v6]
)
