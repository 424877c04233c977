public import Instruments

/// Every metric of the agent. docs/metrics.md is checked against this list.
public enum AgentMetrics {
    static let collected = Metric(
        .counter, "weir_agent_collected_samples_total", "Samples read from the kernel, or from the process itself.")
    static let accepted = Metric(
        .counter, "weir_agent_spooled_samples_total", "Samples on disk in the spool: they will arrive.")
    static let refused = Metric(
        .counter, "weir_agent_refused_samples_total",
        "Samples that the spool did not take, because it was full (spool-max) or the disk failed.")
    static let collectorErrors = Metric(
        .counter, "weir_agent_collector_errors_total", by: ["collector"], "Runs of a collector that gave no samples.")
    static let missedTicks = Metric(
        .counter, "weir_agent_missed_ticks_total", "Runs left out because the one before took too long.")
    static let published = Metric(
        .counter, "weir_agent_published_records_total", "Records that the broker has acknowledged.")
    static let lost = Metric(
        .counter, "weir_agent_lost_records_total", "Records that were found unreadable in the spool.")
    static let waitingRecords = Metric(
        .gauge, "weir_agent_waiting_records", "Records in the spool that the broker has not acknowledged.")
    static let waitingBytes = Metric(
        .gauge, "weir_agent_waiting_bytes", "Bytes of records in the spool that the broker has not acknowledged.")
    static let spoolBytes = Metric(
        .gauge, "weir_agent_spool_bytes",
        "Bytes of the spool on disk, with what is acknowledged and not yet deleted.")
    static let brokerReachable = Metric(
        .gauge, "weir_agent_broker_reachable", "1 while the broker takes what is sent, 0 while it does not.")

    public static let all = [
        collected, accepted, refused, collectorErrors, missedTicks, published, lost, waitingRecords, waitingBytes,
        spoolBytes, brokerReachable,
    ]
}

extension AgentStatistics {
    func report(to report: inout MetricReport) {
        report.count(AgentMetrics.collected, samplesCollected)
        report.count(AgentMetrics.accepted, samplesAccepted)
        report.count(AgentMetrics.refused, samplesRefused)
        for (name, errors) in collectorErrors {
            report.count(AgentMetrics.collectorErrors, errors, [name.rawValue])
        }
        report.count(AgentMetrics.missedTicks, ticksMissed)
        report.count(AgentMetrics.published, recordsPublished)
        report.count(AgentMetrics.lost, recordsLost)
        report.reading(AgentMetrics.waitingRecords, recordsWaiting)
        report.reading(AgentMetrics.waitingBytes, bytesWaiting)
        report.reading(AgentMetrics.spoolBytes, spoolBytes)
        if let isBrokerReachable { report.reading(AgentMetrics.brokerReachable, isBrokerReachable ? 1 : 0) }
        for link in direct { link.report(to: &report) }
    }
}
