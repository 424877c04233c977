import ArgumentParser
import Glibc
import KafkaClient
import Logging
import MetricModel
import Topology

/// `weir compare`: builds pipelines of growing size, measures them, breaks them, and shows the difference.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Build pipelines from one direct link to a shared cluster, measure and break each, and compare.",
        discussion: """
            Each stage is built with real processes of this program, on free ports of 127.0.0.1, given the same work, and \
            disturbed in the same ways; what was published is compared with what is in the databases, sample by sample. \
            Everything it starts ends with it. docs/topologies.md tells what comes out and how stages are written.

              weir compare --quick                               all stages in three minutes
              weir compare --report ./comparison                 takes twenty, and writes a page
              weir compare --stage pubsub --print-stage > mine.yaml
              weir compare --topology mine.yaml --only steady,faults
              weir compare --from b/comparison.json --baseline a/comparison.json     do two runs agree?
            """)

    @Flag(help: "Shorter runs: about three minutes in all.")
    var quick = false

    @Option(
        name: .customLong("stage"),
        help: ArgumentHelp(
            "Only these of the shipped stages: \(ShippedStages.names.joined(separator: ", ")).", valueName: "name,…"))
    var stageNames: NameList?

    @Option(
        help: ArgumentHelp("A stage of one's own, in YAML; may be given several times.", valueName: "file"))
    var topology: [String] = []

    @Flag(help: "Print the YAML of the stages instead of running them.")
    var printStage = false

    @Option(help: ArgumentHelp("Hosts that publishers play (default: 100).", valueName: "n"))
    var hosts: Int?

    @Option(help: ArgumentHelp("Series of each host (default: 200).", valueName: "n"))
    var series: Int?

    @Option(help: ArgumentHelp("Time between two collections (default: 1s).", valueName: "duration"))
    var interval: Duration?

    @Option(help: ArgumentHelp("Log and activity events a second, each (default: 1000).", valueName: "n"))
    var events: Int?

    @Option(
        help: ArgumentHelp("Samples a second to find a stage's limit with (default: 100000).", valueName: "n"))
    var peak: Int?

    @Option(
        help: ArgumentHelp(
            "What to find out (default: all): "
                + ComparisonOptions.Part.allCases.map(\.rawValue).joined(separator: ",") + ".", valueName: "part,…"))
    var only: NameList?

    @Option(help: ArgumentHelp("Write a page, JSON and CSV there.", valueName: "dir"))
    var report: String?

    @Option(help: ArgumentHelp("Compare with the comparison.json of an earlier report.", valueName: "file"))
    var baseline: String?

    @Option(
        help: ArgumentHelp(
            "Show the comparison.json of an earlier report instead of running. With --baseline: also end with status 1 "
                + "unless both agree in every count, and within 20 % in CPU per million samples.", valueName: "file"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "A Kafka cluster of yours in place of the brokers; it is neither killed nor cut off.",
            valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(
        help: ArgumentHelp(
            "Where processes keep their files while they run (default: a temporary directory).", valueName: "dir"))
    var directory: String?

    @Option(help: "table or json (default: table).")
    var format: ListFormat?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try await common.settings(for: "compare")
        let stages = try selectedStages()
        if printStage { return try printStages() }
        let earlier = try baseline.map { try Comparison(baseline: $0) }
        if let from { return try show(from, earlier, settings) }
        let workplace = try ComparisonDirectory(directory)
        defer { workplace.remove() }
        var options = ComparisonOptions(stages: stages, directory: workplace.path)
        options.isQuick = quick
        options.load = try load(settings, stages)
        options.peakSamplesPerSecond = try settings.value(peak, "peak", default: options.peakSamplesPerSecond)
        guard options.peakSamplesPerSecond >= 1 else { throw CommandError("--peak is 1 at least") }
        if let only { options.parts = try parts(only.names) }
        if let addresses = try settings.value(bootstrap, "bootstrap")?.addresses {
            try await checkAnswers(addresses)
            options.bootstrap = addresses.map { "\($0)" }
        }
        options.command = CommandLine.arguments.map(\.quotedForTheShell).joined(separator: " ")
        options.version = Weir.configuration.version

        let show = ComparisonProgressLine()
        let service = ComparisonService(try ComparisonRunner(options) { await show.show($0) })
        try await weir.run([service], logger: Logger(label: "weir.compare") { _ in SwiftLogNoOpLogHandler() })
        await show.clear()
        guard let comparison = service.comparison else { throw ExitCode(130) }
        let tables = tables(of: comparison, since: earlier)
        if let report { try ComparisonReport(comparison, stages: stages, tables: tables).write(to: report) }
        try print(comparison, tables, settings)
    }

    private func tables(of comparison: Comparison, since earlier: Comparison?) -> [QuestionTable] {
        ComparisonTables(comparison).all
            + (earlier.flatMap { ComparisonTables.changes(since: $0, in: comparison) }.map { [$0] } ?? [])
    }

    private func print(_ comparison: Comparison, _ tables: [QuestionTable], _ settings: Settings) throws {
        switch try settings.value(format, "format", default: .table) {
        case .json: Swift.print(try ComparisonReport.json(comparison))
        case .table:
            let isColored = isatty(STDOUT_FILENO) == 1
            Swift.print(tables.map { $0.text(isColored: isColored) }.joined(separator: "\n\n\n"))
            if let report { Swift.print("\nThe page: \(report)/index.html") }
        }
    }

    /// What an earlier run has found out; with another one beside it, whether both say the same.
    private func show(_ path: String, _ earlier: Comparison?, _ settings: Settings) throws {
        guard report == nil else { throw CommandError("--report writes what a run finds out; leave out --from") }
        let comparison = try Comparison(baseline: path)
        try print(comparison, tables(of: comparison, since: earlier), settings)
        if let earlier, !ComparisonAgreement(earlier, comparison).holds { throw ExitCode.failure }
    }

    /// How long a cluster of the user's may take to say who it is.
    private static let clusterPatience = Duration.seconds(5)

    /// A publisher waits for a cluster that cannot be reached; a comparison with none has nothing to wait for.
    private func checkAnswers(_ addresses: [BrokerAddress]) async throws {
        var configuration = ClientConfiguration(bootstrap: addresses, clientID: "weir-compare")
        configuration.connectTimeout = Self.clusterPatience
        configuration.requestTimeout = Self.clusterPatience
        let cluster = Cluster(
            configuration: configuration, logger: Logger(label: "weir.compare") { _ in SwiftLogNoOpLogHandler() })
        defer { cluster.close() }
        do {
            _ = try await cluster.refreshMetadata()
        } catch {
            throw CommandError("the cluster of --bootstrap does not answer: \(error)")
        }
    }

    private func selectedStages() throws -> [Stage] {
        var stages = try topology.map { try Stage(path: $0) }
        if let stageNames {
            stages = try stageNames.names.map { try shippedStage(named: $0) } + stages
        } else if topology.isEmpty {
            stages = try ShippedStages.all()
        }
        var names: Set<String> = []
        for stage in stages where !names.insert(stage.name).inserted {
            throw CommandError("two stages are called '\(stage.name)'; names tell them apart")
        }
        return stages
    }

    private func printStages() throws {
        let names = stageNames?.names ?? ShippedStages.names
        for text in ShippedStages.texts where names.contains(text.name) { Swift.print(text.yaml) }
    }

    private func parts(_ names: [String]) throws -> Set<ComparisonOptions.Part> {
        Set(
            try names.map { name in
                guard let part = ComparisonOptions.Part(rawValue: name) else {
                    let known = ComparisonOptions.Part.allCases.map(\.rawValue).joined(separator: ", ")
                    throw CommandError("--only: there is no '\(name)'; known are \(known)")
                }
                return part
            })
    }

    /// The flags', else what a single stage of one's own declares, else the defaults.
    private func load(_ settings: Settings, _ stages: [Stage]) throws -> StageLoad {
        var load = stages.count == 1 ? stages[0].load : StageLoad()
        load.hosts = try settings.value(hosts, "hosts", default: load.hosts)
        load.series = try settings.value(series, "series", default: load.series)
        load.events = try settings.value(events, "events", default: load.events)
        if let interval = try settings.value(interval, "interval") {
            guard interval >= .milliseconds(10) else { throw CommandError("--interval is 10ms at least") }
            load.intervalMilliseconds = Int(interval / .milliseconds(1))
        }
        guard min(load.hosts, load.series, load.events) >= 1 else {
            throw CommandError("--hosts, --series and --events are 1 at least")
        }
        return load
    }
}

/// A shipped stage, or an error that lists them.
func shippedStage(named name: String) throws -> Stage {
    guard let stage = try ShippedStages.stage(named: name) else {
        throw CommandError(
            "there is no stage '\(name)'; shipped are \(ShippedStages.names.joined(separator: ", ")), and --topology "
                + "takes a file of your own")
    }
    return stage
}
