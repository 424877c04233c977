// Replaced by the first file of PromQL.
