import Logging
import Synchronization

/// Says once that something goes wrong, not at every tick, and once that it is over. Any thread.
final class Complaint: Sendable {
    private let logger: Logger
    private let current = Mutex<String?>(nil)

    init(_ logger: Logger) {
        self.logger = logger
    }

    func raise(_ text: String) {
        let isNew = current.withLock { current in
            defer { current = text }
            return current == nil
        }
        if isNew { logger.error("\(text)") } else { logger.debug("\(text)") }
    }

    func settle(_ text: @autoclosure () -> String) {
        let wasRaised = current.withLock { current in
            defer { current = nil }
            return current != nil
        }
        if wasRaised { logger.info("\(text())") }
    }
}
