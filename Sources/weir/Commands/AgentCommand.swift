import ArgumentParser
import Instruments
import MetricAgent
import Topology

/// `weir agent`: collects this host's metrics and publishes them.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Collect this host's metrics and publish them, each kind to its own topic.",
        discussion: """
            Samples go to the spool on disk first. What is collected while the brokers cannot be reached arrives when \
            they are back; what the spool has accepted is sent until it is acknowledged, also across restarts.

            Where there is no broker, --direct publishes straight to subscribers ('weir subscriber --direct'): without a \
            spool, so what they do not take in time is lost, and counted (docs/direct.md).

            Before a host goes away: stop its agent, then 'weir agent --drain' publishes what the spool still holds.
            """)

    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(
        help: ArgumentHelp("Time between two collections, such as 10s or 500ms (default: 10s).", valueName: "duration"))
    var interval: Duration?

    @Option(
        help: ArgumentHelp(
            "What to collect (default: all): \(CollectorName.allCases.map(\.rawValue).joined(separator: ",")).",
            valueName: "name,…"))
    var collectors: NameList?

    @Option(
        help: ArgumentHelp(
            "Where samples wait until they are acknowledged (default: ./weir-data/spool).", valueName: "dir"))
    var spoolDir: String?

    @Option(help: ArgumentHelp("Refuse new samples when the spool holds this much (default: 1GiB).", valueName: "size"))
    var spoolMax: ByteSize?

    @Option(help: ArgumentHelp("The 'instance' label and record key (default: this host's name).", valueName: "name"))
    var instance: String?

    @Option(
        help: ArgumentHelp(
            "Publish straight to each of these subscribers, without a broker and without a spool.",
            valueName: "host:port,…"))
    var direct: Bootstrap?

    @OptionGroup var directLinks: DirectLinkOptions

    @Flag(help: "Collect nothing; publish what the spool holds, then exit.")
    var drain = false

    @OptionGroup var report: ReportOptions
    @OptionGroup var selfMetrics: SelfMetricsOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "agent")
        let logger = try log.logger(settings, "weir.agent")
        var configuration = AgentConfiguration(
            bootstrap: try settings.value(bootstrap, "bootstrap", default: .local).addresses,
            spoolDirectory: try settings.value(spoolDir, "spool-dir", default: "./weir-data/spool"))
        if let direct = try settings.value(direct, "direct") {
            guard bootstrap == nil else { throw CommandError("give either --bootstrap or --direct, not both") }
            configuration.direct = direct.addresses
            configuration.directLinks = try directLinks.configuration(settings)
        }
        if let instance = try settings.value(instance, "instance") { configuration.instance = instance }
        configuration.interval = try settings.value(interval, "interval", default: .seconds(10))
        if let collectors = try settings.value(collectors, "collectors") {
            configuration.collectors = try collectors.names.map { try CollectorName(parsing: $0) }
        }
        if let limit = try settings.value(spoolMax, "spool-max") { configuration.spoolMaximumBytes = limit.bytes }
        configuration.drainsOnly = drain
        let measurement = ProcessMeasurement(job: "weir-agent")
        let agent = try AgentService(
            configuration: configuration, logger: logger, metrics: measurement.registry,
            selfMetrics: try selfMetrics.interval(settings).map { measurement.selfMetrics(every: $0) })
        measurement.services.add(agent)
        try await weir.run(
            try report.reporting([agent], as: "agent", settings, logger: logger) { $0.add(agent) }, logger: logger)
    }
}
