import RecordBatch
import Testing

@testable import Subscriber

@Suite struct StartPositionTests {
    @Test func `reading starts where the database stopped`() {
        #expect(StartPosition(stored: 7, start: 0, end: 9) == .resumed(7))
        #expect(StartPosition(stored: 9, start: 0, end: 9) == .resumed(9))
        #expect(StartPosition(stored: 7, start: 0, end: 9).warning == nil)
    }

    @Test func `a partition the database does not know is read from its first record`() {
        let position = StartPosition(stored: nil, start: 4, end: 9)
        #expect(position.offset == 4)
        #expect(position.warning == nil)
    }

    @Test func `records that retention took are counted in the warning`() throws {
        let position = StartPosition(stored: 3, start: 10, end: 20)
        #expect(position.offset == 10)
        #expect(try #require(position.warning).contains("7 records"))
    }

    @Test func `a topic that ends before the stored offset is read from its start, and loudly`() throws {
        let position = StartPosition(stored: 100, start: 2, end: 20)
        #expect(position.offset == 2)
        let warning = try #require(position.warning)
        #expect(warning.contains("offset 20") && warning.contains("offset 100"))
    }
}
