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
    targets: [
        .target(name: "NetPrimitives", swiftSettings: borrowing),
        .target(name: "CallPage", resources: [.embedInCode("web")], swiftSettings: strict),
        .testTarget(name: "CallPageTests", dependencies: ["CallPage"], swiftSettings: strict),
        .testTarget(name: "NetPrimitivesTests", dependencies: ["NetPrimitives"], swiftSettings: borrowing),
    ],
    swiftLanguageModes: [.v6]
)
