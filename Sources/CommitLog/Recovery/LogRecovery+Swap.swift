internal import RecordBatch

/// Ending what compaction had begun when the process ended.
extension LogRecovery {
    /// Discards segments that were being written, and puts those in their place that were whole. Every step can be
    /// repeated after another crash.
    mutating func finishCompaction() throws(LogError) {
        let files = try directory.names()
        for file in files where SegmentName(fileName: file, endingIn: CleanedSegment.cleanedSuffix) != nil {
            try directory.remove(file)
        }
        let swaps = Set(
            files.compactMap {
                SegmentName(fileName: $0, suffix: SegmentName.logSuffix + CleanedSegment.swapSuffix)
            })
        for file in files {
            // Without its log file it did not count yet.
            guard let name = SegmentName(fileName: file, endingIn: CleanedSegment.swapSuffix), !swaps.contains(name)
            else { continue }
            try directory.remove(file)
        }
        for name in swaps {
            try finish(name, logs: files.compactMap { SegmentName(fileName: $0, suffix: SegmentName.logSuffix) })
        }
    }

    private mutating func finish(_ name: SegmentName, logs: [SegmentName]) throws(LogError) {
        let swapped = name.all.map { ($0 + CleanedSegment.swapSuffix, $0) }
        let file = try directory.open(name.log + CleanedSegment.swapSuffix, .read)
        var scan = SegmentScan(
            file, byteCount: try file.size(), baseOffset: name.baseOffset, bound: nil,
            intervalBytes: configuration.indexIntervalBytes)
        if try scan.run() != nil, logs.contains(name) {
            // It was damaged since; what it was made from is all there still.
            for (swap, _) in swapped { try directory.remove(swap) }
            return
        }
        for old in logs where old.baseOffset > name.baseOffset && old.baseOffset < scan.nextOffset {
            for file in old.all + [old.transactionIndex, old.snapshot] { try directory.remove(file) }
        }
        for file in [name.transactionIndex, name.snapshot] { try directory.remove(file) }
        // The log's file last: until then all of this is done again.
        for (swap, final) in swapped.reversed() {
            if try directory.openIfPresent(swap) != nil {
                try directory.rename(swap, to: final)
            } else {
                try directory.remove(final)
            }
        }
        try directory.sync()
    }
}
