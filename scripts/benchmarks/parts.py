"""A bench that is cut into parts which can be run alone."""

import subprocess

from processes import REPOSITORY, release_binary


def add_arguments(command, rounds):
    """The flags of such a bench; `rounds` is how many there are unless told otherwise."""
    command.add_argument("--only", metavar="PART,...", help="only these parts; also those of --long")
    command.add_argument("--long", action="store_true", help="also the parts that take long")
    command.add_argument(
        "--rounds", type=int, default=rounds, help=f"rounds of which the median is taken (default: {rounds})")
    command.add_argument("--binary", metavar="PATH", help="measure this weir; do not build one")
    command.add_argument("--directory", metavar="DIR", help="where the data goes (default: the temporary directory)")
    command.set_defaults(usage_error=command.error)


def prepare(arguments, parts, long_parts):
    """Sets up, builds, and gives the binary and the functions of the parts that were asked for."""
    names = arguments.only.split(",") if arguments.only else list(parts)
    for name in names:
        if name not in parts:
            arguments.usage_error(f"there is no part '{name}'; the parts are {', '.join(parts)}")
    if not arguments.only and not arguments.long:
        names = [name for name in names if name not in long_parts]
    subprocess.run([REPOSITORY / "scripts" / "setup", "--bench"], check=True)
    return arguments.binary or release_binary(), [parts[name] for name in names]
