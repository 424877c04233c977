import ArgumentParser
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import PromQL
import ServiceLifecycle
import Subscriber

/// `weir live`: shows samples as they arrive, from our broker or from any Kafka cluster.
struct LiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "live",
        abstract: "Show the samples of series as they arrive, before any window closes.",
        usage: "weir live [<selector> ...] [<options>]",
        discussion: """
            Reads the topics of samples itself, without a group, a subscriber or a database, and disturbs nobody. A series \
            is shown when it meets one of the selectors; all are without any. Goes on until Ctrl-C, --limit or --for.

              weir live node_load1
              weir live 'node_cpu_seconds_total{mode=~"user|system"}' node_load1 --for 1m
              weir live node_load1 --since 10m --format json | jq .value
              weir live --alerts '{severity="page"}'
            """)

    @Argument(help: "Series: a metric name, matchers in braces, or both.")
    var selectors: [String] = []

    @Flag(
        help: """
            Show what happens to alerts instead (the topic that 'weir subscriber --mode realtime' publishes to); selectors \
            are about the alerts' labels then, such as '{severity="page"}'.
            """)
    var alerts = false

    @Flag(help: "Show what the topics hold already, too.")
    var fromBeginning = false

    @Option(help: ArgumentHelp("Show what was published in the last while, too.", valueName: "duration"))
    var since: Duration?

    @Option(name: .customLong("for"), help: ArgumentHelp("End after this long.", valueName: "duration"))
    var duration: Duration?

    @Option(parsing: .unconditional, help: ArgumentHelp("End after this many samples.", valueName: "n"))
    var limit: Int?

    @Option(
        help: """
            text (time, series and value; default), json (an object a line, as Prometheus's API has it) or prometheus (the \
            text format).
            """)
    var format: LiveFormat?

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
        name: .customLong("topic-format"),
        help: ArgumentHelp(
            "The format of records without a content type, as 'weir subscriber --format' takes it.",
            valueName: "topic=format,…"),
        transform: TopicFormatList.init(parsing:))
    var topicFormats: [TopicFormatList] = []

    @OptionGroup var cluster: ConnectionOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        if fromBeginning, since != nil {
            throw ValidationError("--from-beginning and --since both say where to start; give one of them")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is \(limit); it is at least 1") }
        if let duration, duration <= .zero { throw ValidationError("--for must be longer than zero") }
    }

    func run() async throws {
        let settings = try await common.settings(for: "live")
        let selectors = try selectors.map { try VectorSelector(parsing: $0) }
        let format = try settings.value(format, "format", default: .text)
        if alerts, format == .prometheus { throw CommandError("alerts are shown as text or json, not as \(format)") }
        let logger = try log.logger(settings, "weir.live", default: .warning)
        let flag = topicFormats.isEmpty ? nil : TopicFormatList(formats: topicFormats.flatMap(\.formats))
        let cluster = try cluster.cluster(settings, logger: logger)
        defer { cluster.close() }
        let consumer = try TopicConsumer(
            cluster: cluster, topics: try selection(settings), start: start,
            configuration: FetchConfiguration(maximumWait: .seconds(5), damagedBatches: .skip))
        let service: any Service
        if alerts {
            service = LivePrinter(
                consumer: consumer, content: LiveAlerts(selectors, format), limit: limit, duration: duration,
                logger: logger)
        } else {
            let decoder = LiveDecoder(
                selectors: selectors, formats: try settings.value(flag, "formats")?.formats ?? [],
                describe: format.describe)
            service = LivePrinter(
                consumer: consumer, content: LiveSamples(decoder, format), limit: limit, duration: duration,
                logger: logger)
        }
        try await weir.run([service], logger: logger)
    }

    private func selection(_ settings: Settings) throws -> TopicSelection {
        if alerts, topics == nil { return .named([try TopicName(SubscriberConfiguration.standardAlertsTopic)]) }
        return .pattern(
            try settings.value(topics, "topics", default: .metrics).text,
            excluding: [SubscriberConfiguration.standardRejectedTopic])
    }

    private var start: TopicConsumer.Start {
        if fromBeginning { return .beginning }
        return since.map { .time((Timestamp.now() - $0).milliseconds) } ?? .end
    }
}
