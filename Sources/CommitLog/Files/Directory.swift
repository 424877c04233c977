/// A directory of a log, and operations on its entries whose errors name them. A value; safe on any thread.
struct Directory: Sendable {
    let path: String
    let fileSystem: any FileSystem

    /// The directory at `path`, made with its parents when missing.
    static func make(_ path: String, in fileSystem: any FileSystem) throws(LogError) -> Directory {
        do throws(SystemError) {
            try create(path, in: fileSystem)
        } catch {
            throw .file(.createDirectory, path: path, error)
        }
        return Directory(path: path, fileSystem: fileSystem)
    }

    private static func create(_ path: String, in fileSystem: any FileSystem) throws(SystemError) {
        do throws(SystemError) {
            try fileSystem.createDirectory(path)
        } catch {
            guard error.isMissing, let parent = parent(of: path) else { throw error }
            try create(parent, in: fileSystem)
            try fileSystem.createDirectory(path)
            // The new directory's own entry is synced with the log's first sync.
            if let grandparent = Self.parent(of: parent) { try fileSystem.syncDirectory(grandparent) }
        }
    }

    /// The directory that holds `path`; nil for `/` and for the current directory's entries' own parent.
    static func parent(of path: String) -> String? {
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return trimmed == "." ? nil : "." }
        guard slash != trimmed.startIndex else { return trimmed == "/" ? nil : "/" }
        return String(trimmed[..<slash])
    }

    func path(of name: String) -> String {
        path.hasSuffix("/") ? path + name : path + "/" + name
    }

    func open(_ name: String, _ access: FileAccess) throws(LogError) -> File {
        try File(path(of: name), access, in: fileSystem)
    }

    /// The file, or nil when there is none.
    func openIfPresent(_ name: String, _ access: FileAccess = .read) throws(LogError) -> File? {
        do throws(LogError) {
            return try open(name, access)
        } catch {
            if case .file(.open, _, let reason) = error, reason.isMissing { return nil }
            throw error
        }
    }

    func names() throws(LogError) -> [String] {
        do throws(SystemError) {
            return try fileSystem.names(in: path)
        } catch {
            throw .file(.list, path: path, error)
        }
    }

    /// Removes an entry; a missing one is fine.
    func remove(_ name: String) throws(LogError) {
        do throws(SystemError) {
            try fileSystem.remove(path(of: name))
        } catch {
            if error.isMissing { return }
            throw .file(.remove, path: path(of: name), error)
        }
    }

    func rename(_ name: String, to newName: String) throws(LogError) {
        do throws(SystemError) {
            try fileSystem.rename(path(of: name), to: path(of: newName))
        } catch {
            throw .file(.rename, path: path(of: name), error)
        }
    }

    func sync() throws(LogError) {
        try Self.sync(path, in: fileSystem)
    }

    func syncParent() throws(LogError) {
        try Self.sync(Self.parent(of: path) ?? ".", in: fileSystem)
    }

    static func sync(_ path: String, in fileSystem: any FileSystem) throws(LogError) {
        do throws(SystemError) {
            try fileSystem.syncDirectory(path)
        } catch {
            throw .file(.sync, path: path, error)
        }
    }
}
