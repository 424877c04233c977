"""What Wireshark's dissector, which others wrote from Kafka's documents, says of every frame of a run."""

import collections
import os
import pathlib
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree

TSHARK = "tshark"
CLIENT = "tshark"
# An expert's remark of this severity: what the dissector could not make sense of.
ERROR = 0x00800000
MALFORMED = "117440512"
NEWER_THAN_DISSECTOR = re.compile(r"Unsupported \w+ version\. Supports|Unknown \d+ API key")


class Capture:
    """Records the loopback traffic of one port from now on. Capturing is root's, so it may be that there is none."""

    def __init__(self, port, path=None):
        self._port = port
        self._directory = tempfile.TemporaryDirectory(prefix="weir-capture-")
        self._path = pathlib.Path(path or f"{self._directory.name}/traffic.pcapng").resolve()
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        self._log = open(pathlib.Path(self._directory.name) / "dumpcap.log", "w+")
        self._process = subprocess.Popen(
            [*as_root, "dumpcap", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", str(self._path)],
            stdout=self._log, stderr=subprocess.STDOUT,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._process.poll() is None and "File:" not in self._said():
            time.sleep(0.05)

    def _said(self):
        self._log.flush()
        return pathlib.Path(self._log.name).read_text()

    def report(self, table):
        try:
            self._stop()
            version = subprocess.run([TSHARK, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
            table.version(CLIENT, version)
            seen, faults = self._dissect()
            names = self._api_names()
            print(f"{CLIENT}: {sum(seen.values())} requests captured: {self._summary(seen, names)}")
            unknown = sorted(key for key, fault in faults.items() if NEWER_THAN_DISSECTOR.search(fault))
            print(f"{CLIENT}: newer than this dissector, so not judged: {self._summary(unknown, names)}")
            for key in sorted(set(seen) - set(unknown)):
                title = f"{names.get(key[0], key[0])} version {key[1]}"
                if key in faults or table.is_known(CLIENT, title):
                    table.add(CLIENT, title, faults.get(key))
            clean = len(set(seen) - set(faults))
            table.add(CLIENT, "all other requests and answers", None if clean else "nothing was captured")
        except (OSError, RuntimeError, subprocess.SubprocessError) as caught:
            table.add(CLIENT, "capture", str(caught))
        finally:
            self._log.close()
            self._directory.cleanup()

    def _stop(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"dumpcap ended with status {self._process.returncode}: {self._said().strip()}")
        time.sleep(1)  # what the kernel has still to hand over
        self._process.terminate()
        self._process.wait(timeout=20)

    def _tshark(self, filter_text, *arguments):
        command = [
            TSHARK, "-2", "-r", str(self._path), "-d", f"tcp.port=={self._port},kafka", "-Y", filter_text, *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=500)
        if done.returncode != 0:
            raise RuntimeError(f"tshark ended with status {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def _dissect(self):
        """How often each API and version was asked, and a fault of each that has one: that it is too new above all."""
        seen = collections.Counter()
        fields = ["-T", "fields", "-e", "kafka.request_key", "-e", "kafka.request.version"]
        for line in self._tshark("kafka.request_key", *fields).splitlines():
            keys, versions = line.split("\t")
            seen.update((int(key), int(version)) for key, version in zip(keys.split(","), versions.split(",")))
        faults = {}
        faulty = self._tshark(f"kafka && (_ws.malformed || _ws.expert.severity == {ERROR})", "-T", "pdml")
        for packet in xml.etree.ElementTree.fromstring(faulty):
            for key, fault in self._faults(packet):
                if key not in faults or NEWER_THAN_DISSECTOR.search(fault):
                    faults[key] = fault
        return seen, faults

    @staticmethod
    def _faults(packet):
        """The messages of one packet at which the dissector stumbled: API and version, and what it said of them."""
        frame = packet.find(".//field[@name='frame.number']").get("show")
        key = (-1, -1)
        for layer in packet.findall("proto"):
            values = {field.get("name"): field.get("show") for field in layer.iter("field")}
            if layer.get("name") == "kafka":
                kind = "request" if "kafka.request_key" in values else "answer"
                names = ["kafka.request_key", "kafka.request.version"]
                if kind == "answer":
                    names = ["kafka.response_key", "kafka.response.version"]
                key = tuple(int(values.get(name, -1)) for name in names)
            # An exception ends a message and is a layer of its own, behind it.
            said = [field.get("show") for field in layer.iter("field") if field.get("name") == "_ws.expert.message"]
            groups = [field.get("show") for field in layer.iter("field") if field.get("name") == "_ws.expert.group"]
            is_newer = any(NEWER_THAN_DISSECTOR.search(one) for one in said)
            if layer.get("name") == "_ws.malformed" or MALFORMED in groups or is_newer:
                yield key, f"{kind} in frame {frame}: {', '.join(said)}"

    @staticmethod
    def _api_names():
        done = subprocess.run([TSHARK, "-G", "values"], capture_output=True, text=True, check=True)
        rows = [line.split("\t") for line in done.stdout.splitlines() if line.startswith("V\tkafka.request_key\t")]
        return {int(key): name for _, _, key, name in rows}

    @staticmethod
    def _summary(keys, names):
        versions = collections.defaultdict(list)
        for key, version in sorted(keys):
            versions[key].append(str(version))
        return "; ".join(f"{names.get(key, f'API {key}')} {','.join(all)}" for key, all in versions.items())
