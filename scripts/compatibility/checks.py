"""The table of checks: every client module registers what it does with `@check`."""

import dataclasses
import pathlib
import traceback


@dataclasses.dataclass
class Check:
    client: str
    name: str
    run: object


ALL = []


def check(client, name):
    """Registers a function that takes the broker's address and raises when the client does not work."""

    def register(function):
        ALL.append(Check(client, name, function))
        return function

    return register


def known_failures():
    reasons = {}
    for line in (pathlib.Path(__file__).parent / "known_failures.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            reasons[name] = reason
    return reasons


def run_all(address, only=None):
    """Runs every check, prints a table, and says whether all is as known."""
    known = known_failures()
    passed = failed = skipped = 0
    details = []
    for one in ALL:
        name = f"{one.client} / {one.name}"
        if only and only not in name:
            continue
        try:
            one.run(address)
            error = None
        except Exception as caught:  # whatever a client throws is a failed check
            error = caught
            trace = traceback.format_exc()
        if error is None and name in known:
            result = "PASSES NOW: take it off the list of known failures"
            failed += 1
        elif error is None:
            result = "ok"
            passed += 1
        elif name in known:
            result = f"known not to work: {known[name]}"
            skipped += 1
        else:
            result = f"FAILED: {error}"
            details.append(f"--- {name}\n{trace}")
            failed += 1
        print(f"{one.client:<26} {one.name:<44} {result}", flush=True)
    for detail in details:
        print(detail)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed == 0
