import CommitLog
import KafkaProtocol
import TestKit
import Testing

@testable import Broker

@Suite struct CatalogFileTests {
    @Test func everythingComesBackAsItWasWritten() throws {
        var file = CatalogFile(clusterID: "5L6g3nShT-eMCtK--X86sw")
        file.topics = [
            .init(id: .random(), partitions: 3, name: try TopicName("metrics.cpu")),
            .init(
                id: .random(), partitions: 1, name: try TopicName("a-b_c"),
                configs: [
                    TopicConfig(name: "cleanup.policy", value: "compact,delete"),
                    TopicConfig(name: "note to self", value: "a=b %\n\u{e9}"),
                    TopicConfig(name: "empty", value: ""),
                ]),
        ]
        file.deleting = [.init(id: .random(), partitions: 2, name: try TopicName("gone"))]
        #expect(try CatalogFile(parsing: file.text) == file)
    }

    @Test(arguments: [
        ("", "line 1"), ("something else\nend\n", "line 1"), ("weir-catalogue 1\ncluster x\n", "last line"),
        ("weir-catalogue 1\nend\n", "cluster"), ("weir-catalogue 1\ncluster x\ntopic a b c\nend\n", "line 3"),
        ("weir-catalogue 1\ncluster x\nnonsense\nend\n", "line 3"),
        ("weir-catalogue 1\ncluster x\ntopic AAAAAAAAAAAAAAAAAAAAAA 0 t\nend\n", "line 3"),
        ("weir-catalogue 1\ncluster x\ntopic AAAAAAAAAAAAAAAAAAAAAA 1 ../t\nend\n", "line 3"),
        ("weir-catalogue 1\ncluster x\ndeleting AAAAAAAAAAAAAAAAAAAAAA 1 t a=b\nend\n", "line 3"),
    ])
    func whatIsNoCatalogueIsSaid(_ text: String, _ complaint: String) throws {
        let error = #expect(throws: CatalogFile.LineProblem.self) { try CatalogFile(parsing: text) }
        #expect(try #require(error).reason.contains(complaint))
    }

    @Test func aDirectoryWithoutFileHasNoCatalogueYet() throws {
        let directory = try TemporaryDirectory()
        #expect(try CatalogFile.read(directory.appending("catalogue"), POSIXFileSystem()) == nil)
    }

    @Test func aFileOfTheFirstVersionIsRead() throws {
        let text = "weir-catalogue 1\ncluster x\ntopic AAAAAAAAAAAAAAAAAAAAAQ 2 t\nend\n"
        #expect(try CatalogFile(parsing: text).topics.map(\.partitions) == [2])
    }

    @Test func anyBitThatFlipsAndAnyEndThatIsMissingIsSaid() throws {
        var file = CatalogFile(clusterID: "5L6g3nShT-eMCtK--X86sw")
        file.topics = [.init(id: .random(), partitions: 3, name: try TopicName("metrics.cpu"))]
        let bytes = Array(file.text.utf8)
        for position in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[position] ^= 1 << bit
                let text = String(decoding: damaged, as: UTF8.self)
                // The newline after the last line says nothing.
                guard position < bytes.count - 1 else { continue }
                #expect(throws: CatalogFile.LineProblem.self) { try CatalogFile(parsing: text) }
            }
            let start = String(decoding: bytes[..<position], as: UTF8.self)
            if position < bytes.count - 1 {
                #expect(throws: CatalogFile.LineProblem.self) { try CatalogFile(parsing: start) }
            }
        }
    }
}
