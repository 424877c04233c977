internal import Glibc
public import ServiceLifecycle
internal import Subscriber

/// Runs a stage until it is stopped, and shows once a second what flows through its parts.
///
/// In a terminal the picture is drawn over the one before; in a pipe each second is one line.
public struct StageDemoService: Service {
    private let stage: Stage
    private let load: StageLoad
    private let directory: String
    private let duration: Duration?
    private let isTerminal = isatty(STDOUT_FILENO) == 1

    /// - Parameters:
    ///   - directory: where its processes keep their files.
    ///   - duration: how long it runs; nil until it is stopped.
    public init(stage: Stage, load: StageLoad, directory: String, duration: Duration?) {
        self.stage = stage
        self.load = load
        self.directory = directory
        self.duration = duration
    }

    public func run() async throws {
        let run = try StageRun(
            StagePlan(stage, load: load), directory: directory, options: StageRun.Options(), lifeline: try Lifeline())
        do {
            try await cancelWhenGracefulShutdown {
                try await run.start()
                try await show(run)
            }
        } catch is CancellationError {
            // Stopped; that is how a demo ends.
        } catch {
            await run.stop()
            throw error
        }
        await run.stop()
    }

    private func show(_ run: StageRun) async throws {
        let start = ContinuousClock.now
        var before = await run.snapshot()
        for second in 1... {
            try await ContinuousClock().sleep(until: start + .seconds(second))
            try await run.checkAllRun()
            let now = await run.snapshot()
            let picture = StagePicture(stage: stage, second: second, before: before, now: now)
            if isTerminal {
                // Over the picture before, line by line, so that nothing flickers; the first one clears the screen.
                let lines = "\(picture.text)\n\nCtrl-C ends it.".replacing("\n", with: "\u{1B}[K\n")
                print("\(second == 1 ? "\u{1B}[2J" : "")\u{1B}[H\(lines)\u{1B}[J")
                fflush(nil)
            } else {
                print(picture.line)
            }
            before = now
            if let duration, .now - start >= duration { return }
        }
    }
}

/// One second of a running stage as text.
struct StagePicture {
    let stage: Stage
    let second: Int
    let before: StageSnapshot
    let now: StageSnapshot

    private func rate(_ process: StageSnapshot.Process, _ value: (StageSnapshot.Process) -> Int) -> Double {
        Double(value(process) - (before.process(process.name).map(value) ?? 0))
            / now.seconds(since: before, process.name)
    }

    /// Publishers, brokers and subscribers side by side.
    var text: String {
        var table = TextTable([
            ("publisher", .left), ("samples/s", .right), ("waiting", .right), ("lost", .right), ("", .left),
            ("broker", .left), ("MiB/s out", .right), ("", .left), ("subscriber", .left), ("stored/s", .right),
            ("lag", .right), ("p99", .right), ("repeated", .right),
        ])
        let columns = [now.processes(.publisher), now.processes(.broker), now.processes(.subscriber)]
        for row in 0..<(columns.map(\.count).max() ?? 0) {
            let publisher = columns[0].indices.contains(row) ? publisherCells(columns[0][row]) : ["", "", "", ""]
            let broker = columns[1].indices.contains(row) ? brokerCells(columns[1][row]) : ["", ""]
            let subscriber =
                columns[2].indices.contains(row) ? subscriberCells(columns[2][row]) : ["", "", "", "", ""]
            let arrow = { (cells: [String]) in cells[0].isEmpty ? "" : "─►" }
            table.append(publisher + [arrow(publisher)] + broker + [arrow(subscriber)] + subscriber)
        }
        let shape = StageShape(stage.running)
        return """
            \(stage.name): \(stage.title)
            \(shape.processes) processes, \(shape.connections) connections, running for \(second) s

            \(table.text)
            """
    }

    private func publisherCells(_ process: StageSnapshot.Process) -> [String] {
        [
            process.name, FigureText.count(Int(rate(process) { $0.offeredSamples })),
            FigureText.count(process.waitingRecords), FigureText.count(process.lostSamples),
        ]
    }

    private func brokerCells(_ process: StageSnapshot.Process) -> [String] {
        [process.name, FigureText.number(rate(process) { $0.bytesOut } / 1_048_576)]
    }

    private func subscriberCells(_ process: StageSnapshot.Process) -> [String] {
        let latency = before.process(process.name).map { process.latency.subtracting($0.latency) } ?? process.latency
        return [
            process.name, FigureText.count(Int(rate(process) { $0.storedSamples })),
            FigureText.count(process.lagRecords),
            latency.samples == 0 ? "–" : FigureText.number(LatencyResult(latency).p99) + " ms",
            FigureText.count(process.duplicateRecords),
        ]
    }

    /// The same in a line, for a pipe.
    var line: String {
        let published = now.processes(.publisher).reduce(0) { $0 + rate($1) { $0.offeredSamples } }
        let stored = now.processes(.subscriber).reduce(0) { $0 + rate($1) { $0.storedSamples } }
        let lost = now.processes(.publisher).reduce(0) { $0 + $1.lostSamples }
        return [
            "\(second) s".leftPadded(to: 6), "published \(FigureText.count(Int(published))) samples/s",
            "stored \(FigureText.count(Int(stored))) samples/s", "waiting \(now.waitingRecords)",
            "lag \(now.lagRecords)", "lost \(lost)",
        ].joined(separator: "   ")
    }
}
