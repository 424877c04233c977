// Replaced by the first file of Subscriber.
