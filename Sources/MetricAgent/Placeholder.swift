// Replaced by the first file of MetricAgent.
