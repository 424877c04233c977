public import CommitLog
public import KafkaProtocol
import MetricModel

/// Why an agent cannot start.
public enum AgentError: Error, Equatable, CustomStringConvertible {
    case noCollectors
    case noBootstrap
    case emptyInstance
    /// There is no spool to drain on a direct link.
    case nothingToDrain
    case intervalTooShort(Duration, minimum: Duration)
    /// The topic prefix makes a name that no topic can have.
    case topicName(InvalidTopicName)
    case spool(directory: String, LogError)

    public var description: String {
        switch self {
        case .noCollectors:
            "no collector is chosen; choose from \(CollectorName.allCases.map(\.rawValue).joined(separator: ", "))"
        case .noBootstrap: "there is no bootstrap address to publish to; give one such as 127.0.0.1:9092"
        case .nothingToDrain: "direct links have no spool, so there is nothing to drain; leave out --direct or --drain"
        case .emptyInstance: "the instance is empty; give this host a name"
        case .intervalTooShort(let interval, let minimum):
            "the interval \(interval.shortText) is too short; the shortest is \(minimum.shortText)"
        case .topicName(let error): error.description
        case .spool(let directory, .locked(_, let holder)):
            "the spool in \(directory) is in use by "
                + (holder.map { "process \($0)" } ?? "another process")
                + "; stop that agent, or give this one another spool directory"
        case .spool(let directory, let error): "the spool in \(directory) cannot be opened: \(error)"
        }
    }
}
