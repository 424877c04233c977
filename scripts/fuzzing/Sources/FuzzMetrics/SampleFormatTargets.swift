import Fuzzing

@testable import MetricModel

/// A target for each format of samples.
let sampleFormatTargets = SampleFormat.all.map { format in
    FuzzTarget(format.name, maximumBytes: 256) { bytes in
        SampleChecks.read(bytes, format)
    }
}

/// Samples that were read can be written and read again, in the text format, as the same.
enum SampleChecks {
    /// Writing every one of many samples again would only repeat what the first ones show.
    private static let checkedSamples = 3
    private static let someTime = Timestamp(milliseconds: 1_700_000_000_000)
    nonisolated(unsafe) private static var writer = TextFormat.Writer()

    static func read(_ bytes: UnsafeRawBufferPointer, _ format: SampleFormat) {
        var reading = FormatReading()
        reading.defaultTimestamp = someTime
        var count = 0
        var lastNumber = 0
        format.read(bytes, &reading) { rejected in
            promise(rejected.number >= 1, "line \(rejected.number)")
        } _: { sample in
            promise(sample.lineNumber >= lastNumber, "line \(sample.lineNumber) after \(lastNumber)")
            lastNumber = sample.lineNumber
            count += 1
            if count <= checkedSamples { check(sample) }
        }
    }

    private static func check(_ sample: TextFormat.ParsedLine) {
        guard let labels = try? Labels(parsing: sample.series) else { return }
        writer.removeAll()
        writer.append(labels, value: sample.value, timestamp: sample.timestamp)
        var count = 0
        writer.bytes.withUnsafeBytes { text in
            TextFormat.forEachLine(in: text, defaultTimestamp: Timestamp(milliseconds: 0)) { (error) throws(Never) in
                broken("\(error), written from \(labels)")
            } _: { (again) throws(Never) in
                count += 1
                promise(again.timestamp == sample.timestamp, "time \(again.timestamp) was \(sample.timestamp)")
                promise(
                    again.value == sample.value || again.value.isNaN && sample.value.isNaN,
                    "value \(again.value) was \(sample.value)")
                promise((try? Labels(parsing: again.series)) == labels, "labels of '\(labels)'")
            }
        }
        promise(count == 1, "\(count) samples of one")
    }
}
