"""Runs the checks of some modules and writes a JSON object a line: worker.py ADDRESS QUICK ONLY MODULE…

One process per Python that has clients: the one of Debian's packages, and the environment with PyPI's.
"""

import importlib
import json
import logging
import signal
import sys
import time

import checks

SECONDS_PER_CHECK = 90


def give_up(_signal, _frame):
    raise TimeoutError(f"not done after {SECONDS_PER_CHECK} s")


def write(**values):
    print(json.dumps(values), flush=True)


address, quick, only, *modules = sys.argv[1:]
logging.disable(logging.CRITICAL)  # clients also log what they then raise
for module in modules:
    importlib.import_module(module)
for client, version in checks.VERSIONS.items():
    write(kind="version", client=client, version=version)
signal.signal(signal.SIGALRM, give_up)
for one in checks.ALL:
    if (quick == "quick" and not one.is_quick) or only not in one.title:
        continue
    begin = time.monotonic()
    signal.alarm(SECONDS_PER_CHECK)
    failure = checks.outcome(one, address)
    signal.alarm(0)
    write(
        kind="result", client=one.client, name=one.name, seconds=time.monotonic() - begin,
        error=failure and failure[0], trace=failure and failure[1],
    )
