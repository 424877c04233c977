internal import Aggregation
public import Instruments
internal import SeriesStore

/// Every metric of the subscriber. docs/metrics.md is checked against this list.
public enum SubscriberMetrics {
    // MARK: Reading

    static let records = Metric(
        .counter, "weir_subscriber_records_total", "Records read from the topics, duplicates included.")
    static let lagRecords = Metric(
        .gauge, "weir_subscriber_lag_records", by: ["topic"],
        "Records of the partitions that this member reads which are not in the database.")
    static let lagSeconds = Metric(
        .histogram, "weir_subscriber_lag_seconds", by: ["stage"],
        "How long the oldest record of each commit took, in seconds, by stage: 'topic' from its timestamp to its being read, 'processing' from then to the commit, 'commit' the transaction."
    )
    static let missedRecords = Metric(
        .counter, "weir_subscriber_missed_records_total", by: ["topic"],
        "Records that retention deleted from the topic before they were read.")
    static let skippedValues = Metric(
        .counter, "weir_subscriber_skipped_values_total",
        "Values that are no numbers, such as the strings of InfluxDB's line protocol.")

    // MARK: By source: the key of the record, which is the host

    static let lateSamples = Metric(
        .counter, "weir_subscriber_late_samples_total", by: ["source"],
        "Samples of a minute before the newest one of their source. They are merged where they belong.")
    static let futureSamples = Metric(
        .counter, "weir_subscriber_future_samples_total", by: ["source"],
        "Samples more than a minute in the future: the source's clock is wrong. They are stored, and close no windows.")
    static let pastSamples = Metric(
        .counter, "weir_subscriber_past_samples_total", by: ["source"],
        "Samples that were more than ten minutes old when they were read live (31 days in a backlog): the source's clock is wrong, or it was away."
    )
    static let rejectedLines = Metric(
        .counter, "weir_subscriber_rejected_lines_total", by: ["source"],
        "Lines that are no samples, or whole records; they go to metrics.rejected.")
    static let duplicateRecords = Metric(
        .counter, "weir_subscriber_duplicate_records_total", by: ["source"],
        "Records of an agent that had been counted before, and were dropped.")
    static let duplicateSamples = Metric(
        .counter, "weir_subscriber_duplicate_samples_total", by: ["source"],
        "Samples whose series already had one at that timestamp, and were dropped.")
    static let lostRejections = Metric(
        .counter, "weir_subscriber_lost_rejections_total", "Rejected lines that metrics.rejected did not take.")

    // MARK: Storing

    static let samples = Metric(.counter, "weir_subscriber_samples_total", "Samples in committed transactions.")
    static let commits = Metric(.counter, "weir_subscriber_commits_total", "Transactions committed.")
    static let supersededCommits = Metric(
        .counter, "weir_subscriber_superseded_commits_total",
        "Commits given up because another process of the group had stored some of it before; it was read again.")
    static let newSeries = Metric(.counter, "weir_subscriber_new_series_total", "Series that were new.")
    static let expiredSamples = Metric(
        .counter, "weir_subscriber_expired_samples_total", "Samples older than their retention, which were dropped.")
    static let refusedSamples = Metric(
        .counter, "weir_subscriber_refused_samples_total", by: ["limit", "culprit", "label"],
        "Samples of series that a limit refuses, by limit ('total', 'metric', 'source'), the metric or source whose series are too many, and its label with the most values."
    )

    static let spellings = Metric(
        .gauge, "weir_subscriber_series_spellings",
        "Spellings of series that are remembered, to know a series by its bytes.")
    static let forgottenSeries = Metric(
        .counter, "weir_subscriber_forgotten_series_total",
        "Series forgotten again, because limits refuse them or their samples are too old, and there were too many."
    )
    static let respelledSamples = Metric(
        .counter, "weir_subscriber_respelled_samples_total",
        "Samples whose series was spelled in a way that is not remembered, because there are too many; they cost more."
    )

    // MARK: Alerts

    static let alertEvents = Metric(
        .counter, "weir_subscriber_alert_events_total", by: ["state"],
        "What became of alerts: pending, firing, resolved, or inactive where one went away that was pending.")
    static let lostAlertEvents = Metric(
        .counter, "weir_subscriber_lost_alert_events_total", "Of these, those that the topic of alerts did not take.")
    static let watchedSeries = Metric(
        .gauge, "weir_subscriber_watched_series",
        "Series that conditions follow, once for each condition whose selector they meet.")
    static let unwatchedSamples = Metric(
        .counter, "weir_subscriber_unwatched_samples_total",
        "Samples that conditions did not look at, because they follow too many series already.")

    static let databaseBytes = Metric(
        .gauge, "weir_subscriber_database_bytes", "Bytes of the database with its write-ahead log.")

    static let endToEnd = Metric(
        .gauge, "weir_subscriber_end_to_end_seconds", by: ["quantile"],
        "How long samples took from their record's timestamp to the commit, in seconds, since the start: the quantiles 0.5, 0.99, 0.999 and 1."
    )

    public static let all = [
        records, lagRecords, lagSeconds, missedRecords, skippedValues, lateSamples, futureSamples, pastSamples,
        rejectedLines, duplicateRecords, duplicateSamples, lostRejections, samples, commits, supersededCommits,
        newSeries,
        expiredSamples, refusedSamples, spellings, forgottenSeries, respelledSamples, alertEvents, lostAlertEvents,
        watchedSeries, unwatchedSamples, databaseBytes,
        endToEnd,
    ]
}

extension SubscriberStatistics {
    func report(to report: inout MetricReport) {
        report.count(SubscriberMetrics.records, Int(recordsRead))
        for (topic, lag) in lagByTopic { report.reading(SubscriberMetrics.lagRecords, Int(lag), [topic]) }
        for topic in Set(lagByTopic.keys).union(missedRecords.keys) {
            report.count(SubscriberMetrics.missedRecords, Int(missedRecords[topic] ?? 0), [topic])
        }
        report.count(SubscriberMetrics.skippedValues, Int(skippedValues))
        for (name, source) in sources {
            report.count(SubscriberMetrics.lateSamples, Int(source.lateSamples), [name])
            report.count(SubscriberMetrics.futureSamples, Int(source.futureSamples), [name])
            report.count(SubscriberMetrics.pastSamples, Int(source.pastSamples), [name])
            report.count(SubscriberMetrics.rejectedLines, Int(source.rejectedLines), [name])
            report.count(SubscriberMetrics.duplicateRecords, Int(source.duplicateRecords), [name])
            report.count(SubscriberMetrics.duplicateSamples, Int(source.duplicateSamples), [name])
        }
        report.count(SubscriberMetrics.lostRejections, Int(lostRejections))
        report.count(SubscriberMetrics.samples, Int(samplesStored))
        report.count(SubscriberMetrics.commits, Int(commits))
        report.count(SubscriberMetrics.supersededCommits, Int(supersededCommits))
        report.count(SubscriberMetrics.newSeries, Int(seriesCreated))
        report.count(SubscriberMetrics.expiredSamples, Int(expiredSamples))
        for overflow in overflow.values {
            report.count(
                SubscriberMetrics.refusedSamples, Int(overflow.samples),
                [overflow.cause.limit.rawValue, overflow.cause.culprit, overflow.label])
        }
        report.reading(SubscriberMetrics.spellings, memory.spellings)
        report.count(SubscriberMetrics.forgottenSeries, Int(memory.forgotten))
        report.count(SubscriberMetrics.respelledSamples, Int(memory.respelledSamples))
        for state in AlertState.allCases {
            report.count(SubscriberMetrics.alertEvents, Int(alerts.events[state] ?? 0), [state.rawValue])
        }
        report.count(SubscriberMetrics.lostAlertEvents, Int(alerts.lostEvents))
        report.reading(SubscriberMetrics.watchedSeries, Int(alerts.watchedSeries))
        report.count(SubscriberMetrics.unwatchedSamples, Int(alerts.unwatchedSamples))
        report.reading(SubscriberMetrics.databaseBytes, Int(databaseBytes))
        direct?.report(to: &report, dropped: Int(droppedDirectSamples))
    }
}

extension LatencyHistogram {
    /// Nothing as long as there are no samples.
    func report(to report: inout MetricReport) {
        guard samples > 0 else { return }
        for (quantile, percentile) in [("0.5", 50.0), ("0.99", 99), ("0.999", 99.9), ("1", 100)] {
            let seconds = Double(microseconds(atPercentile: percentile)) / 1e6
            report.reading(SubscriberMetrics.endToEnd, seconds, [quantile])
        }
    }
}
