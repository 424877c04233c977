import CommitLog
import NIOCore
import Synchronization

/// Gives out producer ids that no producer of this data directory ever had. Ids are reserved on disk in blocks, as
/// Kafka's controller does; a restart abandons the rest of a block.
///
/// The file `producer-ids` holds the first id that is not reserved, in decimal.
final class ProducerIDAllocator: Sendable {
    private static let blockSize: Int64 = 1_000
    private let path: String
    private let state: Mutex<State>

    private struct State {
        var next: Int64
        /// The first id that is not reserved on disk.
        var end: Int64
    }

    init(dataDirectory: String) throws(BrokerError) {
        self.path = dataDirectory + "/producer-ids"
        var reserved: Int64 = 0
        let content: ByteBuffer?
        do throws(LogError) {
            content = try AtomicFile.read(self.path)
        } catch {
            throw .storage(reason: error.description)
        }
        if let content {
            guard let number = Int64(String(buffer: content).filter { !$0.isWhitespace }), number >= 0 else {
                throw .damagedFile(path: self.path, reason: "it should hold one decimal number")
            }
            reserved = number
        }
        self.state = Mutex(State(next: reserved, end: reserved))
    }

    /// Writes to the disk once per block; call it on a thread that may wait.
    func allocate() throws(BrokerError) -> Int64 {
        try self.state.withLock { (state) throws(BrokerError) in
            if state.next == state.end {
                let end = state.end + Self.blockSize
                do throws(LogError) {
                    try AtomicFile.write("\(end)\n", to: self.path)
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
