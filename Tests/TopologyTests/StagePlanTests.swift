import Testing

@testable import Topology

@Suite("Plans: the same work for every stage")
struct StagePlanTests {
    @Test func `every stage publishes the same metric samples, however it divides them`() throws {
        let load = StageLoad()
        for stage in try ShippedStages.all() {
            let publishing = StagePlan(stage, load: load).processes(.publisher).compactMap(\.publishing)
            let metrics = publishing.filter { !$0.kind.isEvents }.reduce(0) { $0 + $1.samplesPerSecond }
            let events = publishing.filter { $0.kind.isEvents }.map(\.samplesPerSecond)
            #expect(metrics == load.samplesPerSecond, "\(stage.name)")
            #expect(events.allSatisfy { $0 == Double(load.events) }, "\(stage.name): \(events)")
        }
    }

    @Test func `a rate is reached with the same series`() {
        let load = StageLoad().at(samplesPerSecond: 100_000)
        #expect(load.samplesPerSecond == 100_000)
        #expect(load.hosts == StageLoad().hosts && load.series == StageLoad().series)
    }

    @Test func `processes are named after their part, and dial what it is linked to`() throws {
        let mesh = StagePlan(try #require(try ShippedStages.stage(named: "direct-mesh")), load: StageLoad())
        #expect(
            mesh.processes(.publisher).map(\.name) == ["cpu-1", "cpu-2", "memory", "disk", "network", "application"])
        #expect(mesh.processes(.publisher).allSatisfy { $0.dials == ["dashboard", "alerting", "archive"] })
        #expect(mesh.processes(.subscriber).allSatisfy { $0.listensDirectly && $0.dials.isEmpty })
        let hub = StagePlan(try #require(try ShippedStages.stage(named: "pubsub")), load: StageLoad())
        #expect(hub.processes(.publisher).allSatisfy { $0.dials == ["broker"] })
        #expect(hub.processes(.subscriber).allSatisfy { !$0.listensDirectly && $0.dials == ["broker"] })
    }

    @Test func `settings are counted a value a line, those of the comparison left out`() {
        var settings = ProcessSettings("generate")
        settings.set("kind", "cpu")
        settings.set("direct", ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], as: .address)
        settings.set("ledger", "x.ledger", as: .measurement)
        #expect(settings.lines == 5)
        #expect(settings.addressLines == 3)
        #expect(
            settings.arguments == [
                "generate", "--kind", "cpu", "--direct", "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3", "--ledger", "x.ledger",
            ])
    }
}
