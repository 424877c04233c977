import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

/// Reads one partition for a client older than record batches (Fetch 0–3): batches are made into message sets. A value
/// on a thread of the pool.
///
/// Memory is bounded by what is read (`maximumBytes`, at least one batch), one decompressed batch, and the set itself.
struct LegacyFetch {
    let format: LegacyMessageFormat
    let partition: Partition
    let offset: Offset
    let maximumBytes: Int

    /// The format of the records that a version of Fetch answers with; nil for batches.
    static func format(ofVersion version: Int16) -> LegacyMessageFormat? {
        switch version {
        case ...1: .v0
        case 2...3: .v1
        default: nil
        }
    }

    /// Fills in the records, or the error why they cannot be had.
    func read(from first: LogSlice, into data: inout FetchResponse.PartitionData) throws(LogError) {
        var writer = LegacyMessageSetWriter(format: self.format, from: self.offset, maximumBytes: self.maximumBytes)
        var next: LogSlice? = first
        // Control batches leave nothing, so a client that waits behind one is given what follows it.
        while let slice = next, writer.messageCount == 0 {
            let bytes = try slice.read()
            let before = writer.nextOffset
            do throws(LegacyConversionError) {
                try writer.append(
                    bytes, maximumDecompressedBytes: self.partition.resources.limits.decompressedBytes)
            } catch {
                self.partition.resources.logger.warning("\(self.partition.name): \(error)")
                if case .damaged(.decompressedTooLarge, _) = error {
                    self.partition.resources.counters.reached(.decompressedBytes)
                }
                data.errorCode = error.errorCode
                return
            }
            next = writer.nextOffset > before ? self.slice(from: writer.nextOffset) : nil
        }
        data.records = writer.bytes
    }

    private func slice(from offset: Offset) -> LogSlice? {
        let view = self.partition.view(
            from: offset, maximumBytes: self.maximumBytes, currentLeaderEpoch: -1, registering: nil)
        return (try? view.get())?.slice
    }
}

extension LegacyConversionError {
    /// What a consumer is answered.
    fileprivate var errorCode: ErrorCode {
        switch self {
        case .unsupportedCompression: .unsupportedCompressionType
        case .damaged: .corruptMessage
        }
    }
}
