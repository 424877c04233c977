"""Debian's daemons that publish to Kafka: collectd's write_kafka and rsyslog's omkafka, started in the foreground with
configurations of their own, as whoever runs this."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

from checks import VERSIONS, check, fresh
from kcat_checks import kcat


def installed(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
    return done.stdout or "not installed"


VERSIONS["collectd"] = installed("collectd-core")
VERSIONS["rsyslog"] = installed("rsyslog-kafka")


def created(address, prefix):
    """A topic that kcat can already read while the daemon has yet to say its first word."""
    topic = fresh(prefix)
    subprocess.run(
        [os.environ["WEIR_BINARY"], "topic", "create", topic, "--bootstrap", address], check=True, capture_output=True)
    return topic


@contextlib.contextmanager
def daemon(directory, *command):
    with open(directory / "output", "w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=directory)
        try:
            yield process
        except Exception as failed:
            said = (directory / "output").read_text()[-2000:]
            raise AssertionError(f"{failed}\n{command[0]} said: {said}") from failed
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_file(path, process):
    deadline = time.monotonic() + 20
    while not path.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists(), f"{path.name} did not appear"


def collectd_configuration(directory, address, topic, output_format):
    configuration = directory / "collectd.conf"
    configuration.write_text(
        f"""
        Hostname "lab"
        FQDNLookup false
        Interval 0.5
        BaseDir "{directory}"
        PIDFile "{directory}/pid"
        PluginDir "/usr/lib/collectd"
        TypesDB "/usr/share/collectd/types.db"
        LoadPlugin load
        LoadPlugin memory
        LoadPlugin write_kafka
        <Plugin write_kafka>
          Property "metadata.broker.list" "{address}"
          <Topic "{topic}">
            Format {output_format}
          </Topic>
        </Plugin>
        """)
    return configuration


for output_format, expected in [("JSON", '"plugin":"load"'), ("Graphite", "lab.load."), ("Command", "PUTVAL lab/load")]:

    @check("collectd", f"write_kafka publishes, {output_format}")
    def collectd(address, output_format=output_format, expected=expected):
        topic = created(address, "collectd")
        with tempfile.TemporaryDirectory(prefix="weir-collectd-") as path:
            directory = pathlib.Path(path)
            configuration = collectd_configuration(directory, address, topic, output_format)
            with daemon(directory, "/usr/sbin/collectd", "-f", "-C", str(configuration)):
                read = kcat(address, "-C", "-t", topic, "-o", "beginning", "-c", "30", "-q")
        assert expected in read, read[:500]


@check("rsyslog", "omkafka publishes every message once")
def rsyslog(address):
    topic = created(address, "rsyslog")
    with tempfile.TemporaryDirectory(prefix="weir-rsyslog-") as path:
        directory = pathlib.Path(path)
        (directory / "rsyslog.conf").write_text(
            f"""
            global(workDirectory="{path}")
            module(load="imuxsock" SysSock.Use="off")
            module(load="omkafka")
            input(type="imuxsock" Socket="{path}/log" CreatePath="off" RateLimit.Interval="0")
            template(name="json" type="list" option.jsonf="on") {{
              property(outname="host" name="hostname" format="jsonf")
              property(outname="message" name="msg" format="jsonf")
            }}
            action(type="omkafka" broker=["{address}"] topic="{topic}" template="json" confParam=["acks=all"])
            """)
        command = ["/usr/sbin/rsyslogd", "-n", "-f", f"{path}/rsyslog.conf", "-i", "NONE"]
        with daemon(directory, *command) as process:
            wait_for_file(directory / "log", process)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
                log.connect(f"{path}/log")
                for number in range(100):
                    log.send(b"<14>Nov 28 12:00:00 compat: message %d" % number)
            read = kcat(address, "-C", "-t", topic, "-o", "beginning", "-c", "100", "-q").splitlines()
    messages = [json.loads(line)["message"].strip() for line in read if line]
    assert messages == [f"message {number}" for number in range(100)], messages[:5]
