import ArgumentParser
import KafkaClient
import KafkaProtocol
import RecordBatch
import Topology

/// `weir topic`: looks after topics, on our broker or on any Kafka cluster.
struct TopicCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topic",
        abstract: "Look after topics and their settings, on any Kafka cluster.",
        subcommands: [List.self, Describe.self, Create.self, Alter.self, Configs.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List all topics.", usage: "weir topic list [--all] [<options>]")

        @Flag(help: "Also those that the cluster keeps for itself.")
        var all = false

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let topic: String
            let partitions: Int
        }

        func run() async throws {
            try await cluster.withAdmin("topic") { admin, format in
                let topics = try await admin.listTopics(includingInternal: all)
                try Rows(
                    columns: [("topic", .left), ("partitions", .right)],
                    rows: topics.map { Row(topic: $0.name.rawValue, partitions: $0.partitions.count) },
                    cells: { [$0.topic, "\($0.partitions)"] }
                ).print(format)
            }
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show the partitions of topics, with their offsets.",
            usage: "weir topic describe <topic> ... [<options>]")

        @Argument(help: "The topics' names.")
        var topics: [String]

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let topic: String
            let partition: Int32
            let leader: Int32?
            let logStartOffset: Int64?
            let logEndOffset: Int64?
        }

        func run() async throws {
            let names = try topics.map { try TopicName($0) }
            try await cluster.withAdmin("topic") { admin, format in
                let described = try await admin.describeTopics(names)
                let partitions = described.flatMap { topic in
                    topic.partitions.map { (TopicPartition(topic: topic.name, partition: $0.index), $0.leader) }
                }
                let start = try await admin.startOffsets(partitions.map(\.0))
                let end = try await admin.endOffsets(partitions.map(\.0))
                try Rows(
                    columns: [
                        ("topic", .left), ("partition", .right), ("leader", .right), ("log start offset", .right),
                        ("log end offset", .right),
                    ],
                    rows: partitions.map { partition, leader in
                        Row(
                            topic: partition.topic.rawValue, partition: partition.partition.rawValue, leader: leader,
                            logStartOffset: start[partition]?.rawValue, logEndOffset: end[partition]?.rawValue)
                    },
                    cells: { row in
                        [
                            row.topic, "\(row.partition)", row.leader.map { "\($0)" } ?? "none",
                            row.logStartOffset.map { "\($0)" } ?? "-", row.logEndOffset.map { "\($0)" } ?? "-",
                        ]
                    }
                ).print(format)
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create", abstract: "Create a topic.", usage: "weir topic create <topic> [<options>]")

        @Argument(help: "The topic's name: up to 249 letters, digits, '.', '_' and '-'.")
        var topic: String

        @Option(
            parsing: .unconditional, help: ArgumentHelp("How many partitions (default: the cluster's).", valueName: "n")
        )
        var partitions: Int?

        @Option(
            help: ArgumentHelp("A setting, such as retention.ms=3600000; can be repeated.", valueName: "name=value"))
        var config: [NamedText] = []

        @OptionGroup var cluster: TopicChangeOptions

        func validate() throws { try partitions.map(requirePartitions) }

        func run() async throws {
            let name = try TopicName(topic)
            let settings = try config.uniqueValues
            try await cluster.withAdmin("topic") { admin, format in
                try await admin.createTopic(NewTopic(name: name, partitions: partitions, settings: settings))
                let count = try await admin.describeTopics([name]).first?.partitions.count ?? 0
                switch format {
                case .table: print("created topic \(name) with \(count) partition\(count == 1 ? "" : "s")")
                case .json: try printJSON(List.Row(topic: name.rawValue, partitions: count))
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete topics and everything in them.",
            usage: "weir topic delete <topic> ... [<options>]")

        @Argument(help: "The topics' names.")
        var topics: [String]

        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            let names = try topics.map { try TopicName($0) }
            try await cluster.withAdmin("topic") { admin, format in
                let failures = try await admin.deleteTopics(names)
                let deleted = names.filter { failures[$0] == nil }
                switch format {
                case .table: deleted.forEach { print("deleted topic \($0)") }
                case .json: try printJSON(["deleted": deleted.map(\.rawValue)])
                }
                if !failures.isEmpty {
                    throw CommandError(failures.values.map { "\($0)" }.sorted().joined(separator: "\n"))
                }
            }
        }
    }
}
