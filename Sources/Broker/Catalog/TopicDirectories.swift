import CommitLog
import Glibc
import KafkaProtocol
import Logging

/// The partitions' directories `<topic>-<partition>` beneath the data directory.
enum TopicDirectories {
    /// Finds the topics of a data directory that has no catalogue, as after its file was lost or when the logs come
    /// from elsewhere.
    static func adopt(_ dataDirectory: String, logger: Logger) throws(BrokerError) -> [CatalogFile.Entry] {
        var counts: [TopicName: Int] = [:]
        for name in try self.names(in: dataDirectory) {
            guard let dash = name.lastIndex(of: "-"), let index = Int(name[name.index(after: dash)...]), index >= 0,
                let topic = try? TopicName(String(name[..<dash])),
                try self.names(in: "\(dataDirectory)/\(name)").contains(where: { $0.hasSuffix(".log") })
            else { continue }
            counts[topic] = max(counts[topic] ?? 0, index + 1)
        }
        for (topic, count) in counts.sorted(by: { $0.key < $1.key }) {
            logger.warning(
                "there is no catalogue; adopted topic '\(topic)' with \(count) partitions from its directories")
        }
        return counts.sorted { $0.key < $1.key }.map { .init(id: .random(), partitions: $0.value, name: $0.key) }
    }

    /// Removes a directory with the files in it; a missing one is fine.
    static func remove(_ path: String) throws(BrokerError) {
        for name in try self.names(in: path) {
            guard unlink("\(path)/\(name)") == 0 || errno == ENOENT else {
                throw .storage(reason: "cannot remove \(path)/\(name): \(String(cString: strerror(errno)))")
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else {
            throw .storage(reason: "cannot remove \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// The names in a directory; none if it is missing or no directory.
    private static func names(in path: String) throws(BrokerError) -> [String] {
        do throws(SystemError) {
            return try POSIXFileSystem().names(in: path)
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return [] }
            throw .storage(reason: "cannot list \(path): \(error)")
        }
    }
}
