"""The release binary, and the processes of it that are measured."""

import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = ["swift", "build", "--configuration", "release", "--product", "weir", "--static-swift-stdlib"]


def release_binary():
    subprocess.run(BUILD, cwd=REPOSITORY, check=True, stdout=sys.stderr)
    directory = subprocess.run(
        BUILD + ["--show-bin-path"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.strip()
    return pathlib.Path(directory) / "weir"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Measured:
    """A process, and what the kernel says about it. Killed at the end of `with`."""

    def __init__(self, arguments, log=subprocess.DEVNULL):
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=log)
        self.pid = self.process.pid

    def cpu_seconds(self):
        """User and kernel time of all its threads, also of those that have ended, exact to the nanosecond."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the clock id of a process, as clock_getcpuclockid(3) makes it

    def resident_megabytes(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"process {self.pid} is gone")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=30)
        if status != 0:
            raise RuntimeError(f"the process ended with status {status}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()


class Broker(Measured):
    """A `weir broker` in a directory of its own, ready when the constructor returns."""

    def __init__(self, binary, directory, *arguments):
        self._binary = binary
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        begin = time.monotonic()
        self._log = open(f"{directory}.log", "ab")
        super().__init__(
            [binary, "broker", "--data-dir", directory, "--listen", self.address, *arguments], log=self._log
        )
        self._wait_until_served()
        self.start_milliseconds = (time.monotonic() - begin) * 1000

    def _wait_until_served(self):
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
                    return api_versions(connection)
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    sys.exit(f"the broker ended with status {self.process.returncode}; see {self._log.name}")
                time.sleep(0.0005)

    def topic(self, command, *arguments):
        """Runs `weir topic` against it."""
        subprocess.run(
            [self._binary, "topic", command, *arguments, "--bootstrap", self.address, "--timeout", "60s"],
            check=True,
            stdout=subprocess.DEVNULL,
        )


def api_versions(connection, padding=0):
    """Sends ApiVersions version 0 on a socket and waits for the whole answer."""
    client = b"bench"
    request = struct.pack(">hhih", 18, 0, 1, len(client)) + client + bytes(padding)
    connection.sendall(struct.pack(">i", len(request)) + request)
    size = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))[0]
    answer = connection.recv(size, socket.MSG_WAITALL)
    correlation, error = struct.unpack(">ih", answer[:6])
    if (correlation, error) != (1, 0):
        raise RuntimeError(f"unexpected answer to ApiVersions: {answer!r}")
