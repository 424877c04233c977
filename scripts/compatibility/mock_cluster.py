"""librdkafka's own mock cluster: several brokers in this process that can be told to err, to fail and to move.

confluent-kafka's Python interface starts one but cannot steer it, so this calls the library that comes with it.
"""

import ctypes
import pathlib

import confluent_kafka

# Kafka's API keys.
PRODUCE, FETCH, LIST_OFFSETS, METADATA, OFFSET_COMMIT, OFFSET_FETCH = 0, 1, 2, 3, 8, 9
HEARTBEAT, INIT_PRODUCER_ID = 12, 22
ADD_PARTITIONS_TO_TXN, END_TXN = 24, 26

# Kafka's error codes.
UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER, REQUEST_TIMED_OUT = 3, 5, 6, 7
COORDINATOR_LOADING, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, REBALANCE_IN_PROGRESS = 14, 15, 16, 27
CONCURRENT_TRANSACTIONS, STORAGE_ERROR, PRODUCER_FENCED = 51, 56, 90
OFFSET_NOT_AVAILABLE, FENCED_INSTANCE_ID = 78, 82


def _library():
    package = pathlib.Path(confluent_kafka.__file__).parent
    found = sorted(package.parent.glob("confluent_kafka.libs/librdkafka*.so*"))
    library = ctypes.CDLL(str(found[0]) if found else "librdkafka.so.1")
    for name in ["conf_new", "new", "mock_cluster_new"]:
        getattr(library, f"rd_kafka_{name}").restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class MockCluster:
    def __init__(self, brokers=3):
        self._library = _library()
        error = ctypes.create_string_buffer(512)
        configuration = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        # Only brokers are wanted of this client; it need not say that it connects to none.
        self._library.rd_kafka_conf_set(configuration, b"log_level", b"4", error, ctypes.c_size_t(512))
        self._handle = ctypes.c_void_p(self._library.rd_kafka_new(0, configuration, error, ctypes.c_size_t(512)))
        if not self._handle:
            raise RuntimeError(error.value.decode())
        self._cluster = ctypes.c_void_p(self._library.rd_kafka_mock_cluster_new(self._handle, brokers))
        self._library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 100)
        self.address = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)

    def _call(self, name, *arguments):
        arguments = [one.encode() if isinstance(one, str) else one for one in arguments]
        code = getattr(self._library, f"rd_kafka_mock_{name}")(self._cluster, *arguments)
        if code != 0:
            raise RuntimeError(f"rd_kafka_mock_{name}{tuple(arguments)} failed: {code}")

    def create_topic(self, name, partitions):
        self._call("topic_create", name, partitions, 1)

    def push_errors(self, api, *codes):
        """The next requests of this kind, whichever broker they reach, are refused with these codes."""
        array = (ctypes.c_int * len(codes))(*codes)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(api), ctypes.c_size_t(len(codes)), array)

    def move_leader(self, topic, partition, broker):
        self._call("partition_set_leader", topic, partition, broker)

    def move_coordinator(self, kind, key, broker):
        """`kind` is group or transaction."""
        self._call("coordinator_set", kind, key, broker)

    def stop_broker(self, broker):
        self._call("broker_set_down", broker)

    def start_broker(self, broker):
        self._call("broker_set_up", broker)
