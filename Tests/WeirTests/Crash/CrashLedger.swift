import KafkaProtocol
import RecordBatch
import Synchronization
import Testing

/// What the clients of a crash test were told, and what readers have seen: the broker has to stand by all of it. Any task
/// may add.
final class CrashLedger: Sendable {
    struct Place: Hashable, Comparable {
        let topic: String
        let partition: Int32

        static func < (left: Place, right: Place) -> Bool {
            (left.topic, left.partition) < (right.topic, right.partition)
        }
    }

    private struct State {
        /// Records that the broker has acknowledged, by place and offset.
        var acknowledged: [Place: [Int64: CrashRecord]] = [:]
        /// Records that a reader was given, by place and offset.
        var seen: [Place: [Int64: CrashRecord]] = [:]
        /// Records of idempotent producers in the order in which they were sent: each has to be there once.
        var idempotent: [Place: [String: [Int]]] = [:]
        /// Batches that were sent once, each with its records: whole or absent.
        var plainBatches: [Place: [[CrashRecord]]] = [:]
        var plainAcknowledged = 0
    }

    private let state = Mutex(State())

    func sent(_ record: CrashRecord, to place: Place) {
        self.state.withLock { $0.idempotent[place, default: [:]][record.source, default: []].append(record.number) }
    }

    func sent(batch: [CrashRecord], to place: Place) {
        self.state.withLock { $0.plainBatches[place, default: []].append(batch) }
    }

    func acknowledged(_ record: CrashRecord, at offset: Int64, in place: Place) {
        let other = self.state.withLock {
            $0.acknowledged[place, default: [:]].updateValue(record, forKey: offset)
        }
        #expect(other == nil, "\(place) gave offset \(offset) to \(record) and \(String(describing: other))")
    }

    func acknowledged(batch: [CrashRecord], at offset: Int64, in place: Place) {
        for (index, record) in batch.enumerated() {
            self.acknowledged(record, at: offset + Int64(index), in: place)
        }
        self.state.withLock { $0.plainAcknowledged += batch.count }
    }

    func seen(_ record: CrashRecord, at offset: Int64, in place: Place) {
        let other = self.state.withLock { $0.seen[place, default: [:]].updateValue(record, forKey: offset) }
        #expect(other == nil || other == record, "\(place) gave a reader different records at offset \(offset)")
    }

    var summary: String {
        self.state.withLock { state in
            let idempotent = state.idempotent.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } }
            let plain = state.plainBatches.values.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }
            let seen = state.seen.values.reduce(0) { $0 + $1.count }
            return """
                \(idempotent) records of idempotent producers, all acknowledged; \(state.plainAcknowledged) of \(plain) \
                records with acks=1 acknowledged; \(seen) read meanwhile
                """
        }
    }

    /// Compares all that with what the broker holds in the end.
    func check(_ held: [Place: [(offset: Int64, record: CrashRecord)]]) {
        let state = self.state.withLock { $0 }
        #expect(!state.idempotent.isEmpty)
        for (place, records) in held {
            let byOffset = Dictionary(uniqueKeysWithValues: records.map { ($0.offset, $0.record) })
            #expect(records.map(\.offset) == Array(0..<Int64(records.count)), "\(place) has a gap")
            for (offset, record) in state.acknowledged[place] ?? [:] {
                #expect(byOffset[offset] == record, "\(place): acknowledged at \(offset) and lost")
            }
            for (offset, record) in state.seen[place] ?? [:] {
                #expect(byOffset[offset] == record, "\(place): read at \(offset) and lost")
            }
            var numbers: [String: [Int]] = [:]
            var positions: [CrashRecord: Int] = [:]
            for (position, (_, record)) in records.enumerated() {
                numbers[record.source, default: []].append(record.number)
                #expect(positions.updateValue(position, forKey: record) == nil, "\(place): \(record) is there twice")
            }
            for (source, sent) in state.idempotent[place] ?? [:] {
                #expect(numbers[source] == sent, "\(place): the records of \(source) are not there once, in order")
            }
            var plain: Set<CrashRecord> = []
            for batch in state.plainBatches[place] ?? [] {
                plain.formUnion(batch)
                let found = batch.compactMap { positions[$0] }
                guard let first = found.first else { continue }
                #expect(found == Array(first..<first + batch.count), "\(place): \(batch) is torn apart")
            }
            let idempotent = Set((state.idempotent[place] ?? [:]).keys)
            let strange = records.filter { !idempotent.contains($0.record.source) && !plain.contains($0.record) }
            #expect(strange.isEmpty, "\(place) holds what nobody sent")
        }
        #expect(Set(held.keys).isSuperset(of: state.acknowledged.keys))
    }
}
