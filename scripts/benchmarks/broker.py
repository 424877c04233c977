"""The broker under other people's clients, cut into parts that can be run alone."""

import argparse
import tempfile

import broker_connections
import broker_endurance
import broker_latency
import broker_partitions
import broker_throughput
import parts

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
    parts.add_arguments(command, rounds=5)
    command.set_defaults(run=run)


def run(arguments, figures):
    binary, chosen = parts.prepare(arguments, PARTS, LONG_PARTS)
    for part in chosen:
        with tempfile.TemporaryDirectory(prefix="weir-bench-", dir=arguments.directory) as directory:
            part(binary, directory, arguments, figures)
