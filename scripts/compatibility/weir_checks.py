"""The other way round: `weir`'s own commands on somebody else's cluster, librdkafka's mock one of three brokers."""

import contextlib
import json
import os
import subprocess
import threading

import confluent_kafka
from confluent_kafka import Producer

from checks import VERSIONS, check, fresh

CLIENT = "weir on a mock cluster"
VERSIONS[CLIENT] = f"librdkafka {confluent_kafka.libversion()[0]}'s, three brokers"


@contextlib.contextmanager
def mock_cluster():
    """The bootstrap addresses of a cluster that lives inside a librdkafka client, which has to be polled."""
    producer = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 3})
    brokers = producer.list_topics(timeout=10).brokers.values()
    stop = threading.Event()

    def poll():
        while not stop.is_set():
            producer.poll(0.1)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    finally:
        stop.set()
        thread.join()


def weir(address, *arguments, text=None):
    done = subprocess.run(
        [os.environ["WEIR_BINARY"], *arguments, "--bootstrap", address], input=text, capture_output=True, text=True,
        timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f"weir {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


@check(CLIENT, "produce, topic list and describe, consume")
def on_a_mock_cluster(_address):
    topic = fresh("weir")
    with mock_cluster() as address:
        said = json.loads(
            weir(address, "produce", topic, "--format", "json", text="".join(f"{n}\n" for n in range(1000))))
        assert said["records"] == 1000, said
        assert topic in [row["topic"] for row in json.loads(weir(address, "topic", "list", "--format", "json"))]
        described = json.loads(weir(address, "topic", "describe", topic, "--format", "json"))
        assert sum(row["logEndOffset"] for row in described) == 1000, described
        assert len({row["leader"] for row in described}) > 1, "all partitions have the same leader"
        read = weir(address, "consume", topic, "--exit").split()
        assert sorted(map(int, read)) == list(range(1000)), len(read)


@check(CLIENT, "consume in a group, which goes on where it was")
def group_on_a_mock_cluster(_address):
    topic = fresh("weir")
    with mock_cluster() as address:
        consume = lambda: sorted(map(int, weir(
            address, "consume", topic, "--group", f"group-{topic}", "--from-beginning", "--exit").split()))
        weir(address, "produce", topic, text="".join(f"{n}\n" for n in range(100)))
        assert consume() == list(range(100))
        weir(address, "produce", topic, text="".join(f"{n}\n" for n in range(100, 130)))
        assert consume() == list(range(100, 130))
