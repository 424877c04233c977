// Replaced by the first file of MetricModel.
