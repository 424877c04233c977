import Glibc

/// One line on standard error that says how far work has come, written over itself twice a second at most; nothing where
/// standard error is no terminal.
struct ProgressLine {
    private static let interval = Duration.milliseconds(500)

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var shownAt = ContinuousClock.now

    mutating func show(_ text: @autoclosure () -> String) {
        guard isTerminal, .now - shownAt > Self.interval else { return }
        shownAt = .now
        writeToStandardError("\r\u{1B}[K\(text()) …")
    }

    func clear() {
        if isTerminal { writeToStandardError("\r\u{1B}[K") }
    }
}

/// For what accompanies the result: the result itself goes to standard output.
func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
        // Nobody is left to tell when this fails.
        _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
