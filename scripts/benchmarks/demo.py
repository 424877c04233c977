"""What the whole pipeline in one process takes."""

import tempfile
import time

from machine import Watch
from processes import Measured, free_port, release_binary


def add_command(commands):
    command = commands.add_parser("demo", help="memory and CPU of the demo")
    command.add_argument("--seconds", type=int, default=30)
    command.set_defaults(run=run)


def run(arguments, figures):
    binary = release_binary()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
        with Measured([binary, "demo", "--data-dir", directory, "--broker-port", str(free_port())], log=None) as demo:
            time.sleep(10)
            cpu, memory = demo.cpu_seconds(), []
            with Watch(demo) as watch:
                for _ in range(arguments.seconds):
                    time.sleep(1)
                    memory.append(demo.resident_megabytes())
            share = (demo.cpu_seconds() - cpu) / watch.seconds * 100
            demo.stop()
    figures.at_most(f"demo: largest resident memory over {arguments.seconds} s", max(memory), 80, "MB")
    figures.at_most("demo: CPU of one core", share, 3, "%", others=watch.others_share)
