import ArgumentParser
import KafkaClient
import Logging

/// The flags of the commands that ask a cluster something and end.
struct ClusterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(help: ArgumentHelp("Give up after this long (default: 10s).", valueName: "duration"))
    var timeout: Duration?

    @Option(help: "table or json (default: table).")
    var format: ListFormat?

    @OptionGroup var common: CommonOptions

    /// Connects for one question.
    ///
    /// - Parameter section: whose settings hold, `topic` or `group`.
    func withAdmin(_ section: String, _ body: (Admin, ListFormat) async throws -> Void) async throws {
        let settings = try await common.settings(for: section)
        let timeout = try settings.value(timeout, "timeout", default: .seconds(10))
        var configuration = ClientConfiguration(
            bootstrap: try settings.value(bootstrap, "bootstrap", default: .local).addresses, clientID: "weir")
        configuration.connectTimeout = timeout
        configuration.requestTimeout = timeout
        // What goes wrong is the command's own error.
        let cluster = Cluster(
            configuration: configuration, logger: Logger(label: "weir") { _ in SwiftLogNoOpLogHandler() })
        defer { cluster.close() }
        try await body(Admin(cluster: cluster), try settings.value(format, "format", default: .table))
    }
}
