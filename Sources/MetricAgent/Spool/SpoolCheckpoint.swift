import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch

/// What a spool knows beside its logs: per topic the epoch of new records and up to where records are acknowledged.
/// The file `checkpoint` in the spool's directory, replaced as a whole:
///
///     weir spool 1                                        ← format
///     topic metrics.cpu epoch 0 acknowledged 8640         ← the first offset that is not acknowledged
///     topic metrics.load epoch 1 acknowledged 17
///     end                                                 ← nothing is missing
struct SpoolCheckpoint: Equatable {
    struct Progress: Equatable {
        var epoch: Int64
        var acknowledged: Offset
    }

    static let fileName = "checkpoint"
    private static let firstLine = "weir spool 1"
    private static let lastLine = "end"

    var topics: [TopicName: Progress] = [:]

    init() {}

    /// Nil when the text is not that of a whole checkpoint.
    init?(_ text: String) {
        let lines = text.split(separator: "\n")
        guard lines.count >= 2, lines.first == Self.firstLine[...], lines.last == Self.lastLine[...] else { return nil }
        for line in lines.dropFirst().dropLast() {
            let words = line.split(separator: " ")
            guard words.count == 6, words[0] == "topic", words[2] == "epoch", words[4] == "acknowledged",
                let topic = try? TopicName(String(words[1])), let epoch = Int64(words[3]), epoch >= 0,
                let acknowledged = Int64(words[5]), acknowledged >= 0
            else { return nil }
            topics[topic] = Progress(epoch: epoch, acknowledged: Offset(acknowledged))
        }
    }

    var text: String {
        let lines = topics.sorted { $0.key.rawValue < $1.key.rawValue }.map { topic, progress in
            "topic \(topic.rawValue) epoch \(progress.epoch) acknowledged \(progress.acknowledged)"
        }
        return ([Self.firstLine] + lines + [Self.lastLine]).joined(separator: "\n") + "\n"
    }

    /// The checkpoint in a directory; nil when there is none or it is damaged.
    static func read(in directory: String, fileSystem: any FileSystem) throws(LogError) -> SpoolCheckpoint? {
        let bytes = try AtomicFile.read("\(directory)/\(fileName)", fileSystem: fileSystem)
        return bytes.flatMap { SpoolCheckpoint(String(buffer: $0)) }
    }

    func write(in directory: String, fileSystem: any FileSystem) throws(LogError) {
        try AtomicFile.write(text, to: "\(directory)/\(Self.fileName)", fileSystem: fileSystem)
    }
}
