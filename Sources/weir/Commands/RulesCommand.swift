import ArgumentParser
import Subscriber

/// `weir rules`: looks at rule files.
struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules", abstract: "Look at files of aggregation rules and alerts.", subcommands: [Check.self])

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read a rule file and say what each rule will emit, or everything that is wrong.",
            usage: "weir rules check <file>",
            discussion: """
                Needs no broker and no database. Ends with status 1 when the file is not right. What may stand in a file is \
                in docs/rules.md.

                  weir rules check rules.yaml
                """)

        @Argument(help: "A YAML file.")
        var file: String

        func run() async throws {
            print(RuleFilePrinter(try RuleFile(path: file)).text)
        }
    }
}
