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
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")
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
        .target(name: "CPacketIO"),
        .target(name: "PacketIO", dependencies: ["CPacketIO", "NetPrimitives"], swiftSettings: borrowing),
        .target(
            name: "RelayRuntime",
            dependencies: ["NetPrimitives", "PacketIO", "STUNServer", "TURNRelay"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "PacketIOTests",
            dependencies: ["PacketIO", "NetPrimitives"],
            swiftSettings: borrowing
        ),
        .testTarget(
            name: "RelayRuntimeTests",
            dependencies: ["NetPrimitives", "PacketIO", "RelayRuntime", "STUNCore", "STUNServer", "TURNRelay"],
            swiftSettings: borrowing
        ),
    ],
    swiftLanguageModes: [.v6]
)
