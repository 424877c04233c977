/// Whether two comparisons of the same stages say the same: every count that does not depend on the moment at which something
/// was killed or measured, and CPU per sample within what two runs may differ by.
///
/// Counts are: processes, connections, TCP connections, settings, what was touched and edited for an addition; what was lost
/// through brokers, where nothing may be; what was stored without having been published, and counted wrong, which is
/// nothing anywhere. What direct links lose is exactly what the ledger says, but how much that is depends on what was on its
/// way when a subscriber was killed; how many samples there were depends on how long a start took.
public struct ComparisonAgreement: Sendable {
    /// What two runs may differ by in CPU per million samples, as a part of the earlier one's.
    public static let cpuTolerance = 0.2

    /// One count that is not the same.
    public struct Difference: Hashable, Sendable, CustomStringConvertible {
        public var stage: String
        public var what: String
        public var before: Int
        public var now: Int

        public var description: String { "\(stage): \(what) \(before) → \(now)" }
    }

    /// The figures of one measurement.
    public struct Figures: Hashable, Sendable {
        public var cpuSecondsPerMillion: Double
        /// Collected → committed, in milliseconds.
        public var p99: Double
        /// Nil where it is not the question.
        public var deliveredPerSecond: Double?
    }

    /// What was measured both times.
    public struct Measurement: Hashable, Sendable {
        /// The stage, mode or size, and what was measured.
        public var subject: String
        /// The stage, mode or size.
        public var stage: String
        public var before: Figures
        public var now: Figures

        /// Of CPU per million samples, as a part of the earlier one.
        public var change: Double { now.cpuSecondsPerMillion / max(before.cpuSecondsPerMillion, 0.000_001) - 1 }
        public var isWithinTolerance: Bool { change.magnitude <= ComparisonAgreement.cpuTolerance }
    }

    public private(set) var differences: [Difference] = []
    public private(set) var measurements: [Measurement] = []
    /// Counts that were compared.
    public private(set) var countsCompared = 0

    /// There was something to compare, and it was the same.
    public var holds: Bool { countsCompared > 0 && differences.isEmpty && measurements.allSatisfy(\.isWithinTolerance) }

    public init(_ earlier: Comparison, _ now: Comparison) {
        for stage in now.stages {
            guard let before = earlier.stages.first(where: { $0.name == stage.name }) else { continue }
            compareCounts(before, stage)
            compare("steady", stage.name, before.steady, stage.steady)
            compare("limit", stage.name, before.peak, stage.peak)
        }
        for mode in now.modes {
            compare("mode", mode.mode, earlier.modes.first { $0.mode == mode.mode }?.steady, mode.steady)
        }
        for point in now.scale {
            guard let before = earlier.scale.first(where: { $0.stage == point.stage }) else { continue }
            count(point.stage, "connections", before.connections, point.connections)
            count(point.stage, "TCP connections", before.establishedConnections, point.establishedConnections)
            measurements.append(
                Measurement(
                    subject: point.stage, stage: point.stage, before: Figures(before), now: Figures(point)))
        }
    }

    public func differences(of stage: String) -> [Difference] { differences.filter { $0.stage == stage } }

    private mutating func compareCounts(_ before: StageResult, _ now: StageResult) {
        count(now.name, "processes", before.shape.processes, now.shape.processes)
        count(now.name, "connections", before.shape.connections, now.shape.connections)
        if before.steady != nil, now.steady != nil {
            count(now.name, "TCP connections", before.establishedConnections, now.establishedConnections)
            count(now.name, "settings", before.configurationLines, now.configurationLines)
            count(now.name, "addresses", before.addressLines, now.addressLines)
        }
        for addition in now.additions {
            guard let other = before.additions.first(where: { $0.addition == addition.addition }) else { continue }
            let name = "+\(addition.addition.rawValue)"
            count(now.name, "\(name) touched", other.touched, addition.touched)
            count(now.name, "\(name) edited lines", other.editedLines, addition.editedLines)
            count(now.name, "\(name) connections", other.newConnections, addition.newConnections)
            flag(now.name, "\(name) arrived", other.secondsUntilData != nil, addition.secondsUntilData != nil)
        }
        for fault in now.faults {
            guard let other = before.faults.first(where: { $0.fault == fault.fault }) else { continue }
            let name = fault.fault.rawValue
            count(now.name, "\(name) lost by others", other.othersLost, fault.othersLost)
            flag(now.name, "\(name) recovered", other.recoverySeconds != nil, fault.recoverySeconds != nil)
        }
        if !now.isDirect { count(now.name, "lost", before.recount.lost, now.recount.lost) }
        count(now.name, "unexplained", before.recount.unexpected, now.recount.unexpected)
        count(now.name, "counted wrong", before.recount.countedWrong, now.recount.countedWrong)
    }

    private mutating func count(_ stage: String, _ what: String, _ before: Int, _ now: Int) {
        countsCompared += 1
        if before != now { differences.append(Difference(stage: stage, what: what, before: before, now: now)) }
    }

    private mutating func flag(_ stage: String, _ what: String, _ before: Bool, _ now: Bool) {
        count(stage, what, before ? 1 : 0, now ? 1 : 0)
    }

    private mutating func compare(_ what: String, _ name: String, _ before: SteadyResult?, _ now: SteadyResult?) {
        guard let before, let now else { return }
        measurements.append(
            Measurement(
                subject: "\(name), \(what)", stage: name, before: Figures(before), now: Figures(now)))
    }
}

extension ComparisonAgreement.Figures {
    fileprivate init(_ result: SteadyResult) {
        self.init(
            cpuSecondsPerMillion: result.cpuSecondsPerMillion, p99: result.latency.p99,
            deliveredPerSecond: result.deliveredPerSecond)
    }

    fileprivate init(_ point: ScaleResult) {
        self.init(cpuSecondsPerMillion: point.cpuSecondsPerMillion, p99: point.latency.p99, deliveredPerSecond: nil)
    }
}
