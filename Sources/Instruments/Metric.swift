/// What a metric of one of our services is called, and what it means. A constant; a service declares all of its own in one
/// list, which the backend takes the help texts from and docs/metrics.md is checked against.
public struct Metric: Hashable, Sendable {
    public enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    public let kind: Kind
    /// In Prometheus's style: a prefix that names the service, base units (seconds, bytes), `_total` on counters.
    public let name: String
    /// The names of its labels, in the order in which their values are given.
    public let labels: [String]
    public let help: String

    public init(_ kind: Kind, _ name: String, by labels: [String] = [], _ help: String) {
        self.kind = kind
        self.name = name
        self.labels = labels
        self.help = help
    }

    /// The labels with these values, as swift-metrics takes them.
    public func dimensions(_ values: [String]) -> [(String, String)] {
        precondition(values.count == labels.count, "\(name) has the labels \(labels), not \(values.count) of them")
        return Array(zip(labels, values))
    }
}

extension Metric {
    /// The same metric in more detail, by further labels.
    public func by(_ more: [String]) -> Metric {
        more.isEmpty ? self : Metric(kind, name, by: labels + more, help)
    }
}
