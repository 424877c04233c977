internal import Glibc

/// A place among the processes that write to one database: the lowest number that no other process has, from 0. An flock
/// on `FILE.member-NUMBER`, which the kernel gives back however the process ends; the next one that comes has the place then,
/// and with it the name by which the dead one was known. A process that is merely stopped keeps its place.
///
/// Any thread. The place is given up with the last reference.
public final class MemberSlot: Sendable {
    /// More processes than that do not write to one database.
    private static let limit = 1000

    public let number: Int
    /// Nobody else's, as long as the place is held: `weir-`, a number in hexadecimal digits, and the place's. It is the
    /// same for each process that has this place, until the machine is started anew.
    ///
    /// A copy of a database is another place: the name is made of the lock file (its device and inode, and the kernel's boot
    /// id, for these are numbers of one machine) beside the database's own identity, which a backup has too.
    public let name: String
    private let file: FileLock

    /// Takes a place at the database of `writer`, which has to be open.
    ///
    /// - Throws: `StoreError` when the lock files cannot be written, or all places are taken.
    public init(of writer: SeriesWriter) throws(StoreError) {
        let identity = try writer.identity()
        for number in 0..<Self.limit {
            let path = "\(writer.path).member-\(number)"
            let file = try FileLock(path: path, of: writer.path)
            guard file.lock(.exclusive) else { continue }
            file.writeOwner()
            self.number = number
            self.file = file
            let place = SeriesTables.fingerprint(of: "\(identity) \(Self.bootID) \(file.id)")
            name = "weir-\(String(UInt64(bitPattern: place), radix: 16))-\(number)"
            return
        }
        throw .cannotOpen(path: writer.path, reason: "\(Self.limit) processes write to it already")
    }

    /// Another one each time the machine starts; empty where the kernel does not tell.
    private static var bootID: String {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)).filter { $0 > 0x20 }, as: UTF8.self)
    }
}
