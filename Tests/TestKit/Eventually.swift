/// Waits until `condition` holds, looking again every few milliseconds; throws ``TestKitError/deadline(_:)`` with
/// `what` when it does not within `deadline`. Tests wait for conditions with it instead of sleeping.
public func eventually(
    _ what: @autoclosure () -> String, within deadline: Duration = .seconds(120),
    isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + deadline
    while try await !condition() {
        guard clock.now < end else { throw TestKitError.deadline(what()) }
        try await Task.sleep(for: .milliseconds(10))
    }
}
