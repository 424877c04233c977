import ArgumentParser
import FoundationEssentials
import KafkaClient
import KafkaProtocol
import RecordBatch

/// A place in a partition as people write it: `earliest`, `latest`, an offset, or a time, `2026-03-01T12:00:00Z` or
/// `@1772366400` (seconds since the epoch).
enum OffsetPlace: ExpressibleByArgument, Hashable, Sendable {
    case earliest
    case latest
    case offset(Int64)
    /// In milliseconds since the epoch.
    case time(Int64)

    init?(argument: String) {
        switch argument {
        case "earliest": self = .earliest
        case "latest", "end": self = .latest
        default:
            if let offset = Int64(argument) {
                guard offset >= 0 else { return nil }
                self = .offset(offset)
            } else if argument.hasPrefix("@") {
                guard let seconds = Double(argument.dropFirst()), (0..<1e13).contains(seconds) else { return nil }
                self = .time(Int64((seconds * 1000).rounded()))
            } else {
                let plain = try? Date(argument, strategy: .iso8601)
                let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
                guard let date = plain ?? (try? Date(argument, strategy: style)) else { return nil }
                self = .time(Int64((date.timeIntervalSince1970 * 1000).rounded()))
            }
        }
    }

    /// The offsets this place stands for. A time after all records is the end.
    ///
    /// - Parameter clamping: move an offset that is not in the log to the nearest end of it, rather than to refuse it.
    /// - Throws: ``CommandError`` for an offset that is not in the log.
    func offsets(
        in partitions: [TopicPartition], _ admin: Admin, clamping: Bool = false
    ) async throws -> [TopicPartition: Offset] {
        switch self {
        case .earliest: return try await admin.startOffsets(partitions)
        case .latest: return try await admin.endOffsets(partitions)
        case .time(let milliseconds):
            let found = try await admin.offsets(of: partitions, atTimestamp: milliseconds)
            return try await admin.endOffsets(partitions).merging(found) { $1 }
        case .offset(let offset):
            let start = try await admin.startOffsets(partitions)
            let end = try await admin.endOffsets(partitions)
            var offsets: [TopicPartition: Offset] = [:]
            for partition in partitions {
                let (first, last) = (start[partition] ?? 0, end[partition] ?? 0)
                let wanted = Offset(offset)
                guard clamping || (wanted >= first && wanted <= last) else {
                    throw CommandError(
                        "offset \(offset) is not in \(partition), which holds \(first) to \(last) (its end)")
                }
                offsets[partition] = min(max(wanted, first), last)
            }
            return offsets
        }
    }
}
