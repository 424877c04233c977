internal import Glibc

/// The files that make up a database.
enum DatabaseFiles {
    /// The bytes of the database and of its write-ahead log; what is not there counts nothing.
    static func byteCount(path: String) -> Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var status = stat()
            return stat(path + suffix, &status) == 0 ? sum + Int64(status.st_size) : sum
        }
    }
}
