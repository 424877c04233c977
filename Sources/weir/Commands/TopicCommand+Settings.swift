import ArgumentParser
import KafkaClient
import KafkaProtocol
import Topology

extension TopicCommand {
    struct Alter: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "alter", abstract: "Change a topic's settings or give it more partitions.",
            usage: "weir topic alter <topic> [--partitions <n>] [--config <name=value>] ... [<options>]")

        @Argument(help: "The topic's name.")
        var topic: String

        @Option(
            parsing: .unconditional,
            help: ArgumentHelp("How many partitions it is to have; never fewer than now.", valueName: "n"))
        var partitions: Int?

        @Option(help: ArgumentHelp("Set this, such as retention.ms=3600000; can be repeated.", valueName: "name=value"))
        var config: [NamedText] = []

        @Option(help: ArgumentHelp("Go back to the cluster's default; can be repeated.", valueName: "name"))
        var deleteConfig: [String] = []

        @OptionGroup var cluster: TopicChangeOptions

        struct Change: Encodable {
            let topic: String
            let partitions: Int?
            let set: [String: String]
            let deleted: [String]
        }

        func validate() throws {
            try partitions.map(requirePartitions)
            if partitions == nil, config.isEmpty, deleteConfig.isEmpty {
                throw ValidationError("give --partitions, --config or --delete-config")
            }
            for name in deleteConfig where config.contains(where: { $0.name == name }) {
                throw ValidationError("\(name) is both set and deleted")
            }
        }

        func run() async throws {
            let name = try TopicName(topic)
            let values = try config.uniqueValues
            try await cluster.withAdmin("topic") { admin, format in
                if !values.isEmpty || !deleteConfig.isEmpty {
                    try await admin.alterSettings(of: name, set: values, remove: Set(deleteConfig))
                    if format == .table {
                        for (name, value) in values.sorted(by: { $0.key < $1.key }) { print("set \(name) to \(value)") }
                        for name in deleteConfig { print("set \(name) back to the default") }
                    }
                }
                if let partitions {
                    try await admin.createPartitions(of: name, count: partitions)
                    if format == .table { print("topic \(name) has \(partitions) partitions") }
                }
                if format == .json {
                    try printJSON(
                        Change(topic: topic, partitions: partitions, set: values, deleted: deleteConfig))
                }
            }
        }
    }

    struct Configs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "configs", abstract: "Show a topic's settings and where they come from.",
            usage: "weir topic configs <topic> [<options>]")

        @Argument(help: "The topic's name.")
        var topic: String

        @OptionGroup var cluster: ClusterOptions

        struct Row: Encodable {
            let name: String
            let value: String?
            let source: String
            let readOnly: Bool
        }

        func run() async throws {
            let name = try TopicName(topic)
            try await cluster.withAdmin("topic") { admin, format in
                try Rows(
                    columns: [("name", .left), ("value", .left), ("from", .left)],
                    rows: try await admin.settings(of: name).map { setting in
                        Row(
                            name: setting.name, value: setting.value, source: Self.source(of: setting),
                            readOnly: setting.isReadOnly)
                    },
                    cells: { [$0.name, $0.value ?? "-", $0.source] }
                ).print(format)
            }
        }

        private static func source(of setting: TopicSettingValue) -> String {
            switch setting.source {
            case .topic: "topic"
            case .dynamicBroker, .dynamicDefaultBroker, .staticBroker, .dynamicBrokerLogger: "broker"
            case .defaultValue: "default"
            case .unknown, nil: setting.isDefault ? "default" : "unknown"
            }
        }
    }
}

/// - Throws: if this is no number of partitions that a topic can have.
func requirePartitions(_ count: Int) throws {
    guard (1...Int(Int32.max)).contains(count) else {
        throw ValidationError("--partitions is \(count); a topic has at least one partition")
    }
}

extension [NamedText] {
    /// By name.
    ///
    /// - Throws: ``CommandError`` for a name that is given twice.
    var uniqueValues: [String: String] {
        get throws {
            try reduce(into: [:]) { values, entry in
                guard values.updateValue(entry.text, forKey: entry.name) == nil else {
                    throw CommandError("--config gives \(entry.name) twice")
                }
            }
        }
    }
}
