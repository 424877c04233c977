internal import KafkaClient
internal import Instruments
internal import NIOCore
internal import Synchronization

/// What came on direct links so far.
public struct DirectIntakeStatistics: Hashable, Sendable {
    /// Connections that are open.
    public var connections = 0
    /// Connections taken since the start.
    public var acceptedConnections = 0
    public var records = 0
    /// Bytes read from the connections.
    public var bytes = 0
    /// Records, and lines outside of records, that were half there when their connection ended. They are dropped.
    public var brokenRecords = 0
    /// Connections closed because what they sent begins no record.
    public var unreadableConnections = 0
    /// How often a limit was reached.
    public var limitsReached: [DirectLimits.Name: Int] = [:]
}

/// Counts for the `DirectListener`, and keeps its open connections. Any thread.
final class DirectCounters: Sendable {
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let accepted = Counter()
    private let records = Counter()
    private let broken = Counter()
    private let unreadable = Counter()
    private let pending = Counter()
    private let limits = Mutex<[DirectLimits.Name: Int]>([:])
    let traffic = ConnectionTraffic()

    /// - Returns: false when there are as many as may be.
    func opened(_ channel: any Channel, limit: Int) -> Bool {
        let isWithin = open.withLock { open in
            guard open.count < limit else { return false }
            open[ObjectIdentifier(channel)] = channel
            return true
        }
        if isWithin { accepted.add(1) } else { reached(.connections) }
        return isWithin
    }

    func closed(_ channel: any Channel) {
        open.withLock { open in open[ObjectIdentifier(channel)] = nil }
    }

    var channels: [any Channel] { open.withLock { Array($0.values) } }

    func received(records count: Int) { records.add(count) }
    func brokeOff() { broken.add(1) }
    func wasUnreadable() { unreadable.add(1) }
    func reached(_ limit: DirectLimits.Name) { limits.withLock { $0[limit, default: 0] += 1 } }

    /// A connection holds so many more bytes than before, or fewer.
    func hold(_ change: Int) { if change != 0 { pending.add(change) } }

    /// Whether all hold more than the limit, and one that holds `bytes` more than its share.
    func isCrowded(by bytes: Int, limit: Int) -> Bool {
        guard pending.value > limit else { return false }
        return bytes > limit / max(1, open.withLock { $0.count })
    }

    var statistics: DirectIntakeStatistics {
        var statistics = DirectIntakeStatistics()
        statistics.connections = open.withLock { $0.count }
        statistics.acceptedConnections = accepted.value
        statistics.records = records.value
        statistics.bytes = traffic.bytesIn
        statistics.brokenRecords = broken.value
        statistics.unreadableConnections = unreadable.value
        statistics.limitsReached = limits.withLock { $0 }
        return statistics
    }
}
