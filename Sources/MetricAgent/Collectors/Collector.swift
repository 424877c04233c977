/// Reads one kind of metric from this host, with node_exporter's names, labels and units.
///
/// A collector belongs to one lane of the agent, which calls it at every interval on a thread that may block, never
/// twice at once. It writes the samples of a metric next to each other. What it wrote before it threw is dropped.
protocol Collector: Sendable {
    mutating func collect(into samples: inout SampleWriter) throws(CollectorError)
}

/// Where the kernel's files are; tests and containers put them elsewhere.
struct KernelRoots: Sendable {
    var proc = "/proc"
    var sys = "/sys"
}

extension CollectorName {
    /// A new collector of this name.
    func makeCollector(roots: KernelRoots) -> any Collector {
        switch self {
        case .cpu: CPUCollector(roots: roots)
        case .memory: MemoryCollector(roots: roots)
        case .load: LoadCollector(roots: roots)
        case .filesystem: FilesystemCollector(roots: roots, probe: FilesystemProbe())
        case .disk: DiskCollector(roots: roots)
        case .network: NetworkCollector(roots: roots)
        }
    }
}

/// Why a collector has nothing to tell.
enum CollectorError: Error, Hashable, CustomStringConvertible {
    case cannotRead(path: String, reason: String)
    /// The file does not say what this kernel interface says; `text` is the line at fault.
    case malformed(path: String, text: String)

    var description: String {
        switch self {
        case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
        case .malformed(let path, let text): "\(path) has a line that is not understood: '\(text)'"
        }
    }
}
