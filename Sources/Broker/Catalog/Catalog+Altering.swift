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

    /// A change of one topic's configs.
    struct ConfigChange {
        let topic: String
        let apply: (inout [TopicConfig]) throws(TopicRefusal) -> Void
    }

    /// Changes topics' configs, which take effect at once; one write of the disk for all of them.
    ///
    /// - Parameter changes: at most one for a topic.
    /// - Returns: for each why it was refused; nil for those that were not.
    func alter(_ changes: [ConfigChange], validateOnly: Bool) -> [TopicRefusal?] {
        self.file.withLock { file in
            var altered: [(topic: Topic, configs: [TopicConfig], index: Int)] = []
            var refusals: [TopicRefusal?] = []
            for (index, change) in changes.enumerated() {
                do throws(TopicRefusal) {
                    let topic = try self.existingTopic(change.topic)
                    var configs = topic.configs
                    try change.apply(&configs)
                    if configs != topic.configs { altered.append((topic, configs, index)) }
                    refusals.append(nil)
                } catch {
                    refusals.append(error)
                }
            }
            guard !validateOnly, !altered.isEmpty else { return refusals }
            do throws(TopicRefusal) {
                try self.replace(
                    altered.map { topic, configs, _ in
                        (topic, Topic(name: topic.name, id: topic.id, partitions: topic.partitions, configs: configs))
                    }, &file)
            } catch {
                for (_, _, index) in altered { refusals[index] = error }
                return refusals
            }
            for (topic, configs, _) in altered { self.haveEffect(configs, on: topic) }
            return refusals
        }
    }

    private func haveEffect(_ configs: [TopicConfig], on topic: Topic) {
        let settings = TopicSettings(configs)
        for partition in topic.partitions { partition.configure(settings) }
        self.warn(about: configs.filter { !topic.configs.contains($0) }, of: topic.name.rawValue)
        let words = configs.map { "\($0.name)=\($0.value)" }.joined(separator: ", ")
        self.logger.info("topic '\(topic.name)' now has \(words.isEmpty ? "the defaults" : words)")
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
            let extended = Topic(
                name: topic.name, id: topic.id, partitions: topic.partitions + added, configs: topic.configs)
            try self.replace([(topic, extended)], &file)
            self.logger.info("topic '\(name)' now has \(count) partitions")
        }
    }

    private func replace(_ pairs: [(old: Topic, new: Topic)], _ file: inout CatalogFile) throws(TopicRefusal) {
        var changed = file
        let places = Dictionary(uniqueKeysWithValues: changed.topics.enumerated().map { ($1.id, $0) })
        for (old, new) in pairs {
            guard let index = places[old.id] else { continue }
            changed.topics[index].configs = new.configs
            changed.topics[index].partitions = new.partitions.count
        }
        do throws(BrokerError) {
            try changed.write(self.path, self.resources.fileSystem)
        } catch {
            let names = pairs.map { "'\($0.old.name)'" }.joined(separator: ", ")
            self.logger.error("topic \(names) cannot be altered: \(error)")
            throw TopicRefusal(.kafkaStorageError, error.description)
        }
        file = changed
        self.topics.withLock { topics in
            for (old, new) in pairs { topics[old.name.rawValue] = new }
        }
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
