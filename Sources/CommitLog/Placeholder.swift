// Replaced by the first file of CommitLog.
