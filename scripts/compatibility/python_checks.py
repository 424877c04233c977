"""The clients written in Python: kafka-python and aiokafka."""

import asyncio
import uuid

import aiokafka
import kafka

from checks import check


def topic(client):
    return f"{client}-{uuid.uuid4().hex[:12]}"


CODECS = [None, "gzip", "snappy", "lz4", "zstd"]

for codec in CODECS:

    @check("kafka-python", f"produce and consume in a group, {codec or 'none'}")
    def produce_and_consume(address, codec=codec):
        name = topic("kafka-python")
        producer = kafka.KafkaProducer(bootstrap_servers=address, acks="all", compression_type=codec)
        sent = [producer.send(name, key=b"%d" % n, value=b"value %d" % n, headers=[("n", b"1")]) for n in range(500)]
        for one in sent:
            one.get(10)
        producer.close()

        def read():
            consumer = kafka.KafkaConsumer(
                name, bootstrap_servers=address, group_id=name, auto_offset_reset="earliest", consumer_timeout_ms=2000
            )
            values = [record.value for record in consumer]
            consumer.commit()
            consumer.close()
            return values

        assert sorted(read()) == sorted(b"value %d" % n for n in range(500))
        assert read() == [], "the group read again what it had committed"


@check("kafka-python", "admin: topics and groups")
def admin(address):
    client = kafka.KafkaAdminClient(bootstrap_servers=address)
    name = topic("kafka-python")
    client.create_topics([kafka.admin.NewTopic(name, 2, 1)])
    assert name in client.list_topics()
    client.delete_topics([name])
    assert name not in client.list_topics()
    client.close()


for codec in CODECS:

    @check("aiokafka", f"idempotent producer and group, {codec or 'none'}")
    def idempotent(address, codec=codec):
        asyncio.run(aiokafka_round_trip(address, codec))


async def aiokafka_round_trip(address, codec):
    name = topic("aiokafka")
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=address, enable_idempotence=True, compression_type=codec
    )
    await producer.start()
    await asyncio.gather(*[await producer.send(name, b"value %d" % n) for n in range(500)])
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(
        name, bootstrap_servers=address, group_id=name, auto_offset_reset="earliest"
    )
    await consumer.start()
    values = [(await asyncio.wait_for(consumer.getone(), 10)).value for _ in range(500)]
    await consumer.commit()
    await consumer.stop()
    assert sorted(values) == sorted(b"value %d" % n for n in range(500))
