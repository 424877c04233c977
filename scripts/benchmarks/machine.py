"""How busy the machine is with things that are not measured."""

import os
import pathlib
import resource
import time

TICKS = os.sysconf("SC_CLK_TCK")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return os.uname().machine


def _busy_seconds():
    """CPU seconds that all processes, interrupts and other guests of the host have taken from this machine."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _wait, irq, softirq, steal = (int(field) for field in fields)
    return (user + nice + system + irq + softirq + steal) / TICKS


def _own_seconds():
    """CPU seconds of this script and of the load it has started and waited for."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Watch:
    """Measures, within `with`, the wall time and how much of the machine went to others.

    What the kernel does in its own threads (writing back to the disk) counts as others, too.
    """

    def __init__(self, *measured):
        self._measured = measured

    def __enter__(self):
        self._begin = (time.monotonic(), _busy_seconds(), self._accounted())
        return self

    def __exit__(self, *_):
        wall, busy, accounted = self._begin
        self.seconds = time.monotonic() - wall
        others = (_busy_seconds() - busy) - (self._accounted() - accounted)
        self.others_share = max(0.0, others / (self.seconds * os.cpu_count()))

    def _accounted(self):
        return _own_seconds() + sum(process.cpu_seconds() for process in self._measured)


def warm_page_cache(directory, gigabytes):
    """Writes and removes a file, so that the pages the log is going to be written to are memory that the machine has.

    In a virtual machine the host gives out memory when it is first touched, which costs several times as much as
    copying the data, and the kernel books it to whoever touches it: here, to the broker's writes.
    """
    path = pathlib.Path(directory) / "warm"
    block = bytes(1 << 20)
    with open(path, "wb") as file:
        for _ in range(int(gigabytes * 1000)):
            file.write(block)
    path.unlink()
