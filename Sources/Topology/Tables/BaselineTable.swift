extension ComparisonTables {
    /// What has changed since an earlier comparison, measurement by measurement; nil where there is none in both.
    public static func changes(since earlier: Comparison, in now: Comparison) -> QuestionTable? {
        let agreement = ComparisonAgreement(earlier, now)
        guard agreement.countsCompared > 0 else { return nil }
        var table = QuestionTable(
            "changes", "What has changed since \(earlier.origin.date.prefix(10))?", subject: "measurement",
            [
                .init("CPU s per million, before"), .init("now"), .init("change", .lower),
                .init("committed p99, before"), .init("now"), .init("delivered/s, before"), .init("now"),
                .init("counts that differ", .lower),
            ])
        var stages: Set<String> = []
        for measurement in agreement.measurements {
            let (before, now) = (measurement.before, measurement.now)
            let isFirst = stages.insert(measurement.stage).inserted
            table.append(
                measurement.subject,
                [
                    .number(before.cpuSecondsPerMillion), .number(now.cpuSecondsPerMillion),
                    .percent(measurement.change), .milliseconds(before.p99), .milliseconds(now.p99),
                    .number(before.deliveredPerSecond), .number(now.deliveredPerSecond),
                    isFirst ? .count(agreement.differences(of: measurement.stage).count) : .none,
                ])
        }
        // A comparison of faults only has counts and no costs.
        let before = Set(earlier.stages.map(\.name))
        for stage in now.stages where before.contains(stage.name) && !stages.contains(stage.name) {
            table.append(
                stage.name,
                [
                    .none, .none, .none, .none, .none, .none, .none,
                    .count(agreement.differences(of: stage.name).count),
                ])
        }
        table.markBestAndWorst()
        table.meaning = meaning(of: agreement, earlier, now)
        return table
    }

    private static func meaning(of agreement: ComparisonAgreement, _ earlier: Comparison, _ now: Comparison) -> String {
        let isSame =
            earlier.origin.processor == now.origin.processor && earlier.origin.cores == now.origin.cores
            && earlier.load == now.load && earlier.isQuick == now.isQuick
        let conditions =
            isSame
            ? "Both were measured on the same kind of machine under the same workload."
            : "The machine, the workload or the length of the runs is not the same as then: compare shapes, not figures."
        let counts =
            agreement.differences.isEmpty
            ? "All \(agreement.countsCompared) counts are the same."
            : "Of \(agreement.countsCompared) counts \(agreement.differences.count) differ: "
                + agreement.differences.map(\.description).joined(separator: "; ") + "."
        let limit = Int(ComparisonAgreement.cpuTolerance * 100)
        let far = agreement.measurements.filter { !$0.isWithinTolerance }
        let costs =
            agreement.measurements.isEmpty
            ? ""
            : far.isEmpty
                ? "CPU per million samples is within \(limit) % everywhere."
                : "CPU per million samples differs by more than \(limit) % in \(far.map(\.subject).joined(separator: "; "))."
        return [conditions, counts, costs].filter { !$0.isEmpty }.joined(separator: " ")
    }
}
