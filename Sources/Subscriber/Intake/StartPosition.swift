internal import RecordBatch
internal import SeriesStore

/// Where a partition is read from, decided from what the database says and what the topic holds.
enum StartPosition: Equatable {
    /// The database does not know the partition: all of it is read.
    case beginning(Offset)
    /// The database goes on where it stopped.
    case resumed(Offset)
    /// Retention deleted records that had not been read.
    case gap(stored: Offset, start: Offset)
    /// The topic ends before what the database has read: it was made anew, or an older copy of the broker's
    /// directory came back. It is read from its start; what agents sent before is recognised by its sequence
    /// numbers, other samples by their timestamps.
    case shrunk(stored: Offset, start: Offset, end: Offset)
    /// The topic was deleted and made anew, as its id says: however far it reaches, nothing of it has been read.
    case recreated(stored: Offset, start: Offset)
    /// Before the stored offset there are other records than the database has read: an older copy of the broker's directory came
    /// back, and has grown since.
    case replaced(stored: Offset, start: Offset)

    /// - Parameters:
    ///   - topicID: the id of the topic there is; nil if the cluster has no such ids.
    ///   - checksum: of the batch that ends before the stored offset; nil if that is not known.
    init(stored: SourcePosition?, topicID: String? = nil, checksum: UInt32? = nil, start: Offset, end: Offset) {
        guard let position = stored else {
            self = .beginning(start)
            return
        }
        let stored = Offset(position.nextOffset)
        if let topicID, let known = position.topicID, topicID != known {
            self = .recreated(stored: stored, start: start)
        } else if stored > end {
            self = .shrunk(stored: stored, start: start, end: end)
        } else if stored < start {
            self = .gap(stored: stored, start: start)
        } else if let checksum, let known = position.checksum, checksum != known {
            self = .replaced(stored: stored, start: start)
        } else {
            self = .resumed(stored)
        }
    }

    var offset: Offset {
        switch self {
        case .beginning(let offset), .resumed(let offset): offset
        case .gap(_, let start), .shrunk(_, let start, _), .recreated(_, let start), .replaced(_, let start): start
        }
    }

    /// Records that were not read and are not there any more.
    var missed: Int64 {
        if case .gap(let stored, let start) = self { start - stored } else { 0 }
    }

    /// What a person has to know about it; nil when nothing is amiss.
    var warning: String? {
        switch self {
        case .beginning, .resumed:
            nil
        case .gap(let stored, let start):
            """
            \(start - stored) records were deleted before they were read, offsets \(stored) to \(start - 1): the database \
            stopped at offset \(stored), the topic begins at \(start); let the topic keep its records for longer, or restore a \
            newer backup of the database
            """
        case .replaced(let stored, let start):
            """
            before offset \(stored) the topic has other records than the database has read there: the broker runs on an older \
            directory, to which records have been added since. It is read again from offset \(start); what is in the database \
            already is not counted twice
            """
        case .recreated(let stored, let start):
            """
            the topic was deleted and made anew since the database read it up to offset \(stored), as its id says. It is read \
            from offset \(start); what is in the database already is not counted twice
            """
        case .shrunk(let stored, let start, let end):
            """
            the topic ends at offset \(end), before offset \(stored) that the database has read: it was deleted and \
            made anew, or the broker runs on an older directory. It is read again from offset \(start); what is in \
            the database already is not counted twice
            """
        }
    }
}
