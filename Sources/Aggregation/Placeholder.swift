// Replaced by the first file of Aggregation.
