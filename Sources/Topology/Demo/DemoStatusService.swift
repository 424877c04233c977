import Glibc
public import ServiceLifecycle

/// Prints once a second what flows through the demo, and ends it after a time if one is set.
///
/// In a terminal the line is drawn over the one before; in a pipe each second is a line of its own.
public struct DemoStatusService: Service {
    private let pipeline: DemoPipeline
    private let duration: Duration?
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    /// - Parameter duration: how long the demo runs; nil until it is stopped.
    public init(pipeline: DemoPipeline, duration: Duration?) {
        self.pipeline = pipeline
        self.duration = duration
    }

    public func run() async throws {
        let address = try await pipeline.brokerAddress()
        print("Weir demo: broker on \(address), data in \(pipeline.configuration.dataDirectory); Ctrl-C ends it.")
        let clock = ContinuousClock()
        let start = clock.now
        try? await cancelWhenGracefulShutdown {
            var before = pipeline.statistics
            for second in 1... {
                let next = start + .seconds(second)
                if let duration, next > start + duration {
                    try await clock.sleep(until: start + duration)
                    return
                }
                try await clock.sleep(until: next)
                let now = pipeline.statistics
                show(DemoStatusLine(second: second, before: before, now: now).text)
                before = now
            }
        }
        if isTerminal { print() }
    }

    private func show(_ line: String) {
        if isTerminal {
            print("\r\u{1B}[2K\(line)", terminator: "")
            fflush(nil)
        } else {
            print(line)
        }
    }
}

/// One second of the demo in words.
struct DemoStatusLine {
    let second: Int
    let before: DemoStatistics
    let now: DemoStatistics

    var text: String {
        [
            "\(second) s".leftPadded(to: 6),
            "collected \("\(now.samplesCollected - before.samplesCollected)".leftPadded(to: 5)) samples/s",
            "published \("\(now.recordsPublished - before.recordsPublished)".leftPadded(to: 3)) records/s",
            "stored \("\(now.samplesStored - before.samplesStored)".leftPadded(to: 5)) samples/s",
            "lag \(now.recordsBehind)",
            "spool \(now.recordsWaiting)",
            "SQLite \(ByteCount(now.databaseBytes))",
        ].joined(separator: "   ")
    }
}

extension String {
    func leftPadded(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
