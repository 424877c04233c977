internal import Subscriber
internal import MetricModel

/// What the processes of a stage had done and used at one moment, over all their starts.
struct StageSnapshot: Sendable {
    /// One process.
    struct Process: Sendable {
        var name: String
        var part: String
        var role: StageRole
        var isRunning: Bool
        /// When it said what it has done and used, in milliseconds since 1970; nil before it has.
        var reportedAt: Int64?
        var cpuSeconds = 0.0
        var residentBytes = 0
        var peakBytes = 0
        var bytesIn = 0
        var bytesOut = 0
        // Publishers.
        var offeredSamples = 0
        var waitingRecords = 0
        /// By what the publisher itself knows.
        var lostSamples = 0
        // Subscribers.
        var storedSamples = 0
        var duplicateRecords = 0
        var duplicateSamples = 0
        var lagRecords = 0
        /// All that its starts have created in the database.
        var createdSeries = 0
        /// Collected to committed.
        var latency = LatencyHistogram()
        /// Collected to read.
        var arrival = LatencyHistogram()
    }

    let instant: ContinuousClock.Instant
    let time: Timestamp
    let processes: [Process]
    /// Established TCP connections.
    let connections: Int

    func process(_ name: String) -> Process? { processes.first { $0.name == name } }
    func processes(_ role: StageRole) -> [Process] { processes.filter { $0.role == role } }

    var storedSamples: Int { processes.reduce(0) { $0 + $1.storedSamples } }

    /// By all processes of a subscriber.
    func storedSamples(of part: String) -> Int {
        processes.reduce(0) { $0 + ($1.role == .subscriber && $1.part == part ? $1.storedSamples : 0) }
    }

    /// What lies between the reports of a process that two snapshots are made of.
    func seconds(since earlier: StageSnapshot, _ name: String) -> Double {
        guard let now = process(name)?.reportedAt, let before = earlier.process(name)?.reportedAt, now > before else {
            return max(0.001, (instant - earlier.instant) / .seconds(1))
        }
        return Double(now - before) / 1000
    }

    var waitingRecords: Int { processes.reduce(0) { $0 + $1.waitingRecords } }
    var lagRecords: Int { processes.reduce(0) { $0 + $1.lagRecords } }
}

extension StageRun {
    /// What all processes have done so far: from their reports, `/proc`, and what the kernel said of those that ended.
    ///
    /// - Parameter countingConnections: walks all descriptors of all processes, which costs milliseconds.
    func snapshot(countingConnections: Bool = false) -> StageSnapshot {
        let running = order.compactMap { processes[$0]?.child?.identifier }
        return StageSnapshot(
            instant: .now, time: .now(), processes: order.compactMap { processes[$0] }.map(snapshot(of:)),
            connections: countingConnections ? EstablishedConnections.count(among: running) : 0)
    }

    private func snapshot(of process: StageProcess) -> StageSnapshot.Process {
        var snapshot = StageSnapshot.Process(
            name: process.plan.name, part: process.plan.part, role: process.plan.role,
            isRunning: process.child?.poll() == nil && process.child != nil)
        for usage in process.ended {
            snapshot.cpuSeconds += usage.cpuSeconds
            snapshot.peakBytes = max(snapshot.peakBytes, usage.peakBytes)
        }
        if let child = process.child, let usage = ChildUsage(of: child.identifier) {
            snapshot.cpuSeconds += usage.cpuSeconds
            snapshot.residentBytes = usage.residentBytes
            snapshot.peakBytes = max(snapshot.peakBytes, usage.peakBytes)
        }
        for start in 1...max(1, process.starts) {
            guard let report = report(process.plan.name, start: start) else { continue }
            let isLast = start == process.starts
            snapshot.add(report, isLast: isLast)
            // What it had used when it had done what it says, rather than what it has used since.
            if isLast, process.child != nil {
                snapshot.cpuSeconds = process.ended.reduce(report.process.cpuSeconds) { $0 + $1.cpuSeconds }
            }
        }
        return snapshot
    }

    /// The latest report of a process's latest start.
    func report(of process: StageProcess) -> ProcessReport? { report(process.plan.name, start: process.starts) }

    private func report(_ name: String, start: Int) -> ProcessReport? {
        reports.report(files.report(name, start: start))
    }
}

extension StageSnapshot.Process {
    /// Adds one start: counters add up, levels are those of the last start.
    fileprivate mutating func add(_ report: ProcessReport, isLast: Bool) {
        reportedAt = report.timeMs
        bytesIn += report.network.bytesIn
        bytesOut += report.network.bytesOut
        if let publisher = report.publisher {
            offeredSamples += publisher.offeredSamples
            for link in publisher.direct ?? [] { lostSamples += link.lostSamples.values.reduce(0, +) }
            if isLast {
                waitingRecords =
                    publisher.waitingRecords + (publisher.direct ?? []).reduce(0) { $0 + $1.waitingRecords }
            }
        }
        if let subscriber = report.subscriber {
            storedSamples += subscriber.samplesStored
            duplicateRecords += subscriber.duplicateRecords
            duplicateSamples += subscriber.duplicateSamples
            createdSeries += subscriber.series
            latency.add(subscriber.latency)
            arrival.add(subscriber.arrival)
            if isLast { lagRecords = subscriber.lagRecords }
        }
    }
}
