internal import Glibc

/// The reports that were read last, by path: they are looked at more often than they are written, and reading one takes as
/// long as writing it.
struct ReportCache {
    /// What is new with every file that takes the place of another.
    private struct Stamp: Equatable {
        var file: UInt
        var seconds: Int
        var nanoseconds: Int
    }

    private var reports: [String: (stamp: Stamp, report: ProcessReport)] = [:]

    /// Nil until the process has got that far.
    mutating func report(_ path: String) -> ProcessReport? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        let stamp = Stamp(
            file: UInt(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
        if let known = reports[path], known.stamp == stamp { return known.report }
        guard let report = try? ProcessReport(reading: path) else { return nil }
        reports[path] = (stamp, report)
        return report
    }
}
