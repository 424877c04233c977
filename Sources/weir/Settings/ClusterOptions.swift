import ArgumentParser
import KafkaClient
import Logging

/// Where the cluster is, for the commands of people who wait for an answer.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(help: ArgumentHelp("Give up after this long (default: 10s).", valueName: "duration"))
    var timeout: Duration?

    @OptionGroup var common: CommonOptions

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

    /// Connects for one question.
    ///
    /// - Parameter section: whose settings hold, `topic` or `group`.
    func withAdmin(_ section: String, _ body: (Admin, ListFormat) async throws -> Void) async throws {
        let settings = try await connection.common.settings(for: section)
        let cluster = try connection.cluster(settings)
        defer { cluster.close() }
        try await body(Admin(cluster: cluster), try settings.value(format, "format", default: .table))
    }
}
