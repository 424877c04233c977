internal import GRDB

/// Gives the pages that deletion has emptied back to the disk, some at a time. Owned by the `SeriesWriter`, used on its
/// connection only, outside of a transaction.
struct FreePages {
    /// Pages given back by one step: two megabytes, which moves as many at most.
    private static let pagesPerStep = 512
    /// Free pages that are kept for what comes next: as many as a tenth of all, and a megabyte at least.
    private static let keptPages = 256

    private let freeCount: PreparedStatement
    private let pageCount: PreparedStatement
    private let giveBackSome: PreparedStatement

    init(_ database: Database) throws {
        freeCount = try PreparedStatement("PRAGMA freelist_count", on: database)
        pageCount = try PreparedStatement("PRAGMA page_count", on: database)
        giveBackSome = try PreparedStatement("PRAGMA incremental_vacuum(\(Self.pagesPerStep))", on: database)
    }

    /// Gives whether there is more to do.
    func giveBack() throws -> Bool {
        let free = try SeriesTables.singleInteger(freeCount) ?? 0
        let all = try SeriesTables.singleInteger(pageCount) ?? 0
        guard free > max(Int64(Self.keptPages), all / 10) else { return false }
        try giveBackSome.run()
        // Without automatic vacuum, in a database that another program made anew, nothing is given back.
        return try SeriesTables.singleInteger(freeCount) ?? 0 < free
    }
}
