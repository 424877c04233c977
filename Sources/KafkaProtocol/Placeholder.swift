// Replaced by the first file of KafkaProtocol.
