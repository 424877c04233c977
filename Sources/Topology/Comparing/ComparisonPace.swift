/// How long the parts of a comparison last.
struct ComparisonPace: Sendable {
    /// Until all processes have found each other and code is warm; not measured.
    var warmUp: Duration
    var steady: Duration
    var peak: Duration
    /// How long a fault lasts.
    var fault: Duration
    var burst: Duration
    /// Between two disturbances.
    var calm: Duration
    /// How long recovery, and the arrival of a newcomer's data, are waited for.
    var patience: Duration
    /// How many publishers there are at each point of the scale, and as many subscribers.
    var scales: [Int]
    /// How many stages are disturbed at the same time.
    var together: Int

    static let quick = ComparisonPace(
        warmUp: .seconds(1), steady: .seconds(4), peak: .seconds(4), fault: .seconds(2), burst: .milliseconds(1500),
        calm: .milliseconds(500), patience: .seconds(15), scales: [1, 2, 6], together: 3)
    static let full = ComparisonPace(
        warmUp: .seconds(3), steady: .seconds(25), peak: .seconds(12), fault: .seconds(10), burst: .seconds(5),
        calm: .seconds(2), patience: .seconds(60), scales: [1, 2, 4, 8, 12], together: 2)
}
