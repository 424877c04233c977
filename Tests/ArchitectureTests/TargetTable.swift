/// The table of targets in the design, top to bottom: what each may import of ours, and of others' packages.
///
/// A target may also import what its imports may. A new target, or a new arrow between two, is a change of the design:
/// make it here and in docs/ARCHITECTURE.md together.
struct TargetRule {
    var name: String
    var imports: [String]
    /// The modules of other packages it may import; nil where the table leaves it open (services, stores, commands).
    var packages: Set<String>?

    init(_ name: String, imports: [String], packages: Set<String>? = nil) {
        self.name = name
        self.imports = imports
        self.packages = packages
    }
}

let targetTable: [TargetRule] = [
    TargetRule("CZlib", imports: [], packages: []),
    TargetRule("CLZ4", imports: [], packages: []),
    TargetRule("CZstd", imports: [], packages: []),
    TargetRule("CSnappy", imports: [], packages: []),
    TargetRule("CCRC32C", imports: [], packages: []),
    TargetRule("CCachedRead", imports: [], packages: []),
    TargetRule("CMalloc", imports: [], packages: []),

    TargetRule("Instruments", imports: [], packages: ["CoreMetrics"]),
    TargetRule("MetricModel", imports: [], packages: []),
    TargetRule("MetricRegistry", imports: ["MetricModel", "Instruments"], packages: ["CoreMetrics"]),
    TargetRule("RecordBatch", imports: ["CZlib", "CLZ4", "CZstd", "CSnappy", "CCRC32C"], packages: ["NIOCore"]),
    TargetRule("KafkaProtocol", imports: ["RecordBatch"], packages: ["NIOCore"]),
    TargetRule("CommitLog", imports: ["RecordBatch", "CCachedRead"], packages: ["NIOCore"]),
    TargetRule("Broker", imports: ["KafkaProtocol", "CommitLog", "Instruments"]),
    TargetRule("KafkaClient", imports: ["KafkaProtocol"]),
    TargetRule("Aggregation", imports: ["MetricModel"], packages: []),
    TargetRule("SeriesStore", imports: ["MetricModel", "Aggregation"]),
    TargetRule("PromQL", imports: ["MetricModel"], packages: []),
    TargetRule("MetricAgent", imports: ["MetricModel", "MetricRegistry", "CommitLog", "KafkaClient"]),
    TargetRule("Subscriber", imports: ["KafkaClient", "Aggregation", "SeriesStore", "PromQL", "Instruments"]),
    TargetRule("Dashboards", imports: [], packages: []),
    TargetRule("QueryAPI", imports: ["PromQL", "SeriesStore", "Dashboards"]),
    TargetRule(
        "Topology",
        imports: ["Broker", "KafkaClient", "MetricAgent", "Subscriber", "SeriesStore", "QueryAPI", "Dashboards"]),
    TargetRule("weir", imports: ["CMalloc", "Topology", "Broker", "MetricAgent", "Subscriber", "QueryAPI", "PromQL"]),

    TargetRule("ProtocolGenerator", imports: [], packages: []),
]

/// What comes with Swift and its platform, and counts as nobody's package.
let platformModules: Set<String> = [
    "Swift", "Synchronization", "Glibc", "Musl", "Darwin", "Dispatch", "FoundationEssentials", "Foundation",
    "RegexBuilder",
]

extension [TargetRule] {
    /// Everything of ours that a target may import: its imports and theirs; nil for a target that is not in the table.
    func allowed(for name: String) -> Set<String>? {
        guard let rule = first(where: { $0.name == name }) else { return nil }
        return rule.imports.reduce(into: Set(rule.imports)) { $0.formUnion(allowed(for: $1) ?? []) }
    }
}
