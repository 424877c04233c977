/// Waits for something that other processes do.
enum Waiting {
    /// Looks every few milliseconds until `condition` holds; false when `patience` is over.
    ///
    /// - Throws: `CancellationError`, and what `condition` throws.
    static func until(
        within patience: Duration, every pause: Duration = .milliseconds(20),
        isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
    ) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while try await !condition() {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: pause)
        }
        return true
    }
}
