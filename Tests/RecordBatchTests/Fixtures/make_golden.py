#!/usr/bin/env python3
"""Writes golden-batches.txt: record batches made by kafka-python, an implementation independent of ours.

    pip install kafka-python aiokafka python-snappy lz4 zstandard cramjam
    python3 make_golden.py > golden-batches.txt

aiokafka decodes each batch as well, so that both agree on every byte. The tests read the committed file and need no
Python. Its lines:

    batch NAME CODEC
    producer ID EPOCH SEQUENCE TRANSACTIONAL
    base OFFSET
    record OFFSET TIMESTAMP KEY VALUE [HEADER-NAME=VALUE ...]      fields: null, hex:…, or repeat:HEX:COUNT
    bytes HEX
"""

import struct
import sys

from aiokafka.record.default_records import DefaultRecordBatch as OtherBatch
from kafka.record.default_records import DefaultRecordBatchBuilder

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
START = 1_700_000_000_000

SMALL = [
    (START, b"web-1", b"node_load1 0.5", []),
    (START + 1000, None, b"no key", []),
    (START - 90_000, b"a tombstone, older than the first", None, []),
    (START + 86_400_000, b"", b"", [("trace", b"\x00\x01\xfe\xff"), ("empty", b""), ("null", None)]),
    (START, "schlüssel".encode(), "wert °C".encode(), [("größe", "groß".encode()), ("größe", b"twice")]),
    (START + 7, b"k" * 63, b"v" * 64, []),
    (START + 8, b"k" * 64, b"v" * 8192, [("h", b"x" * 100)]),
]

# Longer than two snappy blocks and an lz4 block.
LARGE = [
    (START + i, b"host-%d" % (i % 3), b"node_cpu_seconds_total{cpu=\"%d\"} 1234.5\n" % (i % 10) * 40, [])
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


def write(name, codec, records, base=0, producer=(-1, -1, -1), transactional=False):
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=CODECS.index(codec), is_transactional=transactional,
        producer_id=producer[0], producer_epoch=producer[1], base_sequence=producer[2], batch_size=1 << 20)
    for index, (timestamp, key, value, headers) in enumerate(records):
        assert builder.append(index, timestamp, key, value, headers) is not None
    batch = bytearray(builder.build())
    struct.pack_into(">q", batch, 0, base)

    other = OtherBatch(bytes(batch))
    assert other.validate_crc() and other.compression_type == CODECS.index(codec)
    decoded = [(r.timestamp, r.key, r.value, list(r.headers)) for r in other]
    assert decoded == [(t, k, v, list(h)) for t, k, v, h in records], name

    print(f"batch {name} {codec}")
    print("producer", *producer, int(transactional))
    print(f"base {base}")
    for index, (timestamp, key, value, headers) in enumerate(records):
        shown = [f"{key.encode().hex()}={field(value)}" for key, value in headers]
        print("record", base + index, timestamp, field(key), field(value), *shown)
    print("bytes", batch.hex())


def main():
    print("# Made by make_golden.py; do not edit.")
    for codec in CODECS:
        write(f"small-{codec}", codec, SMALL, base=5_000_000_000)
    for codec in CODECS[1:]:
        write(f"large-{codec}", codec, LARGE)
    write("one", "none", [(START, None, b"x", [])])
    write("idempotent", "none", SMALL[:2], producer=(4711, 3, 2_147_483_647))
    write("transactional", "lz4", SMALL, base=17, producer=(9_000_000_000, 0, 0), transactional=True)


if __name__ == "__main__":
    sys.exit(main())
