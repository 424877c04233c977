public import Instruments

/// The metrics of a subscriber that listens for direct publishers. docs/metrics.md is checked against this list.
public enum DirectMetrics {
    static let connections = Metric(
        .gauge, "weir_subscriber_direct_connections", "Connections of publishers that need no broker.")
    static let accepted = Metric(
        .counter, "weir_subscriber_direct_accepted_connections_total", "Such connections taken since the start.")
    static let records = Metric(
        .counter, "weir_subscriber_direct_records_total", "Records that came on them.")
    static let bytes = Metric(.counter, "weir_subscriber_direct_bytes_total", "Bytes that came on them.")
    static let broken = Metric(
        .counter, "weir_subscriber_direct_broken_records_total",
        "Records and lines that were half there when their connection ended, and were dropped.")
    static let unreadable = Metric(
        .counter, "weir_subscriber_direct_unreadable_connections_total",
        "Connections closed because what they sent begins no record.")
    static let limitReached = Metric(
        .counter, "weir_subscriber_direct_limit_reached_total", by: ["limit"],
        "How often a limit was reached and a connection closed, by the limit's name in DirectLimits.")

    static let dropped = Metric(
        .counter, "weir_subscriber_direct_dropped_samples_total",
        "Samples that were in hand when another process that shares the database was first. They cannot be read again.")

    public static let all = [connections, accepted, records, bytes, broken, unreadable, limitReached, dropped]
}

extension DirectIntakeStatistics {
    func report(to report: inout MetricReport, dropped: Int) {
        report.count(DirectMetrics.dropped, dropped)
        report.reading(DirectMetrics.connections, connections)
        report.count(DirectMetrics.accepted, acceptedConnections)
        report.count(DirectMetrics.records, records)
        report.count(DirectMetrics.bytes, bytes)
        report.count(DirectMetrics.broken, brokenRecords)
        report.count(DirectMetrics.unreadable, unreadableConnections)
        for limit in DirectLimits.Name.allCases {
            report.count(DirectMetrics.limitReached, limitsReached[limit, default: 0], [limit.rawValue])
        }
    }
}
