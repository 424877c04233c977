import Instruments
import KafkaProtocol
import RecordBatch
import Synchronization

/// What stands for how a broker stands when somebody collects: logs and groups, summed up by topic. A value that lives for
/// one report.
///
/// Topics and groups beyond `measuredTopics` and `measuredGroups` share one series, so that those who create many of
/// them do not make the metrics the largest topic.
struct BrokerReport {
    /// The label of what shares a series. No topic can be called so.
    static let others = "(others)"

    /// One group as its coordinator knows it.
    struct Standing: Sendable {
        let group: String
        let members: Int
        let offsets: [PartitionName: CommittedOffset]
    }

    /// Which names have series of their own; first come, first served, until they are gone.
    struct Measured {
        private var names: Set<String> = []
        private var asked: Set<String> = []

        /// - Returns: the name, or `others`.
        mutating func label(of name: String, limit: Int, _ counters: BrokerCounters, _ which: BrokerLimit) -> String {
            if self.names.contains(name) {
                self.asked.insert(name)
                return name
            }
            guard self.names.count < limit else {
                counters.reached(which)
                return BrokerReport.others
            }
            self.names.insert(name)
            self.asked.insert(name)
            return name
        }

        /// Forgets the names that nobody asked for since the last time.
        mutating func endRound() {
            self.names = self.asked
            self.asked = []
        }
    }

    private struct LogSums {
        var bytes = 0
        var segments = 0
        var start = 0
        var end = 0

        static func += (sum: inout LogSums, other: LogSums) {
            sum.bytes += other.bytes
            sum.segments += other.segments
            sum.start += other.start
            sum.end += other.end
        }

        func report(to report: inout MetricReport, _ values: [String], by more: [String]) {
            report.reading(BrokerMetrics.logBytes.by(more), self.bytes, values)
            report.reading(BrokerMetrics.logSegments.by(more), self.segments, values)
            report.reading(BrokerMetrics.logStartOffset.by(more), self.start, values)
            report.reading(BrokerMetrics.logEndOffset.by(more), self.end, values)
        }
    }

    private struct TrafficSums {
        var producedRecords = 0
        var producedBytes = 0
        var fetchedRecords = 0
        var fetchedBytes = 0
    }

    let node: BrokerNode

    func topics(to report: inout MetricReport, _ measured: inout Measured) {
        let topics = self.node.catalog.allTopics
        let counters = self.node.counters
        let byPartition = self.node.configuration.metricsByPartition
        var logs: [String: LogSums] = [:]
        var traffic: [String: TrafficSums] = [:]
        for topic in topics {
            let name = topic.name.rawValue
            let label = measured.label(
                of: name, limit: self.node.configuration.limits.measuredTopics, counters, .measuredTopics)
            for partition in topic.partitions {
                let standing = partition.standing
                let sums = LogSums(
                    bytes: standing.bytes, segments: standing.segments, start: Int(standing.start.rawValue),
                    end: Int(standing.end.rawValue))
                if byPartition && label == name {
                    sums.report(to: &report, [name, "\(partition.index)"], by: ["partition"])
                } else {
                    logs[label, default: LogSums()] += sums
                }
            }
            // Asked of a partition: the catalogue may have deleted the topic by now, and its traffic with it.
            guard let counted = topic.partitions.first?.traffic else { continue }
            traffic[label, default: TrafficSums()].producedRecords += counted.producedRecords.value
            traffic[label, default: TrafficSums()].producedBytes += counted.producedBytes.value
            traffic[label, default: TrafficSums()].fetchedRecords += counted.fetchedRecords.value
            traffic[label, default: TrafficSums()].fetchedBytes += counted.fetchedBytes.value
        }
        for (label, sums) in logs { sums.report(to: &report, [label], by: []) }
        for (label, sums) in traffic {
            report.count(BrokerMetrics.producedRecords, sums.producedRecords, [label])
            report.count(BrokerMetrics.producedBytes, sums.producedBytes, [label])
            report.count(BrokerMetrics.fetchedRecords, sums.fetchedRecords, [label])
            report.count(BrokerMetrics.fetchedBytes, sums.fetchedBytes, [label])
        }
        report.reading(BrokerMetrics.topics, topics.count)
        report.reading(BrokerMetrics.partitions, topics.reduce(0) { $0 + $1.partitions.count })
        measured.endRound()
    }

    func groups(_ standings: [Standing], to report: inout MetricReport, _ measured: inout Measured) {
        var members: [String: Int] = [:]
        var lags: [[String]: Int] = [:]
        // By name, so that those with series of their own are the same after a restart.
        for standing in standings.sorted(by: { $0.group < $1.group }) {
            let label = measured.label(
                of: standing.group, limit: self.node.configuration.limits.measuredGroups, self.node.counters,
                .measuredGroups)
            members[label, default: 0] += standing.members
            for (name, committed) in standing.offsets {
                guard let partition = self.node.catalog.partition(name.topic, name.partition) else { continue }
                let offsets = partition.offsets
                let lag = max(0, offsets.highWatermark - max(Offset(committed.offset), offsets.start))
                let topic = label == Self.others ? Self.others : name.topic
                lags[[label, topic], default: 0] += Int(lag)
            }
        }
        report.reading(BrokerMetrics.groups, standings.count)
        for (label, count) in members { report.reading(BrokerMetrics.groupMembers, count, [label]) }
        for (labels, lag) in lags { report.reading(BrokerMetrics.groupLag, lag, labels) }
        measured.endRound()
    }
}

extension BrokerNode {
    /// What the reports keep from one to the next.
    struct Reporting {
        var report: MetricReport
        var topics = BrokerReport.Measured()
        var groups = BrokerReport.Measured()
        var isOver = false
    }

    /// Brings the metrics up to date. Any task.
    func reportMetrics() async {
        let standings: [BrokerReport.Standing]? = await withCheckedContinuation { continuation in
            // The event loop of the groups lives until reporting is over.
            let isOver = self.reporting.withLock { reporting in
                if !reporting.isOver { self.groups.standings { continuation.resume(returning: $0) } }
                return reporting.isOver
            }
            if isOver { continuation.resume(returning: nil) }
        }
        guard let standings else { return }
        let counters = self.counters
        let connections = self.connections.count
        self.reporting.withLock { reporting in
            var (topics, groups) = (reporting.topics, reporting.groups)
            reporting.report.report { report in
                counters.report(to: &report)
                report.reading(BrokerMetrics.connections, connections)
                let broker = BrokerReport(node: self)
                broker.topics(to: &report, &topics)
                broker.groups(standings, to: &report, &groups)
            }
            (reporting.topics, reporting.groups) = (topics, groups)
        }
    }

    /// Nothing is reported after this.
    func endReporting() {
        self.reporting.withLock { $0.isOver = true }
    }
}
