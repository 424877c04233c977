public import Logging
import Synchronization

/// Collects what is logged, as `level: message`.
public final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    public init() {}

    public var all: [String] { lines.withLock { $0 } }

    /// Info and above.
    public var visible: [String] { all.filter { !$0.hasPrefix("debug") && !$0.hasPrefix("trace") } }

    /// The lines that contain a text.
    public func matching(_ part: String) -> [String] { all.filter { $0.contains(part) } }

    public var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .debug
        return logger
    }

    private func append(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.debug
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.append("\(event.level): \(event.message)")
        }
    }
}
