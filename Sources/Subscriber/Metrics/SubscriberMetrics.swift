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

    // MARK: Rules

    static let openWindows = Metric(
        .gauge, "weir_subscriber_open_windows", by: ["rule"],
        "Windows that have samples and were not evaluated yet.")
    static let closedWindows = Metric(
        .gauge, "weir_subscriber_closed_windows", by: ["rule"],
        "Windows that were evaluated, and are kept for late samples.")
    static let dueWindows = Metric(
        .gauge, "weir_subscriber_due_windows", by: ["rule"], "Windows that wait to be evaluated now.")
    static let emittedWindows = Metric(
        .counter, "weir_subscriber_emitted_windows_total", by: ["rule"], "Windows emitted for the first time.")
    static let revisedWindows = Metric(
        .counter, "weir_subscriber_revised_windows_total", by: ["rule"],
        "Windows emitted again with a higher revision, because late samples changed them.")
    static let abandonedWindows = Metric(
        .counter, "weir_subscriber_abandoned_windows_total", by: ["rule"],
        "Windows given up before they were evaluated, because as many are held as may be.")
    static let ruleLateSamples = Metric(
        .counter, "weir_subscriber_rule_late_samples_total", by: ["rule"],
        "Samples that came after a window of theirs had closed; it is evaluated anew.")
    static let ruleTooOldSamples = Metric(
        .counter, "weir_subscriber_rule_too_old_samples_total", by: ["rule"],
        "Samples older than the windows that can still be evaluated; the results of theirs stay as they are.")
    static let emittedRecords = Metric(
        .counter, "weir_subscriber_emitted_records_total", "Records of rules that the cluster has taken.")
    static let lostEmissions = Metric(
        .counter, "weir_subscriber_lost_emissions_total", "Records of rules that the cluster will never take.")
    static let waitingEmissions = Metric(
        .gauge, "weir_subscriber_outbox_records", "Records of rules that wait for the cluster to take them.")
    static let emissionLag = Metric(
        .gauge, "weir_subscriber_emission_lag_seconds",
        "For how long some records of rules have been waiting for the cluster, without a moment when none was.")
    static let heldBackWindows = Metric(
        .counter, "weir_subscriber_held_back_windows_total",
        "How often due windows were left open because maximumWaitingEmissions records wait for the cluster.")

    public static let all = [
        records, lagRecords, lagSeconds, missedRecords, skippedValues, lateSamples, futureSamples, pastSamples,
        rejectedLines, duplicateRecords, duplicateSamples, lostRejections, samples, commits, supersededCommits,
        newSeries, expiredSamples, refusedSamples, spellings, forgottenSeries, respelledSamples, alertEvents,
        lostAlertEvents, watchedSeries, unwatchedSamples, databaseBytes, endToEnd, openWindows, closedWindows,
        dueWindows, emittedWindows, revisedWindows, abandonedWindows, ruleLateSamples, ruleTooOldSamples,
        emittedRecords, lostEmissions, waitingEmissions, emissionLag, heldBackWindows,
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
        reportRules(to: &report)
        direct?.report(to: &report, dropped: Int(droppedDirectSamples))
    }

    private func reportRules(to report: inout MetricReport) {
        for (name, rule) in rules {
            report.reading(SubscriberMetrics.openWindows, rule.openWindows, [name])
            report.reading(SubscriberMetrics.closedWindows, rule.closedWindows, [name])
            report.reading(SubscriberMetrics.dueWindows, rule.dueWindows, [name])
            report.count(SubscriberMetrics.emittedWindows, Int(rule.emittedWindows), [name])
            report.count(SubscriberMetrics.revisedWindows, Int(rule.revisedWindows), [name])
            report.count(SubscriberMetrics.abandonedWindows, rule.abandonedWindows, [name])
            report.count(SubscriberMetrics.ruleLateSamples, Int(rule.lateSamples), [name])
            report.count(SubscriberMetrics.ruleTooOldSamples, Int(rule.tooOldSamples), [name])
        }
        report.count(SubscriberMetrics.emittedRecords, Int(emittedRecords))
        report.count(SubscriberMetrics.lostEmissions, Int(lostEmissions))
        report.reading(SubscriberMetrics.waitingEmissions, waitingEmissions)
        let lag = emissionsWaitSince.map { ContinuousClock.now - $0 } ?? .zero
        report.reading(SubscriberMetrics.emissionLag, lag / .seconds(1))
        report.count(SubscriberMetrics.heldBackWindows, Int(heldBackWindows))
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
