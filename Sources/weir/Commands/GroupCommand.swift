import ArgumentParser
import KafkaClient
import KafkaProtocol
import MetricModel
import RecordBatch
import Topology

/// `weir group`: looks at consumer groups, on our broker or on any Kafka cluster.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Look after consumer groups, on any Kafka cluster.",
        subcommands: [List.self, Describe.self, ResetOffsets.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List all groups.", usage: "weir group list [<options>]")

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let group: String
            let protocolType: String
            let state: String?
        }

        func run() async throws {
            try await cluster.withAdmin("group") { admin, format in
                let groups = try await admin.listGroups()
                try Rows(
                    columns: [("group", .left), ("protocol type", .left), ("state", .left)],
                    rows: groups.map { Row(group: $0.group, protocolType: $0.protocolType, state: $0.state) },
                    cells: { [$0.group, $0.protocolType, $0.state ?? "-"] }
                ).print(format)
            }
        }
    }

    struct Describe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "describe", abstract: "Show a group's members, committed offsets and lag.",
            usage: "weir group describe <group> [<options>]",
            discussion: """
                The lag in seconds is the age of the first record that the group has not committed; '-' where it is \
                not known.
                """)

        @Argument(help: "The group's name.")
        var group: String

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let topic: String
            let partition: Int32
            let committedOffset: Int64?
            let logEndOffset: Int64?
            let lag: Int64?
            let lagSeconds: Double?
            let member: String?
            let host: String?
        }

        struct Description: Encodable {
            let group: String
            let state: String
            let assignor: String
            let members: Int
            let partitions: [Row]
        }

        func run() async throws {
            try await cluster.withAdmin("group") { admin, format in
                let committed = try await admin.committedOffsets(group: group)
                guard let description = try await admin.describeGroups([group]).first,
                    description.state != "Dead" || !committed.isEmpty
                else {
                    throw CommandError("there is no group '\(group)'; weir group list shows those there are")
                }
                let rows = try await rows(description, committed, admin)
                switch format {
                case .table:
                    let members = description.members.count
                    print("group \(group): \(description.state), \(members) member\(members == 1 ? "" : "s")\n")
                    try table(rows).print(.table)
                case .json:
                    try printJSON(
                        Description(
                            group: group, state: description.state, assignor: description.assignor,
                            members: description.members.count, partitions: rows))
                }
            }
        }

        /// A row for each partition that the group has committed an offset of or that a member reads.
        private func rows(
            _ description: GroupDescription, _ committed: [TopicPartition: Offset], _ admin: Admin
        ) async throws -> [Row] {
            var readers: [TopicPartition: GroupMemberDescription] = [:]
            for member in description.members {
                for partition in member.partitions { readers[partition] = member }
            }
            let known = Set(
                try await admin.listTopics(includingInternal: true).flatMap { topic in
                    topic.partitions.map { TopicPartition(topic: topic.name, partition: $0.index) }
                })
            let partitions = Set(committed.keys).union(readers.keys).sorted()
            let end = try await admin.endOffsets(partitions.filter(known.contains))
            let behind = committed.filter { partition, offset in end[partition].map { $0 > offset } ?? false }
            let timestamps = try await admin.timestamps(ofRecordsAt: behind)
            let now = Timestamp.now().milliseconds
            return partitions.map { partition in
                let lag = end[partition].flatMap { end in committed[partition].map { max(0, end - $0) } }
                // An honest clock elsewhere may be ahead of ours.
                let age = timestamps[partition].map { Double(max(0, now - $0)) / 1000 }
                return Row(
                    topic: partition.topic.rawValue, partition: partition.partition.rawValue,
                    committedOffset: committed[partition]?.rawValue, logEndOffset: end[partition]?.rawValue, lag: lag,
                    lagSeconds: lag == 0 ? 0 : age,
                    member: readers[partition]?.memberID, host: readers[partition]?.host)
            }
        }

        private func table(_ rows: [Row]) -> Rows<Row> {
            Rows(
                columns: [
                    ("topic", .left), ("partition", .right), ("committed offset", .right), ("log end offset", .right),
                    ("lag", .right), ("lag seconds", .right), ("member", .left),
                ],
                rows: rows,
                cells: { row in
                    [
                        row.topic, "\(row.partition)", row.committedOffset.map { "\($0)" } ?? "-",
                        row.logEndOffset.map { "\($0)" } ?? "-", row.lag.map { "\($0)" } ?? "-",
                        row.lagSeconds.map { "\($0)" } ?? "-", row.member ?? "-",
                    ]
                })
        }
    }
}
