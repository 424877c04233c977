extension RuleOutput {
    /// Where the output's aggregates of a window's groups are kept.
    func column(groupCount: Int) -> any OutputColumn {
        switch self {
        case .countSamples: AggregateColumn<CountSamples>(groupCount: groupCount)
        case .countSeries: AggregateColumn<CountSeries>(groupCount: groupCount)
        case .sumSamples: AggregateColumn<SumSamples>(groupCount: groupCount)
        case .sumLast: AggregateColumn<SumLast>(groupCount: groupCount)
        case .min: AggregateColumn<Minimum>(groupCount: groupCount)
        case .max: AggregateColumn<Maximum>(groupCount: groupCount)
        case .average: AggregateColumn<Average>(groupCount: groupCount)
        case .first: AggregateColumn<FirstSample>(groupCount: groupCount)
        case .last: AggregateColumn<LastSample>(groupCount: groupCount)
        case .standardDeviation: AggregateColumn<StandardDeviation>(groupCount: groupCount)
        case .standardVariance: AggregateColumn<StandardVariance>(groupCount: groupCount)
        case .increase: AggregateColumn<Increase>(groupCount: groupCount)
        case .rateSum: AggregateColumn<RateSum>(groupCount: groupCount)
        case .rateAverage: AggregateColumn<RateAverage>(groupCount: groupCount)
        case .resets: AggregateColumn<Resets>(groupCount: groupCount)
        case .uniqueSamples: AggregateColumn<UniqueSamples>(groupCount: groupCount)
        case .quantiles(let quantiles): SampleQuantiles(quantiles, groupCount: groupCount)
        }
    }
}
