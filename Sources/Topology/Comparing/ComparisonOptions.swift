/// What is compared, how hard and how long.
public struct ComparisonOptions: Sendable {
    /// The questions that a comparison answers, each with runs of its own.
    public enum Part: String, CaseIterable, Hashable, Sendable {
        case steady, peak, faults, modes, scale
    }

    public var stages: [Stage]
    public var isQuick = false
    public var load = StageLoad()
    /// Samples a second that a stage is offered where its limit is looked for.
    public var peakSamplesPerSecond = 100_000
    public var parts = Set(Part.allCases)
    /// Where everything is written; everything below it belongs to the comparison.
    public var directory: String
    /// A cluster of the user's in place of the declared brokers.
    public var bootstrap: [String] = []
    /// The program that processes are started from.
    public var program = "/proc/self/exe"
    /// How long everything lasts, where that is not for `isQuick` to say.
    var pace: ComparisonPace?
    /// For the report: what the user typed, and the program's version.
    public var command = ""
    public var version = ""

    public init(stages: [Stage], directory: String) {
        self.stages = stages
        self.directory = directory
    }
}
