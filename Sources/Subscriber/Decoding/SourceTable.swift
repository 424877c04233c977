internal import MetricModel
internal import SeriesStore

/// Who the records come from: the key of a record, which is its host. Knows how far each has come in time, and whose a
/// series is. Owned by the `RecordDecoder`.
struct SourceTable {
    /// The number of one source, for the life of the table.
    typealias Number = Int

    /// Sources that are told apart; those that come later are one.
    static let maximumSources = 1_000
    static let others = "(others)"
    /// Records without a key.
    static let unnamed = "(none)"
    /// Of a key, so much is its name.
    private static let maximumNameBytes = 256
    private static let windowMilliseconds: Int64 = 60_000

    private var numbers: [String: Number] = [others: 0]
    private(set) var names = [others]
    /// The start of the newest minute of each.
    private var newestMinutes: [Int64] = [.min]
    /// By series reference, whose it was first.
    private var owners: ContiguousArray<Int32> = []
    /// Records of one source often follow each other.
    private var latest: (key: [UInt8], number: Number)?

    mutating func number(of key: UnsafeRawBufferPointer?) -> Number {
        let key = UnsafeRawBufferPointer(rebasing: (key ?? .init(start: nil, count: 0)).prefix(Self.maximumNameBytes))
        if let latest, latest.key.elementsEqual(key) { return latest.number }
        let name = key.isEmpty ? Self.unnamed : String(decoding: key, as: UTF8.self)
        let number: Number
        if let known = numbers[name] {
            number = known
        } else if names.count > Self.maximumSources {
            number = 0
        } else {
            number = names.count
            numbers[name] = number
            names.append(name)
            newestMinutes.append(.min)
        }
        latest = (Array(key), number)
        return number
    }

    // MARK: Time

    /// The start of the newest minute that samples of the source have been of.
    func newestMinute(of source: Number) -> Int64 { newestMinutes[source] }

    /// The source has samples up to here.
    mutating func advance(_ source: Number, to newest: Int64) {
        // Of sources that are not told apart, nothing is late.
        guard source != 0, newest > .min + Self.windowMilliseconds else { return }
        let remainder = newest % Self.windowMilliseconds
        let minute = newest - (remainder < 0 ? remainder + Self.windowMilliseconds : remainder)
        newestMinutes[source] = max(newestMinutes[source], minute)
    }

    // MARK: Series

    /// A new series is this source's. References are given out one after the other.
    mutating func own(_ reference: SeriesReference, _ source: Number) {
        let index = Int(reference.rawValue)
        while owners.count <= index { owners.append(0) }
        owners[index] = Int32(truncatingIfNeeded: source)
    }

    func name(ofOwnerOf reference: SeriesReference) -> String {
        let index = Int(reference.rawValue)
        return index < owners.count ? names[Int(owners[index])] : Self.others
    }
}
