import KafkaProtocol
import Logging
import Synchronization

/// Changes to topics that exist. They write the disk, one at a time, and belong on a thread that may wait.
extension Catalog {
    /// - Throws: that there is no such topic, or that no topic can have this name.
    func existingTopic(_ name: String) throws(TopicRefusal) -> Topic {
        if let topic = self.topic(name) { return topic }
        _ = try self.validName(name)
        throw TopicRefusal(.unknownTopicOrPartition, "there is no topic '\(name)'")
    }

    /// Changes a topic's configs, which take effect at once.
    func alter(
        _ name: String, validateOnly: Bool, _ change: (inout [TopicConfig]) throws(TopicRefusal) -> Void
    ) throws(TopicRefusal) {
        try self.file.withLock { (file) throws(TopicRefusal) in
            let topic = try self.existingTopic(name)
            var configs = topic.configs
            try change(&configs)
            guard !validateOnly && configs != topic.configs else { return }
            try self.replace(
                topic, by: Topic(name: topic.name, id: topic.id, partitions: topic.partitions, configs: configs), &file)
            let settings = TopicSettings(configs)
            for partition in topic.partitions { partition.configure(settings) }
            self.warn(about: configs.filter { !topic.configs.contains($0) }, of: name)
            let words = configs.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
            self.logger.info("topic '\(name)' now has \(words.isEmpty ? "the defaults" : words)")
        }
    }

    /// Gives a topic more partitions.
    func extend(_ name: String, to count: Int, validateOnly: Bool) throws(TopicRefusal) {
        try self.file.withLock { (file) throws(TopicRefusal) in
            let topic = try self.existingTopic(name)
            guard !topic.isInternal else {
                throw TopicRefusal(.invalidPartitions, "\(name) belongs to the broker and keeps its partitions")
            }
            let present = topic.partitions.count
            guard count > present else {
                throw TopicRefusal(
                    .invalidPartitions, "topic '\(name)' has \(present) partitions, so \(count) would be no increase")
            }
            try self.checkPartitions(count, adding: count - present)
            if validateOnly { return }
            let entry = CatalogFile.Entry(
                id: topic.id, partitions: count, name: topic.name, configs: topic.configs)
            let added: [Partition]
            do throws(BrokerError) {
                added = try Self.openPartitions(
                    present..<count, of: entry, self.settings.dataDirectory, self.resources)
                try Self.requireEmpty(added)
            } catch {
                self.logger.error("topic '\(name)' cannot get partitions: \(error)")
                throw TopicRefusal(.kafkaStorageError, error.description)
            }
            try self.replace(
                topic,
                by: Topic(name: topic.name, id: topic.id, partitions: topic.partitions + added, configs: topic.configs),
                &file)
            self.logger.info("topic '\(name)' now has \(count) partitions")
        }
    }

    private func replace(_ topic: Topic, by other: Topic, _ file: inout CatalogFile) throws(TopicRefusal) {
        var changed = file
        guard let index = changed.topics.firstIndex(where: { $0.id == topic.id }) else { return }
        changed.topics[index].configs = other.configs
        changed.topics[index].partitions = other.partitions.count
        do throws(BrokerError) {
            try changed.write(self.path, self.resources.fileSystem)
        } catch {
            self.logger.error("topic '\(topic.name)' cannot be altered: \(error)")
            throw TopicRefusal(.kafkaStorageError, error.description)
        }
        file = changed
        self.topics.withLock { $0[topic.name.rawValue] = other }
    }

    /// - Parameters:
    ///   - count: how many partitions one topic would have.
    ///   - added: how many of them are new.
    func checkPartitions(_ count: Int, adding added: Int) throws(TopicRefusal) {
        let limits = self.settings.limits
        guard count <= limits.partitionsPerTopic else {
            self.resources.counters.reached(.partitionsPerTopic)
            throw TopicRefusal(
                .invalidPartitions, "\(count) partitions are over a topic's limit of \(limits.partitionsPerTopic)")
        }
        let all = self.topics.withLock { $0.values.reduce(0) { $0 + $1.partitions.count } }
        guard all + added <= limits.partitions else {
            self.resources.counters.reached(.partitions)
            throw TopicRefusal(
                .policyViolation,
                "the broker has \(all) partitions; \(added) more are over its limit of "
                    + "\(limits.partitions) (--max-partitions)")
        }
    }

    func warn(about configs: [TopicConfig], of name: String) {
        let names = configs.withoutEffect
        guard !names.isEmpty else { return }
        self.logger.warning(
            "topic '\(name)': \(names.joined(separator: ", ")) \(names.count == 1 ? "is" : "are") kept but not acted on"
        )
    }
}
