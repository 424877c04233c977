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
def watched_group(address):
    """A group with a member that has read three records, and what Burrow says of its only partition."""
    topic = fresh("burrow")
    group, port = f"group-{topic}", free_port()
    kcat(address, "-P", "-t", topic, text="a\nb\nc\n")
    with tempfile.TemporaryDirectory(prefix="weir-burrow-") as path, zookeeper() as keeper:
        directory = pathlib.Path(path)
        (directory / "burrow.toml").write_text(configuration(address, port, path, keeper.server_address[1]))
        member = subprocess.Popen(
            ["kcat", "-b", address, "-G", group, "-X", "auto.offset.reset=earliest", "-X", "auto.commit.interval.ms=200",
             "-q", topic], stdout=subprocess.DEVNULL)
        try:
            with daemon(directory, "/usr/bin/Burrow", "--config-dir", path):

                def caught_up():
                    partitions = (ask(port, f"consumer/{group}/lag") or {}).get("status", {}).get("partitions", [])
                    return [one for one in partitions if one["end"] and one["end"]["offset"] == 3]

                one, = wait_for(40, "that the group read all three records", caught_up)
                assert (one["topic"], one["partition"], one["current_lag"]) == (topic, 0, 0), one
                yield one
        finally:
            member.terminate()
            member.wait(timeout=10)


@check("burrow", "reads offsets from __consumer_offsets")
def reads_offsets(address):
    with watched_group(address):
        pass


@check("burrow", "reads members from __consumer_offsets")
def reads_members(address):
    # Burrow learns from the group's record, before any offset, who has the partition; it keeps that for partitions it knows.
    with watched_group(address) as one:
        assert one["owner"] == "127.0.0.1", one
