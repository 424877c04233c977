"""kafka-python: PyPI's newest, and Debian's 2.0.2, which most installed programs have."""

import itertools
import threading
import time

import kafka

from checks import check, client_name, fresh

CLIENT = client_name("kafka-python", kafka.__version__)
IS_OLD = kafka.__version__.startswith("2.0")
# What Debian packages with it; PyPI's environment has all.
CODECS = [None, "gzip"] if CLIENT.endswith("(Debian)") else [None, "gzip", "snappy", "lz4", "zstd"]


def produce(address, name, count, **settings):
    producer = kafka.KafkaProducer(bootstrap_servers=address, acks="all", **settings)
    headers = [("number", b"1")] if settings.get("api_version", (9,)) >= (0, 11) else None
    sent = [producer.send(name, key=b"%d" % n, value=b"value %d" % n, headers=headers) for n in range(count)]
    for one in sent:
        one.get(10)
    producer.close()


def read(address, name, group, count, **settings):
    """What a group has still to read: `count` records, or none within a second if that is 0. Commits them."""
    consumer = kafka.KafkaConsumer(
        name, bootstrap_servers=address, group_id=group, auto_offset_reset="earliest",
        consumer_timeout_ms=10_000 if count else 1_000, **settings)
    values = [record.value for record in itertools.islice(consumer, count or 1)]
    consumer.commit()
    consumer.close()
    return values


def round_trip(address, name, **settings):
    values = sorted(b"value %d" % n for n in range(500))
    common = {key: value for key, value in settings.items() if key == "api_version"}
    produce(address, name, 500, **settings)
    assert sorted(read(address, name, f"group-{name}", 500, **common)) == values
    assert read(address, name, f"group-{name}", 0, **common) == [], "the group read again what it had committed"


for codec in CODECS:
    check(CLIENT, f"produce and consume in a group, {codec or 'none'}", quick=codec is None)(
        lambda address, codec=codec: round_trip(address, fresh("kafka-python"), compression_type=codec))

# As it speaks to brokers of that age: message sets, and the first versions of all requests.
for version in [(0, 9), (0, 10, 0), (0, 11)]:
    check(CLIENT, f"the same as for Kafka {'.'.join(map(str, version))}", quick=version == (0, 10, 0))(
        lambda address, version=version: round_trip(address, fresh("kafka-python"), api_version=version))


@check(CLIENT, "as for Kafka 0.8.2: partitions by hand", quick=True)
def original(address):
    name = fresh("kafka-python")
    settings = {"bootstrap_servers": address, "api_version": (0, 8, 2)}
    produce(address, name, 100, api_version=(0, 8, 2))
    consumer = kafka.KafkaConsumer(
        group_id=f"group-{name}", auto_offset_reset="earliest", consumer_timeout_ms=10_000, enable_auto_commit=False,
        **settings)
    partition = kafka.TopicPartition(name, 0)
    consumer.assign([partition])
    assert len(list(itertools.islice(consumer, 100))) == 100
    consumer.commit()
    assert consumer.committed(partition) == 100
    consumer.close()


@check(CLIENT, "group of two shares out")
def group_of_two(address):
    name = fresh("kafka-python")
    admin = kafka.KafkaAdminClient(bootstrap_servers=address)
    admin.create_topics([kafka.admin.NewTopic(name, 4, 1)])
    admin.close()
    counts, shares, stop = [0, 0], [0, 0], threading.Event()

    # Each in its own thread, as joining blocks. With short polls 3.0.12 sometimes stops for good after the answer to its
    # SyncGroup came, when a poll ended while it joined; a capture shows the answer.
    def consume(index):
        consumer = kafka.KafkaConsumer(
            name, bootstrap_servers=address, group_id=name, auto_offset_reset="earliest", session_timeout_ms=6000,
            heartbeat_interval_ms=500)
        while not stop.is_set():
            counts[index] += sum(len(records) for records in consumer.poll(2_000).values())
            shares[index] = len(consumer.assignment())
        consumer.close()

    threads = [threading.Thread(target=consume, args=[index], daemon=True) for index in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 30
    while shares != [2, 2] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert shares == [2, 2], shares
    produce(address, name, 400)
    while sum(counts) < 400 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert sum(counts) == 400 and all(counts), counts


@check(CLIENT, "positions: beginning, end, times", quick=True)
def positions(address):
    name = fresh("kafka-python")
    producer = kafka.KafkaProducer(bootstrap_servers=address)
    for number in range(10):
        producer.send(name, b"%d" % number, timestamp_ms=1_700_000_000_000 + number * 1000).get(10)
    producer.close()
    consumer = kafka.KafkaConsumer(bootstrap_servers=address)
    partition = kafka.TopicPartition(name, 0)
    assert consumer.beginning_offsets([partition]) == {partition: 0}
    assert consumer.end_offsets([partition]) == {partition: 10}
    found = consumer.offsets_for_times({partition: 1_700_000_004_500})[partition]
    assert (found.offset, found.timestamp) == (5, 1_700_000_005_000), found
    assert consumer.offsets_for_times({partition: 1_900_000_000_000})[partition] is None
    consumer.close()


if IS_OLD:

    @check(CLIENT, "admin: every call")
    def old_admin(address):
        from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic

        name = fresh("kafka-python")
        admin = kafka.KafkaAdminClient(bootstrap_servers=address)
        admin.create_topics([NewTopic(name, 1, 1, topic_configs={"retention.ms": "5000"})])
        admin.create_partitions({name: NewPartitions(3)})
        assert name in admin.list_topics()
        assert len(admin.describe_topics([name])[0]["partitions"]) == 3
        assert len(admin.describe_cluster()["brokers"]) == 1
        resource = ConfigResource(ConfigResourceType.TOPIC, name)
        assert "5000" in str(admin.describe_configs([resource]))
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "6000"})])
        assert "6000" in str(admin.describe_configs([resource]))
        produce(address, name, 50)
        assert len(read(address, name, f"group-{name}", 50)) == 50
        assert (f"group-{name}", "consumer") in admin.list_consumer_groups()
        assert admin.describe_consumer_groups([f"group-{name}"])[0].state == "Empty"
        offsets = admin.list_consumer_group_offsets(f"group-{name}")
        assert sum(offset.offset for offset in offsets.values()) == 50, offsets
        (deleted, error), = admin.delete_consumer_groups([f"group-{name}"])
        assert error.errno == 0, error
        admin.delete_topics([name])
        assert name not in admin.list_topics()
        admin.close()

else:

    @check(CLIENT, "idempotent producer")
    def idempotent(address):
        name = fresh("kafka-python")
        produce(address, name, 500, enable_idempotence=True)
        assert len(read(address, name, f"group-{name}", 500)) == 500
