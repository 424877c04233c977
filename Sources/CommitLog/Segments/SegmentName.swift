internal import RecordBatch

/// The names of a segment's files: the base offset padded to 20 digits, and what the file holds.
struct SegmentName: Hashable, Sendable {
    let baseOffset: Offset

    private static let digits = 20
    static let logSuffix = ".log"
    static let offsetIndexSuffix = ".index"
    static let timeIndexSuffix = ".timeindex"
    static let transactionIndexSuffix = ".txnindex"
    static let snapshotSuffix = ".snapshot"

    var log: String { padded + Self.logSuffix }
    var offsetIndex: String { padded + Self.offsetIndexSuffix }
    var timeIndex: String { padded + Self.timeIndexSuffix }

    /// What was aborted; most segments have no such file.
    var transactionIndex: String { padded + Self.transactionIndexSuffix }
    /// What the log knew of its producers where the segment begins.
    var snapshot: String { padded + Self.snapshotSuffix }

    /// The names of the files that every segment has, the log's first.
    var all: [String] { [log, offsetIndex, timeIndex] }

    private var padded: String {
        let text = String(baseOffset.rawValue)
        return String(repeating: "0", count: max(0, Self.digits - text.utf8.count)) + text
    }

    init(_ baseOffset: Offset) {
        self.baseOffset = baseOffset
    }

    /// Whether `file` is a segment's file that was about to be removed.
    static func isRetired(_ file: String) -> Bool {
        SegmentName(fileName: file, endingIn: SegmentRemoval.suffix) != nil
    }

    /// The segment that `name` belongs to, if it is the name of any of a segment's files followed by `ending`.
    init?(fileName name: String, endingIn ending: String) {
        let suffixes = [
            Self.logSuffix, Self.offsetIndexSuffix, Self.timeIndexSuffix, Self.transactionIndexSuffix,
            Self.snapshotSuffix,
        ]
        for suffix in suffixes {
            guard let segment = SegmentName(fileName: name, suffix: suffix + ending) else { continue }
            self = segment
            return
        }
        return nil
    }

    /// The segment that `name` belongs to, if it is the name of a segment's file with this suffix.
    init?(fileName name: String, suffix: String) {
        guard name.hasSuffix(suffix) else { return nil }
        let number = name.utf8.dropLast(suffix.utf8.count)
        guard number.count == Self.digits, number.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let offset = Int64(String(number) ?? "")
        else { return nil }
        baseOffset = Offset(offset)
    }
}
