"""The broker under other people's clients, cut into parts that can be run alone."""

import argparse
import subprocess
import tempfile

import broker_connections
import broker_endurance
import broker_latency
import broker_partitions
import broker_throughput
from processes import REPOSITORY, release_binary

PARTS = {
    "throughput": broker_throughput.run,
    "latency": broker_latency.run,
    "partitions": broker_partitions.run,
    "connections": broker_connections.run,
    "records": broker_endurance.run_records,
    "endurance": broker_endurance.run_endurance,
}
LONG_PARTS = ["records", "endurance"]

DESCRIPTION = """\
The broker's CPU (kernel time included), latency and memory, with kcat and librdkafka as load on the same cores.

  throughput    produce and consume: CPU seconds per million records or per GB; acknowledged against page cache
  latency       one record at a time, produce to consume
  partitions    2,000 partitions: start after a clean stop and after kill -9, memory
  connections   5,000 idle connections: memory
  records       --long only: memory after 50 million records
  endurance     --long only: ten minutes of mixed load; memory and descriptors must not grow

Takes about 3 minutes, with --long about 16, and 8 GB of disk for a while.
"""


def add_command(commands):
    command = commands.add_parser(
        "broker", help="the broker's CPU, latency and memory under kcat's load", description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--only", metavar="PART,...", help="only these parts; also those of --long")
    command.add_argument("--long", action="store_true", help="also the parts that take long")
    command.add_argument("--rounds", type=int, default=5, help="rounds of which the median is taken (default: 5)")
    command.add_argument("--binary", metavar="PATH", help="measure this weir; do not build one")
    command.add_argument("--directory", metavar="DIR", help="where the data goes (default: the temporary directory)")
    command.set_defaults(run=run, usage_error=command.error)


def run(arguments, figures):
    names = arguments.only.split(",") if arguments.only else list(PARTS)
    for name in names:
        if name not in PARTS:
            arguments.usage_error(f"there is no part '{name}'; the parts are {', '.join(PARTS)}")
    if not arguments.only and not arguments.long:
        names = [name for name in names if name not in LONG_PARTS]
    subprocess.run([REPOSITORY / "scripts" / "setup", "--bench"], check=True)
    binary = arguments.binary or release_binary()
    for name in names:
        with tempfile.TemporaryDirectory(prefix="weir-bench-", dir=arguments.directory) as directory:
            PARTS[name](binary, directory, arguments, figures)
