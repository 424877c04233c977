import KafkaProtocol
import Testing

@testable import KafkaClient

@Suite struct TopicSelectionTests {
    private func topics(_ names: [String]) throws -> [TopicDescription] {
        try names.map {
            TopicDescription(name: try TopicName($0), isInternal: $0.hasPrefix("__"), partitions: [])
        }
    }

    @Test func patternMatchesWholeNamesAndSkipsExcludedAndInternalOnes() throws {
        let cluster = try topics([
            "metrics.cpu", "metrics.rejected", "xmetrics.cpu", "metrics", "__metrics.x", "metrics.a",
        ])
        let selection = TopicSelection.pattern(#"^metrics\..*"#, excluding: ["metrics.rejected"])
        #expect(selection.selected(from: cluster).map(\.rawValue) == ["metrics.a", "metrics.cpu"])
        #expect(TopicSelection.pattern(".*").selected(from: cluster).count == 5)
    }

    @Test func badPatternIsRefusedAtOnce() {
        #expect {
            try TopicSelection.pattern("metrics.(").validate()
        } throws: { error in
            "\(error)".contains("'metrics.('")
        }
    }

    @Test func namedTopicsAreWantedWhetherTheyExistOrNot() throws {
        let selection = TopicSelection.named([try topic("b"), try topic("a"), try topic("b")])
        #expect(selection.selected(from: []).map(\.rawValue) == ["a", "b"])
    }
}
