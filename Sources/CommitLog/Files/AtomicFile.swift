public import NIOCore

/// Small files that are replaced as a whole (checkpoints, catalogs): after a crash at any instant there is either the
/// old content or the new. Blocking; call it where blocking is fine.
public enum AtomicFile {
    /// What the temporary file beside the real one is called; a crash can leave it behind, and it means nothing then.
    static let temporarySuffix = ".tmp"

    /// Writes a temporary file beside `path`, syncs it, renames it to `path` and syncs the directory.
    public static func write(
        _ content: ByteBuffer, to path: String, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) {
        let temporary = path + temporarySuffix
        do throws(LogError) {
            let file = try File(temporary, .replace, in: fileSystem)
            try file.write(content, at: 0)
            try file.sync()
        } catch {
            try? fileSystem.remove(temporary)
            throw error
        }
        do throws(SystemError) {
            try fileSystem.rename(temporary, to: path)
        } catch {
            try? fileSystem.remove(temporary)
            throw .file(.rename, path: temporary, error)
        }
        try Directory.sync(Directory.parent(of: path) ?? ".", in: fileSystem)
    }

    /// Writes text, as UTF-8.
    public static func write(
        _ text: String, to path: String, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) {
        try write(ByteBuffer(string: text), to: path, fileSystem: fileSystem)
    }

    /// The content of the file at `path`; nil when there is none.
    public static func read(
        _ path: String, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) -> ByteBuffer? {
        do throws(LogError) {
            let file = try File(path, .read, in: fileSystem)
            return try file.read(count: try file.size(), at: 0)
        } catch {
            if case .file(.open, _, let reason) = error, reason.isMissing { return nil }
            throw error
        }
    }
}
