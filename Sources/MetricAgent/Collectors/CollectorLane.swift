import Logging
import MetricModel
import RecordBatch
import Synchronization

/// One collector's way from the clock to the publisher: at every tick it collects, and has the samples accepted as one
/// record. Lanes run side by side, so that a slow one delays nobody else. Owned by the ``AgentService``, which runs it as
/// one task.
final class CollectorLane: Sendable {
    struct Counters: Sendable {
        var samplesCollected = 0
        var samplesAccepted = 0
        var samplesRefused = 0
        var errors = 0
        var ticksMissed = 0
    }

    /// For the log.
    let name: String
    private let instance: String
    private let sink: any RecordSink
    private let logger: Logger
    private let collector: Mutex<any Collector>
    private let counts = Mutex(Counters())
    private let collecting: Complaint
    private let accepting: Complaint
    private let prepare: @Sendable () async -> Void

    /// - Parameter prepare: called before each run; it may wait.
    init(
        name: String, collector: any Collector, instance: String, sink: any RecordSink, logger: Logger,
        prepare: @escaping @Sendable () async -> Void = {}
    ) {
        self.name = name
        self.instance = instance
        self.sink = sink
        self.logger = logger
        self.prepare = prepare
        self.collector = Mutex(collector)
        collecting = Complaint(logger)
        accepting = Complaint(logger)
    }

    var counters: Counters { counts.withLock { $0 } }

    /// Collects at every multiple of the interval until the task is cancelled.
    func run(every interval: Duration) async {
        let clock = ContinuousClock()
        let start = clock.now
        var schedule = TickSchedule(interval: interval)
        while true {
            let tick = schedule.next(now: .now(), uptime: clock.now - start)
            if tick.missed > 0 {
                counts.withLock { $0.ticksMissed += tick.missed }
                logger.debug("collector \(name) missed \(tick.missed) ticks: it takes longer than the interval")
            }
            do {
                try await Task.sleep(for: tick.delay, clock: clock)
            } catch {
                return
            }
            await collectOnce(schedule)
        }
    }

    /// One run, now.
    ///
    /// - Parameter schedule: whose ticks the samples are dated by; nil: they have the time at which the run began.
    func collectOnce(_ schedule: TickSchedule? = nil) async {
        await prepare()
        guard let result = await BlockingWork.runUnlessCancelled({ self.collect(schedule) }) else { return }
        switch result {
        case .success(let (bytes, sampleCount, timestamp)):
            collecting.settle("collector \(name) works again")
            guard sampleCount > 0 else { return }
            counts.withLock { $0.samplesCollected += sampleCount }
            await accept(bytes, sampleCount, timestamp)
        case .failure(let error):
            counts.withLock { $0.errors += 1 }
            collecting.raise("collector \(name) has no samples: \(error)")
        }
    }

    private func collect(_ schedule: TickSchedule?) -> Result<([UInt8], Int, Timestamp), CollectorError> {
        let now = Timestamp.now()
        let timestamp = schedule?.date(now) ?? now
        var samples = SampleWriter(instance: instance, timestamp: timestamp)
        do throws(CollectorError) {
            // Only one run at a time; an abandoned one that still hangs would hold up this thread, but the lane is over
            // then.
            try collector.withLock { (collector) throws(CollectorError) in try collector.collect(into: &samples) }
        } catch {
            return .failure(error)
        }
        return .success((samples.bytes, samples.sampleCount, timestamp))
    }

    private func accept(_ bytes: [UInt8], _ sampleCount: Int, _ timestamp: Timestamp) async {
        do throws(SpoolError) {
            try await sink.accept(bytes, sampleCount: sampleCount, timestamp: timestamp)
            counts.withLock { $0.samplesAccepted += sampleCount }
            accepting.settle("topic \(sink.topic): samples are accepted again; \(counters.samplesRefused) were refused")
        } catch {
            counts.withLock { $0.samplesRefused += sampleCount }
            accepting.raise("topic \(sink.topic): samples are refused: \(error)")
        }
    }
}
