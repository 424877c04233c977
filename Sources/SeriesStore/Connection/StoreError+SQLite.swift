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
        let detail = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_READONLY: self = .readOnly(path: path)
        case .SQLITE_NOTADB: self = .notADatabase(path: path)
        case .SQLITE_CORRUPT: self = .corrupt(path: path, detail: detail)
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .cannotOpen(path: path, reason: detail)
        case .SQLITE_IOERR:
            self = .inputOutput(path: path, detail: "\(detail), SQLite code \(error.extendedResultCode.rawValue)")
        // PROTOCOL: another process was stopped while it opened the write-ahead log.
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: self = .busy(path: path)
        default: self = .sqlite(path: path, code: error.extendedResultCode.rawValue, detail: detail)
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

/// Thrown within a transaction; becomes `StoreError.superseded`.
struct Superseded: Error {
    let reason: Supersession
}
