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

let package = Package(
    name: "callrelay",
    targets: [
        .target(name: "CallModel", swiftSettings: strict),
        .testTarget(name: "CallModelTests", dependencies: ["CallModel"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
