// Replaced by the first file of KafkaClient.
