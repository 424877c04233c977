import Glibc
import Topology

/// Shows how far a comparison has come on standard error: drawn over itself in a terminal, a line a step elsewhere.
actor ComparisonProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var last = ""

    func show(_ progress: ComparisonProgress) {
        let left =
            "\(progress.secondsLeft / 60):\(progress.secondsLeft % 60 < 10 ? "0" : "")\(progress.secondsLeft % 60)"
        let percent = "\(Int(progress.fraction * 100)) %"
        if isTerminal {
            let filled = Int(progress.fraction * 24)
            let bar = String(repeating: "━", count: filled) + String(repeating: "─", count: 24 - filled)
            writeToStandardError(
                "\r\u{1B}[K\(bar) \(percent), \(left) left   \(progress.subject): \(progress.step)")
        } else {
            let line = "\(progress.subject): \(progress.step)"
            guard line != last else { return }
            last = line
            writeToStandardError("\(percent), \(left) left: \(line)\n")
        }
    }

    func clear() {
        if isTerminal { writeToStandardError("\r\u{1B}[K") }
    }
}
