import ArgumentParser
import KafkaClient
import KafkaProtocol
import Logging
import RecordBatch

/// `weir consume`: writes records to standard output, from our broker or from any Kafka cluster.
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Write the records of topics to standard output, on any Kafka cluster.",
        usage: "weir consume <topic> ... [<options>]",
        discussion: """
            Goes on until Ctrl-C, --count records, or, with --exit, the end of the topics. Without a group nothing is \
            remembered; with --group it goes on where the group has got to, and shares the partitions with the group's \
            other members.

              weir consume metrics.load --format samples
              weir consume orders --from-beginning --exit --format json | jq .value
              weir consume orders --offset 2026-03-01T12:00:00Z --count 10
            """)

    @Argument(help: "The topics' names.")
    var topics: [String]

    @Flag(help: "Start at the oldest record; the same as --offset earliest.")
    var fromBeginning = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            Start here: an offset, earliest, latest, or a time such as 2026-03-01T12:00:00Z or @1772366400 (default: \
            latest, with --exit earliest).
            """, valueName: "place"))
    var offset: OffsetPlace?

    @Option(
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Read this partition only; can be repeated.", valueName: "n"))
    var partition: [Int32] = []

    @Option(
        help: ArgumentHelp(
            "Read as a member of this group and commit what was written; --offset holds where it has committed nothing.",
            valueName: "name"))
    var group: String?

    @Option(parsing: .unconditional, help: ArgumentHelp("End after this many records.", valueName: "n"))
    var count: Int?

    @Flag(help: "End where the topics end now.")
    var exit = false

    @Option(help: "raw (values; default), json (an object a line) or samples (metric lines).")
    var format: RecordFormat?

    @OptionGroup var cluster: ConnectionOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        if fromBeginning, offset != nil {
            throw ValidationError("--from-beginning and --offset both say where to start; give one of them")
        }
        if group != nil, !partition.isEmpty {
            throw ValidationError("a group shares out its partitions itself; --partition cannot go with --group")
        }
        if let count, count < 0 { throw ValidationError("--count is \(count); it cannot be negative") }
        if topics.isEmpty { throw ValidationError("give at least one topic") }
    }

    func run() async throws {
        let settings = try await common.settings(for: "consume")
        let names = try topics.map { try TopicName($0) }
        let format = try settings.value(format, "format", default: .raw)
        var logger = Logger(label: "weir.consume") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let cluster = try cluster.cluster(settings, logger: logger)
        defer { cluster.close() }
        let admin = Admin(cluster: cluster)
        let described = try await admin.describeTopics(names)
        let place = fromBeginning ? .earliest : offset ?? (exit ? .earliest : .latest)
        let reading: RecordSource.Reading
        if let group {
            reading = .group(group, topics: names, start: place)
        } else {
            let all = described.flatMap { topic in
                topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
            }
            let partitions = partition.isEmpty ? all : all.filter { partition.contains($0.partition.rawValue) }
            for number in partition where !partitions.contains(where: { $0.partition.rawValue == number }) {
                throw CommandError("there is no partition \(number) in \(topics.joined(separator: ", "))")
            }
            reading = .partitions(try await place.offsets(in: partitions, admin))
        }
        let source = try await RecordSource(cluster: cluster, reading: reading, exits: exit)
        try await weir.run([RecordPrinter(format: format, source: source, limit: count)], logger: logger)
    }
}
