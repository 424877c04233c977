internal import RecordBatch
internal import SeriesStore

/// A record's place in its agent's stream, from the record's headers.
struct AgentSequence {
    let stream: AgentStream
    let sequence: Int64

    /// Nil for a record that no agent sent: one without the three headers, or with others by their names.
    init?(_ headers: RecordHeaderViews, topic: String) {
        guard
            headers.count >= 3,
            let agent = headers.first(named: "weir-agent")?.value,
            let epoch = headers.first(named: "weir-epoch")?.value.flatMap(Self.decimal),
            let sequence = headers.first(named: "weir-sequence")?.value.flatMap(Self.decimal),
            (1...64).contains(agent.count)
        else { return nil }
        stream = AgentStream(agent: String(decoding: agent, as: UTF8.self), epoch: epoch, topic: topic)
        self.sequence = sequence
    }

    /// A number from 0 to `Int64.max` in decimal digits.
    private static func decimal(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard (1...19).contains(text.count) else { return nil }
        var value: Int64 = 0
        for byte in text {
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(byte &- UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}
