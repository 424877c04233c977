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
              weir consume orders --group billing --assignor cooperative-sticky --isolation read_committed
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

    @Option(
        help: ArgumentHelp(
            "How the group shares partitions out: range (default), roundrobin or cooperative-sticky.",
            valueName: "name"))
    var assignor: AssignorName?

    @Option(
        help: ArgumentHelp(
            """
            Be a static member of the group by this id: back within the session timeout (10 s), it goes on with the \
            partitions it had.
            """, valueName: "id"))
    var instanceID: String?

    @Option(
        help: ArgumentHelp(
            """
            What to show of transactions: read_committed leaves out what was aborted or is undecided; \
            read_uncommitted (default) shows all.
            """, valueName: "level"))
    var isolation: IsolationName?

    @Flag(help: "Pass over records that are damaged in the log, with a line on standard error, rather than to end.")
    var skipDamaged = false

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
        if group == nil, let flag = assignor != nil ? "--assignor" : instanceID != nil ? "--instance-id" : nil {
            throw ValidationError("\(flag) is about a member of a group; it goes with --group")
        }
        if instanceID?.isEmpty == true { throw ValidationError("--instance-id is empty") }
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
        let fetching = FetchConfiguration(
            isolation: try settings.value(isolation, "isolation", default: .uncommitted).level,
            damagedBatches: skipDamaged ? .skip : .fail, deliversEmptyBatches: true)
        let reading: RecordSource.Reading
        if let group {
            var member = GroupConsumerConfiguration(group: group, topics: .named(names), fetching: fetching)
            member.instanceID = instanceID
            if let assignor { member.assignors = [assignor.assignor] }
            reading = .group(member, start: place)
        } else {
            let all = described.flatMap { topic in
                topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
            }
            let partitions = partition.isEmpty ? all : all.filter { partition.contains($0.partition.rawValue) }
            for number in partition where !partitions.contains(where: { $0.partition.rawValue == number }) {
                throw CommandError("there is no partition \(number) in \(topics.joined(separator: ", "))")
            }
            reading = .partitions(try await place.offsets(in: partitions, admin), fetching)
        }
        let source = try await RecordSource(cluster: cluster, reading: reading, exits: exit)
        try await weir.run([RecordPrinter(format: format, source: source, limit: count)], logger: logger)
    }
}

/// Kafka's names of the isolation levels.
enum IsolationName: String, CaseIterable, ExpressibleByArgument {
    case committed = "read_committed"
    case uncommitted = "read_uncommitted"

    var level: IsolationLevel { self == .committed ? .readCommitted : .readUncommitted }
}

/// An assignor by Kafka's name.
struct AssignorName: ExpressibleByArgument {
    static let allValueStrings = PartitionAssignor.all.map(\.name)

    let assignor: PartitionAssignor

    init?(argument: String) {
        guard let assignor = PartitionAssignor.all.first(where: { $0.name == argument }) else { return nil }
        self.assignor = assignor
    }
}
