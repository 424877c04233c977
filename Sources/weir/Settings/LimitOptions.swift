import ArgumentParser
import Broker
import MetricModel
import NIOCore

/// The broker's limits that an operator may need to change; docs/limits.md has all of them.
struct LimitOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Connections in all (default: 10000).", valueName: "n"))
    var maxConnections: Int?

    @Option(help: ArgumentHelp("Connections from one address (default: 10000).", valueName: "n"))
    var maxConnectionsPerAddress: Int?

    @Option(help: ArgumentHelp("Close a connection that is idle for this long (default: 10m).", valueName: "duration"))
    var idleTimeout: Duration?

    @Option(
        help: ArgumentHelp("Bytes of one record batch; topics can set their own (default: 1MiB).", valueName: "size"))
    var maxMessageBytes: ByteSize?

    @Option(help: ArgumentHelp("Bytes of one request (default: 32MiB).", valueName: "size"))
    var maxRequestBytes: ByteSize?

    @Option(help: ArgumentHelp("Bytes of unanswered requests of all connections (default: 96MiB).", valueName: "size"))
    var maxRequestMemory: ByteSize?

    @Option(
        help: ArgumentHelp("Bytes of answers that peers have not taken, of all (default: 48MiB).", valueName: "size"))
    var maxAnswerMemory: ByteSize?

    @Option(help: ArgumentHelp("Topics (default: 10000).", valueName: "n"))
    var maxTopics: Int?

    @Option(help: ArgumentHelp("Partitions of all topics (default: 20000).", valueName: "n"))
    var maxPartitions: Int?

    @Option(help: ArgumentHelp("Consumer groups (default: 10000).", valueName: "n"))
    var maxGroups: Int?

    @Option(help: ArgumentHelp("Members of one group (default: 1000).", valueName: "n"))
    var maxGroupMembers: Int?

    @Option(
        help: ArgumentHelp("Bytes of memory for what groups have committed (default: 32MiB).", valueName: "size"))
    var maxOffsetMemory: ByteSize?

    /// The limits that flags, variables and the settings file come to.
    func limits(_ settings: Settings) throws -> BrokerLimits {
        var limits = BrokerLimits()
        func set(_ flag: Int?, _ name: String, _ limit: WritableKeyPath<BrokerLimits, Int>) throws {
            guard let value = try settings.value(flag, name) else { return }
            guard value >= 1 else { throw CommandError("--\(name) is \(value); it must be at least 1") }
            limits[keyPath: limit] = value
        }
        func set(_ flag: ByteSize?, _ name: String, _ limit: WritableKeyPath<BrokerLimits, Int>) throws {
            guard let value = try settings.value(flag, name) else { return }
            // Frames of 1 KiB are what a handshake takes; more than 1 GiB does not fit the protocol with its headers.
            guard (1 << 10...1 << 30).contains(value.bytes) else {
                throw CommandError("--\(name) is \(value.bytes) bytes; it must be from 1KiB to 1GiB")
            }
            limits[keyPath: limit] = value.bytes
        }
        try set(maxConnections, "max-connections", \.connections)
        try set(maxConnectionsPerAddress, "max-connections-per-address", \.connectionsPerAddress)
        try set(maxMessageBytes, "max-message-bytes", \.batchBytes)
        try set(maxRequestBytes, "max-request-bytes", \.connection.frameBytes)
        try set(maxRequestMemory, "max-request-memory", \.requestBytes)
        try set(maxAnswerMemory, "max-answer-memory", \.answerBytes)
        try set(maxTopics, "max-topics", \.topics)
        try set(maxPartitions, "max-partitions", \.partitions)
        try set(maxGroups, "max-groups", \.groups)
        try set(maxGroupMembers, "max-group-members", \.membersPerGroup)
        try set(maxOffsetMemory, "max-offset-memory", \.committedOffsetBytes)
        if let idle = try settings.value(idleTimeout, "idle-timeout") {
            guard idle >= .seconds(1) else {
                throw CommandError("--idle-timeout is \(idle.shortText); it must be at least 1s")
            }
            limits.connection.idleTime = .milliseconds(idle.wholeMilliseconds)
        }
        return limits
    }

    /// The names that a settings file may use.
    static let names: Set<String> = [
        "max-connections", "max-connections-per-address", "idle-timeout", "max-message-bytes", "max-request-bytes",
        "max-request-memory", "max-answer-memory", "max-topics", "max-partitions", "max-groups", "max-group-members",
        "max-offset-memory",
    ]
}
