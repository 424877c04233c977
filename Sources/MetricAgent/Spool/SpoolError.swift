public import CommitLog
import RecordBatch

/// Why a spool cannot be opened, or refused a record.
public enum SpoolError: Error, Hashable, CustomStringConvertible {
    /// The spool has grown to its limit because records are collected faster than they are taken.
    case full(directory: String, limitBytes: Int)
    case storage(LogError)
    /// The record cannot be encoded.
    case unencodable(String)

    public var description: String {
        switch self {
        case .full(let directory, let limitBytes):
            "the spool in \(directory) is at its limit of \(ByteText(limitBytes)), so new samples are refused until the "
                + "broker takes the old ones; make the broker reachable, or raise the spool's limit"
        case .storage(let error): error.description
        case .unencodable(let reason): "a record cannot be spooled: \(reason)"
        }
    }
}

/// A number of bytes for a person: `1 GiB`, `1.5 MiB`, `17 bytes`.
struct ByteText: CustomStringConvertible {
    let bytes: Int

    init(_ bytes: Int) {
        self.bytes = bytes
    }

    var description: String {
        for (shift, unit) in [(30, "GiB"), (20, "MiB"), (10, "KiB")] where bytes >= 1 << shift {
            let tenths = (bytes * 10) >> shift
            return tenths % 10 == 0 || tenths >= 1000
                ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) bytes"
    }
}
