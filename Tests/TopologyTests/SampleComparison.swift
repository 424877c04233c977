@testable import Topology

/// A comparison with a figure in every place, for tables and pages.
enum SampleComparison {
    static func make() throws -> (comparison: Comparison, stages: [Stage]) {
        let stages = try ShippedStages.all()
        var comparison = Comparison(
            origin: Comparison.Origin(
                date: "2026-11-28T12:00:00Z", version: "0.1.0", command: "weir compare --report '</script>'",
                processor: "A processor", cores: 2, memoryBytes: 24 << 30, system: "Linux 6.1"),
            isQuick: true, load: StageLoad(), peakSamplesPerSecond: 100_000,
            stages: stages.map(StageResult.init(declared:)))
        for index in comparison.stages.indices { fill(&comparison.stages[index], Double(index)) }
        comparison.modes = ["sequence", "batch", "stream", "realtime"].enumerated().map { index, mode in
            ModeResult(mode: mode, steady: steady(Double(index), isDirect: false, subscribers: 3))
        }
        for size in [1, 2, 6] {
            for isDirect in [true, false] {
                comparison.scale.append(
                    ScaleResult(
                        stage: "\(isDirect ? "mesh" : "hub")-\(size)x\(size)", isDirect: isDirect, publishers: size,
                        subscribers: size,
                        connections: isDirect ? size * size : size * 2, establishedConnections: size * 4,
                        cpuSecondsPerMillion: isDirect ? 4 + Double(size) : 7 + Double(size) / 4,
                        memoryBytes: size << 24,
                        latency: LatencyResult(samples: 1, p50: 80, p99: 200, p999: 300, maximum: 400)))
            }
        }
        return (comparison, stages)
    }

    private static func fill(_ stage: inout StageResult, _ number: Double) {
        stage.establishedConnections = stage.shape.connections * (stage.isDirect ? 1 : 2)
        stage.configurationLines = stage.shape.processes * 5
        stage.addressLines = stage.shape.connections
        stage.steady = steady(number, isDirect: stage.isDirect, subscribers: stage.shape.subscribers)
        stage.peak = steady(number + 2, isDirect: stage.isDirect, subscribers: stage.shape.subscribers)
        stage.additions = AdditionResult.Addition.allCases.map { addition in
            let restarts = stage.isDirect && addition == .subscriber
            return AdditionResult(
                addition: addition, touched: restarts ? stage.shape.publishers : 0,
                editedLines: restarts ? stage.shape.publishers : 0, newConnections: 1,
                notCollected: restarts ? 120 : 0, lost: 0, secondsUntilData: 0.4 + number / 10)
        }
        stage.faults = Fault.allCases.filter { $0 != .brokerKilled || !stage.isDirect }.map { fault in
            let lost = stage.isDirect && fault != .burst ? Int(number * 700) + 90 : 0
            return FaultResult(
                fault: fault, seconds: 2, lost: lost, othersLost: 0, repeated: stage.isDirect ? 0 : 3, delayed: 2000,
                othersMaximum: 312, waitingRecords: 40, recoverySeconds: fault == .networkCut ? nil : 0.8)
        }
        stage.recount.expected = 1_200_000
        stage.recount.stored = 1_200_000 - (stage.isDirect ? 1500 : 0)
        stage.recount.lost = stage.isDirect ? 1500 : 0
    }

    private static func steady(_ number: Double, isDirect: Bool, subscribers: Int) -> SteadyResult {
        var roles = [
            RoleCost(role: .publisher, processes: 6, cpuSecondsPerMillion: 1.2 + number / 3, memoryBytes: 120 << 20),
            RoleCost(role: .subscriber, processes: subscribers, cpuSecondsPerMillion: 4.5, memoryBytes: 300 << 20),
        ]
        if !isDirect {
            roles.insert(
                RoleCost(role: .broker, processes: 1, cpuSecondsPerMillion: 0.6, memoryBytes: 60 << 20), at: 1)
        }
        return SteadyResult(
            secondsUntilFresh: 1.5 + number / 10, seconds: 4, offeredPerSecond: 20_000,
            deliveredPerSecond: 20_000 * Double(subscribers),
            subscribers: [SteadyResult.SubscriberRate(name: "dashboard", perSecond: 20_000)],
            latency: LatencyResult(
                samples: 80_000, p50: 90 + number * 9, p99: 260 + number * 20, p999: 330, maximum: 2410),
            arrival: LatencyResult(samples: 80_000, p50: 2, p99: 6 + number, p999: 9, maximum: 14), roles: roles,
            wireBytesPerSample: 61.5, expected: 80_000, lost: 0)
    }
}
