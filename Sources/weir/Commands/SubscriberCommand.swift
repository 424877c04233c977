import Aggregation
import ArgumentParser
import Instruments
import Logging
import MetricModel
import SeriesStore
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
            A database belongs to one group; the position in the topics is the database's. Several subscribers of the group may \
            share it on one host: each reads a part of the partitions, and takes over those of one that dies.

            With --direct it listens for publishers that need no broker ('weir agent --direct'), alone or beside the topics. \
            Nobody keeps what they send: what is not committed when this process dies is lost (docs/direct.md).
            """)

    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(
        help: ArgumentHelp(
            "Listen for direct publishers here (port 0: any free); without --bootstrap only for them.",
            valueName: "host:port"))
    var direct: ListenAddress?

    @Option(help: ArgumentHelp("The SQLite file (default: ./weir-data/weir.sqlite).", valueName: "file"))
    var database: String?

    @Option(help: ArgumentHelp("The consumer group (default: weir).", valueName: "name"))
    var group: String?

    @Option(
        help: ArgumentHelp(
            """
            A name for this process in the group (Kafka's group.instance.id), which it keeps over a shutdown: restarted within \
            the session timeout it goes on with the partitions it had, and the others notice nothing. 'none': a new member \
            with each start (default: by its place at the database, so that it is back at once when it was killed, and \
            leaves the group when it is shut down).
            """,
            valueName: "name"))
    var groupInstanceID: GroupIdentity?

    @Option(
        help: ArgumentHelp(
            "After this long without a sign of life its partitions go to others of the group (default: 10s).",
            valueName: "duration"))
    var sessionTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            """
            The topics to read: a regular expression over the whole name. Topics that are created later are found \
            (default: metrics\\.(?!rollup\\.).*).
            """,
            valueName: "pattern"),
        transform: TopicPattern.init(parsing:))
    var topics: TopicPattern?

    @Option(
        help: ArgumentHelp(
            """
            How it works: sequence (a transaction for each record), batch (commits grow with the load), stream (windows \
            that close and are emitted) or realtime (samples are acted on as they arrive); see docs/modes.md (default: \
            batch).
            """,
            valueName: "mode"))
    var mode: ProcessingMode?

    @Option(
        help: ArgumentHelp(
            """
            Rules for the modes stream and realtime, see docs/rules.md (default: in mode stream the one-minute windows of \
            every series).
            """,
            valueName: "file"))
    var rules: String?

    @Option(
        name: .customLong("alert"),
        help: ArgumentHelp(
            """
            Raise an alert while a series meets this condition, such as 'node_load1 > 8 for 5m'; published to the topic \
            alerts. With --mode realtime; may be given several times.
            """,
            valueName: "condition"),
        transform: ConditionList.init(parsing:))
    var alerts: [ConditionList] = []

    @Option(
        name: .customLong("format"),
        help: ArgumentHelp(
            """
            The format of records without a content type: prometheus, openmetrics, influx[;precision=s] or collectd. \
            May be given several times; TOPIC is a regular expression (default: prometheus).
            """,
            valueName: "topic=format,…"),
        transform: TopicFormatList.init(parsing:))
    var formats: [TopicFormatList] = []

    @Option(
        help: ArgumentHelp(
            """
            How long samples and windows are kept, also by selector: '{job="lab"} raw=2h 1m=1d 1h=1w; raw=15d \
            1m=90d 1h=forever' (default: raw=15d 1m=90d 1h=2y).
            """,
            valueName: "retention"))
    var retention: RetentionSetting?

    @Option(
        help: ArgumentHelp(
            """
            The database does not grow beyond this, its write-ahead log not counted: when it is full, commits wait for \
            retention to make room, and nothing is lost that the topics keep (default: no limit).
            """,
            valueName: "size"))
    var maxDatabaseSize: ByteSize?

    @Option(help: ArgumentHelp("Series that are taken in all (default: 1000000).", valueName: "count"))
    var seriesLimit: Int?

    @Option(help: ArgumentHelp("Series of one metric (default: 200000).", valueName: "count"))
    var seriesLimitPerMetric: Int?

    @Option(help: ArgumentHelp("Series of one source, by the label instance (default: 100000).", valueName: "count"))
    var seriesLimitPerSource: Int?

    @Option(
        help: ArgumentHelp(
            "The 'instance' label of its own metrics (default: this host's name).", valueName: "name"))
    var instance: String?

    @OptionGroup var report: ReportOptions
    @OptionGroup var selfMetrics: SelfMetricsOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "subscriber")
        let logger = try log.logger(settings, "weir.subscriber")
        let listen = try settings.value(direct, "direct")
        let brokers = try settings.value(bootstrap, "bootstrap") ?? (listen == nil ? .local : nil)
        var configuration = SubscriberConfiguration(
            bootstrap: brokers?.addresses ?? [],
            databasePath: try settings.value(database, "database", default: "./weir-data/weir.sqlite"))
        configuration.direct = listen.map { DirectListening(host: $0.host, port: $0.port) }
        configuration.group = try settings.value(group, "group", default: "weir")
        configuration.identity = try settings.value(
            groupInstanceID, "group-instance-id", default: configuration.identity)
        configuration.sessionTimeout = try settings.value(
            sessionTimeout, "session-timeout", default: configuration.sessionTimeout)
        guard configuration.sessionTimeout >= .milliseconds(500) else {
            throw CommandError("--session-timeout is shorter than half a second, in which no group can agree")
        }
        configuration.topicPattern = try settings.value(topics, "topics", default: .metrics).text
        configuration.mode = try settings.value(mode, "mode", default: .batch)
        configuration.conditions = try conditions(settings)
        let fromFile = configuration.rules?.conditions.map(\.content) ?? []
        if configuration.mode == .realtime {
            configuration.conditions = try Self.distinct(configuration.conditions + fromFile)
        } else if configuration.mode == .stream, !fromFile.isEmpty {
            logger.notice("mode stream raises no alerts; those of the rule file need --mode realtime")
        }
        guard configuration.conditions.isEmpty || configuration.mode == .realtime else {
            throw CommandError("alerts are raised in the mode realtime; give --mode realtime, or no --alert")
        }
        guard configuration.conditions.isEmpty || !configuration.bootstrap.isEmpty else {
            throw CommandError("alerts are published to a topic; give --bootstrap, or no --alert")
        }
        configuration.rules = try settings.value(rules, "rules").map { try RuleFile(path: $0) }
        let flag = formats.isEmpty ? nil : TopicFormatList(formats: formats.flatMap(\.formats))
        configuration.formats = try settings.value(flag, "formats")?.formats ?? []
        configuration.retention = try settings.value(retention, "retention", default: .standard).policy
        configuration.maximumDatabaseBytes = try settings.value(maxDatabaseSize, "max-database-size").map {
            Int64($0.bytes)
        }
        configuration.seriesLimits = try limits(settings)
        let measurement = ProcessMeasurement(job: "weir-subscriber", labels: ["group": configuration.group])
        let subscriber = try SubscriberService(
            configuration: configuration, logger: logger, metrics: measurement.registry)
        measurement.services.add(subscriber)
        var services: [any Service] = [subscriber]
        // Its own metrics go where it reads; a subscriber that only listens has nowhere to send them.
        if let interval = try selfMetrics.interval(settings), !configuration.bootstrap.isEmpty {
            services.append(
                measurement.publisher(
                    every: interval, instance: try settings.value(instance, "instance"),
                    spoolDirectory: "\(configuration.databasePath)-self-metrics", logger: logger
                ) { [configuration] in configuration.bootstrap })
        }
        try await weir.run(
            try report.reporting(services, as: "subscriber", settings, logger: logger) { $0.add(subscriber) },
            logger: logger)
    }

    private func conditions(_ settings: Settings) throws -> [ThresholdCondition] {
        let flag = alerts.isEmpty ? nil : ConditionList(conditions: alerts.flatMap(\.conditions))
        return try Self.distinct(settings.value(flag, "alerts")?.conditions ?? [])
    }

    private static func distinct(_ conditions: [ThresholdCondition]) throws -> [ThresholdCondition] {
        var names: Set<String> = []
        for condition in conditions where !names.insert(condition.name).inserted {
            throw CommandError("the alert '\(condition.name)' is given twice")
        }
        return conditions
    }

    private func limits(_ settings: Settings) throws -> SeriesLimits {
        var limits = SeriesLimits()
        limits.total = try settings.value(seriesLimit, "series-limit", default: limits.total)
        limits.perMetric = try settings.value(
            seriesLimitPerMetric, "series-limit-per-metric", default: limits.perMetric)
        limits.perSource = try settings.value(
            seriesLimitPerSource, "series-limit-per-source", default: limits.perSource)
        guard min(limits.total, limits.perMetric, limits.perSource) >= 1 else {
            throw CommandError("a limit of series is 1 at least")
        }
        return limits
    }
}
