internal import NIOCore

/// An open file of a log, closed when its last holder lets go: a segment's owner, slices being read, syncs under way.
/// Safe on any thread; positions are given with every call.
final class File: Sendable {
    let path: String
    private let descriptor: Int32
    private let fileSystem: any FileSystem

    init(_ path: String, _ access: FileAccess, in fileSystem: any FileSystem) throws(LogError) {
        do throws(SystemError) {
            descriptor = try fileSystem.open(path, access)
        } catch {
            throw .file(.open, path: path, error)
        }
        self.path = path
        self.fileSystem = fileSystem
    }

    deinit {
        fileSystem.close(descriptor)
    }

    func size() throws(LogError) -> Int {
        do throws(SystemError) {
            return try fileSystem.size(descriptor)
        } catch {
            throw .file(.inspect, path: path, error)
        }
    }

    /// When it was written to last, in milliseconds since the epoch.
    func modified() throws(LogError) -> Int64 {
        do throws(SystemError) {
            return try fileSystem.modified(descriptor)
        } catch {
            throw .file(.inspect, path: path, error)
        }
    }

    /// Fills `room` from `position` on, as far as the file goes.
    ///
    /// - Parameter onlyCached: rather than wait for the disk, throw an error whose `wouldWait` is true.
    /// - Returns: the number of bytes read.
    func read(
        into room: UnsafeMutableRawBufferPointer, at position: Int, onlyCached: Bool = false
    ) throws(LogError) -> Int {
        var filled = 0
        do throws(SystemError) {
            while filled < room.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: room[filled...])
                let count =
                    onlyCached
                    ? try fileSystem.readCached(descriptor, into: rest, at: position + filled)
                    : try fileSystem.read(descriptor, into: rest, at: position + filled)
                if count == 0 { break }
                filled += count
            }
            return filled
        } catch {
            throw .file(.read, path: path, error)
        }
    }

    /// The `count` bytes at `position`, or as many as the file has.
    func read(count: Int, at position: Int, onlyCached: Bool = false) throws(LogError) -> ByteBuffer {
        var buffer = ByteBuffer()
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { (room) throws(LogError) in
            try read(
                into: UnsafeMutableRawBufferPointer(rebasing: room.prefix(count)), at: position, onlyCached: onlyCached)
        }
        return buffer
    }

    /// Writes everything at `position`, usually in one system call. When it fails some of the bytes may be in the file.
    func write(
        _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(LogError) {
        let total = head.count + body.count
        var written = 0
        do throws(SystemError) {
            while written < total {
                let headRest = UnsafeRawBufferPointer(rebasing: head[min(written, head.count)...])
                let bodyRest = UnsafeRawBufferPointer(rebasing: body[max(0, written - head.count)...])
                let count = try fileSystem.write(descriptor, headRest, bodyRest, at: position + written)
                if count == 0 { throw SystemError.endedEarly }
                written += count
            }
        } catch {
            throw .file(.write, path: path, error)
        }
    }

    func write(_ buffer: ByteBuffer, at position: Int) throws(LogError) {
        try buffer.withUnsafeReadableBytes { (bytes) throws(LogError) in
            try write(UnsafeRawBufferPointer(start: nil, count: 0), bytes, at: position)
        }
    }

    func truncate(to size: Int) throws(LogError) {
        do throws(SystemError) {
            try fileSystem.truncate(descriptor, to: size)
        } catch {
            throw .file(.truncate, path: path, error)
        }
    }

    func sync() throws(LogError) {
        do throws(SystemError) {
            try fileSystem.sync(descriptor)
        } catch {
            throw .file(.sync, path: path, error)
        }
    }
}
