public import MetricModel

/// Which series to take: those that meet every matcher.
public struct VectorSelector: Hashable, Sendable {
    /// In the order written; a metric's name comes first, as a matcher on `__name__`.
    public let matchers: [LabelMatcher]

    /// Reads a selector as in PromQL: `name`, `name{a="b",c=~"x.*"}`, `{"quoted.name",a!="b"}`.
    public init(parsing query: String) throws(PromQLError) {
        var parser = try Parser(query)
        self = try parser.parseWholeSelector()
    }

    init(matchers: [LabelMatcher]) {
        self.matchers = matchers
    }

    public func matches(_ labels: Labels) -> Bool {
        matchers.allSatisfy { $0.matches(labels) }
    }
}

extension VectorSelector: CustomStringConvertible {
    public var description: String {
        guard let name = matchers.first, name.name == Label.metricName, name.operation == .equal,
            Label.isPlainMetricName(name.value)
        else { return "{\(matchers.map(\.description).joined(separator: ","))}" }
        let others = matchers.dropFirst().map(\.description).joined(separator: ",")
        return others.isEmpty ? name.value : "\(name.value){\(others)}"
    }
}
