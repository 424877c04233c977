// swift-tools-version: 6.2
import PackageDescription

// The decoders of the package above, compiled with coverage and address checks, and a libFuzzer program for each group
// of them. `Sources` links to the very sources, so that nothing there has to be built or exported for this; `scripts/fuzz`
// builds and runs it.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
/// Testable, since many decoders are internal to their target.
let watched = strict + [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])]
let linked: [LinkerSetting] = [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
}

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + ["Fuzzing"], swiftSettings: watched, linkerSettings: linked)
}

let package = Package(
    name: "weir-fuzzing",
    dependencies: [.package(url: "https://github.com/apple/swift-nio", from: "2.90.0")],
    targets: [
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CLZ4"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CSnappy"),
        .systemLibrary(name: "CLibFuzzer"),
        .target(name: "CCRC32C"),
        .target(name: "CCachedRead"),
        .target(name: "MetricModel", swiftSettings: watched),
        .target(name: "PromQL", dependencies: ["MetricModel"], swiftSettings: watched),
        .target(
            name: "RecordBatch", dependencies: [.nioCore, "CZlib", "CLZ4", "CZstd", "CSnappy", "CCRC32C"],
            swiftSettings: watched),
        .target(name: "KafkaProtocol", dependencies: ["RecordBatch", .nioCore], swiftSettings: watched),
        .target(name: "CommitLog", dependencies: ["RecordBatch", "CCachedRead", .nioCore], swiftSettings: watched),
        .target(name: "Aggregation", dependencies: ["MetricModel"], swiftSettings: watched),
        // Of the series store and of the broker what reads bytes and needs neither SQLite nor sockets.
        .target(
            name: "Chunks", dependencies: ["MetricModel", "Aggregation"], exclude: ["ChunkTable.swift"],
            swiftSettings: watched),
        .target(
            name: "BrokerFiles", dependencies: ["KafkaProtocol", "RecordBatch", "CommitLog", .nioCore],
            swiftSettings: watched),

        // What the fuzzers share is not watched: only the decoders' branches should guide the search.
        .target(name: "Fuzzing", dependencies: ["CLibFuzzer"], swiftSettings: strict),
        fuzzer("FuzzMetrics", ["MetricModel", "PromQL", "Chunks"]),
        fuzzer("FuzzRecords", ["RecordBatch", .nioCore]),
        fuzzer("FuzzMessages", ["KafkaProtocol", "BrokerFiles", .nioCore]),
        fuzzer("FuzzLog", ["CommitLog", "RecordBatch", .nioCore]),
    ]
)
