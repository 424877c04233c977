"""Transactions: confluent-kafka, kafka-python and aiokafka produce, abort, copy and are fenced."""

import asyncio
import time
import uuid

import aiokafka
import kafka
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from checks import check


def create(address, kind, partitions=1):
    name = f"transactions-{kind}-{uuid.uuid4().hex[:12]}"
    client = AdminClient({"bootstrap.servers": address})
    client.create_topics([NewTopic(name, partitions, 1)])[name].result(10)
    return name


def producer(address, transactional_id, **settings):
    one = Producer({"bootstrap.servers": address, "transactional.id": transactional_id, **settings})
    one.init_transactions(10)
    return one


def read(address, name, isolation="read_committed", partitions=1):
    """All values that a consumer sees now, by reading to the end of every partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": address,
            "group.id": uuid.uuid4().hex,
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(name, partition, 0) for partition in range(partitions)])
    values, ended, deadline = [], 0, time.monotonic() + 20
    while ended < partitions:
        assert time.monotonic() < deadline, f"no end of {name} in sight, read {values}"
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            ended += 1
        else:
            values.append(message.value())
    consumer.close()
    return values


@check("confluent-kafka", "transactions: commit and abort")
def commit_and_abort(address):
    name = create(address, "confluent", 2)
    one = producer(address, name)
    for number in range(10):
        one.begin_transaction()
        for partition in range(2):
            for index in range(20):
                one.produce(name, b"%d/%d" % (number, index), partition=partition)
        if number % 3 == 1:
            one.flush(10)
            one.abort_transaction(10)
        else:
            one.commit_transaction(10)
    expected = sorted([b"%d/%d" % (n, i) for n in range(10) if n % 3 != 1 for i in range(20)] * 2)
    assert sorted(read(address, name, partitions=2)) == expected
    assert len(read(address, name, "read_uncommitted", 2)) == 400


@check("confluent-kafka", "transactions: open ones hide what follows")
def open_transaction(address):
    name = create(address, "confluent")
    one = producer(address, name)
    one.begin_transaction()
    one.produce(name, b"open")
    one.flush(10)
    plain = Producer({"bootstrap.servers": address})
    plain.produce(name, b"plain")
    plain.flush(10)
    assert read(address, name) == []
    one.commit_transaction(10)
    assert read(address, name) == [b"open", b"plain"]


@check("confluent-kafka", "transactions: copy exactly once")
def copy(address):
    source, target = create(address, "confluent"), create(address, "confluent")
    plain = Producer({"bootstrap.servers": address})
    for number in range(300):
        plain.produce(source, b"%d" % number)
    plain.flush(10)
    settings = {
        "bootstrap.servers": address,
        "group.id": source,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
    }
    one = producer(address, source)
    copied, attempt = 0, 0
    while copied < 300:
        # A new consumer each time begins where the last committed transaction ended.
        consumer = Consumer(settings)
        consumer.subscribe([source])
        deadline = time.monotonic() + 30
        for _ in range(2):
            messages = []
            while not messages and time.monotonic() < deadline:
                messages = [message for message in consumer.consume(50, 0.5) if not message.error()]
            if not messages:
                break
            attempt += 1
            one.begin_transaction()
            for message in messages:
                one.produce(target, message.value())
            one.send_offsets_to_transaction(
                consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 10
            )
            if attempt % 3 == 2:
                one.abort_transaction(10)
                break
            one.commit_transaction(10)
            copied += len(messages)
            if copied >= 300:
                break
        consumer.close()
    assert read(address, target) == [b"%d" % number for number in range(300)]


@check("confluent-kafka", "transactions: a zombie is fenced")
def fenced(address):
    name = create(address, "confluent")
    zombie = producer(address, name)
    zombie.begin_transaction()
    zombie.produce(name, b"lost")
    zombie.flush(10)
    one = producer(address, name)
    try:
        zombie.commit_transaction(10)
        raise AssertionError("the zombie committed")
    except KafkaException as error:
        assert error.args[0].fatal(), error
    one.begin_transaction()
    one.produce(name, b"kept")
    one.commit_transaction(10)
    assert read(address, name) == [b"kept"]


@check("confluent-kafka", "transactions: time aborts a silent one")
def timed_out(address):
    name = create(address, "confluent")
    one = producer(address, name, **{"transaction.timeout.ms": 1000})
    one.begin_transaction()
    one.produce(name, b"late")
    one.flush(10)
    plain = Producer({"bootstrap.servers": address})
    plain.produce(name, b"plain")
    plain.flush(10)
    deadline = time.monotonic() + 15
    while read(address, name) != [b"plain"]:
        assert time.monotonic() < deadline, "the transaction was not aborted"
    try:
        one.commit_transaction(10)
        raise AssertionError("it was committed after its time")
    except KafkaException:
        pass


@check("kafka-python", "transactions: commit, abort and offsets")
def kafka_python(address):
    name = create(address, "kafka-python")
    one = kafka.KafkaProducer(bootstrap_servers=address, transactional_id=name)
    one.init_transactions()
    one.begin_transaction()
    one.send(name, b"lost")
    one.flush(10)
    one.abort_transaction()
    one.begin_transaction()
    one.send(name, b"kept")
    one.send_offsets_to_transaction(
        {kafka.TopicPartition(name, 0): kafka.structs.OffsetAndMetadata(7, "", -1)}, name
    )
    one.commit_transaction()
    one.close()
    assert read(address, name) == [b"kept"]
    reader = kafka.KafkaConsumer(bootstrap_servers=address, group_id=name)
    assert reader.committed(kafka.TopicPartition(name, 0)) == 7
    reader.close()
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=address, isolation_level="read_committed", consumer_timeout_ms=3000
    )
    consumer.assign([kafka.TopicPartition(name, 0)])
    consumer.seek_to_beginning()
    assert [record.value for record in consumer] == [b"kept"]
    consumer.close()


async def aiokafka_transactions(address):
    name = create(address, "aiokafka")
    one = aiokafka.AIOKafkaProducer(bootstrap_servers=address, transactional_id=name)
    await one.start()
    try:
        async with one.transaction():
            await one.send_and_wait(name, b"lost")
            raise RuntimeError("change of mind")
    except RuntimeError:
        pass
    async with one.transaction():
        await one.send_and_wait(name, b"kept")
        await one.send_offsets_to_transaction({aiokafka.TopicPartition(name, 0): 5}, name)
    await one.stop()
    consumer = aiokafka.AIOKafkaConsumer(
        name, bootstrap_servers=address, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    assert (await asyncio.wait_for(consumer.getone(), 10)).value == b"kept"
    await consumer.stop()
    group = aiokafka.AIOKafkaConsumer(bootstrap_servers=address, group_id=name)
    await group.start()
    assert await group.committed(aiokafka.TopicPartition(name, 0)) == 5
    await group.stop()


@check("aiokafka", "transactions: commit, abort and offsets")
def aiokafka_check(address):
    asyncio.run(aiokafka_transactions(address))
