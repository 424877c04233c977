import CommitLog
import KafkaProtocol

// DescribeLogDirs (35): how many bytes the partitions have.
//
// - There is one directory. Topics null means all; unknown topics and partitions are left out, as in Kafka.
// - The size is that of the segments. Version 4 adds the size and the free bytes of the file system.
// - Runs on the thread pool, as it asks the file system.
enum DescribeLogDirsHandler: RequestHandler {
    static func handle(_ request: DescribeLogDirsRequest, _ exchange: Exchange<DescribeLogDirsResponse>) {
        let node = exchange.context.node
        node.onPool {
            var result = DescribeLogDirsResponse.DescribeLogDirsResult(logDir: node.configuration.dataDirectory)
            if let wanted = request.topics {
                result.topics = wanted.compactMap { wanted in
                    node.catalog.topic(wanted.topic).map { topic in
                        self.describe(topic, wanted.partitions.compactMap(topic.partition))
                    }
                }
            } else {
                result.topics = node.catalog.allTopics.map { self.describe($0, $0.partitions) }
            }
            if let space = node.disk.space {
                result.totalBytes = Int64(space.total)
                result.usableBytes = Int64(space.usable)
            }
            exchange.reply(DescribeLogDirsResponse(results: [result]))
        }
    }

    private static func describe(
        _ topic: Topic, _ partitions: [Partition]
    ) -> DescribeLogDirsResponse.DescribeLogDirsTopic {
        .init(
            name: topic.name.rawValue,
            partitions: partitions.map { .init(partitionIndex: $0.index, partitionSize: Int64($0.byteCount)) })
    }
}
