import KafkaProtocol

/// What AlterConfigs and IncrementalAlterConfigs have in common: a list of resources, each with its changes, of which each is
/// answered. A value of the request's handler.
struct ConfigResource: Hashable {
    let type: Int8
    let name: String

    /// Whether it is a topic, which alone can be altered, and there once among `all`.
    private func check(_ counts: [ConfigResource: Int]) throws(TopicRefusal) {
        guard ConfigResourceType(rawValue: self.type) == .topic else {
            throw TopicRefusal(
                .invalidRequest, "only topics can be altered; the broker's settings are given when it starts")
        }
        guard counts[self] == 1 else {
            throw TopicRefusal(.invalidRequest, "Each resource must appear at most once.")
        }
    }

    /// Carries out what a request asks for.
    ///
    /// - Parameter change: how one of the request's resources changes its topic's configs, where that can be said.
    /// - Returns: for each resource why nothing was changed; nil where something was.
    static func alter<Resource>(
        _ resources: [Resource], as resource: (Resource) -> ConfigResource, validateOnly: Bool, _ catalog: Catalog,
        _ change: (Resource) throws(TopicRefusal) -> Catalog.ConfigChange
    ) -> [TopicRefusal?] {
        let counts = Dictionary(resources.map { (resource($0), 1) }, uniquingKeysWith: +)
        var refusals = [TopicRefusal?](repeating: nil, count: resources.count)
        var changes: [Catalog.ConfigChange] = []
        var places: [Int] = []
        for (index, wanted) in resources.enumerated() {
            do throws(TopicRefusal) {
                try resource(wanted).check(counts)
                changes.append(try change(wanted))
                places.append(index)
            } catch {
                refusals[index] = error
            }
        }
        for (place, refusal) in zip(places, catalog.alter(changes, validateOnly: validateOnly)) {
            refusals[place] = refusal
        }
        return refusals
    }
}
