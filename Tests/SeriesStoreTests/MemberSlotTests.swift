import FoundationEssentials
import Logging
@testable import SeriesStore
import TestKit
import Testing

/// The places of the processes that write to one database.
@Suite struct MemberSlotTests {
    @Test func `each writer has a place of its own, and a place that is free again is the next one's`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        defer { try? writer.close() }
        var first: MemberSlot? = try MemberSlot(of: writer)
        let second = try MemberSlot(of: writer)
        #expect(first?.number == 0 && second.number == 1)
        let name = first?.name
        #expect(name != second.name)
        first = nil
        let successor = try MemberSlot(of: writer)
        #expect(successor.number == 0 && successor.name == name, "it is known by the same name")
        #expect(try MemberSlot(of: writer).number == 2)
        // Kafka's rule for the ids of static members.
        let allowed = /[a-zA-Z0-9._-]{1,249}/
        #expect(second.name.wholeMatch(of: allowed) != nil, "\(second.name)")
    }

    @Test func `a copy of a database is another place`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        let name = try MemberSlot(of: writer).name
        let identity = try writer.identity()
        try writer.close()
        // With all files that lie beside it, as a copied directory has them.
        let copy = store.directory.path + "-copy"
        try FileManager.default.copyItem(atPath: store.directory.path, toPath: copy)
        defer { removeTree(copy) }
        let other = try SeriesWriter(path: copy + "/weir.sqlite", logger: Logger(label: "test"))
        defer { try? other.close() }
        #expect(try other.identity() == identity)
        #expect(try MemberSlot(of: other).name != name)
    }
}
