import Testing
import Topology

@Suite("Stages: read from YAML, every mistake named by its line")
struct StageReadingTests {
    @Test func `the shipped stages are right, and tell an evolution`() throws {
        let stages = try ShippedStages.all()
        #expect(
            stages.map(\.name) == [
                "single-direct", "many-types-direct", "direct-mesh", "pubsub", "multi-pubsub", "unified",
            ])
        #expect(stages.map(\.isDirect) == [true, true, true, false, false, false])
        for stage in stages { #expect(!stage.story.isEmpty && !stage.title.isEmpty) }
    }

    @Test func `connections are N × M directly and N + M around a broker`() throws {
        let shapes = try ShippedStages.all().map { StageShape($0.running) }
        #expect(shapes.map(\.connections) == [1, 5, 18, 9, 13, 13])
        #expect(shapes.map(\.processes) == [2, 6, 9, 10, 16, 14])
        #expect(shapes[2].publishers == 6 && shapes[2].subscribers == 3)
    }

    @Test func `what a mirror feeds is declared, and left out of a run`() throws {
        let unified = try #require(try ShippedStages.stage(named: "unified"))
        #expect(unified.brokers.map(\.name) == ["cluster", "second-site"])
        #expect(unified.mirrors == [Stage.Link(from: "cluster", to: "second-site")])
        #expect(unified.running.brokers.map(\.name) == ["cluster"])
        #expect(!unified.running.subscribers.map(\.name).contains("second-dashboard"))
        #expect(unified.running.mirrors.isEmpty)
    }

    @Test func `a publisher's samples reach subscribers through a broker`() throws {
        let multi = try #require(try ShippedStages.stage(named: "multi-pubsub"))
        #expect(multi.destinations(of: "cpu") == ["dashboard", "alerting", "archive"])
        #expect(multi.destinations(of: "log") == ["log-search"])
    }

    @Test func `all mistakes are told at once, each with its line`() {
        let text = """
            stage: mine
            publishers:
              - {name: cpu, kind: cpuu}
              - {name: memory, procesess: 2}
              - {name: disk}
            brokers:
              - {name: broker, partitions: 0}
            subscribers:
              - {name: Dashboard}
            links:
              - {from: disk, to: nobody}
            workload: {interval: soon}
            """
        let error = #expect(throws: StageError.self) { try Stage(parsing: text, path: "mine.yaml") }
        let lines = error?.problems.map { $0.line ?? 0 } ?? []
        #expect(lines == [3, 4, 7, 9, 11, 12])
        let description = error?.description ?? ""
        for part in [
            "mine.yaml:3: kind: there is no kind 'cpuu'; known are cpu, memory,",
            "mine.yaml:4: a publisher has no 'procesess'; known are name, kind, processes",
            "mine.yaml:7: partitions: '0' should be a number from 1 to 64",
            "mine.yaml:9: name: 'Dashboard' should be made of a-z",
            "mine.yaml:11: to: there is no 'nobody'",
            "mine.yaml:12: interval: ",
        ] { #expect(description.contains(part), "\(description)") }
    }

    @Test(arguments: [
        ("links:\n  - {from: cpu, to: [broker, second]}", "'cpu' is linked to broker and second; one is possible"),
        ("links:\n  - {from: cpu, to: [broker, reader]}", "'cpu' publishes either to a broker or directly, not both"),
        ("links:\n  - {from: reader, to: broker}", "from: 'reader' is a subscriber; it hands nothing on"),
        ("links:\n  - {from: broker, to: cpu}", "to: 'cpu' is a publisher; it takes nothing"),
        ("links:\n  - {from: broker, to: second}", "to: brokers are connected by 'mirrors', not by links"),
        ("links:\n  - {from: cpu, to: broker}", "'reader' is not linked to anything"),
        ("links:\n  - {from: cpu, to: reader, topics: 'x.*'}", "topics: 'cpu' has no topics"),
        ("links:\n  - {from: cpu, to: reader}\n  - {from: cpu, to: reader}", "'cpu' and 'reader' are linked already"),
        ("mirrors:\n  - {from: broker, to: reader}", "from: a mirror goes from one broker to another"),
        ("links: cpu", "'links' should be a list"),
    ])
    func `links that cannot be are refused`(links: String, message: String) {
        let text = """
            stage: mine
            publishers:
              - name: cpu
            brokers:
              - name: broker
              - name: second
            subscribers:
              - name: reader
            \(links)
            """
        let error = #expect(throws: StageError.self) { try Stage(parsing: text, path: "mine.yaml") }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }

    @Test func `two processes of one name are refused`() {
        let text = """
            stage: mine
            publishers:
              - {name: cpu, processes: 2}
              - {name: cpu-1, kind: cpu}
            subscribers:
              - name: reader
            links:
              - {from: publishers, to: reader}
            """
        let error = #expect(throws: StageError.self) { try Stage(parsing: text, path: "mine.yaml") }
        #expect(error?.description.contains("'cpu-1' would be the name of two processes") == true)
    }

    @Test(arguments: ["", "- a", "stage: [", "stage: mine"])
    func `what is no stage says so`(text: String) {
        #expect(throws: StageError.self) { try Stage(parsing: text, path: "mine.yaml") }
    }

    @Test func `a file that is not there is named`() {
        let error = #expect(throws: StageError.self) { try Stage(path: "/nowhere/mine.yaml") }
        #expect(error?.description == "/nowhere/mine.yaml: there is no such file")
    }
}
