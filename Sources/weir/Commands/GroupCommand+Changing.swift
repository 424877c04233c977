import ArgumentParser
import KafkaClient
import KafkaProtocol
import RecordBatch
import Topology

extension GroupCommand {
    struct ResetOffsets: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-offsets", abstract: "Set where a group goes on; it must have no members.",
            usage: "weir group reset-offsets <group> --topic <topic[:partition,…]> (--to <place> | --shift-by <n>)",
            discussion: """
                  weir group reset-offsets weir --topic metrics.load --to earliest --dry-run
                  weir group reset-offsets weir --topic metrics.load:0 --to 2026-03-01T12:00:00Z
                  weir group reset-offsets weir --topic metrics.load --shift-by -100
                """)

        @Argument(help: "The group's name.")
        var group: String

        @Option(
            help: ArgumentHelp(
                "A topic, or some partitions of it; can be repeated.", valueName: "topic[:partition,…]"))
        var topic: [TopicPartitions]

        @Option(
            help: ArgumentHelp(
                "earliest, latest, an offset, or a time such as 2026-03-01T12:00:00Z or @1772366400.",
                valueName: "place"))
        var to: OffsetPlace?

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("Go this many records forward, or back if negative.", valueName: "n"))
        var shiftBy: Int64?

        @Flag(help: "Only show what would be set.")
        var dryRun = false

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let topic: String
            let partition: Int32
            let previousOffset: Int64?
            let newOffset: Int64
        }

        func validate() throws {
            guard (to == nil) != (shiftBy == nil) else { throw ValidationError("give either --to or --shift-by") }
        }

        func run() async throws {
            try await cluster.withAdmin("group") { admin, format in
                try await refuseMembers(admin)
                let partitions = try await partitions(admin)
                let committed = try await admin.committedOffsets(group: group)
                let offsets = try await newOffsets(of: partitions, committed, admin)
                if !dryRun { try await admin.commitOffsets(offsets, group: group) }
                try Rows(
                    columns: [
                        ("topic", .left), ("partition", .right), ("previous offset", .right), ("new offset", .right),
                    ],
                    rows: offsets.sorted { $0.key < $1.key }.map { partition, offset in
                        Row(
                            topic: partition.topic.rawValue, partition: partition.partition.rawValue,
                            previousOffset: committed[partition]?.rawValue, newOffset: offset.rawValue)
                    },
                    cells: {
                        [
                            $0.topic, "\($0.partition)", $0.previousOffset.map { "\($0)" } ?? "-", "\($0.newOffset)",
                        ]
                    }
                ).print(format)
                if dryRun { writeToStandardError("nothing was set (--dry-run)\n") }
            }
        }

        private func refuseMembers(_ admin: Admin) async throws {
            guard let members = try await admin.describeGroups([group]).first?.members, !members.isEmpty else { return }
            let names = members.map { "\($0.memberID) at \($0.host)" }.joined(separator: ", ")
            throw CommandError(
                "group \(group) has \(members.count) member\(members.count == 1 ? "" : "s"), which would overwrite "
                    + "the offsets; stop first: \(names)")
        }

        private func partitions(_ admin: Admin) async throws -> [TopicPartition] {
            var partitions: Set<TopicPartition> = []
            for selection in topic {
                for description in try await admin.describeTopics([selection.topic]) {
                    let all = Set(description.partitions.map(\.index.rawValue))
                    for number in selection.partitions where !all.contains(number) {
                        throw CommandError("topic \(selection.topic) has no partition \(number)")
                    }
                    for number in selection.partitions.isEmpty ? all : Set(selection.partitions) {
                        partitions.insert(
                            TopicPartition(topic: selection.topic, partition: PartitionIndex(number)))
                    }
                }
            }
            return partitions.sorted()
        }

        private func newOffsets(
            of partitions: [TopicPartition], _ committed: [TopicPartition: Offset], _ admin: Admin
        ) async throws -> [TopicPartition: Offset] {
            if let to { return try await to.offsets(in: partitions, admin, clamping: true) }
            let start = try await admin.startOffsets(partitions)
            let end = try await admin.endOffsets(partitions)
            var offsets: [TopicPartition: Offset] = [:]
            for partition in partitions {
                guard let old = committed[partition] else {
                    throw CommandError(
                        "group \(group) has committed no offset in \(partition) that could be shifted; use --to, or name the "
                            + "partitions it has read, as --topic \(partition.topic):0,1")
                }
                let (sum, overflow) = old.rawValue.addingReportingOverflow(shiftBy ?? 0)
                let wanted = overflow ? ((shiftBy ?? 0) < 0 ? 0 : Int64.max) : sum
                offsets[partition] = min(max(Offset(wanted), start[partition] ?? 0), end[partition] ?? old)
            }
            return offsets
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: "Delete groups and their committed offsets; they must have no members.",
            usage: "weir group delete <group> ... [<options>]")

        @Argument(help: "The groups' names.")
        var groups: [String]

        @OptionGroup var cluster: ClusterOptions

        func run() async throws {
            try await cluster.withAdmin("group") { admin, format in
                let failures = try await admin.deleteGroups(groups)
                let deleted = groups.filter { failures[$0] == nil }
                switch format {
                case .table: deleted.forEach { print("deleted group \($0)") }
                case .json: try printJSON(["deleted": deleted])
                }
                if !failures.isEmpty {
                    throw CommandError(failures.values.map { "\($0)" }.sorted().joined(separator: "\n"))
                }
            }
        }
    }
}

/// `topic` or `topic:0,1`: some partitions of a topic, all of them if none is named.
struct TopicPartitions: ExpressibleByArgument {
    let topic: TopicName
    let partitions: [Int32]

    init?(argument: String) {
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let topic = try? TopicName(String(first)) else { return nil }
        self.topic = topic
        guard parts.count == 2 else {
            partitions = []
            return
        }
        let numbers = parts[1].split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
        partitions = numbers.compactMap { $0 }
        guard partitions.count == numbers.count, partitions.allSatisfy({ $0 >= 0 }) else { return nil }
    }
}
