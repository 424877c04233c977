import ArgumentParser
import KafkaClient
import Logging

/// Where the cluster is, for the commands of people who wait for an answer.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(help: ArgumentHelp("Give up after this long (default: 10s).", valueName: "duration"))
    var timeout: Duration?

    func timeout(_ settings: Settings) throws -> Duration {
        try settings.value(timeout, "timeout", default: .seconds(10))
    }

    /// The cluster; the caller closes it. What goes wrong is the command's own error unless it logs.
    func cluster(
        _ settings: Settings, logger: Logger = Logger(label: "weir") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> Cluster {
        let timeout = try timeout(settings)
        var configuration = ClientConfiguration(
            bootstrap: try settings.value(bootstrap, "bootstrap", default: .local).addresses, clientID: "weir")
        configuration.connectTimeout = timeout
        configuration.requestTimeout = timeout
        return Cluster(configuration: configuration, logger: logger)
    }
}

/// The flags of the commands that ask a cluster something and end.
struct ClusterOptions: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions

    @Option(help: "table or json (default: table).")
    var format: ListFormat?

    @OptionGroup var common: CommonOptions

    /// Connects for one question.
    ///
    /// - Parameter section: whose settings hold, `topic` or `group`.
    func withAdmin(_ section: String, _ body: (Admin, ListFormat) async throws -> Void) async throws {
        try await connection.withAdmin(try await common.settings(for: section), format, body)
    }
}

/// The flags of the commands that change a topic: as those of ``ClusterOptions``, but `--config` is a setting of the
/// topic there, as in Kafka's own tools.
struct TopicChangeOptions: ParsableArguments {
    @OptionGroup var connection: ConnectionOptions

    @Option(help: "table or json (default: table).")
    var format: ListFormat?

    @Option(
        help: ArgumentHelp("Take settings from this YAML file, as --config does elsewhere.", valueName: "file"))
    var settingsFile: String?

    func withAdmin(_ section: String, _ body: (Admin, ListFormat) async throws -> Void) async throws {
        try await connection.withAdmin(try await Settings(section: section, file: settingsFile), format, body)
    }
}

extension ConnectionOptions {
    fileprivate func withAdmin(
        _ settings: Settings, _ format: ListFormat?, _ body: (Admin, ListFormat) async throws -> Void
    ) async throws {
        let cluster = try cluster(settings)
        defer { cluster.close() }
        try await body(Admin(cluster: cluster), try settings.value(format, "format", default: .table))
    }
}
