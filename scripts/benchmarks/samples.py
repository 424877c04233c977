"""Samples of many hosts as records: what agents would have published, the same for the same seed.

The shape that the figures of other systems were measured with: 100 hosts of 60 counters and 40 gauges each, 500 runs, 10 s apart;
one record per host and run, in the Prometheus text format with millisecond timestamps.
"""

import dataclasses
import random
import subprocess
import time

# Between records, and between a record's key and its value: bytes that no sample has.
RECORD_END, KEY_END = b"\x1e", b"\x1f"


@dataclasses.dataclass(frozen=True)
class Shape:
    hosts: int = 100
    series: int = 100  # per host
    runs: int = 500
    interval_ms: int = 10_000
    seed: int = 1
    age_runs: int = 0  # how long before the present the last run lies

    @property
    def samples(self):
        return self.hosts * self.series * self.runs

    @property
    def records(self):
        return self.hosts * self.runs

    def start_ms(self):
        """The first run's time: they end near the present, since retention counts from there."""
        return (int(time.time() * 1000) // self.interval_ms - self.runs - self.age_runs) * self.interval_ms


def records(shape):
    """All records in order of time: (key, value)."""
    source = random.Random(shape.seed)
    counters = shape.series * 60 // 100
    values = [[source.random() * 1000 for _ in range(shape.series)] for _ in range(shape.hosts)]
    names = [[_name(host, series, counters) for series in range(shape.series)] for host in range(shape.hosts)]
    start = shape.start_ms()
    for run in range(shape.runs):
        timestamp = start + run * shape.interval_ms
        for host in range(shape.hosts):
            of_host, lines = values[host], []
            for series in range(shape.series):
                if series < counters:
                    of_host[series] += source.randint(0, 900) / 100.0
                    value = f"{of_host[series]:.2f}"
                else:
                    of_host[series] = max(0.0, of_host[series] + source.gauss(0, 5))
                    value = str(int(of_host[series] * 1e6))
                lines.append(f"{names[host][series]} {value} {timestamp}\n")
            yield f"host{host:05d}", "".join(lines)


def _name(host, series, counters):
    if series < counters:
        return f'node_cpu_seconds_total{{instance="host{host:05d}",cpu="{series % 16}",mode="m{series}"}}'
    return f'node_memory_bytes{{instance="host{host:05d}",device="d{series}"}}'


def publish(address, topic, shape):
    """Publishes all of it with kcat, in lz4 batches, each host's records in one partition."""
    command = [
        "kcat", "-P", "-b", address, "-t", topic, "-z", "lz4", "-K", _escaped(KEY_END), "-D", _escaped(RECORD_END),
        "-X", "acks=all", "-X", "linger.ms=50", "-X", "queue.buffering.max.kbytes=65536",
        "-X", "partitioner=murmur2_random",
    ]
    kcat = subprocess.Popen(command, stdin=subprocess.PIPE)
    for key, value in records(shape):
        kcat.stdin.write(key.encode() + KEY_END + value.encode() + RECORD_END)
    kcat.stdin.close()
    if kcat.wait() != 0:
        raise SystemExit("bench: kcat could not publish the samples")


def _escaped(byte):
    return f"\\x{byte[0]:02x}"
