import CommitLog
import Dispatch
import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// The topics of this broker, in memory and on disk. Any thread may ask; creating and deleting write the disk, one at
/// a time, and belong on a thread that may wait.
final class Catalog: Sendable {
    struct Settings: Sendable {
        let dataDirectory: String
        let defaultPartitions: Int
        let limits: BrokerLimits
        let offsetsPartitions: Int
        let transactionsPartitions: Int
    }

    let clusterID: String
    let settings: Settings
    let resources: PartitionResources
    let path: String
    /// What everybody reads.
    let topics = Mutex<[String: Topic]>([:])
    /// Held while a change is written to the disk.
    let file: Mutex<CatalogFile>

    var logger: Logger { self.resources.logger }

    /// Reads the catalogue, opens all logs and finishes deletions that were under way. Reads and writes the disk.
    init(settings: Settings, resources: PartitionResources) throws(BrokerError) {
        self.settings = settings
        self.resources = resources
        self.path = settings.dataDirectory + "/" + CatalogFile.name
        var content: CatalogFile
        if let stored = try CatalogFile.read(self.path, resources.fileSystem) {
            content = stored
        } else {
            content = CatalogFile(clusterID: KafkaUUID.random().description)
            content.topics = try TopicDirectories.adopt(settings.dataDirectory, logger: resources.logger)
            try content.write(self.path, resources.fileSystem)
        }
        self.clusterID = content.clusterID
        self.file = Mutex(content)
        for entry in content.topics {
            let topic = try Self.open(entry, settings.dataDirectory, resources)
            self.topics.withLock { $0[entry.name.rawValue] = topic }
        }
        try self.file.withLock { (file) throws(BrokerError) in
            for entry in file.deleting { try self.finishDeletion(entry, &file) }
        }
    }

    // MARK: Asking

    func topic(_ name: String) -> Topic? { self.topics.withLock { $0[name] } }

    func topic(id: TopicID) -> Topic? {
        guard id != .zero else { return nil }
        return self.topics.withLock { topics in topics.values.first { $0.id == id } }
    }

    func partition(_ topic: String, _ index: Int32) -> Partition? { self.topic(topic)?.partition(index) }

    /// By name.
    var allTopics: [Topic] { self.topics.withLock { Array($0.values) }.sorted { $0.name < $1.name } }

    func validName(_ name: String) throws(TopicRefusal) -> TopicName {
        do throws(InvalidTopicName) {
            return try TopicName(name)
        } catch {
            throw TopicRefusal(.invalidTopicException, error.description)
        }
    }

    // MARK: Creating

    /// The topic, created with the broker's defaults if it does not exist.
    func topicCreatingIfNeeded(_ name: String) throws(TopicRefusal) -> Topic {
        if let topic = self.topic(name) { return topic }
        let partitions =
            switch name {
            case Topic.offsetsTopicName: self.settings.offsetsPartitions
            case Topic.transactionsTopicName: self.settings.transactionsPartitions
            default: self.settings.defaultPartitions
            }
        do throws(TopicRefusal) {
            return try self.create(name, partitions: partitions, configs: [])
        } catch {
            // Somebody else may have been faster.
            if error.code == .topicAlreadyExists, let topic = self.topic(name) { return topic }
            throw error
        }
    }

    /// - Parameter others: further topics that are meant to be created.
    func checkCreation(_ name: String, partitions: Int, besides others: Int = 0) throws(TopicRefusal) {
        let name = try self.validName(name)
        let limits = self.settings.limits
        guard self.topic(name.rawValue) == nil else {
            throw TopicRefusal(.topicAlreadyExists, "topic '\(name)' already exists")
        }
        try self.checkPartitions(partitions, adding: partitions)
        guard self.topics.withLock({ $0.count }) + others < limits.topics else {
            self.resources.counters.reached(.topics)
            throw TopicRefusal(
                .policyViolation,
                "the limit of \(limits.topics) topics is reached (--max-topics); delete some or raise it")
        }
    }

    func create(_ name: String, partitions: Int, configs: [TopicConfig]) throws(TopicRefusal) -> Topic {
        try self.file.withLock { (file) throws(TopicRefusal) in
            try self.checkCreation(name, partitions: partitions)
            guard !file.deleting.contains(where: { $0.name.rawValue == name }) else {
                throw TopicRefusal(.kafkaStorageError, "topic '\(name)' is still being deleted")
            }
            let entry = CatalogFile.Entry(
                id: .random(), partitions: partitions, name: try self.validName(name), configs: configs)
            let topic: Topic
            do throws(BrokerError) {
                topic = try Self.open(entry, self.settings.dataDirectory, self.resources)
                try Self.requireEmpty(topic.partitions)
                var changed = file
                changed.topics.append(entry)
                try changed.write(self.path, self.resources.fileSystem)
                file = changed
            } catch {
                self.logger.error("topic '\(name)' cannot be created: \(error)")
                throw TopicRefusal(.kafkaStorageError, error.description)
            }
            self.topics.withLock { $0[name] = topic }
            self.warn(about: configs, of: name)
            self.logger.info("created topic '\(name)' with \(partitions) partition\(partitions == 1 ? "" : "s")")
            return topic
        }
    }

    private static func open(
        _ entry: CatalogFile.Entry, _ dataDirectory: String, _ resources: PartitionResources
    ) throws(BrokerError) -> Topic {
        let partitions = try self.openPartitions(0..<entry.partitions, of: entry, dataDirectory, resources)
        return Topic(name: entry.name, id: entry.id, partitions: partitions, configs: entry.configs)
    }

    static func openPartitions(
        _ indexes: Range<Int>, of entry: CatalogFile.Entry, _ dataDirectory: String, _ resources: PartitionResources
    ) throws(BrokerError) -> [Partition] {
        let settings = TopicSettings(entry.configs)
        let opened = Mutex<[Int: Result<Partition, LogError>]>([:])
        // After a crash the time goes into syncing one log after the other; several at once share it.
        DispatchQueue.concurrentPerform(iterations: indexes.count) { place in
            let index = indexes.lowerBound + place
            let result = Result { () throws(LogError) in
                try Partition.open(
                    topic: entry.name.rawValue, index: Int32(clamping: index),
                    directory: "\(dataDirectory)/\(entry.name)-\(index)", settings: settings, resources: resources)
            }
            opened.withLock { $0[index] = result }
        }
        let results = opened.withLock { $0 }
        do throws(LogError) {
            var partitions: [Partition] = []
            for index in indexes {
                if let result = results[index] { partitions.append(try result.get()) }
            }
            return partitions
        } catch {
            for case .success(let partition) in results.values { partition.close(answering: .kafkaStorageError) }
            throw .storage(reason: error.description)
        }
    }

    /// A directory left by somebody else must not come up as the records of a new topic.
    static func requireEmpty(_ partitions: [Partition]) throws(BrokerError) {
        guard let full = partitions.first(where: { $0.offsets.end > 0 }) else { return }
        for partition in partitions { partition.close(answering: .unknownTopicOrPartition) }
        throw .storage(
            reason: "the directory \(full.directory) belongs to no topic but holds records; move it away")
    }

    // MARK: Deleting

    func delete(_ topic: Topic) throws(TopicRefusal) {
        guard !topic.isInternal else {
            throw TopicRefusal(.invalidTopicException, "\(topic.name) belongs to the broker and cannot be deleted")
        }
        do throws(BrokerError) {
            try self.file.withLock { (file) throws(BrokerError) in
                guard let index = file.topics.firstIndex(where: { $0.id == topic.id }) else { return }
                // It may have been given partitions since the caller looked.
                let topic = self.topic(topic.name.rawValue) ?? topic
                var changed = file
                let entry = changed.topics.remove(at: index)
                changed.deleting.append(entry)
                try changed.write(self.path, self.resources.fileSystem)
                file = changed
                self.topics.withLock { _ = $0.removeValue(forKey: topic.name.rawValue) }
                for partition in topic.partitions { partition.close(answering: .unknownTopicOrPartition) }
                for partition in topic.partitions {
                    partition.waitForCompaction()
                    self.resources.disk.forget(partition.name)
                }
                try self.finishDeletion(entry, &file)
            }
        } catch {
            self.logger.error("topic '\(topic.name)' cannot be deleted: \(error)")
            throw TopicRefusal(.kafkaStorageError, error.description)
        }
        self.logger.info("deleted topic '\(topic.name)'")
    }

    private func finishDeletion(_ entry: CatalogFile.Entry, _ file: inout CatalogFile) throws(BrokerError) {
        for index in 0..<entry.partitions {
            try TopicDirectories.remove("\(self.settings.dataDirectory)/\(entry.name)-\(index)")
        }
        var changed = file
        changed.deleting.removeAll { $0.id == entry.id }
        try changed.write(self.path, self.resources.fileSystem)
        file = changed
        self.resources.counters.topicDeleted(entry.name.rawValue)
    }

    // MARK: Stopping

    /// Lets all long polls answer with what they have.
    func releaseWaits() {
        for topic in self.allTopics { for partition in topic.partitions { partition.releaseWaits() } }
    }

    /// Syncs and closes all logs.
    func close() {
        for topic in self.allTopics {
            for partition in topic.partitions { partition.close(answering: .notLeaderOrFollower) }
        }
    }
}
