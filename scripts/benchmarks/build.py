"""How long a release build takes from a clean clone, and how large its binary is."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

from machine import Watch
from processes import BUILD, REPOSITORY


def add_command(commands):
    command = commands.add_parser("build", help="build time and binary size from a clean clone")
    command.set_defaults(run=run)


def run(_arguments, figures):
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as directory:
        clone = pathlib.Path(directory) / "weir"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        with Watch() as watch:
            subprocess.run(BUILD, cwd=clone, check=True, stdout=sys.stderr)
        built = next(clone.glob(".build/*/release/weir"))
        stripped = pathlib.Path(directory) / "weir-stripped"
        shutil.copy(built, stripped)
        subprocess.run(["strip", str(stripped)], check=True)
        figures.at_most(
            "release build from a clean clone", watch.seconds / 60, 7, "min", "goal for 2 cores",
            others=watch.others_share,
        )
        figures.at_most("stripped binary, Swift runtime inside", stripped.stat().st_size / 1e6, 80, "MB")
