#!/usr/bin/env python3
"""Writes golden.txt, headers.txt and error-codes.txt in Fixtures with kafka-python, an implementation of the protocol
that shares nothing with ours.

    python3 -m venv /tmp/golden && /tmp/golden/bin/pip install kafka-python==3.0.12
    /tmp/golden/bin/python Tests/KafkaProtocolTests/make_golden.py

Every message is written at every version that we support, once with every field filled (values differ, so that swapped
fields show) and once as sparse as it may be (nulls, empty arrays, no tagged fields). A case in golden.txt is

    FetchRequest 12 filled
    0a0b0c...                                  the bytes, in hex (- for none)
    maxWaitMs=8                                then the values in them, by their path
    topics[0].partitions[1].fetchOffset=77
    (an empty line)

kafka-python has two sets of classes: those made from Kafka 4's schemas, which no longer tell about the oldest versions,
and the older ones written by hand. Where both know a version, the bytes of both must agree or the script fails; the
names of the fields in versions that only the older set knows are spelled out below (OLD_NAMES), and so are the records
of __consumer_offsets and __transaction_state, which no client reads (OFFSETS_TOPIC).
"""
import base64
import importlib
import os
import pkgutil
import random
import re
import uuid

import kafka.errors
import kafka.protocol.old as old_package
from kafka.protocol.admin import (cluster, configs, groups as admin_groups, topics as admin_topics,
                                  transactions as admin_transactions)
from kafka.protocol.consumer import fetch, group, metadata as consumer_metadata, offsets
from kafka.protocol.metadata import api_versions, find_coordinator, metadata
from kafka.protocol.schemas.fields.codecs import BitField
from kafka.protocol.old.types import (Array, Bytes, CompactArray, CompactString, Int8, Int16, Int32, Int64, Schema,
                                      String, TaggedFields)
from kafka.protocol.producer import produce, transaction

MODULES = [produce, fetch, offsets, metadata, group, find_coordinator, admin_groups, api_versions, admin_topics,
           transaction, consumer_metadata, cluster, configs, admin_transactions]

# The newest version of each API that we support.
NEWEST = {
    "Produce": 9, "Fetch": 12, "ListOffsets": 7, "Metadata": 12, "OffsetCommit": 8, "OffsetFetch": 8,
    "FindCoordinator": 4, "JoinGroup": 7, "Heartbeat": 4, "LeaveGroup": 4, "SyncGroup": 5, "DescribeGroups": 5,
    "ListGroups": 4, "ApiVersions": 4, "CreateTopics": 7, "DeleteTopics": 6, "DeleteRecords": 2,
    "InitProducerId": 4, "OffsetForLeaderEpoch": 4, "AddPartitionsToTxn": 3, "AddOffsetsToTxn": 3, "EndTxn": 3,
    "TxnOffsetCommit": 3, "DescribeConfigs": 4, "AlterConfigs": 2, "DescribeLogDirs": 4, "CreatePartitions": 3,
    "DeleteGroups": 2, "IncrementalAlterConfigs": 1, "OffsetDelete": 0, "DescribeCluster": 1, "DescribeProducers": 0,
    "DescribeTransactions": 0, "ListTransactions": 0, "DescribeTopicPartitions": 0,
}
DATA = {"ConsumerProtocolSubscription": 3, "ConsumerProtocolAssignment": 3}

# Kafka's names where kafka-python has its own, by class, depth and name.
RENAMED = {
    ("MetadataResponse", 0, "authorized_operations"): "clusterAuthorizedOperations",
    ("MetadataResponse", 1, "authorized_operations"): "topicAuthorizedOperations",
    ("DescribeClusterResponse", 0, "authorized_operations"): "clusterAuthorizedOperations",
    ("AddPartitionsToTxnRequest", 0, "v3_and_below_transactional_id"): "transactionalID",
    ("AddPartitionsToTxnRequest", 0, "v3_and_below_producer_id"): "producerID",
    ("AddPartitionsToTxnRequest", 0, "v3_and_below_producer_epoch"): "producerEpoch",
    ("AddPartitionsToTxnRequest", 0, "v3_and_below_topics"): "topics",
    ("AddPartitionsToTxnResponse", 0, "results_by_topic_v3_and_below"): "results",
    ("AddPartitionsToTxnResponse", 1, "results_by_partition"): "results",
    ("AddPartitionsToTxnResponse", 2, "partition_error_code"): "errorCode",
}

# Kafka's names of the fields, in wire order, in versions that kafka-python knows by its older classes only.
OLD_NAMES = {
    ("ProduceRequest", 0, 2): ["acks", "timeoutMs", ("topicData", ["name", ("partitionData", ["index", "records"])])],
    ("ProduceResponse", 0, 0): [
        ("responses", ["name", ("partitionResponses", ["index", "errorCode", "baseOffset"])])],
    ("ProduceResponse", 1, 1): [
        ("responses", ["name", ("partitionResponses", ["index", "errorCode", "baseOffset"])]), "throttleTimeMs"],
    ("ProduceResponse", 2, 2): [
        ("responses", ["name", ("partitionResponses", ["index", "errorCode", "baseOffset", "logAppendTimeMs"])]),
        "throttleTimeMs"],
    ("FetchRequest", 0, 2): [
        "replicaID", "maxWaitMs", "minBytes",
        ("topics", ["topic", ("partitions", ["partition", "fetchOffset", "partitionMaxBytes"])])],
    ("FetchRequest", 3, 3): [
        "replicaID", "maxWaitMs", "minBytes", "maxBytes",
        ("topics", ["topic", ("partitions", ["partition", "fetchOffset", "partitionMaxBytes"])])],
    ("FetchResponse", 0, 0): [
        ("responses", ["topic", ("partitions", ["partitionIndex", "errorCode", "highWatermark", "records"])])],
    ("FetchResponse", 1, 3): [
        "throttleTimeMs",
        ("responses", ["topic", ("partitions", ["partitionIndex", "errorCode", "highWatermark", "records"])])],
    ("ListOffsetsRequest", 0, 0): [
        "replicaID", ("topics", ["name", ("partitions", ["partitionIndex", "timestamp", "maxNumOffsets"])])],
    ("ListOffsetsResponse", 0, 0): [
        ("topics", ["name", ("partitions", ["partitionIndex", "errorCode", "oldStyleOffsets"])])],
    ("OffsetCommitRequest", 0, 0): [
        "groupID",
        ("topics", ["name", ("partitions", ["partitionIndex", "committedOffset", "committedMetadata"])])],
    ("OffsetCommitRequest", 1, 1): [
        "groupID", "generationIdOrMemberEpoch", "memberID",
        ("topics",
         ["name", ("partitions", ["partitionIndex", "committedOffset", "commitTimestamp", "committedMetadata"])])],
    ("OffsetCommitResponse", 0, 1): [("topics", ["name", ("partitions", ["partitionIndex", "errorCode"])])],
    ("OffsetFetchRequest", 0, 0): ["groupID", ("topics", ["name", "partitionIndexes"])],
    ("OffsetFetchResponse", 0, 0): [
        ("topics", ["name", ("partitions", ["partitionIndex", "committedOffset", "metadata", "errorCode"])])],
    ("CreateTopicsRequest", 0, 0): [
        ("topics", ["name", "numPartitions", "replicationFactor",
                    ("assignments", ["partitionIndex", "brokerIDs"]), ("configs", ["name", "value"])]),
        "timeoutMs"],
    ("CreateTopicsRequest", 1, 1): [
        ("topics", ["name", "numPartitions", "replicationFactor",
                    ("assignments", ["partitionIndex", "brokerIDs"]), ("configs", ["name", "value"])]),
        "timeoutMs", "validateOnly"],
    ("CreateTopicsResponse", 0, 0): [("topics", ["name", "errorCode"])],
    ("CreateTopicsResponse", 1, 1): [("topics", ["name", "errorCode", "errorMessage"])],
    ("DeleteTopicsRequest", 0, 0): ["topicNames", "timeoutMs"],
    ("DeleteTopicsResponse", 0, 0): [("responses", ["name", "errorCode"])],
    ("DescribeConfigsRequest", 0, 0): [("resources", ["resourceType", "resourceName", "configurationKeys"])],
    ("DescribeConfigsResponse", 0, 0): [
        "throttleTimeMs",
        ("results", ["errorCode", "errorMessage", "resourceType", "resourceName",
                     ("configs", ["name", "value", "readOnly", "isDefault", "isSensitive"])])],
    ("OffsetForLeaderEpochRequest", 0, 1): [("topics", ["topic", ("partitions", ["partition", "leaderEpoch"])])],
    ("OffsetForLeaderEpochResponse", 0, 0): [
        ("topics", ["topic", ("partitions", ["errorCode", "partition", "endOffset"])])],
    ("OffsetForLeaderEpochResponse", 1, 1): [
        ("topics", ["topic", ("partitions", ["errorCode", "partition", "leaderEpoch", "endOffset"])])],
}

# Versions that kafka-python no longer writes, or never wrote right, and that differ from the next one in nothing.
SAME_AS_NEXT = {("DescribeLogDirsRequest", 0), ("DescribeLogDirsResponse", 0)}

# Older classes that are not laid out as the message is.
NOT_COMPARABLE = {"DescribeLogDirsRequest", "CreatePartitionsRequest"}

# Fields that may be null in those versions.
OLD_NULLABLE = {"records", "committedMetadata", "value", "errorMessage", "configurationKeys"}

STRING = String("utf-8")
MEMBER_0 = [("memberID", STRING), ("clientID", STRING), ("clientHost", STRING), ("sessionTimeout", Int32),
            ("subscription", Bytes), ("assignment", Bytes)]
MEMBER_1 = [("memberID", STRING), ("clientID", STRING), ("clientHost", STRING), ("rebalanceTimeout", Int32),
            ("sessionTimeout", Int32), ("subscription", Bytes), ("assignment", Bytes)]
MEMBER_3 = MEMBER_1[:1] + [("groupInstanceID", STRING)] + MEMBER_1[1:]
GROUP = [("protocolType", STRING), ("generation", Int32), ("protocol", STRING), ("leader", STRING)]
SINCE = [("currentStateTimestamp", Int64)]
OFFSETS_TOPIC = {
    ("OffsetCommitKey", 0): [("group", STRING), ("topic", STRING), ("partition", Int32)],
    ("OffsetCommitKey", 1): [("group", STRING), ("topic", STRING), ("partition", Int32)],
    ("OffsetCommitValue", 0): [("offset", Int64), ("metadata", STRING), ("commitTimestamp", Int64)],
    ("OffsetCommitValue", 1): [
        ("offset", Int64), ("metadata", STRING), ("commitTimestamp", Int64), ("expireTimestamp", Int64)],
    ("OffsetCommitValue", 2): [("offset", Int64), ("metadata", STRING), ("commitTimestamp", Int64)],
    ("OffsetCommitValue", 3): [
        ("offset", Int64), ("leaderEpoch", Int32), ("metadata", STRING), ("commitTimestamp", Int64)],
    ("GroupMetadataKey", 2): [("group", STRING)],
    ("GroupMetadataValue", 0): GROUP + [("members", Array(*MEMBER_0))],
    ("GroupMetadataValue", 1): GROUP + [("members", Array(*MEMBER_1))],
    ("GroupMetadataValue", 2): GROUP + SINCE + [("members", Array(*MEMBER_1))],
    ("GroupMetadataValue", 3): GROUP + SINCE + [("members", Array(*MEMBER_3))],
}
OFFSETS_NULLABLE = {"protocol", "leader", "groupInstanceID", "transactionPartitions"}

# Records of __transaction_state, and of control batches.
TRANSACTION = [("producerID", Int64), ("producerEpoch", Int16), ("transactionTimeoutMs", Int32),
               ("transactionStatus", Int8)]
TIMES = [("transactionLastUpdateTimestampMs", Int64), ("transactionStartTimestampMs", Int64)]
OFFSETS_TOPIC.update({
    ("TransactionLogKey", 0): [("transactionalID", STRING)],
    ("TransactionLogValue", 0): TRANSACTION + [
        ("transactionPartitions", Array(("topic", STRING), ("partitionIDs", Array(Int32))))] + TIMES,
    ("TransactionLogValue", 1): TRANSACTION + [
        ("transactionPartitions", CompactArray(
            ("topic", CompactString("utf-8")), ("partitionIDs", CompactArray(Int32)), ("tags", TaggedFields)))] + TIMES,
    ("ControlRecordKey", 0): [("type", Int16)],
    ("EndTxnMarker", 0): [("coordinatorEpoch", Int32)],
})
# The tagged fields at the end of a flexible version: number, name and type.
RECORD_TAGS = {("TransactionLogValue", 1): [
    (0, "previousProducerID", Int64), (1, "nextProducerID", Int64), (2, "clientTransactionVersion", Int16)]}


class Values:
    """Distinct values, the same in every run."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def integer(self, bits):
        return self.random.randrange(-(1 << bits - 1), 1 << bits - 1)

    def text(self):
        self.count += 1
        return "%s-%d" % (self.random.choice(["alpha", "beta", "gämma", "delta", "データ"]), self.count)

    def raw(self):
        return bytes(self.random.randrange(256) for _ in range(self.random.randrange(1, 6)))

    def uuid(self):
        return uuid.UUID(int=self.random.getrandbits(128))

    def of(self, kind):
        if kind == "bool":
            return True
        if kind in ("int8", "int16", "int32", "int64"):
            return self.integer(int(kind[3:]))
        return {"string": self.text, "bytes": self.raw, "records": self.raw, "uuid": self.uuid}[kind]()


def swift_name(name):
    name = name[0].lower() + name[1:]
    return re.sub(r"Id(s?)$", r"ID\1", name)


def show(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"%s"' % value
    if isinstance(value, (bytes, bytearray)):
        return "x" + value.hex()
    if isinstance(value, uuid.UUID):
        return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")
    if isinstance(value, list):
        return "[" + ",".join(map(show, value)) + "]"
    raise TypeError(value)


def lines(tree, prefix=""):
    """The leaves of a list of (name, value), where a list of such lists is an array of structures."""
    for name, value in tree:
        path = prefix + name
        if isinstance(value, list) and value and isinstance(value[0], list):
            for index, element in enumerate(value):
                yield from lines(element, "%s[%d]." % (path, index))
        elif isinstance(value, tuple):
            yield from lines(value[0], path + ".")
        else:
            yield "%s=%s" % (path, show(value))


def positional(tree, fields, flexible):
    """The same values as the older classes take them: nested tuples, with `fields` of their schema."""
    result = []
    for (_, value), (_, kind) in zip(tree, fields):
        if isinstance(value, list) and value and isinstance(value[0], list):
            if isinstance(kind.array_of, Schema):
                inner = schema_fields(kind.array_of)
                value = [positional(element, inner, flexible) for element in value]
            else:  # an array of structures of one field each was an array of strings
                value = [element[0][1] for element in value]
        elif old_kind(kind) == "bitfield":
            value = BitField.from_32_bit_field(value)
        result.append(value)
    return tuple(result + [{}]) if flexible else tuple(result)


def modern(cls, version, variant):
    """The bytes by the classes from schemas, and the tree of values."""
    values = Values("%s %d %s" % (cls.__name__, version, variant))
    sparse = variant == "sparse"
    flexible = cls.flexible_version_q(version)

    def build(fields, depth):
        kwargs, tree = {}, []
        for field in sorted(fields, key=lambda f: f.tagged_field_q(version)):
            if not field.for_version_q(version):
                continue
            if sparse and field.tagged_field_q(version):
                continue
            kind = field.type_str
            if sparse and field.nullable_for_version_q(version):
                value = shown = None
            elif field.is_struct_array():
                inner = list(field.array_of.fields.values())
                count = 0 if sparse and depth > 1 else 2 if depth < 2 else 1
                built = [build(inner, depth + 1) for _ in range(count)]
                value = [field.data_class(version=version, **k) for k, _ in built]
                shown = [t for _, t in built]
            elif field.is_struct():
                k, t = build(list(field.fields.values()), depth + 1)
                value, shown = field.data_class(version=version, **k), (t,)
            elif field.is_array():
                item = field._type_str[2:]
                shown = value = [] if sparse else [values.of(item) for _ in range(3)]
            elif kind == "bitfield":
                shown = values.random.randrange(1 << 12)
                value = BitField.from_32_bit_field(shown)
            else:
                shown = value = values.of(kind)
            kwargs[field.name] = value
            name = RENAMED.get((cls.__name__, depth, field.name), swift_name(field._name))
            tree.append((name, shown))
        return kwargs, tree

    kwargs, tree = build(list(cls._struct.fields.values()), 0)
    message = cls(version=version, **kwargs)
    data = message.encode(header=False) if cls.__name__ in DATA else message.encode()
    return bytes(data), tree, flexible


def schema_fields(schema):
    return [(name, kind) for name, kind in zip(schema.names, schema.fields) if kind is not TaggedFields]


def from_old_schema(fields, names, values, sparse, nullable, depth=0):
    """Values for one of kafka-python's hand-written schemas, named by `names`."""
    assert len(fields) == len(names), (fields, names)
    tree = []
    for (_, kind), name in zip(fields, names):
        if sparse and (name[0] if isinstance(name, tuple) else name) in nullable:
            tree.append((name[0] if isinstance(name, tuple) else name, None))
        elif isinstance(name, tuple):
            inner = schema_fields(kind.array_of)
            count = 0 if sparse and depth > 1 else 2 if depth < 2 else 1
            elements = [from_old_schema(inner, name[1], values, sparse, nullable, depth + 1) for _ in range(count)]
            tree.append((name[0], elements))
        elif isinstance(kind, Array):
            item = old_kind(kind.array_of)
            tree.append((name, [] if sparse else [values.of(item) for _ in range(3)]))
        else:
            tree.append((name, values.of(old_kind(kind))))
    return tree


def old_kind(kind):
    name = (kind if isinstance(kind, type) else type(kind)).__name__
    return {"Boolean": "bool"}.get(name, name.removeprefix("Compact").lower())


def old_classes():
    """{(message name, version): class} of the hand-written classes."""
    found = {}
    renamed = {"OffsetRequest": "ListOffsetsRequest", "OffsetResponse": "ListOffsetsResponse",
               "GroupCoordinatorRequest": "FindCoordinatorRequest",
               "GroupCoordinatorResponse": "FindCoordinatorResponse",
               "ApiVersionRequest": "ApiVersionsRequest", "ApiVersionResponse": "ApiVersionsResponse"}
    for info in pkgutil.iter_modules(old_package.__path__):
        module = importlib.import_module(old_package.__name__ + "." + info.name)
        for name, cls in vars(module).items():
            match = re.fullmatch(r"(\w+(?:Request|Response))_v(\d+)", name)
            if match and getattr(cls, "SCHEMA", None) is not None:
                base = renamed.get(match[1], match[1])
                found[base, int(match[2])] = cls
    return found


def old_bytes(cls, tree, flexible):
    return cls.SCHEMA.encode(positional(tree, schema_fields(cls.SCHEMA), flexible))


def old_names(name, version):
    for (message, first, last), names in OLD_NAMES.items():
        if message == name and first <= version <= last:
            return names
    return None


def consumer_offsets_case(name, version, variant):
    values = Values("%s %d %s" % (name, version, variant))
    schema = OFFSETS_TOPIC[name, version]

    def names_of(fields):
        return [(n, names_of(schema_fields(k.array_of)))
                if isinstance(k, Array) and isinstance(k.array_of, Schema) else n for n, k in fields]

    tree = from_old_schema(schema, names_of(schema), values, variant == "sparse", OFFSETS_NULLABLE)
    data = Schema(*schema).encode(positional(tree, schema, False))
    if (name, version) in RECORD_TAGS:
        tags = {}
        for tag, field, kind in RECORD_TAGS[name, version] if variant == "filled" else []:
            tree.append((field, values.of(old_kind(kind))))
            tags[tag] = kind.encode(tree[-1][1])
        data += TaggedFields.encode(tags)
    return data, tree


def header(message):
    """The header with correlation id 0x01020304, for requests with client id `wéir`."""
    if message.is_request():
        message.with_header(correlation_id=0x01020304, client_id="w\u00e9ir")
    else:
        message.with_header(correlation_id=0x01020304)
    return bytes(message.encode_header(flexible=message.flexible_version_q(message.version)))


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Fixtures")
    os.makedirs(folder, exist_ok=True)
    classes = {name: cls for module in MODULES for name, cls in vars(module).items() if isinstance(cls, type)}
    old = old_classes()
    cases, compared = [], 0

    for api, newest in NEWEST.items():
        for kind in ("Request", "Response"):
            name = api + kind
            cls = classes[name]
            for version in range(newest + 1):
                for variant in ("filled", "sparse"):
                    names = old_names(name, version)
                    if names is not None:
                        values = Values("%s %d %s" % (name, version, variant))
                        sparse = variant == "sparse"
                        schema = old[name, version].SCHEMA
                        tree = from_old_schema(schema_fields(schema), names, values, sparse, OLD_NULLABLE)
                        data = old_bytes(old[name, version], tree, False)
                        cases.append((name, version, variant, data, tree))
                    else:
                        written = version + 1 if (name, version) in SAME_AS_NEXT else version
                        data, tree, flexible = modern(cls, written, variant)
                        cases.append((name, version, variant, data, tree))
                        if (name, version) in old and name not in NOT_COMPARABLE:
                            if (name, flexible, variant) == ("ApiVersionsResponse", True, "filled"):
                                continue  # whose tagged fields the older class does not know
                            assert old_bytes(old[name, version], tree, flexible) == data, (name, version, variant)
                            compared += 1
    for name, newest in DATA.items():
        for version in range(newest + 1):
            for variant in ("filled", "sparse"):
                data, tree, _ = modern(classes[name], version, variant)
                cases.append((name, version, variant, data, tree))
    for name, version in OFFSETS_TOPIC:
        for variant in ("filled", "sparse"):
            data, tree = consumer_offsets_case(name, version, variant)
            cases.append((name, version, variant, data, tree))

    with open(os.path.join(folder, "golden.txt"), "w", encoding="utf-8") as out:
        for name, version, variant, data, tree in cases:
            out.write("%s %d %s\n%s\n" % (name, version, variant, data.hex() or "-"))
            for line in lines(tree):
                out.write(line + "\n")
            out.write("\n")

    with open(os.path.join(folder, "headers.txt"), "w", encoding="utf-8") as out:
        for api, newest in NEWEST.items():
            for name in (api + "Request", api + "Response"):
                for version in range(newest + 1):
                    out.write("%s %d %s\n" % (name, version, header(classes[name](version=version)).hex()))

    with open(os.path.join(folder, "error-codes.txt"), "w", encoding="utf-8") as out:
        errors = {e.errno: e for e in vars(kafka.errors).values()
                  if isinstance(e, type) and isinstance(getattr(e, "errno", None), int) and getattr(e, "message", None)}
        for code in sorted(errors):
            out.write("%d %s\n" % (code, errors[code].message))

    print("%d cases, %d of them encoded by the older classes too" % (len(cases), compared))


if __name__ == "__main__":
    main()
