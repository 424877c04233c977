"""What was measured, beside what was wanted."""

import os
import statistics
import time

from machine import processor

# With more of the machine than this taken by others, CPU seconds and latencies are not what they would be alone.
BUSY_SHARE = 0.15


class Figures:
    def __init__(self, command):
        self._missed = []
        self._busy = 0
        print(f"{command} on {os.cpu_count()} cores ({processor()}), {time.strftime('%Y-%m-%d')}", flush=True)

    def at_most(self, name, value, goal, unit, note="", others=0.0):
        """Prints a figure that should not be larger than `goal`; None for one without a goal."""
        self._print(name, value, goal, unit, "<=", goal is None or value <= goal, note, others)

    def at_least(self, name, value, goal, unit, note="", others=0.0):
        self._print(name, value, goal, unit, ">=", value >= goal, note, others)

    def median_at_most(self, name, values, goal, unit, note="", others=0.0):
        """The median of several rounds; the note tells how far they lie apart."""
        spread = f"{_short(min(values))}-{_short(max(values))} in {len(values)}"
        note = f"{spread}; {note}" if note else spread
        self.at_most(name, statistics.median(values), goal, unit, note, others)

    def _print(self, name, value, goal, unit, relation, holds, note, others):
        if not holds:
            self._missed.append(name)
        if others > BUSY_SHARE:
            self._busy += 1
            note = "; ".join(filter(None, [note, f"BUSY: others took {others:.0%} of the machine"]))
        wanted = "" if goal is None else f"{'ok  ' if holds else 'MISS'} {relation} {_short(goal)}"
        print(f"{name:<50} {_short(value):>8} {unit:<10} {wanted:<15} {note}".rstrip(), flush=True)

    def finish(self):
        """Returns the status to exit with."""
        if self._busy:
            print(f"{self._busy} figures were taken on a busy machine; measure again when it is quiet")
        if self._missed:
            print(f"{len(self._missed)} missed: " + "; ".join(self._missed))
            return 1
        return 0


def _short(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"
