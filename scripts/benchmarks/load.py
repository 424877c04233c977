"""Records, and kcat to produce and consume them."""

import subprocess


def kcat(address, *arguments):
    subprocess.run(
        ["kcat", "-b", address, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


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
