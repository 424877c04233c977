import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import ServiceLifecycle
import Synchronization

/// Writes records to standard output until there are enough of them, the end is reached, nobody reads any more or the
/// program is stopped.
final class RecordPrinter: Service {
    /// Written in one piece.
    private static let flushBytes = 64 << 10

    private let format: RecordFormat
    private let source: RecordSource
    /// Nil for no limit.
    private let limit: Int?

    init(format: RecordFormat, source: RecordSource, limit: Int?) {
        self.format = format
        self.source = source
        self.limit = limit
    }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.printUntilEnd() }
        } catch is StandardOutput.Closed {
            // As head does when it has seen enough: no error.
        } catch is CancellationError {}
    }

    private func printUntilEnd() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.printRecords() }
            group.addTask { try await StandardOutput.waitUntilClosed() }
            group.addTask { try await self.source.waitForEnd() }
            try await group.next()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) { throw error }
            }
        }
    }

    private func printRecords() async throws {
        var left = limit ?? .max
        if left == 0 { return }
        try await source.forEachBatch { batch, end in
            var output = ByteBuffer()
            var next = batch.nextOffset
            var pieces: [ByteBuffer] = []
            try batch.forEachRecord { record in
                guard left > 0, end.map({ record.offset < $0 }) ?? true else {
                    next = min(next, record.offset)
                    return
                }
                left -= 1
                for complaint in format.append(record, of: batch.topicPartition, to: &output) {
                    writeToStandardError(complaint + "\n")
                }
                if output.readableBytes >= Self.flushBytes {
                    pieces.append(output)
                    output = ByteBuffer()
                }
            }
            for piece in pieces + [output] { try await StandardOutput.write(piece) }
            return (next, left == 0)
        }
    }
}
