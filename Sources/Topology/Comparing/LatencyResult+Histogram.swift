extension LatencyResult {
    init(_ histogram: LatencyHistogram) {
        self.init(samples: histogram.count, p50: 0, p99: 0, p999: 0, maximum: 0)
    }
}
