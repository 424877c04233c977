import CommitLog
import Glibc
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

/// The agent's memory on disk: what was collected and is not yet acknowledged survives a crash of the agent, and of the
/// host, and an outage of the broker as long as there is room.
///
///     <directory>/.lock                  one agent per spool
///     <directory>/agent-id               the spool's identity, made once
///     <directory>/checkpoint             epochs and acknowledged offsets, see SpoolCheckpoint
///     <directory>/topics/metrics.cpu/…   one log per topic, in Kafka's format
///
/// A record's sequence number is its offset in its topic's log. The epoch goes up when a log is found shorter than what
/// was acknowledged (a disk that lost data, a restored backup), since sequence numbers then start over.
///
/// Owned by the ``AgentService``. Safe on any thread; calls block on the disk.
final class Spool: Sendable {
    /// Small, so that disk space comes back soon after records are acknowledged.
    private static let maximumSegmentBytes = 8 << 20
    private static let minimumSegmentBytes = 64 << 10
    private static let identityFileName = "agent-id"

    let agent: AgentID
    let topics: [TopicName: SpoolTopic]
    private let room: SpoolRoom
    /// Given up when the spool is closed.
    private let lock: Mutex<FileLock?>
    private let fileSystem: any FileSystem
    private let written: Mutex<SpoolCheckpoint>

    /// Opens or makes the spool in `directory`.
    ///
    /// - Parameters:
    ///   - topics: those that will be appended to. Topics that an earlier run left records of are opened too.
    ///   - key: the key of every record.
    /// - Throws: also when another process has the spool open.
    init(
        directory: String, limitBytes: Int, topics names: some Sequence<TopicName>, key: String,
        fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) {
        let lock = try FileLock(directory: directory)
        agent = try Self.identity(in: directory, fileSystem)
        let checkpoint = try SpoolCheckpoint.read(in: directory, fileSystem: fileSystem)
        var all = Set(names)
        if let checkpoint { all.formUnion(checkpoint.topics.keys) }
        let room = SpoolRoom(directory: directory, limitBytes: limitBytes)
        // A segment is given back as a whole, so several have to fit below the limit for each topic.
        let share = limitBytes / max(1, 4 * all.count)
        let segmentBytes = max(Self.minimumSegmentBytes, min(Self.maximumSegmentBytes, share))
        // Without a checkpoint nobody knows which epochs were used; the clock gives one that was not.
        let unknownEpoch = Int64(time(nil))
        var topics: [TopicName: SpoolTopic] = [:]
        for name in all {
            topics[name] = try SpoolTopic(
                name: name, progress: checkpoint?.topics[name], unknownEpoch: unknownEpoch, agent: agent, key: key,
                segmentBytes: segmentBytes, room: room, fileSystem: fileSystem)
        }
        self.topics = topics
        self.lock = Mutex(lock)
        self.room = room
        self.fileSystem = fileSystem
        // An epoch has to be on disk before a record of it is sent.
        let current = Self.checkpoint(of: topics)
        if current != checkpoint { try current.write(in: directory, fileSystem: fileSystem) }
        written = Mutex(current)
    }

    var directory: String { room.directory }

    /// Bytes of all the topics' logs.
    var usedBytes: Int { room.usedBytes }

    /// Writes down what is acknowledged, if that has changed.
    func writeCheckpoint() throws(LogError) {
        try written.withLock { (written) throws(LogError) in
            let current = Self.checkpoint(of: topics)
            guard current != written else { return }
            try current.write(in: directory, fileSystem: fileSystem)
            written = current
        }
    }

    /// Writes the checkpoint, closes the logs and lets others open the spool; all is tried, and the first error is
    /// thrown.
    func close() throws(LogError) {
        var failure: LogError?
        do throws(LogError) {
            try writeCheckpoint()
        } catch {
            failure = error
        }
        for topic in topics.values {
            do throws(LogError) {
                try topic.close()
            } catch {
                failure = failure ?? error
            }
        }
        lock.withLock { $0 = nil }
        if let failure { throw failure }
    }

    private static func checkpoint(of topics: [TopicName: SpoolTopic]) -> SpoolCheckpoint {
        var checkpoint = SpoolCheckpoint()
        for (name, topic) in topics { checkpoint.topics[name] = topic.progress }
        return checkpoint
    }

    private static func identity(in directory: String, _ fileSystem: any FileSystem) throws(LogError) -> AgentID {
        let path = "\(directory)/\(identityFileName)"
        if let bytes = try AtomicFile.read(path, fileSystem: fileSystem),
            let line = String(buffer: bytes).split(separator: "\n").first, let known = AgentID(line)
        {
            return known
        }
        var random = SystemRandomNumberGenerator()
        let new = AgentID(using: &random)
        try AtomicFile.write("\(new)\n", to: path, fileSystem: fileSystem)
        return new
    }
}
