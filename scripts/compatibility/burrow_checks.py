"""Burrow, which watches groups by reading `__consumer_offsets`: it decodes the records that the broker wrote."""

import contextlib
import json
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from checks import VERSIONS, check, fresh
from daemon_checks import daemon, installed
from kcat_checks import kcat
from zookeeper import zookeeper

VERSIONS["burrow"] = installed("burrow")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def configuration(address, port, directory, zookeeper_port):
    return f"""
[general]
pidfile="{directory}/pid"
stdout-logfile="{directory}/log"

[logging]
level="error"

[zookeeper]
servers=["127.0.0.1:{zookeeper_port}"]

[client-profile.weir]
client-id="burrow"
kafka-version="0.11.0"

[cluster.weir]
class-name="kafka"
servers=["{address}"]
client-profile="weir"
topic-refresh=5
offset-refresh=1

[consumer.weir]
class-name="kafka"
cluster="weir"
servers=["{address}"]
client-profile="weir"
offsets-topic="__consumer_offsets"
start-latest=false

[httpserver.default]
address="127.0.0.1:{port}"
"""


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v3/kafka/weir/{path}", timeout=5) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError):
        return None


def wait_for(seconds, what, look):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"burrow does not know {what}")


@contextlib.contextmanager
def member(address, group, topic):
    process = subprocess.Popen(
        ["kcat", "-b", address, "-G", group, "-X", "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=200", "-X",
         "heartbeat.interval.ms=300", "-q", topic], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)


@check("burrow", "reads offsets and members from __consumer_offsets")
def reads_offsets_and_members(address):
    topic = fresh("burrow")
    group, port = f"group-{topic}", free_port()
    kcat(address, "-P", "-t", topic, text="a\nb\nc\n")
    with tempfile.TemporaryDirectory(prefix="weir-burrow-") as path, zookeeper() as keeper:
        directory = pathlib.Path(path)
        (directory / "burrow.toml").write_text(configuration(address, port, path, keeper.server_address[1]))

        def partition(is_so):
            """What Burrow says of the group's only partition, once it is so."""
            status = (ask(port, f"consumer/{group}/lag") or {}).get("status", {})
            return [one for one in status.get("partitions", []) if is_so(one)]

        with member(address, group, topic), daemon(directory, "/usr/bin/Burrow", "--config-dir", path):
            one, = wait_for(
                40, "that the group read all three records",
                lambda: partition(lambda one: one["end"] and one["end"]["offset"] == 3))
            assert (one["topic"], one["partition"], one["current_lag"]) == (topic, 0, 0), one
            # Burrow keeps who has a partition once it knows the partition, so that is in the group's next record.
            with member(address, group, topic):
                wait_for(40, "who has the partition", lambda: partition(lambda one: one["owner"] == "127.0.0.1"))
