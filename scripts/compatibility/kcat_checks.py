"""kcat, the C client: today's protocol, and the oldest ones it can be told to speak."""

import subprocess
import uuid

from checks import check

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
OLD_VERSIONS = ["0.8.2", "0.10.0"]


def kcat(address, *arguments, text=None):
    done = subprocess.run(
        ["kcat", "-b", address, *arguments], input=text, capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        raise RuntimeError(f"kcat {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def topic():
    return f"kcat-{uuid.uuid4().hex[:12]}"


def round_trip(address, codec, *options):
    name = topic()
    lines = [f"value {number}" for number in range(200)]
    kcat(address, "-P", "-t", name, "-z", codec, *options, text="\n".join(lines) + "\n")
    read = kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", *options).splitlines()
    assert read == lines, f"wrote {len(lines)} records, read {len(read)}"


def old(version):
    return ["-X", "api.version.request=false", "-X", f"broker.version.fallback={version}"]


@check("kcat", "metadata (-L)")
def metadata(address):
    name = topic()
    kcat(address, "-P", "-t", name, text="x\n")
    assert f'topic "{name}" with 1 partitions' in kcat(address, "-L")


for codec in CODECS:
    check("kcat", f"produce and consume, {codec}")(lambda address, codec=codec: round_trip(address, codec))


@check("kcat", "keys and headers")
def keys_and_headers(address):
    name = topic()
    kcat(address, "-P", "-t", name, "-K:", "-H", "from=lab", text="key:value\n")
    read = kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", "-f", "%k|%s|%h\n")
    assert read == "key|value|from=lab\n", read


@check("kcat", "offset for a time (-Q)")
def offset_for_time(address):
    name = topic()
    kcat(address, "-P", "-t", name, text="a\nb\n")
    assert f"{name} [0] offset 0" in kcat(address, "-Q", "-t", f"{name}:0:1")


@check("kcat", "consumer group (-G)")
def group(address):
    name = topic()
    kcat(address, "-P", "-t", name, text="a\nb\nc\n")
    options = ["-X", "auto.offset.reset=earliest", "-e", "-q"]
    assert kcat(address, "-G", f"group-{name}", *options, name) == "a\nb\nc\n"


for version in OLD_VERSIONS:
    check("kcat as for Kafka " + version, "metadata (-L)")(
        lambda address, version=version: kcat(address, "-L", *old(version))
    )
    for codec in ["none", "gzip", "snappy"]:
        check("kcat as for Kafka " + version, f"produce and consume, {codec}")(
            lambda address, codec=codec, version=version: round_trip(address, codec, *old(version))
        )
