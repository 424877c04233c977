public import RecordBatch

/// Why a log cannot do what it was asked to. Each names the file or directory and says what to do where that is known.
public enum LogError: Error, Hashable, Sendable {
    /// A system call failed.
    case file(FileOperation, path: String, SystemError)
    case offsetOutOfRange(Offset, logStart: Offset, logEnd: Offset, directory: String)
    /// Bytes on disk that were intact once no longer are.
    case corrupt(path: String, position: Int, reason: String)
    /// A sync failed earlier, so what is on disk is unknown until the log is opened again.
    case fenced(directory: String, reason: String)
    case closed(directory: String)
    /// Another process (or another part of this one) holds the directory's lock.
    case locked(path: String, holder: Int32?)
    /// A file or directory that should be a log's is not.
    case notALog(path: String)
    /// The log ran out of offsets.
    case offsetsExhausted(directory: String)
}

extension LogError {
    /// Whether it failed for want of room, so that it may work again once there is some.
    public var isDiskFull: Bool {
        if case .file(_, _, let reason) = self { reason.isDiskFull } else { false }
    }
}

/// What was being done to a file.
public enum FileOperation: String, Hashable, Sendable {
    case open
    case inspect
    case read
    case write
    case truncate
    case sync
    case rename
    case remove
    case list
    case lock
    case createDirectory = "create the directory"
}

extension LogError {
    /// What was to be read is not in memory, and the reader did not want to wait for the disk.
    var wouldWait: Bool {
        if case .file(.read, _, .wouldWait) = self { true } else { false }
    }
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .file(let operation, let path, let reason):
            "cannot \(operation.rawValue) \(path): \(reason)" + (reason.advice.map { "; \($0)" } ?? "")
        case .offsetOutOfRange(let offset, let start, let end, let directory):
            "offset \(offset) is outside the log in \(directory), which holds offsets from \(start) to before \(end)"
        case .corrupt(let path, let position, let reason):
            "\(path) is corrupt at byte \(position): \(reason); restart to cut out the damage"
        case .fenced(let directory, let reason):
            """
            the log in \(directory) takes no more writes because a sync failed (\(reason)); check the disk, \
            then restart to read back what it really holds
            """
        case .closed(let directory):
            "the log in \(directory) is closed"
        case .locked(let path, let holder):
            """
            \(path) is locked by \(holder.map { "process \($0)" } ?? "another process"); stop that one, or use \
            another directory
            """
        case .notALog(let path):
            "\(path) is no log: name a partition's directory, or a .log, .index or .timeindex file in it"
        case .offsetsExhausted(let directory):
            "the log in \(directory) has used up all offsets"
        }
    }
}
