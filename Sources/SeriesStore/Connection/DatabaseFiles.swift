internal import Glibc

/// The files that make up a database.
enum DatabaseFiles {
    /// The bytes of the database and of its write-ahead log; what is not there counts nothing.
    static func byteCount(path: String) -> Int64 {
        byteCount(of: path) + byteCount(of: path + "-wal")
    }

    /// The bytes of one file, 0 when it is not there.
    static func byteCount(of file: String) -> Int64 {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Makes the directory that the database is to be in, though not those above it: these are a mistake more often
    /// than a wish. Whether it worked shows when the database is opened.
    static func makeDirectory(ofPath path: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else { return }
        mkdir(String(path[..<slash]), 0o755)
    }
}
