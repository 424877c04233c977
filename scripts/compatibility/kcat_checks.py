"""kcat, the C client (librdkafka): today's protocol, and the oldest ones it can be told to speak."""

import subprocess

from checks import VERSIONS, check, fresh

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
OLD_VERSIONS = ["0.8.2", "0.10.0"]
TIMESTAMP = 1_700_000_000_000


def kcat(address, *arguments, text=None):
    if "-C" in arguments or "-G" in arguments:  # how long it waits at the end before it says that it is there
        arguments = ["-X", "fetch.wait.max.ms=50", *arguments]
    done = subprocess.run(
        ["kcat", "-b", address, *arguments], input=text, capture_output=True, text=True, timeout=30
    )
    if done.returncode != 0:
        raise RuntimeError(f"kcat {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def version():
    said = subprocess.run(["kcat", "-V"], capture_output=True, text=True).stdout
    line = next((line for line in said.splitlines() if "Version" in line), said)
    return line.partition("Version ")[2] or line


VERSIONS["kcat"] = version()


def round_trip(address, codec, *options):
    name = fresh("kcat")
    lines = [f"value {number}" for number in range(200)]
    kcat(address, "-P", "-t", name, "-z", codec, *options, text="\n".join(lines) + "\n")
    read = kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", *options).splitlines()
    assert read == lines, f"wrote {len(lines)} records, read {len(read)}"


def old(version):
    return ["-X", "api.version.request=false", "-X", f"broker.version.fallback={version}"]


def metadata(address, *options):
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, *options, text="x\n")
    listed = kcat(address, "-L", *options)
    assert f'topic "{name}" with 1 partitions' in listed, listed
    assert f"at {address}" in listed, listed


def group(address, *options):
    """Two runs of one group: the second reads only what the first has not."""
    name = fresh("kcat")
    read = lambda: kcat(address, "-G", f"group-{name}", "-X", "auto.offset.reset=earliest", "-e", "-q", *options, name)
    kcat(address, "-P", "-t", name, *options, text="a\nb\nc\n")
    assert read() == "a\nb\nc\n"
    kcat(address, "-P", "-t", name, *options, text="d\n")
    assert read() == "d\n"


def tail(address, *options):
    """The last two records; the end is asked for with ListOffsets."""
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, *options, text="a\nb\nc\n")
    read = kcat(address, "-C", "-t", name, "-o", "-2", "-e", "-q", *options)
    assert read == "b\nc\n", read


check("kcat", "metadata (-L)", quick=True)(metadata)
check("kcat", "group (-G), goes on where it was", quick=True)(group)
check("kcat", "the last records (-o -2)", quick=True)(tail)
for codec in CODECS:
    check("kcat", f"produce and consume, {codec}", quick=True)(
        lambda address, codec=codec: round_trip(address, codec))


@check("kcat", "keys and headers", quick=True)
def keys_and_headers(address):
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, "-K:", "-H", "from=lab", text="key:value\n")
    read = kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", "-f", "%k|%s|%h\n")
    assert read == "key|value|from=lab\n", read


@check("kcat", "offset for a time (-Q, -o s@)", quick=True)
def offset_for_time(address):
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, text="a\nb\n")
    stamped = kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", "-f", "%T\n").split()
    assert f"{name} [0] offset 0" in kcat(address, "-Q", "-t", f"{name}:0:1")
    # Later than all there is: the end.
    assert f"{name} [0] offset -1" in kcat(address, "-Q", "-t", f"{name}:0:{int(stamped[-1]) + 1000}")
    assert kcat(address, "-C", "-t", name, "-o", f"s@{stamped[0]}", "-e", "-q") == "a\nb\n"


@check("kcat", "a record of 1 MB, and one that is too large", quick=True)
def large_records(address):
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, "-X", "message.max.bytes=2000000", text="x" * 1_000_000 + "\n")
    assert len(kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q")) == 1_000_001
    try:
        kcat(address, "-P", "-t", name, "-X", "message.max.bytes=3000000", text="x" * 2_000_000 + "\n")
    except RuntimeError as refused:
        assert "too large" in str(refused), refused
    else:
        raise AssertionError("2 MB were accepted in a topic that takes 1 MiB")


@check("kcat", "acks=0 and acks=1", quick=True)
def fewer_acks(address):
    name = fresh("kcat")
    for acks in ["0", "1"]:
        kcat(address, "-P", "-t", name, "-X", f"acks={acks}", text=f"{acks}\n")
    read = kcat(address, "-C", "-t", name, "-o", "beginning", "-c", "2", "-q").split()
    assert sorted(read) == ["0", "1"], read


@check("kcat", "idempotent producer (-X enable.idempotence)", quick=True)
def idempotent(address):
    name = fresh("kcat")
    lines = "".join(f"{number}\n" for number in range(5000))
    kcat(address, "-P", "-t", name, "-X", "enable.idempotence=true", text=lines)
    assert kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q") == lines


@check("kcat", "checks every CRC (-X check.crcs)")
def checks_crcs(address):
    name = fresh("kcat")
    kcat(address, "-P", "-t", name, "-z", "lz4", text="a\nb\n")
    assert kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", "-X", "check.crcs=true") == "a\nb\n"


for version in OLD_VERSIONS:
    client = f"kcat as for Kafka {version}"
    check(client, "metadata (-L)", quick=True)(lambda address, v=version: metadata(address, *old(v)))
    check(client, "the last records (-o -2)", quick=True)(lambda address, v=version: tail(address, *old(v)))
    for codec in CODECS:  # those that Kafka did not have then are sent uncompressed by kcat
        check(client, f"produce and consume, {codec}", quick=codec in ["none", "gzip"])(
            lambda address, c=codec, v=version: round_trip(address, c, *old(v)))

    @check(client, "reads what today's clients write, and they read its records", quick=True)
    def across_ages(address, version=version):
        name = fresh("kcat")
        for codec in ["none", "gzip", "snappy"]:
            kcat(address, "-P", "-t", name, "-z", codec, text=f"new {codec}\n")
            kcat(address, "-P", "-t", name, "-z", codec, *old(version), text=f"old {codec}\n")
        expected = [f"{age} {codec}" for codec in ["none", "gzip", "snappy"] for age in ["new", "old"]]
        for options in [[], old(version)]:
            assert kcat(address, "-C", "-t", name, "-o", "beginning", "-e", "-q", *options).splitlines() == expected

    @check(client, "offsets stored with the broker (-o stored)")
    def stored_offsets(address, version=version):
        name = fresh("kcat")
        options = [
            *old(version), "-X", f"group.id=group-{name}", "-X", "topic.auto.commit.interval.ms=10", "-X",
            "topic.offset.store.method=broker", "-X", "topic.auto.offset.reset=smallest",
        ]
        read = lambda: kcat(address, "-C", "-t", name, "-o", "stored", "-e", "-q", *options)
        kcat(address, "-P", "-t", name, text="a\nb\n")
        assert read() == "a\nb\n"
        kcat(address, "-P", "-t", name, text="c\n")
        assert read() == "c\n"


check("kcat as for Kafka 0.10.0", "group (-G), goes on where it was", quick=True)(
    lambda address: group(address, *old("0.10.0")))
