"""Where the search begins: for each target the inputs that the repository has. Golden messages and batches of the tests,
frames of real clients (captured.txt, made by capture.py), and a few texts."""

import gzip
import pathlib
import re
import struct

FUZZING = pathlib.Path(__file__).resolve().parent
TESTS = FUZZING.parent.parent / "Tests"

DATA = [
    "ConsumerProtocolSubscription", "ConsumerProtocolAssignment", "OffsetCommitKey", "OffsetCommitValue",
    "GroupMetadataKey", "GroupMetadataValue", "TransactionLogKey", "TransactionLogValue", "ControlRecordKey", "EndTxnMarker",
]
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]

TEXTS = {
    "prometheus": [
        '# HELP node_load1 1m load average.\nnode_load1 0.5\nnode_network_up{device="eth0",x="a\\"b\\\\\\n"} 1 1767225600000\n',
        '{"my.metric","my.label"="x"} NaN\nx{} +Inf 5\ny -Inf -7\nz 1e-310 0\r\n',
    ],
    "openmetrics": [
        '# TYPE a counter\na_total{code="200"} 17 1700000000.25 # {trace_id="ab12"} 0.5 1700000000.1\na_created 5\n# EOF\n',
    ],
    "influx": [
        'cpu,host=a,cpu=cpu0 usage_user=1.5,count=3i,big=7u,up=true,text="s\\"" 1700000000000000000\n# c\nm\\ x,t\\,a=b\\=c f=1\n',
    ],
    "collectd": [
        '[{"values":[1.5,null,7],"dstypes":["gauge","derive"],"dsnames":["value","b","c"],"time":1700000000.25,'
        '"interval":10,"host":"h","plugin":"cpu","plugin_instance":"0","type":"cpu","type_instance":"idle","meta":{"a":[true]}}]',
    ],
    "selector": ['name{a="b",c=~"x.*",d!="e",f!~"g|h",}', '{"quoted.name",a=\'b\',c=`d`}', 'node:rate5m{__name__=~".+"}'],
    "labels": ['name{a="b",c="d\\n"}', '{"my.name","my.label"="x"}'],
    "pattern": ["(?i)a|b[^c-e]{2,5}\\d+?$\nab", "(?:x*)(?P<n>y){0,3}\\pL[[:alpha:]]\\x{1F600}\nxyz", "web-[0-9]+|db\nweb-17"],
    "content-type": ['application/vnd.influxdb.line-protocol; precision=s', 'text/plain; version=0.0.4; charset="utf-8"'],
    "number": ["1.5e300", "-0.1", "123456789012345678.5", "nan", "+Inf", "4.9e-324", "0.000000000000000000001"],
    "duration": ["1h30m", "1y2w3d4h5m6s7ms", "0"],
    "catalogue": [
        "weir-catalogue 1\ncluster abc\ntopic AAAAAAAAAAAAAAAAAAAAAQ 3 metrics.cpu retention.ms=60%2000\n"
        "deleting AAAAAAAAAAAAAAAAAAAAAg 1 old\nend\n",
    ],
    "checkpoints": ["\x021 0 61 1 1 1", "\x031 17"],
    "leader-epochs": ["\x05\x50\x020\n2\n0 0\n2 17\n", "\x00\x10\x010\n0\n", "\x20\xff\x030\n3\n1 0\n2 30\n4 30\n"],
}


def golden_messages():
    """(message, version, bytes) of the protocol's golden file."""
    for case in (TESTS / "KafkaProtocolTests/Fixtures/golden.txt").read_text().split("\n\n"):
        lines = case.strip().split("\n")
        if len(lines) < 2:
            continue
        name, version, _ = lines[0].split()
        yield name, int(version), bytes.fromhex(lines[1].strip("-"))


def golden_bytes(file, kind):
    """(codec, bytes) of a golden file of batches or message sets."""
    codec = ""
    for line in (TESTS / "RecordBatchTests/Fixtures" / file).read_text().split("\n"):
        words = line.split()
        if words and words[0] == kind:
            codec = words[-1]
        elif words and words[0] == "bytes":
            yield codec, bytes.fromhex(words[1])


def api_keys():
    text = (FUZZING / "Sources/KafkaProtocol/Messages/APIKey.swift").read_text()
    keys = {name[0].upper() + name[1:]: int(number) for name, number in re.findall(r"case (\w+) = (\d+)", text)}
    flexible = {
        name[0].upper() + name[1:]: int(version)
        for name, version in re.findall(r"case \.(\w+): (\d+)\n", text)
    }
    return keys, flexible


def captured(direction):
    """Frames of real clients: their key, version and bytes."""
    for line in (FUZZING / "captured.txt").read_text().split("\n"):
        words = line.split()
        if words and words[0] == direction:
            yield int(words[1]), int(words[2]), bytes.fromhex(words[3])


def requests():
    keys, flexible = api_keys()
    for name, version, body in golden_messages():
        if name.endswith("Request"):
            api = name.removesuffix("Request")
            tags = b"\0" if version >= flexible.get(api, 1 << 15) else b""
            yield struct.pack(">hhih", keys[api], version, 7, 1) + b"c" + tags + body
    for _, _, frame in captured("request"):
        yield frame


def responses():
    keys, flexible = api_keys()
    for name, version, body in golden_messages():
        if name.endswith("Response"):
            api = name.removesuffix("Response")
            tags = b"\0" if api != "ApiVersions" and version >= flexible.get(api, 1 << 15) else b""
            yield struct.pack(">BBi", keys[api], version, 7) + tags + body
    for key, version, frame in captured("response"):
        yield bytes([key, version]) + frame


def batches():
    for _, batch in golden_bytes("golden-batches.txt", "batch"):
        yield batch


def snapshot_entry(producer, epoch, sequence, offset, delta, opened):
    return struct.pack(">qhiqiqiq", producer, epoch, sequence, offset, delta, 1_700_000_000_000, 3, opened)


SNAPSHOT = snapshot_entry(7, 0, 4, 9, 4, -1) + snapshot_entry(7, 0, 9, 20, 4, 16) + snapshot_entry(9, 2, -1, -1, 0, -1)
ABORTED = struct.pack(">hqqqq", 0, 7, 0, 10, 11) + struct.pack(">hqqqq", 0, 9, 5, 15, 16)


def records_of_transactions():
    """Batches of a producer with a transaction, and the markers that end it. Their checksums are for the target to set."""

    def batch(base, attributes, epoch, sequence, record):
        body = struct.pack(">hiqqqhii", attributes, 0, 1_700_000_000_000, 1_700_000_000_000, 7, epoch, sequence, 1)
        body += bytes([2 * len(record)]) + record
        return struct.pack(">qiibI", base, len(body) + 9, 1, 2, 0) + body

    written = bytes([0, 0, 0, 1, 10]) + b"hello" + b"\0"
    for kind in (0, 1):
        marker = bytes([0, 0, 0, 8]) + struct.pack(">hh", 0, kind) + bytes([12]) + struct.pack(">hi", 0, 3) + b"\0"
        yield batch(0, 0x10, 0, 0, written) + batch(1, 0x10, 0, 1, written) + batch(2, 0x30, 0, -1, marker)


def inputs(target):
    if target in TEXTS:
        return [text.encode("latin-1") for text in TEXTS[target]]
    if target == "request":
        return list(requests())
    if target == "response":
        return list(responses())
    if target == "data":
        return [
            bytes([DATA.index(name)]) + struct.pack(">h", version) + body
            for name, version, body in golden_messages()
            if name in DATA
        ]
    if target == "frames":
        frames = [struct.pack(">i", len(frame)) + frame for frame in list(requests())[:20]]
        return [b"\x02\x07\x01\x20\x03\x00\x09\x40" + one + two for one, two in zip(frames, frames[1:])] + [
            b"\xff" * 8 + b"GET / HTTP/1.1\r\n"
        ]
    if target in ("batch", "compaction", "down-conversion"):
        return [bytes([choice]) + batch for batch in batches() for choice in (0, 1, 3)]
    if target == "message-set":
        sets = [bytes for _, bytes in golden_bytes("golden-message-sets.txt", "set")]
        return [bytes([choice]) + one for one in sets for choice in (0, 1, 3, 13, 23)]
    if target in CODECS:
        found = [batch[61:] for codec, batch in golden_bytes("golden-batches.txt", "batch") if codec == target]
        return found + ([gzip.compress(b"a" * 5000, mtime=0)] if target == "gzip" else [])
    if target in ("recovery", "dump"):
        small = [batch for batch in batches() if len(batch) < 200]
        made = []
        for one, two in zip(small, small[1:]):
            following = struct.pack(">q", struct.unpack(">q", one[:8])[0] + 20) + two[8:]
            for choices in (1, 3, 7, 33, 39):
                index = struct.pack(">ii", 5, 0)
                times = struct.pack(">qi", 1_700_000_000_000, 5)
                made.append(bytes([choices, len(index), len(times), 0, 40]) + index + times + one + following)
        for log in records_of_transactions():
            made.append(bytes([1, 0, 0, 0, 40]) + log)
            made.append(bytes([1 | 32 | 128, len(ABORTED), len(SNAPSHOT), 0, 2]) + ABORTED + SNAPSHOT + log)
            epochs = b"0\n1\n1 0\n"
            made.append(bytes([1 | 32 | 64, 0, 0, len(epochs), 2]) + epochs + log)
        return made
    if target == "producer-snapshot":
        framed = struct.pack(">i", len(SNAPSHOT) // 46) + SNAPSHOT
        return [b"\1" + SNAPSHOT, b"\1" + SNAPSHOT[46:], b"\0" + struct.pack(">hI", 1, 0) + framed]
    if target == "transaction-index":
        return [b"\0\x05\x20" + ABORTED, b"\3\0\x001 17\n0 68 1a2b3c\n9 34 ff\n", b"\3\0\x001 5\n"]
    if target == "transaction-record":
        data = {(name, version): body for name, version, body in golden_messages()}
        keys = [struct.pack(">h", version) + body for (name, version), body in data.items() if name == "TransactionLogKey"]
        values = [
            struct.pack(">h", version) + body for (name, version), body in data.items() if name == "TransactionLogValue"
        ]
        return [bytes([len(key)]) + key + value for key in keys for value in values] + [b"\xff" + key for key in keys]
    return []


def write(target, directory):
    """Writes a target's inputs as files, which libFuzzer reads."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(inputs(target)):
        (directory / f"{number}").write_bytes(content)
