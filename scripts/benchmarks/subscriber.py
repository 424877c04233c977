"""The subscriber: CPU per sample, bytes per sample, memory per series, how long it takes to catch up."""

import argparse
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import time

import parts
from machine import Watch
from processes import Broker, Measured
from samples import Shape, publish

TOPIC = "metrics.bench"
PARTITIONS = 4
# Seconds after which a subscriber counts as stuck.
PATIENCE = 600

DESCRIPTION = """\
What it costs to bring samples from a topic into SQLite, retention, limits, windows and own metrics on. Samples are published
by kcat in lz4 batches, one record per host and run, before the subscriber starts.

  throughput   5 million samples: CPU seconds per million, memory, bytes per sample
  live         20,000 samples/s of 20,000 series as they come, one of each a second: CPU seconds per million
  modes        the first in every processing mode; sequence on a tenth of them
  restart      kill -9 while 50,000 samples/s come, and a new start at once: how long until the present is in the database
  catch-up     away for 60 s at 50,000 samples/s: how long until all of it is in the database
  series       100,000 active series: memory
  million      --long only: 1 million active series: memory
  host         --long only: an hour of this host's own metrics: bytes per sample
"""


def add_command(commands):
    command = commands.add_parser(
        "subscriber", help="the subscriber's CPU, memory and bytes per sample", description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts.add_arguments(command, rounds=3)
    command.add_argument("--runs", type=int, default=500, help="runs of each host (default: 500)")
    command.set_defaults(run=run)


class Subscriber(Measured):
    """A `weir subscriber` with a database of its own."""

    def __init__(self, binary, broker, database, *arguments):
        self._binary, self.database = binary, database
        self.begin = time.monotonic()
        self._log = open(f"{database}.log", "ab")
        super().__init__(
            [binary, "subscriber", "--bootstrap", broker.address, "--database", database, *arguments], log=self._log)

    def wait_for(self, records):
        """Until the offsets in the database have reached this many records. Returns the seconds since the start."""
        while self.committed() < records:
            if self.process.poll() is not None:
                raise SystemExit(f"the subscriber ended with status {self.process.returncode}; see {self._log.name}")
            if time.monotonic() - self.begin > PATIENCE:
                raise SystemExit(f"{self.committed()} of {records} records were committed after {PATIENCE} s")
            time.sleep(0.02)
        return time.monotonic() - self.begin

    def committed(self):
        if not pathlib.Path(self.database).exists():
            return 0
        try:
            connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
            try:
                query = "SELECT coalesce(sum(next_offset), 0) FROM source_offset WHERE topic = ?"
                return connection.execute(query, [TOPIC]).fetchone()[0]
            finally:
                connection.close()
        except sqlite3.OperationalError:
            return 0  # its tables are not made yet

    def statistics(self):
        return database_statistics(self._binary, self.database)


def database_statistics(binary, database):
    command = [binary, "database", "stats", "--database", database, "--format", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run(arguments, figures):
    binary, chosen = parts.prepare(arguments, PARTS, LONG_PARTS)
    for part in chosen:
        with tempfile.TemporaryDirectory(prefix="weir-bench-", dir=arguments.directory) as directory:
            with Broker(binary, f"{directory}/broker", "--durability", "page-cache") as broker:
                broker.topic("create", TOPIC, "--partitions", str(PARTITIONS))
                part(binary, broker, directory, arguments, figures)


def run_throughput(binary, broker, directory, arguments, figures):
    shape = Shape(runs=arguments.runs)
    publish(broker.address, TOPIC, shape)
    cpu, wall, memory, others = [], [], [], []
    for number in range(arguments.rounds):
        with Subscriber(binary, broker, f"{directory}/{number}.sqlite", "--group", f"g{number}") as subscriber:
            with Watch(subscriber, broker) as watch:
                wall.append(subscriber.wait_for(shape.records))
                cpu.append(subscriber.cpu_seconds())
            memory.append(subscriber.resident_megabytes())
            others.append(watch.others_share)
            subscriber.stop()
            statistics = subscriber.statistics()
        _check(statistics, shape)
    millions = shape.samples / 1e6
    figures.median_at_most(
        "topic to SQLite", [seconds / millions for seconds in cpu], 1.2, "s/million",
        f"{min(shape.samples / seconds for seconds in wall):,.0f} samples/s at least", max(others))
    figures.at_most("resident memory after it", max(memory), None, "MB")
    figures.at_most("bytes per sample in chunks", statistics["bytesPerSealedSample"], 3, "bytes")
    figures.at_most(
        "bytes per sample, windows and indexes included", statistics["fileBytes"] / shape.samples, None, "bytes")


def run_live(binary, broker, directory, _arguments, figures):
    """Most commits have one sample of each series, which is the dearest there is. A whole minute, so that it is settled once."""
    generate = [
        binary, "generate", "--kind", "cpu", "--hosts", "100", "--series", "200", "--interval", "1s", "--topic", TOPIC,
        "--bootstrap", broker.address, "--spool-dir", f"{directory}/spool",
    ]
    with Measured(generate), Subscriber(binary, broker, f"{directory}/weir.sqlite") as subscriber:
        time.sleep(15)  # all series are known, and what came meanwhile is committed
        with Watch(subscriber, broker) as watch:
            cpu, records = subscriber.cpu_seconds(), subscriber.committed()
            time.sleep(60)
            cpu, records = subscriber.cpu_seconds() - cpu, subscriber.committed() - records
        figures.at_most(
            "20,000 samples/s as they come", cpu / (records * 200) * 1e6, None, "s/million",
            f"{records * 200 / 60:,.0f} samples/s", watch.others_share)
        figures.at_most("resident memory", subscriber.resident_megabytes(), None, "MB")
        subscriber.stop()


def run_modes(binary, broker, directory, arguments, figures):
    shape = Shape(runs=arguments.runs)
    publish(broker.address, TOPIC, shape)
    for mode in ["batch", "stream", "realtime"]:
        with Subscriber(binary, broker, f"{directory}/{mode}.sqlite", "--group", mode, "--mode", mode) as subscriber:
            wall = subscriber.wait_for(shape.records)
            cpu = subscriber.cpu_seconds() / shape.samples * 1e6
            figures.at_most(f"mode {mode}", cpu, None, "s/million", f"{shape.samples / wall:,.0f} samples/s")
            figures.at_most(f"mode {mode}: resident memory", subscriber.resident_megabytes(), None, "MB")
            subscriber.stop()
            _check(subscriber.statistics(), shape)
    with Subscriber(binary, broker, f"{directory}/sequence.sqlite", "--group", "s", "--mode", "sequence") as subscriber:
        count = shape.records // 10
        wall = subscriber.wait_for(count)
        cpu = subscriber.cpu_seconds() / (count * shape.series) * 1e6
        figures.at_most(
            "mode sequence", cpu, None, "s/million",
            f"{count / wall:,.0f} records/s of {shape.series} samples, one transaction each")
        subscriber.stop()


def run_restart(binary, broker, directory, _arguments, figures):
    """What the killed process had read and not committed is read again, and what has come meanwhile."""
    database, waits = f"{directory}/weir.sqlite", []
    generate = [
        binary, "generate", "--kind", "cpu", "--hosts", "500", "--series", "100", "--interval", "1s",
        "--bootstrap", broker.address, "--spool-dir", f"{directory}/spool",
    ]
    with Measured(generate):
        subscriber = Subscriber(binary, broker, database)
        for _ in range(5):
            time.sleep(7.3)  # killed at different moments between two commits
            subscriber.kill()
            restart = time.time()
            subscriber = Subscriber(binary, broker, database)
            while _newest(database) < restart and time.time() < restart + PATIENCE:
                time.sleep(0.01)
            waits.append(time.time() - restart)
        subscriber.kill()
    figures.median_at_most(
        "kill -9 under 50,000 samples/s: at the present again", waits, 2, "s",
        "broker and generator on the same cores")


def _newest(database):
    """The time of the newest sample."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return (connection.execute("SELECT max(timestamp) FROM sample").fetchone()[0] or 0) / 1000
    finally:
        connection.close()


def run_catch_up(binary, broker, directory, _arguments, figures):
    """What is measured is wall time, since that is what one waits; others on the machine are in it."""
    shape = Shape(hosts=500, runs=60, interval_ms=1000, age_runs=600)
    database = f"{directory}/weir.sqlite"
    publish(broker.address, TOPIC, shape)
    with Subscriber(binary, broker, database) as subscriber:
        subscriber.wait_for(shape.records)
        subscriber.kill()
    publish(broker.address, TOPIC, Shape(hosts=500, runs=60, interval_ms=1000, seed=2))
    with Subscriber(binary, broker, database) as subscriber:
        with Watch(subscriber, broker) as watch:
            seconds = subscriber.wait_for(2 * shape.records)
        figures.at_most(
            "60 s at 50,000 samples/s read again after kill -9", seconds, 2, "s",
            f"{subscriber.cpu_seconds():.1f} CPU s", watch.others_share)
        subscriber.stop()


def run_series(binary, broker, directory, _arguments, figures):
    _series(binary, broker, directory, figures, Shape(hosts=1000, runs=12), 150)


def run_million(binary, broker, directory, _arguments, figures):
    _series(binary, broker, directory, figures, Shape(hosts=10_000, runs=4), 1200)


def _series(binary, broker, directory, figures, shape, goal):
    publish(broker.address, TOPIC, shape)
    limits = ["--series-limit", "2000000", "--series-limit-per-metric", "2000000"]
    with Subscriber(binary, broker, f"{directory}/weir.sqlite", *limits) as subscriber:
        subscriber.wait_for(shape.records)
        figures.at_most(
            f"resident memory, {shape.hosts * shape.series:,} active series", subscriber.resident_megabytes(), goal,
            "MB", f"{subscriber.cpu_seconds() / shape.samples * 1e6:.2f} CPU s per million samples, all series new")
        subscriber.stop()
        _check(subscriber.statistics(), shape)


def run_host(binary, broker, directory, _arguments, figures):
    seconds = 3600
    agent = [binary, "agent", "--bootstrap", broker.address, "--spool-dir", f"{directory}/spool", "--self-metrics", "off"]
    database = f"{directory}/weir.sqlite"
    with Measured(agent) as agent, Subscriber(binary, broker, database, "--self-metrics", "off") as subscriber:
        time.sleep(seconds)
        agent.stop()
        subscriber.stop()
    statistics = database_statistics(binary, database)
    figures.at_most(
        "bytes per sample of this host's own metrics, an hour", statistics["bytesPerSealedSample"], 1.5, "bytes",
        f"{statistics['series']} series")


def _check(statistics, shape):
    """A figure of samples that are not all there would be none."""
    if statistics["samples"] < shape.samples:
        raise SystemExit(f"bench: {statistics['samples']} of {shape.samples} samples are in the database")


PARTS = {
    "throughput": run_throughput,
    "live": run_live,
    "modes": run_modes,
    "restart": run_restart,
    "catch-up": run_catch_up,
    "series": run_series,
    "million": run_million,
    "host": run_host,
}
LONG_PARTS = ["million", "host"]
