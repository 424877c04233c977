import CommitLog
import KafkaProtocol
import Logging
import RecordBatch

// ListOffsets (2): the first or next offset of a partition, or the first at or after a time.
//
// - Timestamp -1 is the offset up to which a consumer can read (the high watermark; with isolation level 1 the last stable
//   offset, beyond which no other answer lies then, either), -2 the log start offset, -3 the
//   record with the largest timestamp (version 7); anything else is a time in milliseconds. -1 in the answer: none.
// - Version 0 asks for up to `maxNumOffsets` offsets at which segments begin, the latest first, and before them the
//   high watermark; -2 is answered with the log start offset. For a time it is the segments that hold nothing later, by
//   their records' timestamps where Kafka goes by the files' (which a copy or a restart changes).
// - Times are looked up on the thread pool, as that reads the disk.
enum ListOffsetsHandler: RequestHandler {
    private static let latest: Int64 = -1
    private static let earliest: Int64 = -2
    private static let largestTimestamp: Int64 = -3

    static func handle(_ request: ListOffsetsRequest, _ exchange: Exchange<ListOffsetsResponse>) {
        let needsDisk =
            exchange.context.apiVersion > 0
            && request.topics.contains { topic in
                topic.partitions.contains { $0.timestamp >= 0 || $0.timestamp == self.largestTimestamp }
            }
        if needsDisk {
            exchange.context.node.onPool { exchange.reply(self.response(request, exchange.context)) }
        } else {
            exchange.reply(self.response(request, exchange.context))
        }
    }

    private static func response(_ request: ListOffsetsRequest, _ context: RequestContext) -> ListOffsetsResponse {
        ListOffsetsResponse(
            topics: request.topics.map { topic in
                let found = context.node.catalog.topic(topic.name)
                return .init(
                    name: topic.name,
                    partitions: topic.partitions.map { wanted in
                        self.look(
                            found?.partition(wanted.partitionIndex), wanted,
                            IsolationLevel(rawValue: request.isolationLevel) ?? .readUncommitted, context)
                    })
            })
    }

    private static func look(
        _ partition: Partition?, _ wanted: ListOffsetsRequest.ListOffsetsPartition, _ isolation: IsolationLevel,
        _ context: RequestContext
    ) -> ListOffsetsResponse.ListOffsetsPartitionResponse {
        var answer = ListOffsetsResponse.ListOffsetsPartitionResponse(partitionIndex: wanted.partitionIndex)
        guard let partition else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        if let code = partition.epochError(wanted.currentLeaderEpoch) {
            answer.errorCode = code
            return answer
        }
        if context.apiVersion == 0 {
            answer.oldStyleOffsets = self.segmentOffsets(of: partition, wanted, context)
            return answer
        }
        let offsets = partition.offsets
        var found: (offset: Offset, timestamp: Int64)?
        switch wanted.timestamp {
        case self.latest: found = (partition.readableEnd(isolation), -1)
        case self.earliest: found = (offsets.start, -1)
        default:
            do throws(LogError) {
                let match =
                    wanted.timestamp == self.largestTimestamp
                    ? try partition.matchOfLargestTimestamp(isolation)
                    : try partition.match(forTimestamp: wanted.timestamp, isolation)
                found = match.map { ($0.offset, $0.timestamp) }
            } catch {
                context.node.logger.error("\(partition.name): no offset can be found for a time: \(error)")
                answer.errorCode = .kafkaStorageError
            }
        }
        if let found {
            answer.offset = found.offset.rawValue
            answer.timestamp = found.timestamp
            answer.leaderEpoch = partition.leaderEpoch
        }
        return answer
    }

    private static func segmentOffsets(
        of partition: Partition, _ wanted: ListOffsetsRequest.ListOffsetsPartition, _ context: RequestContext
    ) -> [Int64] {
        let offsets =
            wanted.timestamp == self.earliest
            ? [partition.offsets.start]
            : partition.segmentOffsets(
                until: wanted.timestamp == self.latest ? nil : wanted.timestamp,
                now: context.node.clock.wallMilliseconds())
        return offsets.prefix(Int(max(0, wanted.maxNumOffsets))).map(\.rawValue)
    }
}
