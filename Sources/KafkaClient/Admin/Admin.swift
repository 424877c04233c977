/// Looks at a cluster and changes it: topics, groups, offsets. For people and tools that wait for the answer.
///
/// A value; any thread. Each call throws `KafkaClientError.unreachable` at once when the cluster cannot be reached,
/// and retries what passes by itself (an election, a coordinator that is loading) for up to `requestTimeout`.
public struct Admin: Sendable {
    let cluster: Cluster

    public init(cluster: Cluster) {
        self.cluster = cluster
    }

    func retrying<Value>(_ attempt: () async throws -> Value) async throws -> Value {
        try await cluster.retrying(.whileReachable, patience: cluster.configuration.requestTimeout, attempt)
    }
}
