"""One record at a time, from the call that produces it to the call that returns it, by a librdkafka client."""

import os
import pathlib
import subprocess

from load import PATIENCE
from machine import Watch
from processes import Broker

SOURCE = pathlib.Path(__file__).with_name("latency_client.c")
RECORDS = 3_000


def run(binary, directory, arguments, figures):
    client = f"{directory}/latency_client"
    compiler = os.environ.get("CC", "cc")
    subprocess.run([compiler, "-O2", "-Wall", "-o", client, SOURCE, "-lrdkafka"], check=True)
    for durability, goals in [("page-cache", (0.5, 3)), ("acknowledged", (None, None))]:
        with Broker(binary, f"{directory}/{durability}", "--durability", durability) as broker:
            medians, high, others = [], [], []
            for _ in range(arguments.rounds):
                with Watch(broker) as watch:
                    p50, p99 = _round(client, broker)
                medians.append(p50)
                high.append(p99)
                others.append(watch.others_share)
            worst = max(others)
            name = f"one record, produce to consume, {durability}"
            figures.median_at_most(f"{name}: p50", medians, goals[0], "ms", others=worst)
            figures.median_at_most(f"{name}: p99", high, goals[1], "ms", others=worst)
            broker.stop()


def _round(client, broker):
    done = subprocess.run(
        [client, broker.address, "latency", str(RECORDS)], capture_output=True, text=True, timeout=PATIENCE
    )
    if done.returncode != 0:
        raise SystemExit(f"bench: {done.stderr.strip()}")
    p50, p99 = done.stdout.split()
    return float(p50) / 1000, float(p99) / 1000
