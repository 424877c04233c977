"""confluent-kafka, which is librdkafka as most people use it: PyPI's newest, and Debian's (librdkafka 2.0.2)."""

import time

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from checks import check, client_name, fresh

CLIENT = client_name(
    "confluent-kafka", f"{confluent_kafka.version()[0]} with librdkafka {confluent_kafka.libversion()[0]}"
    if isinstance(confluent_kafka.version(), tuple)
    else f"{confluent_kafka.__version__} with librdkafka {confluent_kafka.libversion()[0]}")
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def create(address, partitions):
    name = fresh("confluent")
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic(name, partitions, 1)])[name].result(10)
    return name


def settings(address, **values):
    """librdkafka's settings, with underscores for dots."""
    return {"bootstrap.servers": address, **{key.replace("_", "."): value for key, value in values.items()}}


def produce(address, name, count, **values):
    errors = []
    producer = Producer(settings(address, **values))
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
        for index, one in enumerate(consumers):
            for message in one.consume(500, 0.05):
                assert message.error() is None, message.error()
                read[index] += 1
    assert sum(read) == count, f"read {read} of {count}"
    return read


def consumer(address, group, **values):
    return Consumer(
        settings(address, group_id=group, auto_offset_reset="earliest", heartbeat_interval_ms=300, **values))


def wait_for_shares(consumers, shares):
    """Polls until the consumers have that many partitions each."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for one in consumers:
            message = one.poll(0.05)
            assert message is None or message.error() is None, message.error()
        if sorted(len(one.assignment()) for one in consumers) == sorted(shares):
            return
    raise AssertionError(f"shares are {[len(one.assignment()) for one in consumers]}, not {shares}")


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
        wait_for_shares(pair, [2, 2])
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


@check(CLIENT, "a cooperative group grows and shrinks without stopping")
def cooperative_growth(address):
    name = create(address, 6)
    revoked = []
    make = lambda: consumer(
        address, f"group-{name}", partition_assignment_strategy="cooperative-sticky", session_timeout_ms=6000)
    first, second = make(), make()
    first.subscribe([name], on_revoke=lambda _, partitions: revoked.extend(partitions))
    wait_for_shares([first], [6])
    second.subscribe([name])
    wait_for_shares([first, second], [3, 3])
    # Cooperative: what stays is never taken away in between.
    assert len(revoked) == 3, revoked
    second.close()
    wait_for_shares([first], [6])
    assert len(revoked) == 3, revoked
    first.close()


@check(CLIENT, "static members come back without a rebalance")
def static_members(address):
    name = create(address, 4)
    revoked = []
    make = lambda instance: consumer(
        address, f"group-{name}", group_instance_id=instance, session_timeout_ms=30000,
        partition_assignment_strategy="range")
    stays, goes = make("stays"), make("goes")
    stays.subscribe([name], on_revoke=lambda _, partitions: revoked.extend(partitions))
    goes.subscribe([name])
    wait_for_shares([stays, goes], [2, 2])
    before, share = len(revoked), goes.assignment()
    goes.close()  # a static member does not leave
    back = make("goes")
    back.subscribe([name])
    wait_for_shares([stays, back], [2, 2])
    assert back.assignment() == share, (back.assignment(), share)
    assert len(revoked) == before, revoked
    back.close()
    stays.close()


@check(CLIENT, "positions: watermarks, times, seek, pause")
def positions(address):
    name = create(address, 1)
    producer = Producer(settings(address))
    for number in range(10):
        producer.produce(name, value=str(number), timestamp=1_700_000_000_000 + number * 1000)
    producer.flush(10)
    one = consumer(address, f"group-{name}")
    partition = TopicPartition(name, 0)
    assert one.get_watermark_offsets(partition, 10) == (0, 10)
    found = one.offsets_for_times([TopicPartition(name, 0, 1_700_000_004_500)], 10)
    assert found[0].offset == 5, found
    one.assign([TopicPartition(name, 0, 8)])
    assert [message.value() for message in one.consume(2, 10)] == [b"8", b"9"]
    one.seek(TopicPartition(name, 0, 3))
    assert one.consume(1, 10)[0].value() == b"3"
    one.close()


@check(CLIENT, "subscribes by pattern; new topics are found")
def pattern(address):
    prefix = fresh("pattern")
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic(f"{prefix}.a", 1, 1)])[f"{prefix}.a"].result(10)
    one = consumer(address, prefix, topic_metadata_refresh_interval_ms=500)
    one.subscribe([f"^{prefix}\\..*"])
    produce(address, f"{prefix}.a", 5)
    consume([one], 5)
    client.create_topics([NewTopic(f"{prefix}.b", 1, 1)])[f"{prefix}.b"].result(10)
    produce(address, f"{prefix}.b", 7)
    consume([one], 7)
    one.close()


@check(CLIENT, "transactional producer")
def transactional(address):
    name = create(address, 1)
    producer = Producer({"bootstrap.servers": address, "transactional.id": name, "transaction.timeout.ms": 5000})
    producer.init_transactions(5)
    producer.begin_transaction()
    producer.produce(name, "value")
    producer.commit_transaction(5)
