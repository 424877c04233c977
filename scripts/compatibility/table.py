"""The table of results, and whether all is as the list of known failures says."""

from checks import known_failures


class Table:
    def __init__(self):
        self._known = known_failures()
        self._details = []
        self._counts = {}
        self.passed = self.failed = self.known = 0

    def is_known(self, client, name):
        """Whether this is on the list of what is known not to work."""
        return f"{client} / {name}" in self._known

    def version(self, client, version):
        print(f"{client}: {version}", flush=True)

    def add(self, client, name, error, trace=None, seconds=None):
        title = f"{client} / {name}"
        counts = self._counts.setdefault(client, [0, 0, 0])
        if error is None and title in self._known:
            result = "PASSES NOW: take it off the list of known failures"
            self.failed += 1
            counts[2] += 1
        elif error is None:
            result = "ok"
            self.passed += 1
            counts[0] += 1
        elif title in self._known:
            result = f"known not to work: {self._known[title]}"
            self.known += 1
            counts[1] += 1
        else:
            result = f"FAILED: {error}"
            self.failed += 1
            counts[2] += 1
            self._details.append(f"--- {title}\n{trace or error}")
        time = "" if seconds is None else f"{seconds:5.1f} s"
        print(f"{client:<26} {name:<50} {time:>8}  {result}", flush=True)

    def finish(self):
        """Prints the sums; true if nothing failed that is not known to fail."""
        for detail in self._details:
            print(detail)
        print()
        print(f"{'client':<26} {'passed':>7} {'known not to work':>18} {'failed':>7}")
        for client, (passed, known, failed) in self._counts.items():
            print(f"{client:<26} {passed:>7} {known:>18} {failed:>7}")
        print(f"{self.passed} passed, {self.failed} failed, {self.known} known not to work")
        return self.failed == 0 and self.passed > 0
