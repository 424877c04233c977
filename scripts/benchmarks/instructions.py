"""Instructions of the broker for a fixed load, by callgrind: a figure that does not depend on how busy the machine is, so
that small differences between two builds show."""

import argparse
import glob
import pathlib
import re
import shutil
import subprocess
import tempfile

from load import consume, kcat, write_records
from processes import Broker, REPOSITORY, release_binary

RECORDS = 300_000
SINGLES = 3_000

# What is measured: how many, and of what.
LOADS = {
    "produce 100-byte records": (RECORDS, "/record"),
    "produce one record a request": (SINGLES, "/request"),
    "consume 100-byte records": (RECORDS, "/record"),
}
# Callgrind is some fifty times slower than the machine.
PATIENCE = ["-X", "message.timeout.ms=600000"]

DESCRIPTION = """\
Runs the broker under callgrind (user-mode instructions) with the page-cache policy and kcat as load:

  produce    300,000 records of 100 bytes, linger.ms=5, per record
  single     3,000 requests of one record each, one at a time, per request
  consume    the 300,000 records, per record

With --against it measures another weir too, such as a release build of an earlier commit, and prints what has been added.
"""


def add_command(commands):
    command = commands.add_parser(
        "instructions", help="instructions of the broker per record and request, by callgrind",
        description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--binary", metavar="PATH", help="measure this weir; do not build one")
    command.add_argument("--against", metavar="PATH", help="another weir to compare with")
    command.set_defaults(run=run)


def run(arguments, figures):
    subprocess.run([REPOSITORY / "scripts" / "setup", "--bench"], check=True)
    binary = arguments.binary or release_binary()
    now = measure(binary)
    before = measure(arguments.against) if arguments.against else {}
    for load, (count, unit) in LOADS.items():
        note = ""
        if load in before:
            note = f"{before[load] / count:.1f} before; {(now[load] / before[load] - 1):+.2%}"
        figures.at_most(load, now[load] / count, None, unit, note)


def measure(binary):
    """Instructions by load."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
        # Valgrind 3.19 does not read the debug information that Swift writes.
        stripped = f"{directory}/weir"
        subprocess.run(["objcopy", "--strip-debug", binary, stripped], check=True)
        many = write_records(f"{directory}/many", RECORDS, 100)
        few = write_records(f"{directory}/few", SINGLES, 100)
        with InstrumentedBroker(stripped, f"{directory}/broker") as broker:
            broker.mark("start")
            kcat(broker.address, "-P", "-X", "linger.ms=5", *PATIENCE, "-t", "many", "-l", many)
            broker.mark("produce 100-byte records")
            one = ["-X", "linger.ms=0", "-X", "batch.num.messages=1", "-X", "max.in.flight=1"]
            kcat(broker.address, "-P", *one, *PATIENCE, "-t", "few", "-l", few)
            broker.mark("produce one record a request")
            consume(broker.address, "many")
            broker.mark("consume 100-byte records")
            broker.stop()
            return broker.instructions()


class InstrumentedBroker(Broker):
    """A broker below callgrind."""

    def __init__(self, binary, directory):
        self._profile = f"{directory}.callgrind"
        wrapper = pathlib.Path(f"{directory}.sh")
        valgrind = shutil.which("valgrind")
        wrapper.write_text(
            f'#!/bin/sh\nexec {valgrind} --tool=callgrind --callgrind-out-file="{self._profile}" "{binary}" "$@"\n'
        )
        wrapper.chmod(0o755)
        super().__init__(str(wrapper), directory, "--durability", "page-cache")

    def mark(self, name):
        """Ends a part of the profile."""
        subprocess.run(["callgrind_control", f"--dump={name}", str(self.pid)], check=True, stdout=subprocess.DEVNULL)

    def instructions(self):
        counts = {}
        for path in glob.glob(f"{self._profile}*"):
            text = pathlib.Path(path).read_text(errors="replace")
            name = re.search(r"^desc: Trigger: dump (.+)$", text, re.MULTILINE)
            total = re.search(r"^summary: (\d+)", text, re.MULTILINE)
            if name and total:
                counts[name.group(1)] = int(total.group(1))
        return counts
