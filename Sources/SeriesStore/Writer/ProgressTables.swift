internal import GRDB

/// The tables `source_offset` and `agent_sequence`. Owned by the `SeriesWriter`, used on its connection only.
struct ProgressTables {
    private let putOffset: PreparedStatement
    private let deleteInterval: PreparedStatement
    private let insertInterval: PreparedStatement
    /// What `agent_sequence` holds, so that a commit touches only the intervals that changed.
    private var storedSequences: [AgentStream: SequenceSet]

    init(_ database: Database) throws {
        putOffset = try PreparedStatement(
            """
            INSERT INTO source_offset (topic, "partition", next_offset) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset
            """, on: database)
        deleteInterval = try PreparedStatement(
            "DELETE FROM agent_sequence WHERE agent = ? AND epoch = ? AND topic = ? AND first = ?", on: database)
        insertInterval = try PreparedStatement(
            "INSERT INTO agent_sequence (agent, epoch, topic, first, last) VALUES (?, ?, ?, ?, ?)", on: database)
        storedSequences = try Self.read(database).sequences
    }

    static func read(_ database: Database) throws -> StoredProgress {
        var progress = StoredProgress(offsets: [:], sequences: [:])
        let offsets = try PreparedStatement(#"SELECT topic, "partition", next_offset FROM source_offset"#, on: database)
        while try offsets.step() {
            let source = SourcePartition(topic: offsets.text(0), partition: Int32(clamping: offsets.integer(1)))
            progress.offsets[source] = offsets.integer(2)
        }
        let intervals = try PreparedStatement(
            "SELECT agent, epoch, topic, first, last FROM agent_sequence ORDER BY agent, epoch, topic, first",
            on: database)
        while try intervals.step() {
            let stream = AgentStream(agent: intervals.text(0), epoch: intervals.integer(1), topic: intervals.text(2))
            let (first, last) = (intervals.integer(3), intervals.integer(4))
            if first <= last { progress.sequences[stream, default: SequenceSet()].insert(first...last) }
        }
        progress.alerts = try AlertTable.read(database)
        return progress
    }

    func store(offsets: [SourcePartition: Int64]) throws {
        for (source, nextOffset) in offsets {
            putOffset.bind(source.topic, at: 1)
            putOffset.bind(Int64(source.partition), at: 2)
            putOffset.bind(nextOffset, at: 3)
            try putOffset.run()
        }
    }

    func store(sequences: [AgentStream: SequenceSet]) throws {
        for (stream, set) in sequences {
            let stored = storedSequences[stream]?.intervals ?? []
            let changes = Self.changes(from: stored, to: set.intervals)
            for range in changes.gone {
                bind(stream, to: deleteInterval)
                deleteInterval.bind(range.lowerBound, at: 4)
                try deleteInterval.run()
            }
            for range in changes.new {
                bind(stream, to: insertInterval)
                insertInterval.bind(range.lowerBound, at: 4)
                insertInterval.bind(range.upperBound, at: 5)
                try insertInterval.run()
            }
        }
    }

    /// Called once the transaction is committed.
    mutating func didCommit(sequences: [AgentStream: SequenceSet]) {
        storedSequences.merge(sequences) { _, new in new }
    }

    private func bind(_ stream: AgentStream, to statement: PreparedStatement) {
        statement.bind(stream.agent, at: 1)
        statement.bind(stream.epoch, at: 2)
        statement.bind(stream.topic, at: 3)
    }

    /// Walks two sorted lists side by side.
    private static func changes(
        from old: [ClosedRange<Int64>], to new: [ClosedRange<Int64>]
    ) -> (gone: [ClosedRange<Int64>], new: [ClosedRange<Int64>]) {
        var gone: [ClosedRange<Int64>] = []
        var added: [ClosedRange<Int64>] = []
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < old.count || newIndex < new.count {
            if oldIndex < old.count, newIndex < new.count, old[oldIndex] == new[newIndex] {
                oldIndex += 1
                newIndex += 1
            } else if newIndex == new.count
                || (oldIndex < old.count && old[oldIndex].lowerBound <= new[newIndex].lowerBound)
            {
                gone.append(old[oldIndex])
                oldIndex += 1
            } else {
                added.append(new[newIndex])
                newIndex += 1
            }
        }
        return (gone, added)
    }
}
