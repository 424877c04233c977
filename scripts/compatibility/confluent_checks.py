"""confluent-kafka, which is librdkafka as most people use it."""

import time
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from checks import check

CLIENT = "confluent-kafka"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def create(address, partitions):
    name = f"confluent-{uuid.uuid4().hex[:12]}"
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic(name, partitions, 1)])[name].result(10)
    return name


def produce(address, name, count, **settings):
    errors = []
    producer = Producer(
        {"bootstrap.servers": address, **{key.replace("_", "."): value for key, value in settings.items()}}
    )
    for number in range(count):
        producer.produce(
            name, key=str(number), value=f"value {number}", on_delivery=lambda error, _: error and errors.append(error)
        )
    left = producer.flush(20)
    assert not errors and left == 0, f"{left} not delivered, errors {errors[:3]}"


def consume(consumers, count):
    """Polls the consumers in turn until they have read `count` records in all; says how many each has."""
    read = [0] * len(consumers)
    deadline = time.monotonic() + 30
    while sum(read) < count and time.monotonic() < deadline:
        for index, consumer in enumerate(consumers):
            for message in consumer.consume(500, 0.05):
                assert message.error() is None, message.error()
                read[index] += 1
    assert sum(read) == count, f"read {read} of {count}"
    return read


def consumer(address, group, **settings):
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": group,
            "auto.offset.reset": "earliest",
            **{key.replace("_", "."): value for key, value in settings.items()},
        }
    )


for codec in CODECS:

    @check(CLIENT, f"idempotent producer, {codec}")
    def idempotent(address, codec=codec):
        name = create(address, 2)
        produce(address, name, 1000, enable_idempotence=True, compression_type=codec)
        one = consumer(address, f"group-{name}")
        one.subscribe([name])
        consume([one], 1000)
        one.close()


for strategy in ["range", "roundrobin", "cooperative-sticky"]:

    @check(CLIENT, f"group of two, {strategy}")
    def group_of_two(address, strategy=strategy):
        name = create(address, 4)
        pair = [
            consumer(address, f"group-{name}", partition_assignment_strategy=strategy, session_timeout_ms=6000)
            for _ in range(2)
        ]
        for one in pair:
            one.subscribe([name])
        deadline = time.monotonic() + 20
        while any(len(one.assignment()) != 2 for one in pair) and time.monotonic() < deadline:
            for one in pair:
                one.poll(0.05)
        assert [len(one.assignment()) for one in pair] == [2, 2]
        produce(address, name, 2000)
        read = consume(pair, 2000)
        assert all(read), read
        for one in pair:
            one.commit(asynchronous=False)
            one.close()
        again = consumer(address, f"group-{name}")
        offsets = again.committed([TopicPartition(name, partition) for partition in range(4)], 10)
        assert sum(offset.offset for offset in offsets) == 2000, offsets
        again.close()


@check(CLIENT, "admin: topics and groups")
def admin(address):
    name = create(address, 3)
    client = AdminClient({"bootstrap.servers": address})
    assert len(client.list_topics(timeout=10).topics[name].partitions) == 3
    produce(address, name, 10)
    one = consumer(address, f"group-{name}")
    one.subscribe([name])
    consume([one], 10)
    assert f"group-{name}" in [group.group_id for group in client.list_consumer_groups().result(10).valid]
    described = client.describe_consumer_groups([f"group-{name}"])[f"group-{name}"].result(10)
    assert len(described.members) == 1, described.members
    one.close()
    client.delete_topics([name])[name].result(10)
    assert name not in client.list_topics(timeout=10).topics


@check(CLIENT, "transactional producer")
def transactional(address):
    name = create(address, 1)
    producer = Producer({"bootstrap.servers": address, "transactional.id": name, "transaction.timeout.ms": 5000})
    producer.init_transactions(5)
    producer.begin_transaction()
    producer.produce(name, "value")
    producer.commit_transaction(5)
