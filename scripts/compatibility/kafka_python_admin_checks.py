"""kafka-python's admin command line (`python -m kafka.admin`), which PyPI's versions since 2.1 have."""

import json
import subprocess
import sys
import threading

import kafka

from checks import check, fresh
from kafka_python_checks import CLIENT, produce, read


def admin(address, *arguments, output="json"):
    """Runs the command line; what it prints, from JSON, or as it stands if it has no JSON for that."""
    done = subprocess.run(
        [sys.executable, "-m", "kafka.admin", "-b", address, "-l", "CRITICAL", "--format", output, *arguments],
        capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {said[-1] if said else ''}")
    return json.loads(done.stdout) if output == "json" and done.stdout.strip() else done.stdout


def created(address, partitions=2, records=0):
    name = fresh("kafka-python")
    admin(address, "topics", "create", "-t", name, "--num-partitions", str(partitions))
    if records:
        produce(address, name, records)
    return name


@check(CLIENT, "command line: topics create, list, describe, delete")
def topics(address):
    name = created(address, 3)
    assert name in admin(address, "topics", "list")
    described = json.dumps(admin(address, "topics", "describe", "-t", name))
    assert described.count('"partition_index"') == 3, described
    admin(address, "topics", "delete", "-t", name)
    assert name not in admin(address, "topics", "list")


@check(CLIENT, "command line: partitions create, describe, list-offsets")
def partitions(address):
    name = created(address, 1, records=20)
    admin(address, "partitions", "create", "-p", f"{name}:3")
    described = admin(address, "partitions", "describe", "-t", name, output="raw")
    assert described.count("partition_index") == 3, described
    for spec, expected in [("earliest", 0), ("latest", 20), ("max-timestamp", None)]:
        listed = json.dumps(admin(address, "partitions", "list-offsets", "-t", name, "-s", spec))
        assert name in listed and (expected is None or str(expected) in listed), listed


@check(CLIENT, "command line: partitions delete-records")
def delete_records(address):
    name = created(address, 1, records=20)
    said = admin(address, "partitions", "delete-records", "-r", f"{name}:0:15", output="raw")
    assert "15" in said, said
    assert len(read(address, name, f"group-{name}", 5)) == 5


@check(CLIENT, "command line: configs describe, alter, reset")
def configs(address):
    name = created(address)
    resource = ["-r", "topic", "-n", name]
    for mode in ["--force-incremental", "--force-alter"]:
        admin(address, "configs", "alter", *resource, "-c", "retention.ms=4242", mode)
        described = json.dumps(admin(address, "configs", "describe", *resource))
        assert "4242" in described, described
        admin(address, "configs", "reset", *resource, "-c", "retention.ms")
        described = json.dumps(admin(address, "configs", "describe", *resource))
        assert "4242" not in described, described
    assert admin(address, "configs", "describe", "-r", "broker", "-n", "1", "--static")


@check(CLIENT, "command line: groups list, describe, list-offsets, delete")
def groups(address):
    name = created(address, 1, records=20)
    group = f"group-{name}"
    assert len(read(address, name, group, 20)) == 20
    assert group in json.dumps(admin(address, "groups", "list"))
    assert "Empty" in json.dumps(admin(address, "groups", "describe", "-g", group))
    listed = json.dumps(admin(address, "groups", "list-offsets", "-g", group))
    assert '"offset": 20' in listed and '"lag": 0' in listed, listed
    admin(address, "groups", "delete", "-g", group)
    assert group not in json.dumps(admin(address, "groups", "list"))


@check(CLIENT, "command line: groups alter-, reset- and delete-offsets")
def group_offsets(address):
    name = created(address, 1, records=20)
    group = f"group-{name}"
    assert len(read(address, name, group, 20)) == 20
    admin(address, "groups", "alter-offsets", "-g", group, "-o", f"{name}:0:12")
    assert '"offset": 12' in json.dumps(admin(address, "groups", "list-offsets", "-g", group))
    admin(address, "groups", "reset-offsets", "-g", group, "-p", f"{name}:0", "-s", "earliest")
    assert len(read(address, name, group, 20)) == 20
    admin(address, "groups", "delete-offsets", "-g", group, "-p", f"{name}:0")
    assert len(read(address, name, group, 20)) == 20


@check(CLIENT, "command line: groups remove-members")
def remove_members(address):
    name = created(address, 1)
    group = f"group-{name}"
    consumer = kafka.KafkaConsumer(name, bootstrap_servers=address, group_id=group, group_instance_id="instance")
    stop = threading.Event()

    def poll():
        while not stop.is_set():
            consumer.poll(100)

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        for _ in range(100):
            if "Stable" in json.dumps(admin(address, "groups", "describe", "-g", group)):
                break
        removed = json.dumps(admin(address, "groups", "remove-members", "-g", group, "-i", "instance"))
        assert "NoError" in removed, removed
    finally:
        stop.set()
        thread.join(10)
        consumer.close()


@check(CLIENT, "command line: cluster describe, log-dirs, versions")
def cluster(address):
    name = created(address, 1, records=5)
    described = json.dumps(admin(address, "cluster", "describe"))
    assert str(address.rpartition(":")[2]) in described, described
    assert name in json.dumps(admin(address, "cluster", "describe-log-dirs"))
    versions = admin(address, "cluster", "api-versions")
    assert "Produce" in json.dumps(versions), versions
    assert admin(address, "cluster", "broker-version", "--broker", "1")


for title, arguments in [
    ("acls describe", ["acls", "describe"]),
    ("cluster describe-quorum", ["cluster", "describe-quorum"]),
    ("cluster describe-features", ["cluster", "describe-features"]),
    ("configs list", ["configs", "list"]),
    ("partitions elect-leaders", ["partitions", "elect-leaders", "--election-type", "preferred"]),
    ("partitions list-reassignments", ["partitions", "list-reassignments"]),
    ("transactions list", ["transactions", "list"]),
    ("users describe-scram", ["users", "describe-scram-credentials"]),
]:
    check(CLIENT, f"command line: {title}")(lambda address, arguments=arguments: admin(address, *arguments))
