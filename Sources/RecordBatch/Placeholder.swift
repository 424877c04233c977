// Replaced by the first file of RecordBatch.
