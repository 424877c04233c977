public import Instruments

/// The metrics of an agent that publishes straight to subscribers. docs/metrics.md is checked against this list.
public enum DirectLinkMetrics {
    static let offered = Metric(
        .counter, "weir_agent_direct_offered_samples_total", by: ["destination"],
        "Samples for a subscriber that is published to without a broker: sent, waiting or lost.")
    static let sent = Metric(
        .counter, "weir_agent_direct_sent_samples_total", by: ["destination"],
        "Of these, samples that this host's kernel has taken with all their bytes.")
    static let lost = Metric(
        .counter, "weir_agent_direct_lost_samples_total", by: ["destination", "reason"],
        "Of these, samples that did not leave this process: the oldest of a full queue ('queue_full'), half written when the connection ended ('connection_lost'), waiting at the end ('shutdown')."
    )
    static let waiting = Metric(
        .gauge, "weir_agent_direct_waiting_samples", by: ["destination"], "Of these, samples in the queue.")
    static let connections = Metric(
        .counter, "weir_agent_direct_connections_total", by: ["destination"],
        "Connections to the subscriber that have come up.")
    static let connected = Metric(
        .gauge, "weir_agent_direct_connected", by: ["destination"], "1 while the subscriber is connected, else 0.")

    public static let all = [offered, sent, lost, waiting, connections, connected]
}

extension DirectStatistics {
    func report(to report: inout MetricReport) {
        let name = "\(destination)"
        report.count(DirectLinkMetrics.offered, offered.samples, [name])
        report.count(DirectLinkMetrics.sent, sent.samples, [name])
        for (reason, amount) in lost {
            report.count(DirectLinkMetrics.lost, amount.samples, [name, reason.rawValue])
        }
        report.reading(DirectLinkMetrics.waiting, waiting.samples, [name])
        report.count(DirectLinkMetrics.connections, connections, [name])
        report.reading(DirectLinkMetrics.connected, isConnected ? 1 : 0, [name])
    }
}
