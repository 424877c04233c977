extension ComparisonTables {
    /// What has changed since an earlier comparison, stage by stage; nil where there is no stage in both.
    public static func changes(since earlier: Comparison, in now: Comparison) -> QuestionTable? {
        var table = QuestionTable(
            "changes", "What has changed since \(earlier.origin.date.prefix(10))?",
            [
                .init("CPU s per million, before"), .init("now"), .init("change", .lower), .init("p99, before"),
                .init("now"), .init("delivered/s at the limit, before"), .init("now"), .init("lost in faults, before"),
                .init("now"),
            ])
        for stage in now.stages {
            guard let before = earlier.stages.first(where: { $0.name == stage.name }) else { continue }
            let (old, new) = (before.steady?.cpuSecondsPerMillion, stage.steady?.cpuSecondsPerMillion)
            let change = old.flatMap { old in new.map { $0 / max(old, 0.000_001) - 1 } }
            let lost = { (stage: StageResult) in
                stage.faults.isEmpty ? nil : stage.faults.reduce(0) { $0 + $1.lost }
            }
            table.append(
                stage.name,
                [
                    .number(old), .number(new), .percent(change), .milliseconds(before.steady?.latency.p99),
                    .milliseconds(stage.steady?.latency.p99), .number(before.peak?.deliveredPerSecond),
                    .number(stage.peak?.deliveredPerSecond), .count(lost(before)), .count(lost(stage)),
                ])
        }
        guard !table.rows.isEmpty else { return nil }
        table.markBestAndWorst()
        let isSame =
            earlier.origin.processor == now.origin.processor && earlier.origin.cores == now.origin.cores
            && earlier.load == now.load && earlier.isQuick == now.isQuick
        table.meaning =
            isSame
            ? "Both were measured on the same kind of machine under the same workload. Differences of less than 20 % in CPU are within what two runs differ by."
            : "The machine, the workload or the length of the runs is not the same as then: compare shapes, not figures."
        return table
    }
}
