import ArgumentParser
import Broker
import Instruments
import Logging
import ServiceLifecycle
import Topology

/// `weir broker`: the embedded broker as a process of its own.
struct BrokerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker",
        abstract: "Run the embedded broker: topics on disk, served to any Kafka client.",
        discussion: """
            The directory has Kafka's layout and belongs to one broker at a time. Listening on more than the loopback \
            address is a decision: there is no authentication yet.

              weir broker --data-dir ./weir-data/broker
              kcat -b 127.0.0.1:9092 -L
            """)

    @Option(help: ArgumentHelp("Where topics are kept (default: ./weir-data/broker).", valueName: "dir"))
    var dataDir: String?

    @Option(help: ArgumentHelp("Listen here (default: 127.0.0.1:9092; port 0: any free).", valueName: "host:port"))
    var listen: ListenAddress?

    @Option(
        help: ArgumentHelp("The address that clients are told (default: the one listened on).", valueName: "host:port"))
    var advertise: ListenAddress?

    @Option(help: ArgumentHelp("Partitions of a topic that is created without a number (default: 1).", valueName: "n"))
    var partitions: Int?

    @Option(help: ArgumentHelp("Create a topic when it is first used (default: true).", valueName: "true|false"))
    var autoCreateTopics: Bool?

    @Option(
        help: """
            When acks=all is answered: 'acknowledged' after the records are synced to disk (default), 'page-cache' when \
            they are written but a power failure may still lose them.
            """)
    var durability: DurabilityName?

    @Option(
        help: ArgumentHelp(
            """
            Refuse records while the disk has less room than this, so that the rest goes on (default: 1 % of it, at \
            least 16MiB, at most 1GiB; 'off' for never).
            """, valueName: "size|off"))
    var minFreeSpace: FreeSpace?

    @Option(
        help: ArgumentHelp(
            "Look this often for segments that a topic's retention does not keep (default: 5m).", valueName: "duration")
    )
    var retentionCheck: Duration?

    @Option(
        help: ArgumentHelp(
            "Look this often for topics with cleanup.policy=compact to compact (default: 15s).", valueName: "duration"))
    var compactionCheck: Duration?

    @Option(
        help: ArgumentHelp(
            "Tell the sizes and offsets of logs by topic, or by partition (default: topic).",
            valueName: "topic|partition"))
    var metricsBy: MetricsDetail?

    @Option(
        help: ArgumentHelp(
            "The 'instance' label of its own metrics (default: this host's name).", valueName: "name"))
    var instance: String?

    @OptionGroup(title: "Limits (docs/limits.md)") var limits: LimitOptions
    @OptionGroup var report: ReportOptions
    @OptionGroup var selfMetrics: SelfMetricsOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "broker")
        let logger = try log.logger(settings, "weir.broker")
        let listen = try settings.value(listen, "listen", default: ListenAddress(host: "127.0.0.1", port: 9092))
        var configuration = BrokerConfiguration(
            dataDirectory: try settings.value(dataDir, "data-dir", default: "./weir-data/broker"))
        configuration.host = listen.host
        configuration.port = listen.port
        if let advertised = try settings.value(advertise, "advertise") {
            configuration.advertisedHost = advertised.host
            configuration.advertisedPort = advertised.port
        }
        configuration.defaultPartitions = try settings.value(partitions, "partitions", default: 1)
        guard (1...10_000).contains(configuration.defaultPartitions) else {
            throw CommandError("--partitions is \(configuration.defaultPartitions); it must be from 1 to 10000")
        }
        configuration.autoCreateTopics = try settings.value(autoCreateTopics, "auto-create-topics", default: true)
        configuration.durability = try settings.value(durability, "durability", default: .acknowledged).value
        configuration.housekeeping = try housekeeping(settings)
        configuration.limits = try limits.limits(settings)
        configuration.limits.minimumFreeBytes = try settings.value(minFreeSpace, "min-free-space")?.bytes
        configuration.metricsByPartition = try settings.value(metricsBy, "metrics-by", default: .topic) == .partition
        let measurement = ProcessMeasurement(job: "weir-broker")
        let broker = BrokerService(configuration: configuration, logger: logger, metrics: measurement.registry)
        measurement.services.add(broker)
        var services: [any Service] = [broker]
        if let interval = try selfMetrics.interval(settings) {
            services.append(
                measurement.publisher(
                    every: interval, instance: try settings.value(instance, "instance"),
                    spoolDirectory: "\(configuration.dataDirectory)/self-metrics", logger: logger
                ) { [configuration] in [configuration.ownAddress(port: try await broker.listening())] })
        }
        try await weir.run(
            try report.reporting(services, as: "broker", settings, logger: logger) { $0.add(broker) }, logger: logger)
    }
}

extension BrokerCommand {
    private func housekeeping(_ settings: Settings) throws -> HousekeepingSettings {
        var housekeeping = HousekeepingSettings()
        housekeeping.retentionCheck = try settings.value(
            retentionCheck, "retention-check", default: housekeeping.retentionCheck)
        housekeeping.compactionCheck = try settings.value(
            compactionCheck, "compaction-check", default: housekeeping.compactionCheck)
        for (name, value) in [
            ("retention-check", housekeeping.retentionCheck), ("compaction-check", housekeeping.compactionCheck),
        ] where value < .milliseconds(10) {
            throw CommandError("--\(name) is \(value); it must be at least 10ms")
        }
        return housekeeping
    }
}

/// What a series of the logs' metrics stands for.
enum MetricsDetail: String, CaseIterable, ExpressibleByArgument {
    case topic, partition
}

/// The names of ``BrokerConfiguration/Durability-swift.enum`` on the command line.
enum DurabilityName: String, CaseIterable, ExpressibleByArgument {
    case acknowledged
    case pageCache = "page-cache"

    var value: BrokerConfiguration.Durability {
        switch self {
        case .acknowledged: .acknowledged
        case .pageCache: .pageCache
        }
    }
}
