/// Whose task it is to look after a database that several processes write to: to pack old samples, to delete what is too
/// old, and whatever else has to be done once. An exclusive flock on `FILE.leader`; when the process that holds it ends,
/// the next one that asks has it. Owned by the `SeriesWriter`.
struct Leadership {
    /// A process that is no leader asks again this often.
    private static let interval = Duration.seconds(1)

    private let file: FileLock
    private(set) var isHeld = false
    private var nextTry = ContinuousClock.now

    init(databasePath: String) throws(StoreError) {
        file = try FileLock(path: databasePath + ".leader", of: databasePath)
    }

    /// Tries to become the leader. True when that has happened just now.
    mutating func begins() -> Bool {
        guard !isHeld, .now >= nextTry else { return false }
        nextTry = .now + Self.interval
        guard file.lock(.exclusive) else { return false }
        file.writeOwner()
        isHeld = true
        return true
    }
}
