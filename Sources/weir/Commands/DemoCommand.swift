import ArgumentParser
import Logging
import MetricModel
import Topology

/// `weir demo`: the whole pipeline on this host, in one process.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run the whole pipeline on this host: agent, broker, subscriber, SQLite.",
        discussion: """
            Prints a line a second on what flows, ends on Ctrl-C or after --for, and closes with this host's latest \
            metrics and the commands to try next. The data stays in --data-dir.

            With --topology it runs a stage of 'weir compare' instead, each part a process, under a workload that is played: \
            \(ShippedStages.names.joined(separator: ", ")), or a file of one's own.
            """)

    @Option(
        help: ArgumentHelp("Run a stage instead of the pipeline of this host.", valueName: "stage|file"))
    var topology: String?

    @Option(help: ArgumentHelp("Where everything is kept (default: ./weir-data).", valueName: "dir"))
    var dataDir: String?

    @Option(name: .customLong("for"), help: ArgumentHelp("End after this long, such as 30s.", valueName: "duration"))
    var duration: Duration?

    @Option(help: ArgumentHelp("The broker's port on 127.0.0.1 (default: 9092; 0: any free).", valueName: "port"))
    var brokerPort: Int?

    @Option(help: ArgumentHelp("Time between two collections (default: 1s).", valueName: "duration"))
    var interval: Duration?

    @OptionGroup var selfMetrics: SelfMetricsOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "demo")
        if let topology { return try await run(topology: topology, settings) }
        let logger = try log.logger(settings, "weir.demo", default: .warning)
        var configuration = DemoConfiguration(
            dataDirectory: try settings.value(dataDir, "data-dir", default: "./weir-data"))
        configuration.brokerPort = try settings.value(brokerPort, "broker-port", default: 9092)
        guard (0...65_535).contains(configuration.brokerPort) else {
            throw CommandError("--broker-port is \(configuration.brokerPort); a port is from 0 to 65535")
        }
        configuration.interval = try settings.value(interval, "interval", default: .seconds(1))
        configuration.selfMetricsInterval = try selfMetrics.interval(settings)
        let duration = try settings.value(duration, "for")

        let pipeline = DemoPipeline(configuration: configuration, logger: logger)
        let status = DemoStatusService(pipeline: pipeline, duration: duration)
        try await weir.run(pipeline.services + [status], logger: logger)
        print(try DemoSummary(configuration: configuration, brokerAddress: await pipeline.brokerAddress()).text)
    }

    private func run(topology: String, _ settings: Settings) async throws {
        let logger = try log.logger(settings, "weir.demo", default: .warning)
        let stage = try ShippedStages.stage(named: topology) ?? Self.stage(inFile: topology)
        var load = stage.load
        if let interval = try settings.value(interval, "interval") {
            load.intervalMilliseconds = max(10, Int(interval / .milliseconds(1)))
        }
        let workplace = try ComparisonDirectory(dataDir)
        defer { workplace.remove() }
        let service = StageDemoService(
            stage: stage, load: load, directory: workplace.path, duration: try settings.value(duration, "for"))
        try await weir.run([service], logger: logger)
    }

    /// A name without a dot or a slash was meant as a stage's.
    private static func stage(inFile path: String) throws -> Stage {
        path.contains(".") || path.contains("/") ? try Stage(path: path) : try shippedStage(named: path)
    }
}
