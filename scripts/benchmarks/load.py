"""Records, and kcat to produce and consume them."""

import subprocess


# Seconds after which a load counts as stuck; on a quiet machine none takes more than a few.
PATIENCE = 300


def kcat(address, *arguments):
    command = ["kcat", "-b", address, *arguments]
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise SystemExit(f"bench: '{' '.join(command)}' was not done after {PATIENCE} s") from None
    if done.returncode != 0:
        raise SystemExit(f"bench: '{' '.join(command)}' failed: {done.stderr.strip()}")


def produce(address, topic, path, *arguments):
    kcat(address, "-P", "-X", "acks=all", "-X", "linger.ms=5", "-t", topic, "-l", path, *arguments)


def consume(address, topic):
    """Reads a topic from its beginning to its end."""
    kcat(address, "-C", "-t", topic, "-o", "beginning", "-e", "-q")


def write_records(path, count, size):
    """Lines of `size` bytes that differ, of a text that compresses about as metrics do."""
    with open(path, "w") as file:
        for number in range(count):
            series = f'node_cpu_seconds_total{{cpu="{number % 64}",mode="idle",instance="host-{number % 977}"}} '
            line = series + str(number * 7919)
            file.write((line * (size // len(line) + 1))[:size] + "\n")
    return path
