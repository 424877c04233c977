import Aggregation
import GRDB
import Logging
import MetricModel
@testable import SeriesStore
import TestKit
import Testing

/// A database in a directory of its own, and a ledger of what was committed to it.
final class StoreFixture: Sendable {
    let directory: TemporaryDirectory
    var path: String { directory.appending("weir.sqlite") }

    init() throws {
        directory = try TemporaryDirectory("weir-store")
    }

    func writer(_ configuration: SeriesWriter.Configuration = .init()) throws -> SeriesWriter {
        try SeriesWriter(path: path, configuration: configuration, logger: Logger(label: "test"))
    }

    func reader() throws -> SeriesReader {
        try SeriesReader(path: path)
    }

    /// Makes a database as the first version of the schema had it.
    func makeFirstVersion(_ fill: (Database) throws -> Void) throws {
        let queue = try DatabaseQueue(path: path)
        try Schema.migrate(queue, upTo: 1)
        try queue.write(fill)
        try queue.close()
    }
}

extension Timestamp {
    /// Milliseconds after an hour's beginning in 2023.
    static func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 1_699_999_200_000 + milliseconds)
    }

    static let beginning = Timestamp(milliseconds: .min)
    static let end = Timestamp(milliseconds: .max)
}

extension SeriesReference {
    init(_ number: Int) {
        self.init(rawValue: UInt32(number))
    }
}

extension Head {
    /// Goes on by one offset; the first one is 0.
    mutating func advance(_ source: SourcePartition, through offset: Int) {
        advance(
            source, from: offset == 0 ? nil : SourcePosition(nextOffset: Int64(offset)),
            to: SourcePosition(nextOffset: Int64(offset + 1)))
    }
}

extension Labels {
    /// `load{host="3"}`
    static func load(host: Int) -> Labels {
        ["__name__": "load", "host": "\(host)"]
    }
}

extension SeriesReader {
    /// Whether each window of each series is what its stored samples give; `what` is for the failure's text.
    func expectWindowsEqualSamples(_ what: String = "", sourceLocation: SourceLocation = #_sourceLocation) throws {
        let ids = try series(matching: []).map(\.id)
        let samples = try samples(of: ids, from: .beginning, to: .end)
        for resolution in Resolution.allCases {
            let windows = try windows(of: ids, resolution: resolution, from: .beginning, to: .end)
            for id in ids {
                let expected = Self.windows(of: samples[id] ?? [], resolution)
                let found = windows[id] ?? []
                #expect(
                    found == expected, "\(what) windows of \(resolution) of series \(id)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    private static func windows(of samples: [Sample], _ resolution: Resolution) -> [StoredWindow] {
        var windows: [StoredWindow] = []
        for sample in samples where !sample.value.isStalenessMarker {
            let start = resolution.windowStart(of: sample.timestamp)
            if let last = windows.last, last.start == start {
                var aggregate = last.aggregate
                aggregate.add(sample)
                windows[windows.count - 1] = StoredWindow(start: start, aggregate: aggregate)
            } else {
                windows.append(StoredWindow(start: start, aggregate: WindowAggregate(sample)))
            }
        }
        return windows
    }
}
