import CommitLog
import Glibc

/// Files in memory, so that a log opens some ten thousand times a second. Used by one thread, the fuzzer's.
final class MemoryFileSystem: FileSystem, @unchecked Sendable {
    private final class Node {
        var bytes: [UInt8] = []
    }

    private var nodes: [String: Node] = [:]
    private var open: [Node?] = []

    /// Forgets everything.
    func clear() {
        nodes.removeAll(keepingCapacity: true)
        open.removeAll(keepingCapacity: true)
    }

    func put(_ bytes: some Sequence<UInt8>, at path: String) {
        let node = Node()
        node.bytes.append(contentsOf: bytes)
        nodes[path] = node
    }

    private func node(_ descriptor: Int32) throws(SystemError) -> Node {
        guard open.indices.contains(Int(descriptor)), let node = open[Int(descriptor)] else {
            throw SystemError(code: EBADF)
        }
        return node
    }

    func open(_ path: String, _ access: FileAccess) throws(SystemError) -> Int32 {
        let node: Node
        if let present = nodes[path] {
            node = present
        } else if access == .read {
            throw SystemError(code: ENOENT)
        } else {
            node = Node()
            nodes[path] = node
        }
        if access == .replace { node.bytes.removeAll() }
        open.append(node)
        return Int32(open.count - 1)
    }

    func close(_ descriptor: Int32) {
        if open.indices.contains(Int(descriptor)) { open[Int(descriptor)] = nil }
    }

    func size(_ descriptor: Int32) throws(SystemError) -> Int { try node(descriptor).bytes.count }

    func modified(_ descriptor: Int32) throws(SystemError) -> Int64 { 1_700_000_000_000 }

    func read(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        let node = try node(descriptor)
        guard position >= 0 else { throw SystemError(code: EINVAL) }
        guard position < node.bytes.count else { return 0 }
        let count = min(room.count, node.bytes.count - position)
        node.bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(rebasing: room[..<count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<(position + count)]))
        }
        return count
    }

    func write(
        _ descriptor: Int32, _ head: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, at position: Int
    ) throws(SystemError) -> Int {
        let node = try node(descriptor)
        let end = position + head.count + body.count
        if node.bytes.count < end {
            node.bytes.append(contentsOf: repeatElement(0, count: end - node.bytes.count))
        }
        node.bytes.replaceSubrange(position..<(position + head.count), with: head)
        node.bytes.replaceSubrange((position + head.count)..<end, with: body)
        return end - position
    }

    func truncate(_ descriptor: Int32, to size: Int) throws(SystemError) {
        let node = try node(descriptor)
        if size < node.bytes.count {
            node.bytes.removeLast(node.bytes.count - size)
        } else {
            node.bytes.append(contentsOf: repeatElement(0, count: size - node.bytes.count))
        }
    }

    func sync(_ descriptor: Int32) throws(SystemError) {}

    func syncDirectory(_ path: String) throws(SystemError) {}

    func createDirectory(_ path: String) throws(SystemError) {}

    func rename(_ path: String, to newPath: String) throws(SystemError) {
        guard let node = nodes.removeValue(forKey: path) else { throw SystemError(code: ENOENT) }
        nodes[newPath] = node
    }

    func remove(_ path: String) throws(SystemError) {
        guard nodes.removeValue(forKey: path) != nil else { throw SystemError(code: ENOENT) }
    }

    func names(in directory: String) throws(SystemError) -> [String] {
        let start = directory + "/"
        return nodes.keys.filter { $0.hasPrefix(start) }.map { String($0.dropFirst(start.count)) }
    }
}
