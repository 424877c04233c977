internal import GRDB

extension StoreError {
    /// The one place where SQLite's codes become errors that speak to a person.
    init(_ error: any Error, path: String) {
        if let error = error as? StoreError {
            self = error
            return
        }
        if error is ForeignRules {
            self = .otherRules(path: path)
            return
        }
        if let reason = error as? Superseded {
            self = .superseded(path: path, reason.reason)
            return
        }
        if let damage = error as? ChunkDamage {
            self = .corrupt(path: path, detail: "\(damage)")
            return
        }
        guard let error = error as? DatabaseError else {
            self = .sqlite(path: path, code: -1, detail: "\(error)")
            return
        }
        let code = error.extendedResultCode
        let detail = "\(error.message ?? "\(error.resultCode)"), \(code.name)"
        switch error.resultCode {
        case .SQLITE_READONLY where code.isLeftByAWriter: self = .unrecovered(path: path, detail: code.name)
        case .SQLITE_READONLY: self = .readOnly(path: path, detail: code.name)
        case .SQLITE_NOTADB: self = .notADatabase(path: path)
        case .SQLITE_CORRUPT: self = .corrupt(path: path, detail: detail)
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .cannotOpen(path: path, reason: detail)
        case .SQLITE_IOERR: self = .inputOutput(path: path, detail: detail)
        // PROTOCOL: another process was stopped while it opened the write-ahead log.
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .busy(path: path)
        default: self = .sqlite(path: path, code: code.rawValue, detail: detail)
        }
    }

    /// Runs `body` and gives what it throws the path's name.
    static func naming<Result>(_ path: String, _ body: () throws -> Result) throws(StoreError) -> Result {
        do {
            return try body()
        } catch {
            throw StoreError(error, path: path)
        }
    }
}

extension ResultCode {
    /// What a reader meets where a writer was killed, as SQLite's documentation of result codes has it: a rollback journal
    /// that is to be played back, or a write-ahead log whose index nobody has made yet.
    fileprivate var isLeftByAWriter: Bool {
        self == .SQLITE_READONLY_ROLLBACK || self == .SQLITE_READONLY_RECOVERY || self == .SQLITE_READONLY_CANTINIT
            || self == .SQLITE_READONLY_CANTLOCK
    }

    /// The code as SQLite's documentation calls it, for those that tell more than the error's text; else its number.
    var name: String { Self.names.first { $0.0 == self }?.1 ?? "SQLite code \(rawValue)" }

    private static let names: [(ResultCode, String)] = [
        (.SQLITE_READONLY, "SQLITE_READONLY"),
        (.SQLITE_READONLY_RECOVERY, "SQLITE_READONLY_RECOVERY"),
        (.SQLITE_READONLY_CANTLOCK, "SQLITE_READONLY_CANTLOCK"),
        (.SQLITE_READONLY_ROLLBACK, "SQLITE_READONLY_ROLLBACK"),
        (.SQLITE_READONLY_DBMOVED, "SQLITE_READONLY_DBMOVED"),
        (.SQLITE_READONLY_CANTINIT, "SQLITE_READONLY_CANTINIT"),
        (.SQLITE_READONLY_DIRECTORY, "SQLITE_READONLY_DIRECTORY"),
        (.SQLITE_CANTOPEN, "SQLITE_CANTOPEN"),
        (.SQLITE_CORRUPT, "SQLITE_CORRUPT"),
        (.SQLITE_IOERR_READ, "SQLITE_IOERR_READ"),
        (.SQLITE_IOERR_SHORT_READ, "SQLITE_IOERR_SHORT_READ"),
        (.SQLITE_IOERR_WRITE, "SQLITE_IOERR_WRITE"),
        (.SQLITE_IOERR_FSYNC, "SQLITE_IOERR_FSYNC"),
        (.SQLITE_IOERR_TRUNCATE, "SQLITE_IOERR_TRUNCATE"),
        (.SQLITE_IOERR_LOCK, "SQLITE_IOERR_LOCK"),
        (.SQLITE_IOERR_SHMOPEN, "SQLITE_IOERR_SHMOPEN"),
        (.SQLITE_IOERR_SHMSIZE, "SQLITE_IOERR_SHMSIZE"),
        (.SQLITE_IOERR_SHMLOCK, "SQLITE_IOERR_SHMLOCK"),
        (.SQLITE_IOERR_SHMMAP, "SQLITE_IOERR_SHMMAP"),
    ]
}

/// Thrown within a transaction; becomes `StoreError.superseded`.
struct Superseded: Error {
    let reason: Supersession
}
