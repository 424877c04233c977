/// Runs `work`; at the deadline cancels it and throws `overdue`.
func withDeadline<Value: Sendable>(
    _ limit: Duration, overdue: KafkaClientError, _ work: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: limit)
            throw overdue
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw overdue }
        return first
    }
}
