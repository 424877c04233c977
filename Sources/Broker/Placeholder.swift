// Replaced by the first file of Broker.
