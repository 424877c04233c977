"""How fast the broker starts on an empty directory, and what it takes at rest."""

import statistics
import tempfile
import time

from machine import Watch
from processes import Broker, release_binary


def add_command(commands):
    command = commands.add_parser("start", help="broker start-up time and memory at rest")
    command.add_argument("--runs", type=int, default=10)
    command.add_argument("--binary", metavar="PATH", help="measure this weir; do not build one")
    command.set_defaults(run=run)


def run(arguments, figures):
    binary = arguments.binary or release_binary()
    times, memory = [], []
    with Watch() as watch:
        for _ in range(arguments.runs):
            with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
                with Broker(binary, f"{directory}/broker") as broker:
                    times.append(broker.start_milliseconds)
                    time.sleep(1)
                    memory.append(broker.resident_megabytes())
                    broker.stop()
    others = watch.others_share
    figures.at_most(
        f"exec to ApiVersions, median of {arguments.runs}", statistics.median(times), 100, "ms", others=others
    )
    figures.at_most("exec to ApiVersions, slowest", max(times), None, "ms")
    figures.at_most("resident memory at rest, largest", max(memory), 30, "MB")
