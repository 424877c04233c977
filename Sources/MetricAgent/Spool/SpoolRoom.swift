import Synchronization

/// The bytes that all topics of one spool take together, held below the limit. Shared by the topics; safe on any
/// thread.
final class SpoolRoom: Sendable {
    let directory: String
    let limitBytes: Int
    private let used = Atomic(0)

    init(directory: String, limitBytes: Int) {
        self.directory = directory
        self.limitBytes = limitBytes
    }

    var usedBytes: Int { used.load(ordering: .relaxed) }

    /// Takes room for new bytes; throws when there is none left.
    func take(_ bytes: Int) throws(SpoolError) {
        let (_, sum) = used.add(bytes, ordering: .relaxed)
        if sum > limitBytes {
            give(bytes)
            throw .full(directory: directory, limitBytes: limitBytes)
        }
    }

    /// Counts bytes that are there already.
    func count(_ bytes: Int) {
        used.add(bytes, ordering: .relaxed)
    }

    /// Gives room back.
    func give(_ bytes: Int) {
        used.subtract(bytes, ordering: .relaxed)
    }
}
