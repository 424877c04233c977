internal import GRDB

/// The tables `source_offset` and `agent_sequence`. Owned by the `SeriesWriter`, used on its connection only.
struct ProgressTables {
    private let findPosition: PreparedStatement
    private let putPosition: PreparedStatement
    private let findIntervals: PreparedStatement
    private let deleteInterval: PreparedStatement
    private let insertInterval: PreparedStatement
    /// What the tables hold, as far as it has been looked at: so that a commit reads nothing again as long as nobody else
    /// writes, and touches only the intervals that change.
    private var storedPositions: [SourcePartition: SourcePosition?] = [:]
    private var storedSequences: [AgentStream: SequenceSet] = [:]

    init(_ database: Database) throws {
        findPosition = try PreparedStatement(
            """
            SELECT next_offset, topic_id, coalesce(checksum, -1) FROM source_offset WHERE topic = ? AND "partition" = ?
            """, on: database)
        putPosition = try PreparedStatement(
            """
            INSERT INTO source_offset (topic, "partition", next_offset, topic_id, checksum)
            VALUES (?, ?, ?, nullif(?, ''), nullif(?, -1))
            ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset, topic_id = excluded.topic_id,
                checksum = excluded.checksum
            """, on: database)
        findIntervals = try PreparedStatement(
            "SELECT first, last FROM agent_sequence WHERE agent = ? AND epoch = ? AND topic = ? ORDER BY first",
            on: database)
        deleteInterval = try PreparedStatement(
            "DELETE FROM agent_sequence WHERE agent = ? AND epoch = ? AND topic = ? AND first = ?", on: database)
        insertInterval = try PreparedStatement(
            "INSERT INTO agent_sequence (agent, epoch, topic, first, last) VALUES (?, ?, ?, ?, ?)", on: database)
    }

    static func read(_ database: Database) throws -> StoredProgress {
        var progress = StoredProgress()
        let offsets = try PreparedStatement(
            #"SELECT topic, "partition", next_offset, topic_id, coalesce(checksum, -1) FROM source_offset"#,
            on: database)
        while try offsets.step() {
            let source = SourcePartition(topic: offsets.text(0), partition: Int32(clamping: offsets.integer(1)))
            progress.positions[source] = position(in: offsets, from: 2)
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

    /// Forgets what the tables held: somebody else has written, or a transaction failed.
    mutating func forget() {
        storedPositions.removeAll(keepingCapacity: true)
        storedSequences.removeAll(keepingCapacity: true)
    }

    /// Whether a head goes on from what is stored, and counts nothing that is. Part of a transaction, before anything of it
    /// is written.
    ///
    /// - Throws: `Superseded`.
    mutating func check(_ head: Head) throws {
        for (source, advance) in head.advances {
            let stored = try position(of: source)
            guard stored == advance.from else {
                throw Superseded(reason: .position(source, expected: advance.from, stored: stored))
            }
        }
        for (stream, counted) in head.sequences {
            if let range = try sequences(of: stream).common(with: counted) {
                throw Superseded(reason: .sequences(stream, range))
            }
        }
    }

    /// Stores how far a head has come, which `check` has let pass.
    mutating func store(_ head: Head) throws {
        for (source, advance) in head.advances {
            putPosition.bind(source.topic, at: 1)
            putPosition.bind(Int64(source.partition), at: 2)
            putPosition.bind(advance.to.nextOffset, at: 3)
            putPosition.bind(advance.to.topicID ?? "", at: 4)
            putPosition.bind(advance.to.checksum.map(Int64.init) ?? -1, at: 5)
            try putPosition.run()
        }
        for (stream, counted) in head.sequences {
            let stored = try sequences(of: stream)
            var merged = stored
            merged.formUnion(counted)
            try replace(stored.intervals, with: merged.intervals, of: stream)
        }
    }

    /// Called once the transaction is committed.
    mutating func didCommit(_ head: Head) {
        for (source, advance) in head.advances { storedPositions[source] = .some(advance.to) }
        for (stream, counted) in head.sequences { storedSequences[stream]?.formUnion(counted) }
    }

    private mutating func position(of source: SourcePartition) throws -> SourcePosition? {
        if let known = storedPositions[source] { return known }
        findPosition.bind(source.topic, at: 1)
        findPosition.bind(Int64(source.partition), at: 2)
        defer { findPosition.reset() }
        let found = try findPosition.step() ? Self.position(in: findPosition, from: 0) : nil
        storedPositions[source] = .some(found)
        return found
    }

    private static func position(in row: PreparedStatement, from column: Int32) -> SourcePosition {
        SourcePosition(
            nextOffset: row.integer(column), topicID: row.text(column + 1),
            checksum: UInt32(exactly: row.integer(column + 2)))
    }

    private mutating func sequences(of stream: AgentStream) throws -> SequenceSet {
        if let known = storedSequences[stream] { return known }
        bind(stream, to: findIntervals)
        var found = SequenceSet()
        while try findIntervals.step() {
            let (first, last) = (findIntervals.integer(0), findIntervals.integer(1))
            if first <= last { found.insert(first...last) }
        }
        storedSequences[stream] = found
        return found
    }

    private func replace(
        _ old: [ClosedRange<Int64>], with new: [ClosedRange<Int64>], of stream: AgentStream
    ) throws {
        let changes = Self.changes(from: old, to: new)
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
