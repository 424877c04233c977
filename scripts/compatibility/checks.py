"""The register of checks. A module that tests a client registers what it does with `@check`; `worker.py` runs them."""

import dataclasses
import pathlib
import sys
import traceback
import uuid


@dataclasses.dataclass
class Check:
    client: str
    name: str
    run: object
    is_quick: bool

    @property
    def title(self):
        return f"{self.client} / {self.name}"


ALL = []
VERSIONS = {}


def check(client, name, quick=False):
    """Registers a function that takes the broker's address and raises when the client does not work.

    `quick` ones are part of `scripts/compat --quick`, which `scripts/test` runs.
    """

    def register(function):
        ALL.append(Check(client, name, function, quick))
        return function

    return register


def client_name(name, version):
    """What a Python client is called in the table: one that Debian packages is told from PyPI's newest."""
    name = f"{name} (Debian)" if sys.prefix == "/usr" else name
    VERSIONS[name] = version
    return name


def fresh(prefix):
    """A name that nothing else has used: checks share one broker."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def outcome(one, address):
    """Runs a check: None, or what went wrong and where."""
    try:
        one.run(address)
        return None
    except Exception as caught:  # whatever a client throws is a failed check
        said = str(caught).strip().splitlines()
        return f"{type(caught).__name__}: {said[0] if said else ''}", traceback.format_exc()


def known_failures():
    reasons = {}
    for line in (pathlib.Path(__file__).parent / "known_failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            title, _, reason = line.rpartition(": ")  # a check's name may have a colon, a reason has none
            reasons[title] = reason
    return reasons
