import ArgumentParser
@preconcurrency import Glibc
import Topology

/// The program: parses the command line, resolves the settings, builds the services and runs them.
@main
struct Weir: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir",
        abstract: "A metrics publish/subscribe pipeline: agent, Kafka-protocol broker, subscriber and query in one.",
        discussion: """
            Start with 'weir demo': it runs the whole pipeline on this host and says what to try next.

            Every setting of a command is a flag, a variable and a line of a YAML file; a flag wins over a variable, a \
            variable over the file:
              weir agent --interval 5s
              WEIR_AGENT_INTERVAL=5s weir agent
              weir agent --config weir.yaml      (agent: { interval: 5s })
            """,
        version: "0.1.0",
        subcommands: [
            DemoCommand.self, BrokerCommand.self, AgentCommand.self, SubscriberCommand.self, LiveCommand.self,
            QueryCommand.self, DatabaseCommand.self, RulesCommand.self, TopicCommand.self, GroupCommand.self,
            ProduceCommand.self, ConsumeCommand.self, GenerateCommand.self, CompareCommand.self,
            LogCommand.self,
        ])

    static func main() async {
        ProcessAllocator.configure()
        Lifeline.followParent()
        // Lines reach a pipe when they are written, and a closed pipe is an error, not the end of the process.
        setvbuf(stdout, nil, _IOLBF, 0)
        signal(SIGPIPE, SIG_IGN)
        await main(nil)
    }
}
