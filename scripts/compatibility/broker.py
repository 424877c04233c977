"""Starts a `weir broker` on a free port in a directory of its own."""

import pathlib
import re
import signal
import subprocess
import tempfile
import time


class Broker:
    def __init__(self, binary, *arguments):
        self._directory = tempfile.TemporaryDirectory(prefix="weir-compat-")
        self.log_path = pathlib.Path(self._directory.name) / "broker.log"
        self._log = open(self.log_path, "w")
        self._process = subprocess.Popen(
            [binary, "broker", "--data-dir", f"{self._directory.name}/data", "--listen", "127.0.0.1:0", *arguments],
            stderr=self._log,
        )
        self.pid = self._process.pid
        self.address = self._wait_until_listening()
        self.port = int(self.address.rpartition(":")[2])

    def _wait_until_listening(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found = re.search(r"listening on (\S+?),", self.log_path.read_text())
            if found:
                return found.group(1)
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError(f"the broker did not start: {self.log_path.read_text()}")

    def complaints(self):
        """What the broker has said of connections that it closed as it could not serve them, and of errors of its own."""
        wanted = r" warning .*closed the connection of| error weir| critical weir"
        return [line for line in self.log_path.read_text().splitlines() if re.search(wanted, line)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(timeout=10)
        self._log.close()
        self._directory.cleanup()
        if status != 0:
            raise RuntimeError(f"the broker ended with status {status}")
