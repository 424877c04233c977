import RecordBatch

/// Which offsets were written lately and so have surely not left the page cache: what was read back from a disk may have
/// changed there. A value inside the partition's lock.
///
/// It keeps two marks, each set when `targetBytes` have been appended since the one before; what lies behind the
/// older one counts as cold.
struct HotRange: Sendable {
    private let targetBytes: Int
    private var older: Offset
    private var newer: Offset
    private var bytesSinceNewer = 0

    init(end: Offset, targetBytes: Int) {
        self.targetBytes = targetBytes
        self.older = end
        self.newer = end
    }

    func contains(_ offset: Offset) -> Bool { offset >= self.older }

    mutating func appended(bytes: Int, at offset: Offset) {
        if self.bytesSinceNewer >= self.targetBytes {
            self.older = self.newer
            self.newer = offset
            self.bytesSinceNewer = 0
        }
        self.bytesSinceNewer += bytes
    }
}
