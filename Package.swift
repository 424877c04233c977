// swift-tools-version: 6.2
import PackageDescription

/// Strictness shared by every target of our own.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

extension Target.Dependency {
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let histogram = product(name: "Histogram", package: "hdrhistogram-swift")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let logging = product(name: "Logging", package: "swift-log")
    static let coreMetrics = product(name: "CoreMetrics", package: "swift-metrics")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let collections = product(name: "Collections", package: "swift-collections")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let sqlite = product(name: "GRDBSQLite", package: "GRDB.swift")
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let yams = product(name: "Yams", package: "Yams")
    static let systemPackage = product(name: "SystemPackage", package: "swift-system")
}

// A target depends only on targets above it; Tests/ArchitectureTests holds the list to that.
let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .library(name: "KafkaClient", targets: ["KafkaClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.9.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.3.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.5.0"),
    ],
    targets: [
        // MARK: C libraries
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLZ4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CSnappy", providers: [.apt(["libsnappy-dev"])]),
        .target(name: "CCRC32C"),
        .target(name: "CCachedRead"),
        .systemLibrary(name: "CMalloc"),

        // MARK: The pipeline, top to bottom
        .target(name: "Instruments", dependencies: [.coreMetrics], swiftSettings: strict),
        .target(name: "MetricModel", swiftSettings: strict),
        .target(
            name: "MetricRegistry", dependencies: ["MetricModel", "Instruments", .coreMetrics], swiftSettings: strict),
        .target(
            name: "RecordBatch", dependencies: [.nioCore, "CZlib", "CLZ4", "CZstd", "CSnappy", "CCRC32C"],
            swiftSettings: strict),
        .target(name: "KafkaProtocol", dependencies: ["RecordBatch", .nioCore], swiftSettings: strict),
        .target(name: "CommitLog", dependencies: ["RecordBatch", "CCachedRead", .nioCore], swiftSettings: strict),
        .target(
            name: "Broker",
            dependencies: [
                "Instruments", "KafkaProtocol", "RecordBatch", "CommitLog", .nioCore, .nioPosix, .logging,
                .coreMetrics, .serviceLifecycle, .collections,
            ], swiftSettings: strict),
        .target(
            name: "KafkaClient",
            dependencies: [
                "KafkaProtocol", "RecordBatch", .nioCore, .nioPosix, .logging, .serviceLifecycle, .collections,
            ], swiftSettings: strict),
        .target(name: "Aggregation", dependencies: ["MetricModel"], swiftSettings: strict),
        .target(
            name: "SeriesStore", dependencies: ["MetricModel", "Aggregation", .grdb, .sqlite, .logging],
            swiftSettings: strict),
        .target(name: "PromQL", dependencies: ["MetricModel"], swiftSettings: strict),
        .target(
            name: "MetricAgent",
            dependencies: [
                "Instruments", "MetricModel", "MetricRegistry", "RecordBatch", "KafkaProtocol", "CommitLog",
                "KafkaClient", .nioCore, .nioPosix, .logging, .coreMetrics, .serviceLifecycle, .collections,
            ], swiftSettings: strict),
        .target(
            name: "Subscriber",
            dependencies: [
                "Instruments", "MetricModel", "RecordBatch", "KafkaProtocol", "KafkaClient", "Aggregation",
                "SeriesStore", "PromQL", .histogram, .nioCore, .nioPosix, .yams, .logging, .coreMetrics,
                .serviceLifecycle,
            ], swiftSettings: strict),
        .target(
            name: "Dashboards", path: "dashboards",
            resources: [.embedInCode("compare.html"), .embedInCode("compare.css"), .embedInCode("compare.js")],
            swiftSettings: strict),
        .target(
            name: "Topology",
            dependencies: [
                "Instruments", "MetricModel", "MetricRegistry", "KafkaProtocol", "Broker", "KafkaClient", "Aggregation",
                "MetricAgent", "Subscriber", "SeriesStore", "Dashboards", .nioCore, .nioPosix, .yams, .logging,
                .serviceLifecycle,
            ], swiftSettings: strict),
        .executableTarget(
            name: "weir",
            dependencies: [
                "CMalloc", "Instruments", "MetricModel", "MetricRegistry", "RecordBatch", "KafkaProtocol", "CommitLog",
                "Broker", "KafkaClient", "Aggregation", "MetricAgent", "Subscriber", "SeriesStore", "PromQL",
                "Topology", .argumentParser, .configuration, .yams, .systemPackage, .logging, .serviceLifecycle,
                .unixSignals, .nioCore, .nioPosix,
            ], swiftSettings: strict),

        // MARK: Tools
        .executableTarget(name: "ProtocolGenerator", swiftSettings: strict),

        // MARK: Tests
        .target(
            name: "TestKit",
            dependencies: ["KafkaProtocol", "RecordBatch", "CommitLog", .nioCore, .nioPosix, .logging],
            path: "Tests/TestKit",
            swiftSettings: strict),
        .testTarget(name: "ArchitectureTests", dependencies: ["ProtocolGenerator"], swiftSettings: strict),
        .testTarget(name: "MetricModelTests", dependencies: ["MetricModel", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "MetricRegistryTests",
            dependencies: ["MetricRegistry", "Instruments", "MetricModel", "TestKit", .coreMetrics],
            swiftSettings: strict),
        .testTarget(
            name: "RecordBatchTests", dependencies: ["RecordBatch", "TestKit", .nioCore], exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "KafkaProtocolTests",
            dependencies: ["KafkaProtocol", "ProtocolGenerator", "RecordBatch", "TestKit", .nioCore],
            exclude: ["Fixtures", "make_golden.py"], swiftSettings: strict),
        .testTarget(
            name: "CommitLogTests", dependencies: ["CommitLog", "RecordBatch", "TestKit", .nioCore],
            swiftSettings: strict),
        .testTarget(
            name: "BrokerTests",
            dependencies: [
                "Broker", "CommitLog", "Instruments", "KafkaProtocol", "MetricModel", "MetricRegistry", "RecordBatch",
                "TestKit", .nioCore, .nioPosix, .logging, .collections, .coreMetrics,
            ], swiftSettings: strict),
        .testTarget(
            name: "KafkaClientTests",
            dependencies: [
                "KafkaClient", "KafkaProtocol", "RecordBatch", "Broker", "TestKit", .nioCore, .nioPosix, .nioEmbedded,
                .logging,
            ], swiftSettings: strict),
        .testTarget(
            name: "AggregationTests", dependencies: ["Aggregation", "MetricModel", "TestKit"], swiftSettings: strict),
        .testTarget(
            name: "SeriesStoreTests",
            dependencies: ["SeriesStore", "Aggregation", "MetricModel", "TestKit", .grdb, .logging],
            swiftSettings: strict),
        .testTarget(name: "PromQLTests", dependencies: ["PromQL", "MetricModel"], swiftSettings: strict),
        .testTarget(
            name: "MetricAgentTests",
            dependencies: [
                "MetricAgent", "MetricModel", "MetricRegistry", "Instruments", "CommitLog", "RecordBatch",
                "KafkaProtocol", "Broker", "KafkaClient", "TestKit", .nioCore, .logging, .serviceLifecycle,
                .coreMetrics,
            ], exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "SubscriberTests",
            dependencies: [
                "Subscriber", "SeriesStore", "Aggregation", "MetricModel", "MetricRegistry", "RecordBatch",
                "KafkaProtocol", "Broker", "KafkaClient", "TestKit", .nioCore, .logging, .serviceLifecycle,
            ], swiftSettings: strict),
        .testTarget(
            name: "TopologyTests",
            dependencies: ["Topology", "SeriesStore", "MetricModel", "TestKit", .nioCore, .nioPosix, .logging],
            swiftSettings: strict),
        .testTarget(
            name: "WeirTests",
            dependencies: [
                "weir", "TestKit", "SeriesStore", "MetricModel", "CommitLog", "RecordBatch", "KafkaProtocol",
                "KafkaClient", "Topology", "Instruments", "MetricAgent", .nioCore, .logging, .grdb,
            ], swiftSettings: strict),
    ]
)
