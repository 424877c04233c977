import ArgumentParser
import MetricAgent

/// What may wait for each destination of direct links.
struct DirectLinkOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Records that may wait for each direct subscriber; with more the oldest are lost (default: 10000).",
            valueName: "n"))
    var directQueueRecords: Int?

    @Option(
        help: ArgumentHelp("The same in bytes (default: 16MiB).", valueName: "size"))
    var directQueueMax: ByteSize?

    static let names: Set<String> = ["direct-queue-records", "direct-queue-max"]

    func configuration(_ settings: Settings) throws -> DirectConfiguration {
        var configuration = DirectConfiguration()
        if let records = try settings.value(directQueueRecords, "direct-queue-records") {
            guard records >= 1 else { throw CommandError("--direct-queue-records is 1 at least") }
            configuration.queueRecords = records
        }
        if let size = try settings.value(directQueueMax, "direct-queue-max") { configuration.queueBytes = size.bytes }
        return configuration
    }
}
