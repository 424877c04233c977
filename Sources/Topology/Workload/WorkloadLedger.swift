internal import Glibc
internal import MetricAgent
internal import MetricModel
internal import Synchronization

/// What a generator has published, written down record by record before it goes out, for whoever counts afterwards what has
/// arrived:
///
///     # weir-ledger kind=cpu hosts=10 series=100 interval_ms=1000 seed=1 prefix=cpu topic=metrics.cpu␊
///     1767225600000 ⇥ metrics.cpu ⇥ cpu-0 ⇥ 100 ⇥ 0␊            intended time, topic, instance, samples, sequence
///
/// Lines are in the kernel before their records are with the publisher, so they outlive a kill of this process (not a crash
/// of the machine). Owned by the generator, used by its task.
final class WorkloadLedger: Sendable {
    private struct State {
        /// The lines of one call.
        var bytes: [UInt8] = []
        var sequence = 0
    }

    private let path: String
    private let descriptor: CInt
    private let state = Mutex(State())

    /// Opens the file, or goes on in it.
    init(path: String, configuration: WorkloadConfiguration) throws(WorkloadError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .ledger(path: path, reason: String(cString: strerror(errno))) }
        let header = """
            # weir-ledger kind=\(configuration.kind.rawValue) hosts=\(configuration.hosts) series=\(configuration.series) \
            interval_ms=\(configuration.interval.wholeMilliseconds) seed=\(configuration.seed) \
            prefix=\(configuration.prefix) topic=\(configuration.topicText)

            """
        try write(Array(header.utf8))
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Writes down the records of these blocks.
    func append(_ blocks: [RecordBlock], topic: String) throws(WorkloadError) {
        try state.withLock { (state) throws(WorkloadError) in
            state.bytes.removeAll(keepingCapacity: true)
            for record in blocks.lazy.flatMap(\.records) {
                state.bytes += "\(record.timestamp.milliseconds)\t".utf8
                state.bytes += topic.utf8
                state.bytes.append(UInt8(ascii: "\t"))
                state.bytes += record.instance.utf8
                state.bytes += "\t\(record.sampleCount)\t\(state.sequence)\n".utf8
                state.sequence += 1
            }
            try write(state.bytes)
        }
    }

    private func write(_ bytes: [UInt8]) throws(WorkloadError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes { bytes in
                bytes.baseAddress.map { Glibc.write(descriptor, $0 + written, bytes.count - written) } ?? 0
            }
            if result < 0 && errno == EINTR { continue }
            guard result > 0 else { throw .ledger(path: path, reason: String(cString: strerror(errno))) }
            written += result
        }
    }
}
