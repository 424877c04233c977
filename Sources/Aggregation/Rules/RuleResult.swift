public import MetricModel

/// What a rule gives for one window.
public struct RuleResult: Hashable, Sendable {
    public let window: Window
    /// In no particular order; each series once.
    public let rows: [OutputSample]

    /// A number that differs, as good as certainly, when any row does: what a ``WindowLedger`` compares. The same in every
    /// process, independent of the rows' order, 0 when there are none.
    public var digest: UInt64 { rows.digest }
}

/// What a rule gives for one group in one window.
public struct GroupResult: Hashable, Sendable {
    public let group: RuleGroups.Index
    /// What the group is called, whatever the window: the labels of its rows, with the part of their names that is common.
    public let labels: Labels
    /// Not empty; each series once.
    public let rows: [OutputSample]

    /// As ``RuleResult/digest``: the digest of a result is made of those of its groups by ``RuleResult/digest(of:)``.
    public var digest: UInt64 { rows.reduce(0) { $0 &+ $1.digest } }
}

extension RuleResult {
    /// The digest of the result that these groups are.
    public static func digest(of groupDigests: some Sequence<UInt64>) -> UInt64 {
        var isEmpty = true
        let sum = groupDigests.reduce(0) { sum, digest -> UInt64 in
            isEmpty = false
            return sum &+ digest
        }
        return isEmpty ? 0 : max(sum, 1)
    }
}

extension [OutputSample] {
    fileprivate var digest: UInt64 { RuleResult.digest(of: lazy.map(\.digest)) }
}

/// One output of one group. As a sample its time is the window's end: the first instant at which it holds.
public struct OutputSample: Hashable, Sendable {
    public let labels: Labels
    public let value: Double

    public init(labels: Labels, value: Double) {
        self.labels = labels
        self.value = value
    }

    /// FNV-1a over the labels, finished with the value; NaNs are alike.
    public var digest: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for label in labels {
            for byte in label.name.utf8 { mix(byte) }
            // No UTF-8 text has this byte.
            mix(0xff)
            for byte in label.value.utf8 { mix(byte) }
            mix(0xff)
        }
        hash ^= value.isNaN ? Double.nan.bitPattern : value.bitPattern
        // The finaliser of MurmurHash3, so that sums of digests are as good as random.
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return hash ^ hash >> 33
    }
}
