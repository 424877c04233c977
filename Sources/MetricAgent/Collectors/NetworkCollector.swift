/// What the network interfaces carried, from /proc/net/dev, and how they are, from /sys/class/net.
struct NetworkCollector: Collector {
    /// The columns of /proc/net/dev.
    private static let counters = [
        "receive_bytes", "receive_packets", "receive_errs", "receive_drop", "receive_fifo", "receive_frame",
        "receive_compressed", "receive_multicast", "transmit_bytes", "transmit_packets", "transmit_errs",
        "transmit_drop", "transmit_fifo", "transmit_colls", "transmit_carrier", "transmit_compressed",
    ]

    private let path: String
    private let classDirectory: String

    init(roots: KernelRoots) {
        path = "\(roots.proc)/net/dev"
        classDirectory = "\(roots.sys)/class/net"
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        let file = try KernelFile(path)
        var devices: [(name: String, values: [Double])] = []
        for line in file.lines {
            // Two lines of headings come first; they have bars where the others have a colon.
            if line.contains("|") { continue }
            guard let colon = line.lastIndex(of: ":"), let name = line[..<colon].fields.first else {
                throw file.malformed(line)
            }
            let values = line[line.index(after: colon)...].fields.compactMap { Double($0) }
            guard values.count >= Self.counters.count else { throw file.malformed(line) }
            devices.append((String(name), values))
        }
        for (column, counter) in Self.counters.enumerated() {
            for device in devices {
                samples.append("node_network_\(counter)_total", ["device": device.name], device.values[column])
            }
        }
        collectState(of: devices.map(\.name), into: &samples)
    }

    /// An interface that went away meanwhile, or does not know its speed, has no sample.
    private func collectState(of devices: [String], into samples: inout SampleWriter) {
        for device in devices {
            guard let state = try? KernelFile("\(classDirectory)/\(device)/operstate") else { continue }
            samples.append("node_network_up", ["device": device], state.lines.first == "up" ? 1 : 0)
        }
        for device in devices {
            guard let carrier = KernelFile.number(at: "\(classDirectory)/\(device)/carrier") else { continue }
            samples.append("node_network_carrier", ["device": device], carrier)
        }
        for device in devices {
            guard let bytes = KernelFile.number(at: "\(classDirectory)/\(device)/mtu") else { continue }
            samples.append("node_network_mtu_bytes", ["device": device], bytes)
        }
        for device in devices {
            guard let megabits = KernelFile.number(at: "\(classDirectory)/\(device)/speed"), megabits >= 0 else {
                continue
            }
            samples.append("node_network_speed_bytes", ["device": device], megabits * 125_000)
        }
    }
}
