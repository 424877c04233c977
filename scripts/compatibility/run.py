"""Runs other people's clients against a broker that it starts; see scripts/compat --help.

run.py --binary WEIR [--environment VIRTUAL_ENVIRONMENT] [--quick] [--capture FILE] [ONLY]
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from broker import Broker
from capture import Capture
from table import Table

# What runs with which Python: Debian's packages are in the system's, PyPI's in an environment of their own.
SYSTEM_MODULES = [
    "kcat_checks", "confluent_checks", "confluent_admin_checks", "kafka_python_checks", "daemon_checks",
    "burrow_checks", "subscriber_checks",
]
QUICK_SYSTEM_MODULES = ["kcat_checks", "kafka_python_checks"]
ENVIRONMENT_MODULES = [
    "confluent_checks", "confluent_admin_checks", "kafka_python_checks", "kafka_python_admin_checks",
    "aiokafka_checks", "weir_checks", "client_checks", "transaction_checks",
]


def run_worker(python, address, options, modules, table):
    worker, log = pathlib.Path(__file__).parent / "worker.py", tempfile.TemporaryFile("w+")
    process = subprocess.Popen(
        [python, str(worker), address, "quick" if options.quick else "all", options.only, *modules],
        stdout=subprocess.PIPE, stderr=log, text=True,
    )
    for line in process.stdout:
        said = json.loads(line)
        kind = said.pop("kind")
        if kind == "version":
            table.version(**said)
        else:
            table.add(**said)
    if process.wait() != 0:
        log.seek(0)
        table.add(python, "runs to its end", f"ended with status {process.returncode}", log.read()[-4000:])
    log.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--environment")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--capture", help="keep the captured traffic in this file")
    parser.add_argument("only", nargs="?", default="")
    options = parser.parse_args()
    table = Table()
    with Broker(options.binary) as broker:
        print(f"broker on {broker.address}", flush=True)
        capture = None if options.quick else Capture(broker.port, options.capture)
        run_worker(
            "/usr/bin/python3", broker.address, options,
            QUICK_SYSTEM_MODULES if options.quick else SYSTEM_MODULES, table)
        if options.environment:
            run_worker(f"{options.environment}/bin/python", broker.address, options, ENVIRONMENT_MODULES, table)
        if capture:
            capture.report(table)
        complaints = broker.complaints()
        table.add(
            "broker", "closed no client's connection, had no error", "\n".join(complaints[:10]) if complaints else None)
    sys.exit(0 if table.finish() else 1)


main()
