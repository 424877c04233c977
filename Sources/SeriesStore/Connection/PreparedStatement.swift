internal import GRDB
internal import GRDBSQLite

/// A compiled SQL statement that is bound and read without boxing a value, for the paths that run once per sample.
/// It lives as long as its connection and is used on that connection's queue only.
final class PreparedStatement {
    /// Keeps the handle alive.
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ sql: String, on database: Database) throws {
        statement = try database.makeStatement(sql: sql)
        handle = statement.sqliteStatement
    }

    /// Parameters are counted from 1, as SQLite does. Binding fails only for an index that does not exist, and that
    /// leaves the parameter NULL: a bug that the first test of the statement finds.
    func bind(_ value: Int64, at index: Int32) {
        sqlite3_bind_int64(handle, index, value)
    }

    func bind(_ text: String, at index: Int32) {
        var text = text
        text.withUTF8 { bytes in
            // A null pointer would be NULL, not an empty text.
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                _ = sqlite3_bind_text(handle, index, "", 0, Self.copied)
                return
            }
            base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { characters in
                _ = sqlite3_bind_text64(
                    handle, index, characters, UInt64(bytes.count), Self.copied, UInt8(SQLITE_UTF8))
            }
        }
    }

    /// An empty array is stored as NULL.
    func bind(_ bytes: [UInt8], at index: Int32) {
        bytes.withUnsafeBytes { bytes in
            _ = sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
        }
    }

    /// A sample's value. SQLite has no NaN, so NaN is stored as NULL, and a NaN that carries a meaning in its bits
    /// (the staleness marker) as these eight bytes. SQLite makes -0 a 0, which is the same number.
    func bind(_ value: Double, at index: Int32) {
        guard value.isNaN else {
            sqlite3_bind_double(handle, index, value)
            return
        }
        guard value.isSignalingNaN else {
            sqlite3_bind_null(handle, index)
            return
        }
        var bits = value.bitPattern.bigEndian
        sqlite3_bind_blob(handle, index, &bits, 8, Self.copied)
    }

    /// Advances to the next row; false when there is none, and then the statement is ready to be bound again.
    func step() throws -> Bool {
        let code = sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        defer { sqlite3_reset(handle) }
        guard code == SQLITE_DONE else {
            let message = sqlite3_db_handle(handle).flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) }
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message, sql: statement.sql)
        }
        return false
    }

    /// Runs a statement that gives no rows.
    func run() throws {
        while try step() {}
    }

    /// Ends a walk over rows before its end.
    func reset() {
        sqlite3_reset(handle)
    }

    /// How many rows the last INSERT, UPDATE or DELETE on this connection changed.
    var changedRows: Int {
        Int(sqlite3_changes(sqlite3_db_handle(handle)))
    }

    // Columns are counted from 0, as SQLite does.

    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(handle, column) else { return "" }
        let count = Int(sqlite3_column_bytes(handle, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func sampleValue(_ column: Int32) -> Double {
        switch sqlite3_column_type(handle, column) {
        case SQLITE_NULL:
            return .nan
        case SQLITE_BLOB:
            guard sqlite3_column_bytes(handle, column) == 8, let bytes = sqlite3_column_blob(handle, column) else {
                return .nan
            }
            return Double(bitPattern: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)))
        default:
            return sqlite3_column_double(handle, column)
        }
    }

    /// Calls `body` with a blob's bytes, which are valid until the next step.
    func withBytes<Result>(_ column: Int32, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let count = Int(sqlite3_column_bytes(handle, column))
        return try body(UnsafeRawBufferPointer(start: sqlite3_column_blob(handle, column), count: count))
    }

    /// SQLITE_TRANSIENT: SQLite copies what it is given before the call returns.
    private static var copied: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}
