internal import FoundationEssentials

/// One process of a running stage across its starts: what is planned, what runs, and what ended starts have used.
struct StageProcess {
    var plan: StagePlan.Process
    var settings: ProcessSettings
    /// The current start, if it is running.
    var child: ChildProcess?
    /// How often it was started.
    var starts = 0
    var ended: [ChildProcess.Usage] = []
    /// Where it listens.
    var port: Int?

    /// Ends what runs, if anything does, and remembers what it has used.
    mutating func remember(_ usage: ChildProcess.Usage) {
        ended.append(usage)
        child = nil
        port = nil
    }
}

/// The port in the line with which a process says that it listens.
enum ListeningLine {
    private static let markers = ["listening for direct publishers on ", "listening on "]

    static func port(inFile path: String) -> Int? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            for marker in markers {
                guard let range = line.firstRange(of: marker) else { continue }
                let address = line[range.upperBound...].prefix { $0.isNumber || $0 == "." || $0 == ":" }
                if let port = address.split(separator: ":").last.flatMap({ Int($0) }) { return port }
            }
        }
        return nil
    }
}
