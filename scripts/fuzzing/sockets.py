"""Mutated frames and amplification over sockets, against a broker process: `scripts/fuzz sockets`.

The frames are those of real clients (captured.txt) with bytes changed, cut out, put in and exchanged. Meanwhile an honest client
asks, produces and fetches all the time, and the broker's memory is watched. It must not trap, must stay below 256 MB and must
answer the honest client within a second.
"""

import gzip
import pathlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib

import seeds

MEMORY_LIMIT_MB = 256
PATIENCE_SECONDS = 1.0
# Mutated names make topics, whose number is the operator's choice; this is a small site's.
BROKER_ARGUMENTS = ["--max-topics", "200", "--max-partitions", "500"]
INTERESTING = [0x00, 0x01, 0x7F, 0x80, 0xFF, 0xFE]


def frame(content):
    return struct.pack(">i", len(content)) + content


def header(key, version, correlation=1):
    return struct.pack(">hhih", key, version, correlation, 4) + b"fuzz"


def read_exactly(connection, count):
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("the broker closed the honest client's connection")
        data += piece
    return bytes(data)


class HonestClient(threading.Thread):
    """Asks, produces and fetches without a pause, and keeps how long the slowest answer took."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.connection = socket.create_connection(address)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.slowest = 0.0
        self.answers = 0
        self.error = None
        self.ending = False

    def ask(self, content):
        begun = time.monotonic()
        self.connection.sendall(frame(content))
        (length,) = struct.unpack(">i", read_exactly(self.connection, 4))
        answer = read_exactly(self.connection, length)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.answers += 1
        return answer

    def requests(self):
        # ApiVersions 0; Produce 2 with one message of format 1 and acks=1, and Fetch 2, of the topic `honest`.
        covered = struct.pack(">bbqii", 1, 0, 1_700_000_000_000, -1, 5) + b"hello"
        message = struct.pack(">qiI", 0, len(covered) + 4, zlib.crc32(covered)) + covered
        topic = struct.pack(">ih", 1, 6) + b"honest"
        produce = header(0, 2) + struct.pack(">hi", 1, 1000) + topic + struct.pack(">iii", 1, 0, len(message)) + message
        fetch = header(1, 2) + struct.pack(">iii", -1, 0, 1) + topic + struct.pack(">iiqi", 1, 0, 0, 1000)
        return [header(18, 0), produce, fetch]

    def run(self):
        try:
            while not self.ending:
                for request in self.requests():
                    answer = self.ask(request)
                    if len(answer) < 8:
                        raise ValueError(f"the honest client was answered {answer!r}")
                time.sleep(0.005)
        except (OSError, ValueError) as error:
            self.error = error


def peak_memory_mb(pid):
    """The most memory that the process ever had resident."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")


def mutated(content, pool, chance):
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if not data:
            break
        place = chance.randrange(len(data))
        match chance.randrange(7):
            case 0:
                data[place] = chance.choice(INTERESTING)
            case 1:
                data[place] ^= 1 << chance.randrange(8)
            case 2:
                data[place] = chance.randrange(256)
            case 3:
                del data[place : place + chance.randint(1, 8)]
            case 4:
                data[place:place] = chance.randbytes(chance.randint(1, 8))
            case 5:
                data[place : place + 4] = chance.choice([b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x00\x0f\xff\xff", b"\x80\0\0\0"])
            case 6:
                other = chance.choice(pool)
                data[place:] = other[min(place, len(other)) :]
    return bytes(data)


def throw_frames(address, count, chance):
    """Sends so many frames, twenty to a connection, until the broker closes it; returns how many connections it took."""
    pool = [content for _, _, content in seeds.captured("request")]
    sent = connections = 0
    while sent < count:
        stream = bytearray()
        for _ in range(min(20, count - sent)):
            content = mutated(chance.choice(pool), pool, chance)
            whole = bytearray(frame(content))
            if chance.random() < 0.05:
                whole[chance.randrange(4)] ^= 1 << chance.randrange(8)
            stream += whole
            sent += 1
        connections += 1
        try:
            with socket.create_connection(address, timeout=5) as connection:
                connection.sendall(stream)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(0.02)
                while connection.recv(1 << 16):
                    pass
        except OSError:
            pass
    return connections


def amplify(address):
    """Each case by its name, as it is sent."""

    def cut(content):
        """Sends one frame on a connection that has proved itself, and takes whatever comes."""
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(frame(header(18, 0)))
            read_exactly(connection, struct.unpack(">i", read_exactly(connection, 4))[0])
            try:
                connection.sendall(frame(content))
                while connection.recv(1 << 20):
                    pass
            except OSError:
                pass

    yield "huge array counts", lambda: [cut(header(3, 1) + struct.pack(">i", n) + b"\0\1t" * 50) for n in (2**31 - 1, 2**24)]
    yield "20 million tagged fields", lambda: cut(header(18, 3) + b"\x80\xda\xc4\x09" + bytes(40_000_000))
    yield "15 million tagged fields", lambda: cut(header(18, 3) + b"\xc0\xc3\x93\x07" + bytes(30_000_000))
    many = struct.pack(">iii", -1, 0, 1) + struct.pack(">ih", 1, 6) + b"honest" + struct.pack(">i", 90_000)
    yield "a fetch of 90,000 partitions", lambda: ask_once(
        address, header(1, 2) + many + b"".join(struct.pack(">iqi", n % 3, 0, 1000) for n in range(90_000)))
    names = struct.pack(">i", 90_000) + b"\0\6honest" * 90_000
    yield "one topic 90,000 times", lambda: ask_once(address, header(3, 1) + names)
    yield "2,000 half frames", lambda: half_frames(address)
    yield "a frame byte by byte", lambda: byte_by_byte(address)
    for codec, number in (("gzip", 1), ("snappy", 2), ("lz4", 3)):
        yield f"100 {codec} bombs of old producers", lambda number=number: bombs(address, number)
    yield "40 peers that do not read", lambda: rude_readers(address)


def ask_once(address, content):
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(frame(header(18, 0)))
        read_exactly(connection, struct.unpack(">i", read_exactly(connection, 4))[0])
        connection.sendall(frame(content))
        read_exactly(connection, struct.unpack(">i", read_exactly(connection, 4))[0])


def half_frames(address):
    peers = [socket.create_connection(address, timeout=5) for _ in range(2000)]
    for peer in peers:
        peer.sendall(b"\0\x10\0\0\0\3\0\1")
    time.sleep(0.5)
    for peer in peers:
        peer.close()


def byte_by_byte(address):
    with socket.create_connection(address, timeout=20) as connection:
        for byte in frame(header(18, 0)):
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
        read_exactly(connection, 4)


def compressed_zeros(number, count):
    """Zeros as each codec has them, put together by hand so that no library is needed."""
    if number == 1:
        return gzip.compress(bytes(count), mtime=0)
    if number == 2:
        # One literal, then copies of 64 bytes from a byte before (snappy's format description, 2.2.2).
        length, size = bytearray(), count
        while size >= 0x80:
            length.append(size & 0x7F | 0x80)
            size >>= 7
        length.append(size)
        return bytes(length) + b"\0\0" + b"\xfe\1\0" * ((count - 1) // 64) + bytes([((count - 1) % 64 - 1) << 2 | 2, 1, 0])
    # A frame of blocks of 4 MiB: one literal, a long match at distance 1, five literals (lz4's block format).
    blocks = bytearray(b"\x04\x22\x4d\x18\x60\x70\x73")
    for _ in range(count // (4 << 20)):
        rest = (4 << 20) - 1 - 5 - 4 - 15
        block = b"\x1f\0\1\0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + b"\x50" + bytes(5)
        blocks += struct.pack("<I", len(block)) + block
    return bytes(blocks + bytes(4))


def bombs(address, number):
    value = compressed_zeros(number, (12 << 20) + (0 if number == 3 else 2))
    covered = struct.pack(">bbqii", 1, number, 1_700_000_000_000, -1, len(value)) + value
    message = struct.pack(">qiI", 0, len(covered) + 4, zlib.crc32(covered)) + covered
    partitions = b"".join(struct.pack(">ii", n, len(message)) + message for n in range(20))
    content = header(0, 2) + struct.pack(">hi", 1, 1000) + struct.pack(">ih", 1, 6) + b"honest" + struct.pack(">i", 20) + partitions
    for _ in range(5):
        ask_once(address, content)


def rude_readers(address):
    """Peers that ask for megabytes and take nothing."""
    covered = struct.pack(">bbqii", 1, 0, 1_700_000_000_000, -1, 900_000) + bytes(900_000)
    message = struct.pack(">qiI", 0, len(covered) + 4, zlib.crc32(covered)) + covered
    topic = struct.pack(">ih", 1, 4) + b"rude"
    for _ in range(20):
        ask_once(address, header(0, 2) + struct.pack(">hi", 1, 1000) + topic + struct.pack(">iii", 1, 0, len(message)) + message)
    # Version 4 gets batches as they are stored, version 2 has them converted.
    fetch = header(1, 2) + struct.pack(">iii", -1, 0, 1) + topic + struct.pack(">iiqi", 1, 0, 0, 32 << 20)
    stored = header(1, 4) + struct.pack(">iiiib", -1, 0, 1, 32 << 20, 0) + topic + struct.pack(">iiqi", 1, 0, 0, 32 << 20)
    peers = []
    for turn in range(40):
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(address)
        peer.sendall(frame(stored if turn % 2 else fetch))
        peers.append(peer)
    time.sleep(5)
    for peer in peers:
        peer.close()


def run(repository, count, seed):
    sys.path.insert(0, str(repository / "scripts" / "compatibility"))
    from broker import Broker

    build = ["swift", "build", "--package-path", str(repository), "--product", "weir"]
    subprocess.run([repository / "scripts" / "setup"], check=True)
    subprocess.run(build, check=True, stdout=sys.stderr)
    path = subprocess.run(build + ["--show-bin-path"], check=True, capture_output=True, text=True).stdout.strip()
    seed = seed if seed is not None else random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    print(f"seed {seed}", flush=True)
    failures = []
    with Broker(f"{path}/weir", *BROKER_ARGUMENTS) as broker:
        host, port = broker.address.split(":")
        address = (host, int(port))
        honest = HonestClient(address)
        honest.start()

        def report(what, begun):
            peak = peak_memory_mb(broker.pid)
            print(
                f"{what:<40} {time.monotonic() - begun:6.1f} s   slowest answer {honest.slowest * 1000:6.0f} ms   "
                f"peak memory {peak:4.0f} MB",
                flush=True,
            )
            if honest.error:
                failures.append(f"{what}: {honest.error}")
            if honest.slowest > PATIENCE_SECONDS:
                failures.append(f"{what}: the honest client waited {honest.slowest:.2f} s")
            if peak > MEMORY_LIMIT_MB:
                failures.append(f"{what}: the broker took {peak:.0f} MB")
            honest.slowest = 0.0

        begun = time.monotonic()
        connections = throw_frames(address, count, chance)
        report(f"{count:,} mutated frames ({connections:,} connections)", begun)
        for name, case in amplify(address):
            begun = time.monotonic()
            try:
                case()
            except OSError as error:
                failures.append(f"{name}: {error}")
            report(name, begun)
        honest.ending = True
        honest.join(timeout=5)
        answers = honest.answers
    print(f"the honest client was answered {answers:,} times")
    for failure in dict.fromkeys(failures):
        print(f"FAILED: {failure}")
    return 1 if failures else 0
