"""Many partitions: how fast the broker starts with them, and what they take."""

import statistics
import time

from load import produce, write_records
from machine import Watch
from processes import Broker

TOPICS = [f"many-{number}" for number in range(20)]
PARTITIONS_PER_TOPIC = 100
# Spread at random, so that every partition gets some.
RECORDS_PER_TOPIC = 3_000


def run(binary, directory, arguments, figures):
    data = f"{directory}/broker"
    records = write_records(f"{directory}/records", RECORDS_PER_TOPIC, 100)
    with Broker(binary, data) as broker:
        for topic in TOPICS:
            broker.topic("create", topic, "--partitions", str(PARTITIONS_PER_TOPIC))
        _fill(broker, records)
        memory = broker.resident_megabytes()
        broker.stop()
    count = f"{len(TOPICS) * PARTITIONS_PER_TOPIC:,} partitions"
    starts, resident, descriptors = {"stop": [], "kill": []}, [memory], 0
    previous = "stop"
    with Watch() as watch:
        for end in ["kill", "stop"] * arguments.rounds:
            with Broker(binary, data) as broker:
                starts[previous].append(broker.start_milliseconds)
                time.sleep(0.5)
                resident.append(broker.resident_megabytes())
                descriptors = broker.descriptors()
                if end == "kill":
                    _fill(broker, records)
                getattr(broker, end)()
                previous = end
    others = watch.others_share
    figures.at_most(f"{count}: ready after a clean stop", statistics.median(starts["stop"]), 1000, "ms", others=others)
    figures.at_most(f"{count}: ready after kill -9", statistics.median(starts["kill"]), 1000, "ms", others=others)
    figures.at_most(f"{count}: resident memory, largest", max(resident), 150, "MB", f"{descriptors} descriptors")


def _fill(broker, records):
    for topic in TOPICS:
        produce(broker.address, topic, records, "-X", "sticky.partitioning.linger.ms=0")
