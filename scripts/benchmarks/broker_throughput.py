"""CPU seconds of the broker per million records and per GB, and what durability costs in throughput."""

import statistics

from load import consume, produce, write_records
from machine import Watch, warm_page_cache
from processes import Broker

SMALL_RECORDS = 2_000_000
LARGE_RECORDS = 400_000
LARGE_BYTES = 1024
MILLIONS = SMALL_RECORDS / 1e6
GIGABYTES = LARGE_RECORDS * LARGE_BYTES / 1e9

# Name, unit, amount of one round, goal for the page-cache policy.
LOADS = {
    "plain": ("produce 100-byte records", "s/million", MILLIONS, 0.20),
    "lz4": ("produce 100-byte records, lz4", "s/million", MILLIONS, 0.10),
    "large": ("produce 1 KiB records", "s/GB", GIGABYTES, 1.8),
    "consume": ("consume 100-byte records", "s/million", MILLIONS, 0.06),
}


class Samples:
    """What the rounds of one load have given."""

    def __init__(self):
        self.cpu, self.wall, self.others = [], [], []

    def add(self, cpu, watch):
        self.cpu.append(cpu)
        self.wall.append(watch.seconds)
        self.others.append(watch.others_share)


def run(binary, directory, arguments, figures):
    small = write_records(f"{directory}/100", SMALL_RECORDS, 100)
    large = write_records(f"{directory}/1024", LARGE_RECORDS, LARGE_BYTES)
    warm_page_cache(directory, 2)
    with (
        Broker(binary, f"{directory}/page-cache", "--durability", "page-cache") as page_cache,
        Broker(binary, f"{directory}/acknowledged", "--durability", "acknowledged") as acknowledged,
    ):
        results = {broker: {load: Samples() for load in LOADS} for broker in (page_cache, acknowledged)}
        _round(page_cache, small, large, {load: Samples() for load in LOADS})  # warms up
        for _ in range(arguments.rounds):
            for broker, samples in results.items():
                _round(broker, small, large, samples)
        _report(results[page_cache], results[acknowledged], figures)
        figures.at_most("resident memory afterwards", page_cache.resident_megabytes(), 60, "MB")
        page_cache.stop()
        acknowledged.stop()


def _round(broker, small, large, samples):
    def measure(load, work, *arguments):
        cpu = broker.cpu_seconds()
        with Watch(broker) as watch:
            work(broker.address, *arguments)
        samples[load].add(broker.cpu_seconds() - cpu, watch)

    measure("plain", produce, "plain", small)
    measure("lz4", produce, "lz4", small, "-z", "lz4")
    measure("large", produce, "large", large)
    measure("consume", consume, "plain")
    broker.topic("delete", "plain", "lz4", "large")


def _report(page_cache, acknowledged, figures):
    for load, (name, unit, amount, goal) in LOADS.items():
        samples = page_cache[load]
        figures.median_at_most(
            name, [cpu / amount for cpu in samples.cpu], goal, unit, _rate(samples, amount, unit),
            others=statistics.median(samples.others),
        )
    for load in ["plain", "lz4", "large"]:
        name, unit, amount, _ = LOADS[load]
        samples = acknowledged[load]
        figures.median_at_most(
            f"{name}, acknowledged", [cpu / amount for cpu in samples.cpu], None, unit, _rate(samples, amount, unit),
            others=statistics.median(samples.others),
        )
    for load in ["plain", "large"]:
        ratio = statistics.median(page_cache[load].wall) / statistics.median(acknowledged[load].wall)
        figures.at_least(
            f"throughput acknowledged / page cache, {'100 B' if load == 'plain' else '1 KiB'}", ratio, 0.5, "",
            others=statistics.median(page_cache[load].others + acknowledged[load].others),
        )


def _rate(samples, amount, unit):
    return f"{amount / statistics.median(samples.wall):.2f} {unit.partition('/')[2]}/s"
