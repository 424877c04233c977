public import Instruments

/// Every metric of the broker. docs/metrics.md is checked against this list.
public enum BrokerMetrics {
    // MARK: Requests

    static let requests = Metric(
        .counter, "weir_broker_requests_total", by: ["api"], "Requests taken, by Kafka's name of the API.")
    static let requestBytes = Metric(
        .counter, "weir_broker_request_bytes_total", by: ["api"], "Bytes of requests taken.")
    static let responseBytes = Metric(
        .counter, "weir_broker_response_bytes_total", by: ["api"], "Bytes of answers.")
    static let requestSeconds = Metric(
        .histogram, "weir_broker_request_seconds", by: ["api"],
        "Time from taking a request to its answer, in seconds: the sync that acks=all waits for and the wait of a fetch for data included."
    )
    static let errors = Metric(
        .counter, "weir_broker_errors_total", by: ["api", "error"],
        "Error codes in answers, by Kafka's name of the code.")
    static let unreadableRequests = Metric(
        .counter, "weir_broker_unreadable_requests_total",
        "Connections closed because they sent what is no request of the protocol.")

    // MARK: Connections

    static let connections = Metric(.gauge, "weir_broker_connections", "Connections that are open.")
    static let acceptedConnections = Metric(
        .counter, "weir_broker_accepted_connections_total", "Connections taken since the start.")
    static let queuedBytes = Metric(
        .gauge, "weir_broker_queued_bytes", "Bytes of requests that are half arrived or unanswered.")
    static let unsentBytes = Metric(
        .gauge, "weir_broker_unsent_bytes", "Bytes of answers that wait for peers to take them.")
    static let poolQueue = Metric(
        .gauge, "weir_broker_pool_queue_tasks", "Work that waits for a thread that may wait for the disk.")
    static let limitReached = Metric(
        .counter, "weir_broker_limit_reached_total", by: ["limit"],
        "How often a limit was reached and something refused, cut or held back, by the limit's name in BrokerLimits.")

    // MARK: Topics

    static let producedRecords = Metric(
        .counter, "weir_broker_produced_records_total", by: ["topic"], "Records that producers had accepted.")
    static let producedBytes = Metric(
        .counter, "weir_broker_produced_bytes_total", by: ["topic"],
        "Bytes of record batches that producers had accepted, as they are stored.")
    static let fetchedRecords = Metric(
        .counter, "weir_broker_fetched_records_total", by: ["topic"], "Records answered to fetches.")
    static let fetchedBytes = Metric(
        .counter, "weir_broker_fetched_bytes_total", by: ["topic"], "Bytes of records answered to fetches.")
    static let topics = Metric(.gauge, "weir_broker_topics", "Topics that exist, the broker's own included.")
    static let partitions = Metric(.gauge, "weir_broker_partitions", "Partitions of all topics.")

    // MARK: Logs

    static let logBytes = Metric(.gauge, "weir_broker_log_bytes", by: ["topic"], "Bytes of the topic's log segments.")
    static let logSegments = Metric(.gauge, "weir_broker_log_segments", by: ["topic"], "Log segments of the topic.")
    static let logStartOffset = Metric(
        .gauge, "weir_broker_log_start_offset", by: ["topic"],
        "Log start offset; of a topic the sum of its partitions'.")
    static let logEndOffset = Metric(
        .gauge, "weir_broker_log_end_offset", by: ["topic"], "Log end offset; of a topic the sum of its partitions'.")
    static let syncSeconds = Metric(
        .histogram, "weir_broker_sync_seconds", "Time that a sync of a log to disk took, in seconds.")
    static let syncFailures = Metric(
        .counter, "weir_broker_sync_failures_total", "Syncs that failed; each fences its log.")

    static let expiredSegments = Metric(
        .counter, "weir_broker_expired_segments_total", "Log segments that retention removed.")
    static let expiredBytes = Metric(.counter, "weir_broker_expired_bytes_total", "Bytes that retention removed.")
    static let compactedBytes = Metric(
        .counter, "weir_broker_compacted_bytes_total", "Bytes that compaction removed.")
    static let failedWrites = Metric(
        .counter, "weir_broker_failed_writes_total", "Batches that could not be written to disk.")

    // MARK: Groups

    static let groups = Metric(.gauge, "weir_broker_groups", "Consumer groups, those without members included.")
    static let groupMembers = Metric(.gauge, "weir_broker_group_members", by: ["group"], "Members of the group.")
    static let groupLag = Metric(
        .gauge, "weir_broker_group_lag_records", by: ["group", "topic"],
        "Records between the group's committed offsets and the ends of the topic's partitions. A partition that the group has committed nothing for counts nothing."
    )

    public static let all = [
        requests, requestBytes, responseBytes, requestSeconds, errors, unreadableRequests, connections,
        acceptedConnections, queuedBytes, unsentBytes, poolQueue, limitReached, producedRecords, producedBytes,
        fetchedRecords,
        fetchedBytes, topics, partitions, logBytes, logSegments, logStartOffset, logEndOffset, syncSeconds,
        syncFailures, expiredSegments, expiredBytes, compactedBytes, failedWrites, groups, groupMembers,
        groupLag,
    ]
}
