internal import Glibc
internal import MetricModel
internal import NIOCore

/// Writes a host's samples as text, and says what they are. Everything follows from kind, seed, host and time, so that
/// whoever knows these can tell each sample again.
///
///     node_cpu_seconds_total{cpu="0",instance="cpu-3",mode="idle"} 1234.56 1767225600000␊
///     └──────── head of the series ─────────┘└host┘└── tail ────┘  └value┘ └──time──┘
///
/// Heads and tails are made once; a line is three copies and two numbers. A value of the generator.
struct WorkloadText: Sendable {
    private struct Series: Sendable {
        var head: Range<Int>
        var tail: Range<Int>
        var number: UInt64
        /// Of a counter in units a second; of a gauge the number of its steps.
        var range: UInt64
        /// Of a gauge; 0 for a counter.
        var step: UInt64
        var decimals: Int
    }

    /// Stands for the instance while heads and tails are cut.
    private static let placeholder: Unicode.Scalar = "\u{1}"
    /// A value has 19 digits and a point at most, a time 19 digits; two blanks and a line feed.
    private static let maximumNumberBytes = 48

    private let seed: UInt64
    private var series: [Series] = []
    private var text: [UInt8] = []

    init(kind: WorkloadKind, seriesCount: Int, seed: UInt64) {
        self.seed = seed
        for number in 0..<seriesCount {
            let template = kind.series(number)
            let labels = template.labels.setting(Label.metricName, to: template.name)
                .setting("instance", to: String(Self.placeholder))
            let canonical = Array(labels.description.utf8)
            guard let cut = canonical.firstIndex(of: UInt8(ascii: Self.placeholder)) else {
                preconditionFailure("a series has an instance")
            }
            let head = text.count..<text.count + cut
            text += canonical[..<cut]
            let tail = text.count..<text.count + canonical.count - cut - 1
            text += canonical[(cut + 1)...]
            let (range, step, decimals): (UInt64, UInt64, Int) =
                switch template.shape {
                case .counter(let perSecond, let decimals): (UInt64(perSecond), 0, decimals)
                case .gauge(let bound, let step): (UInt64(bound / step), UInt64(step), 0)
                }
            series.append(
                Series(
                    head: head, tail: tail, number: UInt64(number), range: max(1, range), step: step,
                    decimals: decimals))
        }
    }

    /// Appends a host's lines at one time; gives how many.
    ///
    /// - Parameter instance: of characters that need no escaping.
    func write(instance: String, host: Int, time: Timestamp, to buffer: inout ByteBuffer) -> Int {
        var instance = instance
        let maximum = text.count + series.count * (instance.utf8.count + Self.maximumNumberBytes)
        _ = instance.withUTF8 { instance in
            text.withUnsafeBytes { text in
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: maximum) { room in
                    var writer = LineWriter(room)
                    for series in series {
                        writer.copy(UnsafeRawBufferPointer(rebasing: text[series.head]))
                        writer.copy(UnsafeRawBufferPointer(instance))
                        writer.copy(UnsafeRawBufferPointer(rebasing: text[series.tail]))
                        writer.byte(UInt8(ascii: " "))
                        writer.decimal(value(series, host: host, time: time), decimals: series.decimals)
                        writer.byte(UInt8(ascii: " "))
                        writer.number(UInt64(max(0, time.milliseconds)))
                        writer.byte(UInt8(ascii: "\n"))
                    }
                    return writer.count
                }
            }
        }
        return series.count
    }

    /// The samples that ``write(instance:host:time:to:)`` writes: each series as a database has it, and its value.
    func samples(instance: String, host: Int, time: Timestamp) -> [(series: String, value: Double)] {
        series.map { series in
            let name = String(decoding: text[series.head], as: UTF8.self) + instance
            let scale = (0..<series.decimals).reduce(1.0) { scale, _ in scale * 10 }
            return (
                name + String(decoding: text[series.tail], as: UTF8.self),
                Double(value(series, host: host, time: time)) / scale
            )
        }
    }

    /// In units of 10^-decimals.
    private func value(_ series: Series, host: Int, time: Timestamp) -> UInt64 {
        let identity = Self.mix(seed ^ Self.mix(UInt64(host) << 32 | series.number))
        let milliseconds = UInt64(max(0, time.milliseconds))
        if series.step > 0 {
            // Another value every second.
            return Self.mix(identity ^ milliseconds / 1000) % series.range * series.step
        }
        // As if the host had been started anew every 25 days.
        let uptime = milliseconds & 0x7FFF_FFFF
        return uptime * (identity % series.range + 1) / 1000
    }

    /// Spreads the bits of a number over all of it. Source: S. Vigna's splitmix64.
    private static func mix(_ number: UInt64) -> UInt64 {
        var number = number &+ 0x9E37_79B9_7F4A_7C15
        number = (number ^ number >> 30) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ number >> 27) &* 0x94D0_49BB_1331_11EB
        return number ^ number >> 31
    }
}

/// Writes into room that is known to be large enough.
private struct LineWriter {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    mutating func byte(_ byte: UInt8) {
        room[count] = byte
        count += 1
    }

    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, let target = room.baseAddress else { return }
        precondition(bytes.count <= room.count - count)
        memcpy(target + count, source, bytes.count)
        count += bytes.count
    }

    /// Units of 10^-decimals as a number without zeros at its end.
    mutating func decimal(_ value: UInt64, decimals: Int) {
        var (whole, fraction, digits) = (value, UInt64(0), decimals)
        if decimals > 0 {
            let scale = (0..<decimals).reduce(UInt64(1)) { scale, _ in scale * 10 }
            (whole, fraction) = value.quotientAndRemainder(dividingBy: scale)
        }
        number(whole)
        guard fraction > 0 else { return }
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        byte(UInt8(ascii: "."))
        number(fraction, digits: digits)
    }

    /// - Parameter digits: as many at least, with zeros in front.
    mutating func number(_ value: UInt64, digits: Int = 1) {
        var length = digits
        var bound: UInt64 = (0..<digits).reduce(1) { bound, _ in bound * 10 }
        while length < 20, value >= bound {
            length += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = value
        for place in stride(from: count + length - 1, through: count, by: -1) {
            room[place] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        count += length
    }
}
