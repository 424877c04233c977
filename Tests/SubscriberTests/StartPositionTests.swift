import RecordBatch
import SeriesStore
import Testing

@testable import Subscriber

@Suite struct StartPositionTests {
    private func at(_ offset: Int64, of topicID: String? = nil) -> SourcePosition {
        SourcePosition(nextOffset: offset, topicID: topicID)
    }

    @Test func `reading starts where the database stopped`() {
        #expect(StartPosition(stored: at(7), start: 0, end: 9) == .resumed(7))
        #expect(StartPosition(stored: at(9), start: 0, end: 9) == .resumed(9))
        #expect(StartPosition(stored: at(7), start: 0, end: 9).warning == nil)
    }

    @Test func `a partition the database does not know is read from its first record`() {
        let position = StartPosition(stored: nil, start: 4, end: 9)
        #expect(position.offset == 4)
        #expect(position.warning == nil)
    }

    @Test func `records that retention took are counted in the warning`() throws {
        let position = StartPosition(stored: at(3), start: 10, end: 20)
        #expect(position.offset == 10)
        let warning = try #require(position.warning)
        #expect(warning.contains("7 records") && warning.contains("offsets 3 to 9"))
    }

    @Test func `a topic that ends before the stored offset is read from its start, and loudly`() throws {
        let position = StartPosition(stored: at(100), start: 2, end: 20)
        #expect(position.offset == 2)
        let warning = try #require(position.warning)
        #expect(warning.contains("offset 20") && warning.contains("offset 100"))
    }

    @Test func `a topic with another id is read from its start, however far it reaches`() throws {
        let position = StartPosition(stored: at(5, of: "old"), topicID: "new", start: 0, end: 100)
        #expect(position == .recreated(stored: 5, start: 0))
        #expect(try #require(position.warning).contains("offset 5"))
        #expect(StartPosition(stored: at(5, of: "old"), topicID: "old", start: 0, end: 100) == .resumed(5))
    }

    @Test func `a database or a cluster that knows no ids goes on by the offset`() {
        #expect(StartPosition(stored: at(5), topicID: "new", start: 0, end: 100) == .resumed(5))
        #expect(StartPosition(stored: at(5, of: "old"), topicID: nil, start: 0, end: 100) == .resumed(5))
    }

    @Test func `other records before the stored offset mean another log, which is read from its start`() throws {
        let stored = SourcePosition(nextOffset: 5, topicID: "same", checksum: 7)
        let position = StartPosition(stored: stored, topicID: "same", checksum: 8, start: 1, end: 100)
        #expect(position == .replaced(stored: 5, start: 1))
        #expect(try #require(position.warning).contains("before offset 5"))
        #expect(StartPosition(stored: stored, topicID: "same", checksum: 7, start: 1, end: 100) == .resumed(5))
        #expect(StartPosition(stored: stored, topicID: "same", checksum: nil, start: 1, end: 100) == .resumed(5))
    }
}
