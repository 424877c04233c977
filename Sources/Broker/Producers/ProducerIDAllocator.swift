import CommitLog
import NIOCore
import RecordBatch
import Synchronization

/// Gives out producer ids that no producer of this data directory ever had. Ids are reserved on disk in blocks, as
/// Kafka's controller does; a restart abandons the rest of a block.
///
/// The file `producer-ids` holds the first id that is not reserved, in decimal, and the CRC-32C of that number's text in
/// hexadecimal. A number alone, as the first version wrote it, is read as well.
final class ProducerIDAllocator: Sendable {
    private static let blockSize: Int64 = 1_000
    private let path: String
    private let fileSystem: any FileSystem
    private let state: Mutex<State>

    private struct State {
        var next: Int64
        /// The first id that is not reserved on disk.
        var end: Int64
    }

    init(dataDirectory: String, fileSystem: any FileSystem = POSIXFileSystem()) throws(BrokerError) {
        self.fileSystem = fileSystem
        self.path = dataDirectory + "/producer-ids"
        var reserved: Int64 = 0
        let content: ByteBuffer?
        do throws(LogError) {
            content = try AtomicFile.read(self.path, fileSystem: fileSystem)
        } catch {
            throw .storage(reason: error.description)
        }
        if let content {
            guard let number = Self.number(in: String(buffer: content)) else {
                throw .damagedFile(path: self.path, reason: "it should hold a decimal number and its checksum")
            }
            reserved = number
        }
        self.state = Mutex(State(next: reserved, end: reserved))
    }

    private static func text(of number: Int64) -> String {
        "\(number) \(String(CRC32C.checksum(ByteBuffer(string: "\(number)")), radix: 16))\n"
    }

    /// - Returns: nil if the text is not exactly what a broker has written.
    private static func number(in text: String) -> Int64? {
        guard let number = Int64(text.prefix { $0.isASCII && $0.isNumber }), number >= 0,
            text == self.text(of: number) || text == "\(number)\n"
        else { return nil }
        return number
    }

    /// Writes to the disk once per block; call it on a thread that may wait.
    func allocate() throws(BrokerError) -> Int64 {
        try self.state.withLock { (state) throws(BrokerError) in
            if state.next == state.end {
                let end = state.end + Self.blockSize
                do throws(LogError) {
                    try AtomicFile.write(Self.text(of: end), to: self.path, fileSystem: self.fileSystem)
                } catch {
                    throw .storage(reason: error.description)
                }
                state.end = end
            }
            defer { state.next += 1 }
            return state.next
        }
    }
}
