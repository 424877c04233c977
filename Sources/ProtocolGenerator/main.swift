// Usage: swift run ProtocolGenerator [--output DIR]
//
// Writes the Kafka messages as Swift into DIR (default: Sources/KafkaProtocol/Messages), and removes generated files
// that no longer have a schema.

import Glibc

func run() throws {
    var directory = "Sources/KafkaProtocol/Messages"
    var arguments = CommandLine.arguments.dropFirst()
    while let argument = arguments.popFirst() {
        guard argument == "--output", let value = arguments.popFirst() else {
            print("usage: ProtocolGenerator [--output DIR]")
            exit(64)
        }
        directory = value
    }
    let changes = try OutputFolder(path: directory).update(to: Generator.files())
    for change in changes { print(change) }
    print("\(directory): \(changes.isEmpty ? "up to date" : "\(changes.count) changed")")
}

do {
    try run()
} catch {
    print("ProtocolGenerator: \(error)")
    exit(1)
}
