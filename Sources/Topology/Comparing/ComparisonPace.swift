/// How long the parts of a comparison last.
struct ComparisonPace: Sendable {
    /// From a start until a disturbance may begin.
    var warmUp: Duration
    /// How long a stage is measured under the load of every day, at its limit, in each mode, and at each size.
    var steady: Duration
    var peak: Duration
    var mode: Duration
    var scale: Duration
    /// How long a stage may take until all samples are fresh where it may not keep up at all.
    var settling: Duration
    /// How long a fault lasts.
    var fault: Duration
    var burst: Duration
    /// Between two disturbances.
    var calm: Duration
    /// How long a start, recovery, and the arrival of a newcomer's data are waited for.
    var patience: Duration
    /// How many publishers there are at each point of the scale, and as many subscribers.
    var scales: [Int]
    /// How many stages are disturbed at the same time.
    var together: Int

    /// What starting the processes, and ending and recounting them takes, roughly: for the time that is left.
    let starting = Duration.milliseconds(1500)
    let counting = Duration.seconds(2)

    static let quick = ComparisonPace(
        warmUp: .seconds(3), steady: .seconds(3), peak: .seconds(3), mode: .seconds(2), scale: .seconds(2),
        settling: .seconds(4), fault: .seconds(2), burst: .milliseconds(1500), calm: .milliseconds(500),
        patience: .seconds(15), scales: [1, 6], together: 3)
    static let full = ComparisonPace(
        warmUp: .seconds(5), steady: .seconds(30), peak: .seconds(15), mode: .seconds(15), scale: .seconds(10),
        settling: .seconds(20), fault: .seconds(10), burst: .seconds(5), calm: .seconds(2), patience: .seconds(60),
        scales: [1, 2, 4, 8, 12], together: 3)
}
