"""Records what real clients and the broker say to each other, as seeds: capture.py BINARY [ONLY].

Runs the checks of scripts/compat through a proxy that keeps the smallest frames of every API and version, and writes them to
captured.txt. Needs what scripts/compat sets up: .build/compatibility/bin/python scripts/fuzzing/capture.py .build/debug/weir
"""

import pathlib
import socket
import struct
import sys
import threading

FUZZING = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FUZZING.parent / "compatibility"))

# As long as the targets' inputs, and as many as differ in more than names.
MAXIMUM_BYTES = 256
KEPT = 2


class Recorder:
    def __init__(self):
        self.frames = {}
        self.lock = threading.Lock()

    def keep(self, direction, key, version, frame):
        if len(frame) > MAXIMUM_BYTES:
            return
        with self.lock:
            kept = self.frames.setdefault((direction, key, version), {})
            kept.setdefault(len(frame), frame)
            if len(kept) > KEPT:
                del kept[sorted(kept)[KEPT // 2]]

    def text(self):
        lines = ["# Made by capture.py: direction, API key, version, what the frame holds."]
        for (direction, key, version), kept in sorted(self.frames.items()):
            lines += [f"{direction} {key} {version} {frame.hex()}" for _, frame in sorted(kept.items())]
        return "\n".join(lines) + "\n"


def frames(stream):
    """The frames that a socket's file brings, until it ends."""
    while len(head := stream.read(4)) == 4:
        (length,) = struct.unpack(">i", head)
        if len(content := stream.read(length)) < length:
            return
        yield head, content


class Proxy:
    """Passes frames on between clients and one broker, and shows each to the recorder."""

    def __init__(self, recorder):
        self.recorder = recorder
        self.broker = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self.listener.accept()
            host, port = self.broker.split(":")
            broker = socket.create_connection((host, int(port)))
            asked = {}
            for work in (self._requests, self._responses):
                threading.Thread(target=work, args=(client, broker, asked), daemon=True).start()

    def _requests(self, client, broker, asked):
        try:
            for head, content in frames(client.makefile("rb")):
                key, version, correlation = struct.unpack(">hhi", content[:8])
                asked[correlation] = (key, version)
                self.recorder.keep("request", key, version, content)
                broker.sendall(head + content)
        except OSError:
            pass
        self._end(broker)

    def _responses(self, client, broker, asked):
        try:
            for head, content in frames(broker.makefile("rb")):
                key, version = asked.pop(struct.unpack(">i", content[:4])[0], (None, None))
                if key is not None:
                    self.recorder.keep("response", key, version, content)
                client.sendall(head + content)
        except OSError:
            pass
        self._end(client)

    @staticmethod
    def _end(peer):
        try:
            peer.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    from broker import Broker
    from checks import run_all

    import confluent_checks  # noqa: F401  (registers its checks)
    import kcat_checks  # noqa: F401
    import python_checks  # noqa: F401

    recorder = Recorder()
    proxy = Proxy(recorder)
    with Broker(sys.argv[1], "--advertise", proxy.address) as broker:
        proxy.broker = broker.address
        run_all(proxy.address, (sys.argv[2:] or [None])[0])
    (FUZZING / "captured.txt").write_text(recorder.text())
    print(f"{len(recorder.frames)} kinds of frames")


if __name__ == "__main__":
    main()
