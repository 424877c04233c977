"""What grows: memory after very many records, and memory and descriptors over ten minutes of mixed load."""

import socket
import statistics
import subprocess
import time

from load import produce, write_records
from processes import Broker, api_versions

RECORDS = 50_000_000
RECORDS_PER_FILE = 2_000_000

ENDURANCE_SECONDS = 600
BURST_RECORDS = 100_000
BURST_SECONDS = 1.0


def run_records(binary, directory, _arguments, figures):
    records = write_records(f"{directory}/records", RECORDS_PER_FILE, 100)
    largest = 0.0
    with Broker(binary, f"{directory}/broker", "--durability", "page-cache") as broker:
        for _ in range(RECORDS // RECORDS_PER_FILE):
            produce(broker.address, "records", records)
            largest = max(largest, broker.resident_megabytes())
        figures.at_most(f"resident memory after {RECORDS // 1_000_000} million records", largest, 60, "MB")
        broker.stop()


def run_endurance(binary, directory, _arguments, figures):
    """Bursts of records, a consumer that follows, connections that come and go, segments that roll and are removed."""
    records = write_records(f"{directory}/records", BURST_RECORDS, 100)
    memory, descriptors = [], []
    with Broker(binary, f"{directory}/broker") as broker:
        broker.topic(
            "create", "bursts", "--partitions", "4",
            "--config", "segment.bytes=33554432", "--config", "retention.bytes=134217728",
        )
        consumer = subprocess.Popen(
            ["kcat", "-b", broker.address, "-q", "-G", "endurance", "bursts"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            begin = time.monotonic()
            while (elapsed := time.monotonic() - begin) < ENDURANCE_SECONDS:
                produce(broker.address, "bursts", records)
                for _ in range(5):
                    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as connection:
                        api_versions(connection)
                memory.append((elapsed, broker.resident_megabytes()))
                descriptors.append((elapsed, broker.descriptors()))
                time.sleep(max(0, BURST_SECONDS - (time.monotonic() - begin - elapsed)))
            if consumer.poll() is not None:
                raise RuntimeError(f"the consumer ended early with status {consumer.returncode}")
        finally:
            consumer.terminate()
            consumer.wait()
        broker.stop()
    millions, largest = len(memory) * BURST_RECORDS / 1e6, max(value for _, value in memory)
    produced = f"{millions:.0f} million records, up to {largest:.1f} MB"
    figures.at_most("10 minutes: growth of resident memory", _growth(memory), 3, "MB", produced)
    figures.at_most("10 minutes: growth of open descriptors", _growth(descriptors), 2, "")


def _growth(samples):
    """From the third minute, when everything is warm, to the last: medians, so that a single sample does not decide."""
    def median(start, end):
        return statistics.median(value for elapsed, value in samples if start <= elapsed < end)

    return median(ENDURANCE_SECONDS - 60, ENDURANCE_SECONDS) - median(120, 180)
