"""Runs the checks against a broker that it starts: run.py BINARY [ONLY]."""

import sys

from broker import Broker
from checks import run_all

import kcat_checks  # noqa: F401  (registers its checks)
import confluent_checks  # noqa: F401
import python_checks  # noqa: F401
import transaction_checks  # noqa: F401

binary, only = sys.argv[1], (sys.argv[2:] or [None])[0]
with Broker(binary) as broker:
    print(f"broker on {broker.address}")
    ok = run_all(broker.address, only)
sys.exit(0 if ok else 1)
