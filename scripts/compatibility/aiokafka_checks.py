"""aiokafka, the client for asyncio."""

import asyncio

import aiokafka
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from checks import check, client_name, fresh

CLIENT = client_name("aiokafka", aiokafka.__version__)
CODECS = [None, "gzip", "snappy", "lz4", "zstd"]
PATIENCE = 30


def asynchronous(function):
    return lambda address: asyncio.run(asyncio.wait_for(function(address), PATIENCE))


async def produce(address, name, count, **settings):
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=address, **settings)
    await producer.start()
    await asyncio.gather(*[await producer.send(name, b"value %d" % n) for n in range(count)])
    await producer.stop()


async def round_trip(address, codec):
    name = fresh("aiokafka")
    await produce(address, name, 500, enable_idempotence=True, compression_type=codec)
    consumer = aiokafka.AIOKafkaConsumer(
        name, bootstrap_servers=address, group_id=name, auto_offset_reset="earliest")
    await consumer.start()
    values = [(await consumer.getone()).value for _ in range(500)]
    await consumer.commit()
    await consumer.stop()
    assert sorted(values) == sorted(b"value %d" % n for n in range(500))


for codec in CODECS:
    check(CLIENT, f"idempotent producer and group, {codec or 'none'}")(
        asynchronous(lambda address, codec=codec: round_trip(address, codec)))


@check(CLIENT, "group of two shares out; offsets are kept")
@asynchronous
async def group_of_two(address):
    name = fresh("aiokafka")
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(name, 4, 1)])
    await admin.close()
    make = lambda: aiokafka.AIOKafkaConsumer(
        name, bootstrap_servers=address, group_id=name, auto_offset_reset="earliest", heartbeat_interval_ms=300)
    pair = [make(), make()]
    for one in pair:
        await one.start()
    while [len(one.assignment()) for one in pair] != [2, 2]:
        await asyncio.sleep(0.05)
    await produce(address, name, 400)
    counts = [0, 0]
    while sum(counts) < 400:
        for index, one in enumerate(pair):
            records = await one.getmany(timeout_ms=200)
            counts[index] += sum(len(batch) for batch in records.values())
    assert all(counts), counts
    for one in pair:
        await one.commit()
        await one.stop()
    again = make()
    await again.start()
    kept = [await again.committed(aiokafka.TopicPartition(name, partition)) for partition in range(4)]
    assert sum(offset or 0 for offset in kept) == 400, kept
    await again.stop()


@check(CLIENT, "admin: every call")
@asynchronous
async def admin_calls(address):
    name = fresh("aiokafka")
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.create_partitions({name: NewPartitions(3)})
    assert name in await admin.list_topics()
    assert len((await admin.describe_topics([name]))[0]["partitions"]) == 3
    assert len((await admin.describe_cluster())["brokers"]) == 1
    resource = ConfigResource(ConfigResourceType.TOPIC, name, configs={"retention.ms": "4242"})
    await admin.alter_configs([resource])
    assert "4242" in str(await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]))
    await produce(address, name, 30)
    consumer = aiokafka.AIOKafkaConsumer(
        name, bootstrap_servers=address, group_id=f"group-{name}", auto_offset_reset="earliest")
    await consumer.start()
    for _ in range(30):
        await consumer.getone()
    await consumer.commit()
    await consumer.stop()
    assert f"group-{name}" in str(await admin.list_consumer_groups())
    assert "Empty" in str(await admin.describe_consumer_groups([f"group-{name}"]))
    offsets = await admin.list_consumer_group_offsets(f"group-{name}")
    assert sum(offset.offset for offset in offsets.values()) == 30, offsets
    await admin.delete_topics([name])
    assert name not in await admin.list_topics()
    await admin.close()
