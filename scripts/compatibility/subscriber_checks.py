"""From other people's publishers to the right series: kcat with each content type, and Debian's collectd, through the broker and a
subscriber into the database, asked for with `weir query`. Started by whoever runs this, with databases of their own."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

from checks import VERSIONS, check
from daemon_checks import collectd_configuration, created, daemon
from kcat_checks import kcat

CLIENT = "weir subscriber"
VERSIONS[CLIENT] = f"reads what kcat {VERSIONS['kcat'].split()[0]} and collectd {VERSIONS['collectd']} publish"
WEIR = os.environ["WEIR_BINARY"]
# A time of today, so that retention keeps it.
NOW = int(time.time())


class Subscriber:
    """A subscriber of one topic, and what is in its database."""

    def __init__(self, address, topic, *arguments):
        self._directory = tempfile.TemporaryDirectory(prefix="weir-compat-subscriber-")
        self.path = pathlib.Path(self._directory.name)
        self.database = str(self.path / "weir.sqlite")
        self._daemon = daemon(
            self.path, WEIR, "subscriber", "--bootstrap", address, "--database", self.database, "--topics", topic, "--group",
            topic, "--self-metrics", "off", *arguments)

    def __enter__(self):
        self._daemon.__enter__()
        return self

    def __exit__(self, *reason):
        try:
            return self._daemon.__exit__(*reason)
        finally:
            self._directory.cleanup()

    def series(self, selector):
        """{series as (label, value) pairs: [(seconds, text of the value), …]}; empty as long as there is no database."""
        done = subprocess.run(
            [WEIR, "query", selector, "--database", self.database, "--last", "1h", "--format", "json"],
            capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            return {}
        return {
            frozenset(one["metric"].items()): [tuple(value) for value in one["values"]] for one in json.loads(done.stdout)
        }

    def wait_for(self, selector, is_enough):
        deadline, found = time.monotonic() + 40, {}
        while time.monotonic() < deadline:
            found = self.series(selector)
            if is_enough(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"not stored: {selector}; there is {found or 'nothing'}")


def labels(**pairs):
    return frozenset(pairs.items())


FORMATS = {
    "no content type": (
        None, f'room_celsius{{room="lab",floor="1"}} 21.5 {NOW}000\n',
        {labels(__name__="room_celsius", room="lab", floor="1"): [(NOW, "21.5")]}),
    "text/plain": (
        "text/plain; version=0.0.4; charset=utf-8", f'# TYPE up gauge\nup{{job="a \\"b\\""}} 1 {NOW}250\nup 0 {NOW}000\n',
        {labels(__name__="up", job='a "b"'): [(NOW + 0.25, "1")], labels(__name__="up"): [(NOW, "0")]}),
    "application/openmetrics-text": (
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        f'# TYPE jobs counter\njobs_total{{queue="a"}} 3 {NOW}.25 # {{id="1"}} 1\n# EOF\n',
        {labels(__name__="jobs_total", queue="a"): [(NOW + 0.25, "3")]}),
    "application/vnd.influxdb.line-protocol": (
        "application/vnd.influxdb.line-protocol; precision=s", f'room,name=lab temp=21.5,open=t,note="hi",n=41i {NOW}\n',
        {
            labels(__name__="room_temp", name="lab"): [(NOW, "21.5")],
            labels(__name__="room_open", name="lab"): [(NOW, "1")],
            labels(__name__="room_n", name="lab"): [(NOW, "41")],
        }),
    "application/vnd.collectd+json": (
        "application/vnd.collectd+json",
        json.dumps([{
            "values": [7, 9], "dstypes": ["derive", "derive"], "dsnames": ["rx", "tx"], "time": NOW, "interval": 10,
            "host": "lab", "plugin": "interface", "plugin_instance": "eth0", "type": "if_octets", "type_instance": "",
        }]) + "\n",
        {
            labels(__name__="collectd_interface_if_octets_rx_total", instance="lab", interface="eth0"): [(NOW, "7")],
            labels(__name__="collectd_interface_if_octets_tx_total", instance="lab", interface="eth0"): [(NOW, "9")],
        }),
}

for name, (content_type, text, expected) in FORMATS.items():

    @check(CLIENT, f"kcat's record becomes the right series, {name}")
    def content_types(address, content_type=content_type, text=text, expected=expected):
        topic = created(address, "metrics.kcat")
        headers = ["-H", f"content-type={content_type}"] if content_type else []
        with Subscriber(address, topic) as subscriber:
            with tempfile.NamedTemporaryFile("w", suffix=".record") as record:
                record.write(text)
                record.flush()
                kcat(address, "-P", "-t", topic, "-k", "lab", *headers, record.name)  # a file is one record
            found = subscriber.wait_for('{__name__=~".+"}', lambda it: len(it) >= len(expected))
        assert found == expected, f"{found}\nis not\n{expected}"


@check(CLIENT, "a pattern's topics are found when they appear, others are left alone")
def new_topics(address):
    topic = created(address, "shop")
    with Subscriber(address, rf"{topic}\..*") as subscriber:
        kcat(address, "-P", "-t", f"{topic}.orders", text=f"orders_total 1 {NOW}000\n")
        kcat(address, "-P", "-t", topic, text=f"other_total 1 {NOW}000\n")
        subscriber.wait_for("orders_total", lambda it: len(it) == 1)
        kcat(address, "-P", "-t", f"{topic}.payments", text=f"payments_total 1 {NOW}000\n")
        subscriber.wait_for("payments_total", lambda it: len(it) == 1)
        assert not subscriber.series("other_total")


@check(CLIENT, "collectd's values become the series that its own Prometheus exporter has")
def collectd_series(address):
    topic = created(address, "metrics.collectd")
    with Subscriber(address, topic, "--format", f"{topic}=collectd") as subscriber:
        configuration = collectd_configuration(subscriber.path, address, topic, "JSON")
        (subscriber.path / "collectd").mkdir()
        with daemon(subscriber.path / "collectd", "/usr/sbin/collectd", "-f", "-C", str(configuration)):
            memory = subscriber.wait_for(
                "collectd_memory", lambda it: it and all(len(values) >= 2 for values in it.values()))
            load = subscriber.wait_for('{__name__=~"collectd_load.*"}', lambda it: len(it) == 3)
    types = {dict(series)["memory"] for series in memory}
    assert {"used", "free", "cached", "buffered"} <= types, types
    assert all(dict(series) == {"__name__": "collectd_memory", "instance": "lab", "memory": dict(series)["memory"]}
               for series in memory), memory
    total = sum(float(values[0][1]) for series, values in memory.items())
    kilobytes = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    assert 0.5 < total / (kilobytes * 1024) <= 1.05, f"{total} bytes of {kilobytes} KiB"
    assert {dict(series)["__name__"] for series in load} == {
        f"collectd_load_{name}" for name in ["shortterm", "midterm", "longterm"]}, load
    assert all(dict(series)["instance"] == "lab" for series in load), load
