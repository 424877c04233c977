import ArgumentParser
import Instruments
import MetricModel
import ServiceLifecycle
import Subscriber
import Topology

/// `weir subscriber`: reads the topics as a group member and aggregates into SQLite.
struct SubscriberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscriber",
        abstract: "Read the metric topics as a consumer group and aggregate them into SQLite, exactly once.",
        discussion: """
            Samples, one-minute and one-hour windows, and the offsets they came from are written in one transaction. \
            A database belongs to one group; the position in the topics is the database's.
            """)

    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(help: ArgumentHelp("The SQLite file (default: ./weir-data/weir.sqlite).", valueName: "file"))
    var database: String?

    @Option(help: ArgumentHelp("The consumer group (default: weir).", valueName: "name"))
    var group: String?

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp(
            """
            The format of records without a content type: prometheus, openmetrics, influx[;precision=s] or collectd. \
            May be given several times; TOPIC is a regular expression (default: prometheus).
            """,
            valueName: "topic=format,…"))
    var formats: [TopicFormatList] = []

    @Option(
        help: ArgumentHelp(
            "The 'instance' label of its own metrics (default: this host's name).", valueName: "name"))
    var instance: String?

    @OptionGroup var selfMetrics: SelfMetricsOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "subscriber")
        let logger = try log.logger(settings, "weir.subscriber")
        var configuration = SubscriberConfiguration(
            bootstrap: try settings.value(bootstrap, "bootstrap", default: .local).addresses,
            databasePath: try settings.value(database, "database", default: "./weir-data/weir.sqlite"))
        configuration.group = try settings.value(group, "group", default: "weir")
        let flag = formats.isEmpty ? nil : TopicFormatList(formats: formats.flatMap(\.formats))
        configuration.formats = try settings.value(flag, "formats")?.formats ?? []
        let measurement = ProcessMeasurement(job: "weir-subscriber", labels: ["group": configuration.group])
        let subscriber = try SubscriberService(
            configuration: configuration, logger: logger, metrics: measurement.registry)
        measurement.services.add(subscriber)
        var services: [any Service] = [subscriber]
        if let interval = try selfMetrics.interval(settings) {
            services.append(
                measurement.publisher(
                    every: interval, instance: try settings.value(instance, "instance"),
                    spoolDirectory: "\(configuration.databasePath)-self-metrics", logger: logger
                ) { [configuration] in configuration.bootstrap })
        }
        try await weir.run(services, logger: logger)
    }
}
