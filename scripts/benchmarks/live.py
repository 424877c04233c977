"""From the call that publishes a sample to its line in the pipe that `weir live` writes to."""

import array
import os
import pathlib
import subprocess
import tempfile
import threading
import time

from load import PATIENCE
from machine import Watch
from processes import REPOSITORY, Broker, Measured, release_binary

SOURCE = pathlib.Path(__file__).with_name("live_publisher.c")
TOPIC = "metrics.bench"
RECORDS_PER_SECOND = 200
SAMPLES_PER_RECORD = 100
WARM_UP_SECONDS = 2

DESCRIPTION = f"""\
A librdkafka client publishes {RECORDS_PER_SECOND} records of {SAMPLES_PER_RECORD} samples a second with acks=1 \
({RECORDS_PER_SECOND * SAMPLES_PER_RECORD} samples/s), each with the time
of its publication as its value; 'weir live' of this repository writes them to a pipe, and this script takes the time when its
bytes arrive there. All on the same cores: client, broker, weir live and this script.
"""


def add_command(commands):
    command = commands.add_parser(
        "live", help="from publish to weir live: latency at 20,000 samples/s", description=DESCRIPTION)
    command.add_argument("--seconds", type=int, default=20, help="length of a round (default: 20)")
    command.add_argument("--rounds", type=int, default=3, help="rounds of which the median is taken (default: 3)")
    command.add_argument("--binary", metavar="PATH", help="measure this weir; do not build one")
    command.set_defaults(run=run)


def run(arguments, figures):
    subprocess.run([REPOSITORY / "scripts" / "setup", "--bench"], check=True)
    binary = arguments.binary or release_binary()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
        publisher = f"{directory}/live_publisher"
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-Wall", "-o", publisher, SOURCE, "-lrdkafka"], check=True)
        with Broker(binary, f"{directory}/broker", "--durability", "page-cache", "--self-metrics", "off") as broker:
            broker.topic("create", TOPIC)
            rounds = [_round(binary, broker, publisher, arguments.seconds, directory) for _ in range(arguments.rounds)]
            broker.stop()
    others = max(one["others"] for one in rounds)
    rate = RECORDS_PER_SECOND * SAMPLES_PER_RECORD
    load = f"load average {os.getloadavg()[0]:.1f}"
    for percentile, goal in [("p50", 2), ("p99", 10), ("p99.9", None), ("largest", None)]:
        figures.median_at_most(
            f"publish to weir live, {rate:,} samples/s: {percentile}", [one[percentile] for one in rounds], goal, "ms",
            load, others=others)
    figures.median_at_most(
        "weir live, all samples shown", [one["cpu"] for one in rounds], None, "CPU s/M", others=others)


class Live(Measured):
    """A `weir live` whose lines are read as they come, each chunk with the time of its arrival."""

    def __init__(self, binary, address, log_path):
        self._log_path = pathlib.Path(log_path)
        read, write = os.pipe()
        self.process = subprocess.Popen(
            [binary, "live", "bench_live", "--bootstrap", address, "--format", "prometheus", "--log-level", "info"],
            stdout=write, stderr=open(log_path, "wb"))
        self.pid = self.process.pid
        os.close(write)
        self.chunks = []
        self._reader = threading.Thread(target=self._read, args=(read,))
        self._reader.start()
        deadline = time.monotonic() + PATIENCE
        while b"waiting for what arrives" not in self._log_path.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: weir live did not begin: {self._log_path.read_text()}")
            time.sleep(0.01)

    def _read(self, pipe):
        while chunk := os.read(pipe, 1 << 20):
            self.chunks.append((time.time_ns() // 1000, chunk))
        os.close(pipe)

    def lines(self):
        return sum(chunk.count(b"\n") for _, chunk in list(self.chunks))

    def finish(self):
        self.stop()
        self._reader.join()

    def latencies(self):
        """Microseconds from publication to arrival of each sample, and the publication itself. A line counts as arrived with
        its last byte."""
        publications, latencies, rest = array.array("q"), array.array("q"), b""
        for arrival, chunk in self.chunks:
            lines = (rest + chunk).split(b"\n")
            rest = lines.pop()
            for line in lines:
                published = int(line.split(b" ")[1])
                publications.append(published)
                latencies.append(arrival - published)
        return publications, latencies


def _round(binary, broker, publisher, seconds, directory):
    with Live(binary, broker.address, f"{directory}/live.log") as live:
        total = WARM_UP_SECONDS + seconds
        with Watch(broker, live) as watch:
            done = subprocess.run(
                [publisher, broker.address, TOPIC, str(RECORDS_PER_SECOND), str(SAMPLES_PER_RECORD), str(total)],
                capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise SystemExit(f"bench: {done.stderr.strip()}")
        published = int(done.stdout.split()[0])
        deadline = time.monotonic() + PATIENCE
        while live.lines() < published:
            if time.monotonic() > deadline:
                raise SystemExit(f"bench: {live.lines()} of {published} samples arrived")
            time.sleep(0.01)
        cpu = live.cpu_seconds()
        live.finish()
        publications, latencies = live.latencies()
    if len(latencies) != published:
        raise SystemExit(f"bench: {published} samples were published, {len(latencies)} arrived")
    begin = publications[0] + WARM_UP_SECONDS * 1_000_000
    measured = sorted(latency for at, latency in zip(publications, latencies) if at >= begin)
    at = lambda share: measured[min(len(measured) - 1, int(len(measured) * share))] / 1000
    return {
        "p50": at(0.5), "p99": at(0.99), "p99.9": at(0.999), "largest": at(1.0), "cpu": cpu / published * 1e6,
        "others": watch.others_share,
    }
