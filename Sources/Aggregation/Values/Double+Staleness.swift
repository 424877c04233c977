extension Double {
    /// The NaN by which Prometheus says that a series has ended (`StaleNaN`, model/value/value.go).
    public static let stalenessMarker = Double(bitPattern: 0x7ff0_0000_0000_0002)

    /// Whether this is the staleness marker: kept among the raw samples, left out of every window.
    public var isStalenessMarker: Bool { bitPattern == 0x7ff0_0000_0000_0002 }
}
