public import ArgumentParser
import KafkaProtocol
public import Subscriber

/// `none`, or a name, for which Kafka's rules are those for topics.
extension GroupIdentity: ExpressibleByArgument {
    public init?(argument: String) {
        if argument == "none" {
            self = .dynamic
        } else if (try? TopicName(argument)) != nil {
            self = .named(argument)
        } else {
            return nil
        }
    }
}
