#!/usr/bin/env python3
"""Writes golden-message-sets.txt: message sets (formats 0 and 1) made by kafka-python, an implementation independent of
ours.

    pip install kafka-python aiokafka python-snappy lz4 xxhash
    python3 make_legacy_golden.py > golden-message-sets.txt

What kafka-python writes is what a producer sends. What a broker sends differs in the offsets and in the append time; those
are patched in here, and kafka-python and aiokafka read each set back, so that both agree on every record. The tests read
the committed file and need no Python. Its lines:

    set NAME FORMAT CODEC
    record OFFSET TIMESTAMP KEY VALUE                  fields: null, hex:…, or repeat:HEX:COUNT
    bytes HEX
"""

import struct
import sys
import zlib
from unittest import mock

from aiokafka.record.legacy_records import LegacyRecordBatch as OtherBatch
from kafka.record.legacy_records import LegacyRecordBatch, LegacyRecordBatchBuilder

CODECS = ["none", "gzip", "snappy", "lz4"]
START = 1_500_000_000_000

SMALL = [
    (START, b"web-1", b"node_load1 0.5"),
    (START + 1000, None, b"no key"),
    (START - 90_000, b"a tombstone, older than the first", None),
    (START + 86_400_000, b"", b""),
    (START + 5, "schlüssel".encode(), "wert °C".encode()),
    (START + 8, b"k" * 64, b"v" * 8192),
]

# Longer than two snappy blocks and an lz4 block.
LARGE = [
    (START + i, b"host-%d" % (i % 3), b"node_cpu_seconds_total{cpu=\"%d\"} 1234.5\n" % (i % 10) * 40)
    for i in range(60)
]


def field(value):
    if value is None:
        return "null"
    for period in range(1, min(len(value) // 4, 200) + 1):
        count, rest = divmod(len(value), period)
        if rest == 0 and value == value[:period] * count:
            return f"repeat:{value[:period].hex()}:{count}"
    return "hex:" + value.hex()


def build(magic, codec, records, offsets):
    """Messages with these offsets, in one wrapper if there is a codec."""
    builder = LegacyRecordBatchBuilder(magic=magic, compression_type=CODECS.index(codec), batch_size=1 << 24)
    for offset, (timestamp, key, value) in zip(offsets, records):
        assert builder.append(offset, timestamp, key, value) is not None
    with mock.patch("gzip.time.time", return_value=0):
        return bytearray(builder.build())


def from_broker(message, offset=None, append_time=None):
    """The message (or wrapper) as a broker that appended it would send it."""
    if offset is not None:
        struct.pack_into(">q", message, 0, offset)
    if append_time is not None:
        message[17] |= 8
        struct.pack_into(">q", message, 18, append_time)
        struct.pack_into(">I", message, 12, zlib.crc32(message[16:]))
    return message


def split(data):
    """The messages of a set."""
    while data:
        length = 12 + struct.unpack_from(">i", data, 8)[0]
        yield bytes(data[:length])
        data = data[length:]


def write(name, magic, codec, data, expected):
    """`expected` are (offset, timestamp, key, value); format 0 has no timestamps."""
    found, other = [], []
    for message in split(bytes(data)):
        batch = LegacyRecordBatch(message, magic)
        assert batch.validate_crc()
        found += [(r.offset, r.timestamp, r.key, r.value) for r in batch]
        if not (magic == 0 and codec == "lz4"):  # aiokafka does not know the wrong checksum
            other += [(r.offset, r.timestamp, r.key, r.value) for r in OtherBatch(bytearray(message), magic)]
    if magic == 0:
        expected = [(offset, None, key, value) for offset, _, key, value in expected]
    assert found == expected, (name, found, expected)
    assert other in ([], expected), (name, other, expected)

    print(f"set {name} {magic} {codec}")
    for offset, timestamp, key, value in expected:
        print("record", offset, -1 if timestamp is None else timestamp, field(key), field(value))
    print("bytes", bytes(data).hex())


def main():
    print("# Made by make_legacy_golden.py; do not edit.")
    for magic in (0, 1):
        for codec in CODECS:
            plain = list(range(len(SMALL)))
            data = build(magic, codec, SMALL, plain)
            write(f"produced-{codec}-{magic}", magic, codec, data, [(i, *r) for i, r in zip(plain, SMALL)])
        for codec in CODECS[1:]:
            data = build(magic, codec, LARGE, range(len(LARGE)))
            write(f"produced-large-{codec}-{magic}", magic, codec, data, [(i, *r) for i, r in enumerate(LARGE)])

        # In a log: every message has its own offset, some are gone after compaction.
        stored = [5_000_000_000, 5_000_000_001, 5_000_000_004, 5_000_000_005, 5_000_000_009, 5_000_000_100]
        expected = [(offset, *record) for offset, record in zip(stored, SMALL)]
        write(f"stored-none-{magic}", magic, "none", build(magic, "none", SMALL, stored), expected)
        for codec in CODECS[1:]:
            # Format 0 has absolute offsets inside, format 1 relative ones; the wrapper has the last one's.
            inside = stored if magic == 0 else [offset - stored[0] for offset in stored]
            data = from_broker(build(magic, codec, SMALL, inside), offset=stored[-1])
            write(f"stored-{codec}-{magic}", magic, codec, data, expected)

        # A fetch that spans a log with several wrappers, and with messages that have none.
        data = from_broker(build(magic, "gzip", SMALL[:2], [10, 11] if magic == 0 else [0, 1]), offset=11)
        data += build(magic, "none", SMALL[2:4], [12, 13])
        data += from_broker(build(magic, "snappy", SMALL[4:], [14, 15] if magic == 0 else [0, 1]), offset=15)
        write(f"mixed-{magic}", magic, "gzip", data, [(10 + i, *record) for i, record in enumerate(SMALL)])

    append_time = START + 123_456
    expected = [(100 + i, append_time, key, value) for i, (_, key, value) in enumerate(SMALL)]
    for codec in CODECS[1:]:
        data = from_broker(build(1, codec, SMALL, range(len(SMALL))), 100 + len(SMALL) - 1, append_time)
        write(f"append-time-{codec}-1", 1, codec, data, expected)
    data = bytearray()
    for message in split(build(1, "none", SMALL, range(100, 100 + len(SMALL)))):
        data += from_broker(bytearray(message), append_time=append_time)
    write("append-time-none-1", 1, "none", data, expected)


if __name__ == "__main__":
    sys.exit(main())
